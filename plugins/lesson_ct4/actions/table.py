"""The declarations of the ct4 lesson's actions; their code is imported when a step runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from lesson_ct4.actions.paths import fetch_paths, generate_paths, preview_paths, train_paths
from lesson_ct4.config import RECIPES, config_from, training_fields
from lesson_ct4.data import fetch
from lesson_ct4.device.mesh import share_problem
from lesson_ct4.flags import Command, command_line, flags_of
from lesson_ct4.names import TOO_FEW_CHIPS
from lesson_runner.model import Expectation, Inspection, Json
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.action import Action
from lesson_tenstorrent.findings import METRICS

QUICK = {
    "recipe": "tuned",
    # Repeated here, because a profile overrides the flags in a lesson and a recipe does not.
    **RECIPES["tuned"],
    "steps_per_epoch": 8,
    "n_layer": 3,
    "n_embd": 128,
    "n_head": 4,
    "sequence_length": 64,
    "batch_size": 16,
    "learning_rate": 3e-3,
    "warmup_steps": 50,
}
"""A small model that runs the whole lesson in minutes on two cores; see docs/measurements.md."""
FULL = {"steps_per_epoch": 100}
"""The published lesson counts 1,000 steps as 10 epochs."""


def _fetch_command(params: Json) -> str:
    if params.get("dataset"):
        return f"cp {shlex.quote(params['dataset'])} {shlex.quote(params['name'])}"
    return f"wget {shlex.quote(params['url'])} -O {shlex.quote(params['name'])}"


def _fetch_permissions(params: Json) -> Iterable[str]:
    """Yield the permissions to read the file, or to download from the address, that a lesson names."""
    url = params.get("url", fetch.URL)
    if params.get("dataset"):
        yield f"read {params['dataset']}"
    elif url != fetch.URL and params.get("fallback") != "only":
        yield f"network {url}"


def _inspect_training(params: Json) -> Inspection:
    return replace(train_paths(params), problem=_training_problem(params))


def _training_problem(params: Json) -> str | None:
    """Return the problem with training parameters and its fix, or ``None``."""
    try:
        config = config_from(training_fields(params))
    except LessonError as error:
        return f"{error} ({error.fix})" if error.fix else str(error)
    rows, _, columns = str(params.get("mesh", "1x1")).partition("x")
    if int(rows) != 1:
        return f"--mesh is {rows}x{columns} (--mesh must be 1xN, for N chips in a row)"
    problem = share_problem(config.batch_size, int(columns))
    return f"{problem[0]} ({problem[1]})" if problem else None


def _schema(properties: Mapping[str, Any]) -> Json:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _flag_properties(command: Command) -> Json:
    return {flag.name: flag.schema for flag in flags_of(command)}


def _flag_defaults(command: Command) -> Json:
    return {flag.name: flag.default for flag in flags_of(command) if flag.default is not None}


def _flag_command(command: Command) -> Callable[[Json], str]:
    return lambda params: command_line(command, params)


def _preview_command(params: Json) -> str:
    return f"head -n {params['lines']} {shlex.quote(params['name'])}"


NAME = {
    "type": "string",
    "description": "Its name in the workspace.",
    "pattern": r"^(?!\.{1,2}$)[^/\\]+$",  # a file in the folder, not the folder itself
}
TRAINING_EXPECTS = (Expectation("metric", {"name": "improvement", "min": 0.1}),)
"""Any training improves on an even guess; a lesson sets by how much."""
GENERATION_EXPECTS = (
    Expectation("metric", {"name": "characters", "min": 1}),
    Expectation("metric", {"name": "unknown_characters", "max": 0}),
)
"""Any model writes characters of its text; a lesson sets how well."""

CHIPS_PROPERTY = {
    "enum": ["fail", "skip"],
    "description": "If the board has fewer chips than --mesh needs: fail (the default), or skip the step.",
}
FETCH_PROPERTIES = {
    "dataset": {"type": "string", "description": "A file to train on, from the lesson's folder."},
    "url": {"type": "string", "description": "The text's address.", "pattern": "^https?://"},
    "sha256": {
        "type": "string",
        "description": "The text's SHA-256 in hex, or 'any' to accept any text.",
        "pattern": "^([0-9a-f]{64}|any)$",
    },
    "bytes": {"type": "integer", "description": "The text's size in bytes.", "minimum": 1},
    "name": NAME,
    "fallback": {
        "enum": ["auto", "never", "only"],
        "description": "When to use the synthetic play: auto (without a network), never, or only (always).",
    },
}

TRAINING_METRICS = (
    *("steps", "reused_steps", "parameters", "seconds", "tokens_per_second", "training_seconds"),
    *("first_loss", "last_loss", "final_loss", "best_loss", "improvement"),
    *("validation_loss", "bits_per_character"),
)
GENERATION_METRICS = (
    *("samples", "characters", "unknown_characters", "words", "invented_words", "speaker_lines"),
    *("known_speakers", "longest_copied", "copied_ratio", "real_word_ratio", "novelty", "repetition"),
    *("character_plausibility", "word_plausibility", "format_score"),
)

ACTIONS = (
    Action(
        "ct4.check-environment",
        "Check Python, packages, disk, and on a board tt-metal and ttml",
        "lesson_ct4.actions.environment:run",
        schema=_schema(
            {"disk_gb": {"type": "number", "description": "Disk space needed, in GB.", "minimum": 0}}
        ),
        self_judging=True,
        checks="lesson_ct4.actions.environment:checks_for",
        metrics=METRICS,
    ),
    Action(
        "ct4.fetch-dataset",
        "Get the text to train on, and check its digest",
        "lesson_ct4.actions.fetch:run",
        schema=_schema(FETCH_PROPERTIES),
        defaults={
            "url": fetch.URL,
            "sha256": fetch.SHA256,
            "bytes": fetch.BYTES,
            "name": fetch.NAME,
            "fallback": "auto",
        },
        self_judging=True,
        inspect=fetch_paths,
        command=_fetch_command,
        permissions=_fetch_permissions,
        metrics=("bytes", "characters", "unique_characters", "lines"),
    ),
    Action(
        "ct4.preview",
        "Show the first lines of the text",
        "lesson_ct4.actions.preview:run",
        schema=_schema(
            {
                "name": NAME,
                "lines": {"type": "integer", "description": "How many lines to show.", "minimum": 1},
            }
        ),
        defaults={"name": fetch.NAME, "lines": 10},
        self_judging=True,
        inspect=preview_paths,
        command=_preview_command,
        metrics=(),
    ),
    Action(
        "ct4.train",
        "Train a NanoGPT on a text",
        "lesson_ct4.actions.train:run",
        schema=_schema({**_flag_properties("train"), TOO_FEW_CHIPS: CHIPS_PROPERTY}),
        defaults=_flag_defaults("train"),
        presets={"recipe": RECIPES},
        profiles={"quick": QUICK, "full": FULL},
        inspect=_inspect_training,
        command=_flag_command("train"),
        expect=TRAINING_EXPECTS,
        metrics=TRAINING_METRICS,
    ),
    Action(
        "ct4.generate",
        "Continue a prompt with a trained NanoGPT",
        "lesson_ct4.actions.generate:run",
        schema=_schema(_flag_properties("generate")),
        defaults=_flag_defaults("generate"),
        inspect=generate_paths,
        command=_flag_command("generate"),
        expect=GENERATION_EXPECTS,
        metrics=GENERATION_METRICS,
    ),
)
"""In the order in which a lesson uses them."""
