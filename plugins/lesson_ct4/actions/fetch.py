"""The action ``ct4.fetch-dataset``: get the text, save it in the workspace, and show its beginning."""

from __future__ import annotations

import json

from lesson_ct4.actions.workspace_files import data_path, dataset_labels, share_corpus, text_name
from lesson_ct4.data.fetch import LARGEST, Found, Given, Pin, WrongTextError, find_text
from lesson_ct4.data.text import decode
from lesson_ct4.names import base_name
from lesson_runner.execute.environment import SHORTEST_WITHHELD
from lesson_runner.files.plain import write_atomically
from lesson_runner.model import Json, Outcome
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import StepContext

PREVIEW_LINES = 20
RECORD = "dataset.json"


def run(params: Json, context: StepContext) -> Outcome:
    """
    Get the text, check it, and save it in the workspace and as evidence.

    Raises:
        LessonError: the user's file cannot be read, or the text cannot be obtained.
    """
    pin = Pin(params["url"], params["sha256"], params["bytes"])
    total = 0 if pin.any else pin.size

    def progress(done: int) -> None:
        context.check_time()
        context.progress(min(done, total or done), total or done, unit="bytes")

    try:
        found = find_text(
            pin,
            given=_given(params, context),
            fallback=params["fallback"],
            reuse=not context.run.fresh,
            progress=progress,
        )
    except WrongTextError as error:
        return Outcome(status="failed", message=str(error))
    target = data_path(context.workspace, params["name"])
    write_atomically(target, found.data)
    fact = {
        "name": base_name(params["name"]),
        "source": found.source,
        "url": pin.url if found.source in ("cache", "download") else None,
        "sha256": found.sha256,
        "bytes": len(found.data),
        "pinned": found.pinned,
        "text": text_name(found.sha256),
    }
    corpus = share_corpus(context.run, found.data)
    # Next to the text for runs that start at a later step, and as evidence of this step.
    write_atomically(target.with_suffix(".json"), json.dumps(fact, indent=2) + "\n")
    write_atomically(context.evidence / RECORD, json.dumps({**fact, "corpus": corpus}, indent=2) + "\n")
    _show(found, str(target), context)
    return Outcome(facts={"dataset": fact}, labels=dataset_labels(found.sha256))


def _given(params: Json, context: StepContext) -> Given | None:
    """
    Return the file that ``dataset`` names.

    Raises:
        LessonError: it must not or cannot be read, or contains a secret value of this machine.
    """
    if not params.get("dataset"):
        return None
    given = Given(params["dataset"], context.read_input("dataset", LARGEST))
    text = given.data.decode("utf-8", "replace")
    # A secret that is a plain word, or a few digits, occurs in any long text by chance.
    if any(
        end - start >= SHORTEST_WITHHELD and not text[start:end].isalpha()
        for start, end in context.run.redactor.declared(text)
    ):
        raise LessonError(
            f"the data set {given.name} contains a secret value, and a run stores its text as evidence",
            fix="train on another text, or remove the value from it",
        )
    return given


def _show(found: Found, target: str, context: StepContext) -> None:
    text = decode(found.data)
    for note in found.notes:
        context.say(f"Note: {note}")
    if found.source == "synthetic":
        context.say("*" * 78)
        context.say("This is NOT Shakespeare: it is a synthetic play of the same size and alphabet.")
        context.say(f"Why: {found.origin}.")
        context.say("The model learns in a similar way, but no number here can be compared with the")
        context.say("lesson's, and the run cannot be certified. With a network connection, run this step")
        context.say("again; or pass the file yourself: --param dataset=FILE")
        context.say("*" * 78)
    origin = {
        "user": f"the file {found.origin}",
        "cache": f"the cache, {found.origin}",
        "download": found.origin,
        "synthetic": "made here",
    }[found.source]
    checked = "the pinned text" if found.pinned else "not the pinned text"
    context.say(f"Dataset: {target}")
    context.say(f"  From: {origin}")
    context.say(f"  Size: {len(found.data)} bytes, {len(text)} characters, {len(set(text))} unique")
    context.say(f"  SHA-256: {found.sha256} ({checked})")
    context.say()
    context.say("\n".join(text.split("\n")[:PREVIEW_LINES]))
