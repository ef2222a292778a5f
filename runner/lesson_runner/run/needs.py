"""Find out why a step cannot run here: which of its needs this machine, or this run, does not meet."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from lesson_runner.document.transcripts import runs_as, typed_in
from lesson_runner.execute.needs import Surroundings, name_of, unmet_needs
from lesson_runner.files.evidence import EVIDENCE, OUTPUT
from lesson_runner.files.untrusted import read_below
from lesson_runner.model import BlockRole, Need, Plan, PlannedStep, StepResult
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.builtin.shell import surroundings
from lesson_runner.plugins.context import RunContext
from lesson_runner.plugins.manager import Plugins
from lesson_runner.roles.file import adds_to_file
from lesson_runner.roles.needs import made_in
from lesson_runner.roles.python_text import read_python
from lesson_runner.run.missing import is_like, is_like_file, is_misspelt, lacks_something, missing_from

PHRASES = {
    "failed": "failed",
    "error": "ended with an error",
    "not-reached": "was not reached",
    "skipped": "was skipped",
}
"""How a step ended that did not pass, by its status."""
MOST_NAMED = 3
"""How many unmet needs a message names."""
_NO_NAME = re.compile(r"^NameError: name '(?P<name>\w+)' is not defined")
_FUNCTION = re.compile(r"^[ \t]*(?:function[ \t]+)?([\w-]+)[ \t]*\(\)[ \t]*(?:\{|$)", re.MULTILINE)
"""The name in a definition of a function, also in a file with a script."""
MOST_READ = 16 * 1024 * 1024
"""Upper limit for the bytes of an output that is read; evidence is shorter."""


def why_unmet(
    step: PlannedStep,
    context: RunContext,
    plugins: Plugins,
    results: Mapping[str, StepResult],
    plan: Plan,
) -> str:
    """
    Return why a step that is about to run cannot, in one line; empty if its needs are met.

    What a step that passed has made is not looked for: if it is missing, the step that needs it fails. In a
    lesson without directives, nor is what is called almost like something that is there.

    Args:
        results: how the earlier steps ended, by id; one of several commands of a block has an id of its own.
    """
    made_by = {item.number: item.step for item in plan.blocks if item.number and item.step is not None}
    ended = {need: _end_of(made_by.get(need.made_by), results) for need in step.requires}
    wanted = [need for need in step.requires if ended[need] != "passed"]
    if plan.recognised and (reason := _why_kept(step, context, plan)):
        return reason
    broken = [str(error) for (_, hook), error in plugins.errors.items() if hook == "lesson_detect_hardware"]
    here = surroundings(context, step.id, broken)
    found = unmet_needs(wanted, here) if wanted else {}
    if found and plan.recognised:
        own, done = made_in(plan.blocks), made_in(_done(plan.blocks, results, ()))
        folder = _folder_of(here)
        found = {need: wrong for need, wrong in found.items() if not _is_misspelt(need, own, done, folder)}
    if not found:
        return ""
    messages = []
    for need in [need for need in wanted if need in found]:
        maker, wrong = made_by.get(need.made_by), found[need]
        if maker is not None and (phrase := PHRASES.get(ended[need])):
            wrong = f"which step '{maker}' makes, and that {phrase}"
        messages.append(f"{name_of(need)}, {wrong}")
    return f"it needs {'; and '.join(messages[:MOST_NAMED])}" if messages else ""


def _why_kept(step: PlannedStep, context: RunContext, plan: Plan) -> str:
    """Return why a block that the text says to add to a file does not replace what that file says."""
    item = next((item for item in plan.blocks if item.step == step.id and item.role == "file"), None)
    if step.action != "file" or item is None or not adds_to_file(item.block):
        return ""
    path = str(step.params["path"])
    place = f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)
    try:
        said = surroundings(context, step.id, ()).ask(f"[ ! -s {place} ] || echo filled")
    except (LessonError, OSError, TimeoutError):
        return ""
    if said.strip() != "filled":
        return ""
    return f"the text says to add to '{path}', which has content: only a person knows where it belongs"


def _is_misspelt(need: Need, made: Iterable[Need], done: Iterable[Need], folder: Path | None) -> bool:
    """
    Return whether something that no block makes is called almost like something that is there.

    Args:
        made: what the blocks of the lesson make.
        done: what those whose steps have passed make.
        folder: where the terminal is.
    """
    if need.made_by:
        return False
    name = PurePosixPath(need.value).name
    if need.kind == "file":
        names = {PurePosixPath(item.value).name for item in made if item.kind == "file"}
        if name not in names and is_like(name, names):
            return True
        if name == need.value and name in {PurePosixPath(item.value).name for item in done}:
            return True  # the step works in the wrong folder
        if folder is None or need.value.startswith(("/", "~")):
            return False
        return is_like_file(name, folder / PurePosixPath(need.value).parent)
    if need.kind == "python":
        own = {PurePosixPath(item.value).stem for item in done if item.kind in ("file", "python")}
    elif need.kind == "command":
        own = {item.value for item in done if item.kind == "command"}
    else:
        return False
    return is_misspelt(need) or (name not in own and is_like(name, own))


def _folder_of(here: Surroundings) -> Path | None:
    """Return the folder that the terminal is in; ``None`` if it does not say."""
    try:
        place = here.ask("builtin pwd").strip()
    except (LessonError, OSError):
        return None
    return Path(place) if place.startswith("/") else None


def skipped_if_missing(
    result: StepResult, context: RunContext, plan: Plan, results: Mapping[str, StepResult]
) -> StepResult:
    """
    Return the result of a recognised step, as skipped if it failed because the machine lacks something.

    Nobody has said what the step needs, and not all of it can be seen in its block: what it does not find may
    also be what skipped steps would have made. The result of a step that an author has declared, or that a
    plugin runs, stays as it is.

    Args:
        results: how the earlier steps ended, by id.
    """
    step = result.step
    names = {step.id, step.id.rpartition(".")[0]}
    recognised = any(item.recognised and item.id in names for item in plan.lesson.steps)
    if result.status != "failed" or not recognised or step.action not in ("shell", "python"):
        return result
    try:
        output = read_below(context.folder, f"{EVIDENCE}/{step.id}/{OUTPUT}", MOST_READ)
    except OSError:
        return result
    text = output.decode("utf-8", "replace")
    functions = {Need("command", name) for name in _FUNCTION.findall(plan.lesson.text)}
    need = missing_from(text, result.exit_code, made_in(plan.blocks) | functions)
    skipped = [name for name, item in results.items() if item.status == "skipped"]
    if need is not None:
        lacks = f"it needs {name_of(need)}"
        lacks += "" if need.kind == "package" else ", which is missing here"
    elif (
        skipped
        and result.exit_code
        and lacks_something(
            text,
            made_in(_done(plan.blocks, results, names)) | functions,
            _folder_of(surroundings(context, step.id, ())),
        )
    ):
        lacks = f"it lacks what skipped steps would have made ({', '.join(skipped[:MOST_NAMED])})"
    elif maker := _skipped_maker_of_name(text, step, plan, results):
        lacks = f"it needs a name that step '{maker}' defines, which was skipped"
    else:
        return result
    return replace(result, status="skipped", message=f"{lacks}: {result.message}")


def _done(
    blocks: Iterable[BlockRole], results: Mapping[str, StepResult], names: Collection[str]
) -> list[BlockRole]:
    """Return the blocks whose steps have passed, and those of the steps with these names."""
    return [item for item in blocks if item.step in names or _end_of(item.step, results) == "passed"]


def _skipped_maker_of_name(
    output: str, step: PlannedStep, plan: Plan, results: Mapping[str, StepResult]
) -> str:
    """Return the skipped Python step that defines the name which a Python step lacks; empty if none does."""
    missing = _NO_NAME.search(output.rstrip().rpartition("\n")[2])
    if step.action != "python" or missing is None:
        return ""
    defines = [
        item.step
        for item in plan.blocks
        if item.step is not None
        and runs_as(item.block) == "python"
        and missing["name"] in read_python(typed_in(item.block).text).defined
    ]
    ended = {name: _end_of(name, results) for name in defines}
    lost = [name for name, status in ended.items() if status == "skipped"]
    return lost[0] if lost and "passed" not in ended.values() else ""


def _end_of(maker: str | None, results: Mapping[str, StepResult]) -> str:
    """Return the status of the step that makes something; the worst if its block has several commands."""
    if maker is None:
        return ""
    found = [item.status for name, item in results.items() if name == maker or name.startswith(f"{maker}.")]
    return next((status for status in found if status != "passed"), "passed" if found else "")
