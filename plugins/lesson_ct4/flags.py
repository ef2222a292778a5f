"""
The flags of training and generating, defined once.

Lessons, the command line and the actions' schemas all use this table, so they accept the same flags. The
names are those of the upstream script (``train_nanogpt.py``); its later spellings are aliases.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lesson_ct4.config import LENGTH_FIELDS, OPTIONS, RECIPES

Command = Literal["train", "generate"]
Kind = Literal["integer", "number", "string", "boolean"]

TRAIN: frozenset[Command] = frozenset({"train"})
GENERATE: frozenset[Command] = frozenset({"generate"})
BOTH: frozenset[Command] = TRAIN | GENERATE


@dataclass(frozen=True, slots=True)
class Flag:
    """
    A flag.

    Attributes:
        name: name of the parameter; ``--name`` on the command line, where hyphens may replace underscores.
        commands: the commands that take it: ``train``, ``generate`` or both.
        default: the value if the flag is not given; ``None`` if there is no default.
        aliases: other spellings, without leading dashes.
        switch: whether it takes no value.
        no_effect: why it is accepted but ignored; empty if it has an effect.
        nullable: whether ``null`` is allowed, with the same meaning as leaving it out.
        bounds: JSON Schema keywords that a value must satisfy.
    """

    name: str
    kind: Kind
    help: str
    commands: frozenset[Command]
    default: Any = None
    aliases: tuple[str, ...] = ()
    switch: bool = False
    no_effect: str = ""
    nullable: bool = False
    bounds: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        """The flag's JSON Schema (draft 2020-12)."""
        kind: str | list[str] = [self.kind, "null"] if self.nullable else self.kind
        bounds = {key: list(bound) if key == "enum" else bound for key, bound in self.bounds.items()}
        return {"type": kind, "description": self.help, **bounds}

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values, if they are enumerated; otherwise empty."""
        return tuple(self.bounds.get("enum", ()))

    @property
    def is_parameter(self) -> bool:
        """False if it only sets another parameter, or has no effect."""
        return not self.no_effect and self.name not in SPELLINGS

    def value(self, text: str) -> Any:
        """
        Parse ``text``, and return the value.

        The bounds of flags in :class:`TrainConfig` are checked by :func:`lesson_ct4.config.value_problem`.

        Raises:
            ValueError: ``text`` is not a valid value; the message says what is expected.
        """
        value = _converted(self.kind, text)
        if self.choices and value not in self.choices:
            raise ValueError(f"expected one of {', '.join(self.choices)}")
        if self.name not in OPTIONS and value < self.bounds.get("minimum", value):
            raise ValueError(f"expected {self.bounds['minimum']:g} or more")
        if "pattern" in self.bounds and not re.fullmatch(self.bounds["pattern"], text):
            raise ValueError(f"expected {EXAMPLES[self.name]}")
        if self.kind == "string" and self.name != "prompt" and not text.strip():
            raise ValueError("expected a name or a path")
        return value


def _converted(kind: Kind, text: str) -> Any:
    if kind == "integer":
        try:
            return int(text)
        except ValueError:
            raise ValueError("expected an integer") from None
    if kind == "number":
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError("expected a number")
        return number
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise ValueError("expected true or false")
        return text.lower() == "true"
    return text


_KINDS: Mapping[type, Kind] = {int: "integer", float: "number", str: "string", bool: "boolean"}


def _from_config() -> Iterable[Flag]:
    """Yield a flag for each option of :class:`TrainConfig`."""
    for name, option in OPTIONS.items():
        yield Flag(
            name,
            _KINDS[option.type],
            option.help,
            BOTH if name == "seed" else TRAIN,
            default=option.default,
            aliases=option.aliases,
            nullable=option.nullable,
            bounds=option.bounds,
        )


_NO_CONFIG_FILE = "the configuration comes from the flags, not from a YAML file"
_NO_MEMORY = "the emulation and this runner do not track device memory"
_THE_RUN = "in a lesson, the run sets it"
_ONLY_UPSTREAM = "it only applies to the upstream script"

EXAMPLES: Mapping[str, str] = {"mesh": "rows x columns of chips, such as 1x8"}
SPELLINGS = ("checkpoint_dir", "checkpoint_prefix")
"""Flags that only set another parameter, ``model_save_path``."""

FLAGS: tuple[Flag, ...] = (
    Flag("data_path", "string", "The training text, by its name in the workspace's data folder.",
         TRAIN, default="data/shakespeare.txt"),
    Flag("model_save_path", "string", "Name of the checkpoint, which is saved in the workspace.",
         TRAIN, default="nanogpt"),
    *_from_config(),
    Flag("mesh", "string", "Chips to train on, as rows x columns, such as 1x8.", TRAIN, default="1x1",
         bounds={"pattern": "^[1-9][0-9]*x[1-9][0-9]*$"}),
    Flag("resume", "string", "Resume from this checkpoint, including its optimizer state.", TRAIN),
    Flag("fresh", "boolean", "Train from scratch; the default without --resume.", TRAIN, switch=True),
    Flag("prompt", "string", "The text to continue.", GENERATE, default="ROMEO:"),
    Flag("model_path", "string", "The checkpoint to generate from.", GENERATE, default="nanogpt"),
    Flag("max_new_tokens", "integer", "Number of characters to generate.", GENERATE, default=300,
         bounds={"minimum": 1}),
    Flag("temperature", "number", "0 always picks the likeliest character; higher values are more random.",
         GENERATE, default=0.8, bounds={"minimum": 0}),
    Flag("top_k", "integer", "Sample from this many likeliest characters; 0 for all.",
         GENERATE, default=40, bounds={"minimum": 0}),
    Flag("samples", "integer", "Number of texts to generate; the first is shown, all are measured.",
         GENERATE, default=1, bounds={"minimum": 1}),
    Flag("checkpoint_dir", "string", "With --checkpoint_prefix: the same as --model_save_path.", TRAIN),
    Flag("checkpoint_prefix", "string", "See --checkpoint_dir.", TRAIN),
    Flag("workspace", "string", "Folder for data sets and checkpoints.", BOTH, no_effect=_THE_RUN),
    Flag("backend", "string", "The device to run on.", BOTH, bounds={"enum": ("auto", "ttml", "emulated")},
         no_effect=_THE_RUN),
    Flag("json", "boolean", "Print only the result, as JSON.", BOTH, switch=True,
         no_effect=_THE_RUN),
    Flag("config", "string", "Upstream's YAML file.", BOTH, aliases=("c",), no_effect=_NO_CONFIG_FILE),
    Flag("track_memory", "boolean", "Upstream's memory tracker.", BOTH, switch=True, no_effect=_NO_MEMORY),
    Flag("no_lazy", "boolean", "", BOTH, switch=True, no_effect=_ONLY_UPSTREAM),
    Flag("print_summary", "boolean", "", BOTH, switch=True, no_effect=_ONLY_UPSTREAM),
    Flag("log_expert_activations", "boolean", "", BOTH, switch=True, no_effect=_ONLY_UPSTREAM),
    Flag("embedding_placement", "string", "", BOTH, no_effect=_ONLY_UPSTREAM),
)  # fmt: skip
"""Defaults for generating are upstream's; those for training are from :class:`TrainConfig`."""


PLAIN = re.compile(r"[\w@%+=:,./~-]+", re.ASCII)
"""Text that needs no quotes in a command that is displayed; ``shlex`` would quote ``~``."""


SHOWN = frozenset(
    {
        *("data_path", "model_save_path", "recipe", *LENGTH_FIELDS),
        *("prompt", "model_path", "max_new_tokens", "temperature"),
    }
)
"""Flags to show in a command even if they have their default value."""


def flags_of(command: Command) -> tuple[Flag, ...]:
    """Return the flags that are parameters of ``command``."""
    return tuple(flag for flag in FLAGS if flag.is_parameter and command in flag.commands)


def command_line(command: Command, params: Mapping[str, Any]) -> str:
    """Return the ``lesson ct4`` command for ``params``; default values are left out, except :data:`SHOWN`."""
    words = ["lesson", "ct4", command]
    recipe = RECIPES.get(params.get("recipe", ""), {}) if command == "train" else {}
    for flag in flags_of(command):
        shown = flag.name in SHOWN
        value = params.get(flag.name, flag.default if shown else None)
        by_default = value == recipe.get(flag.name, flag.default) and not shown
        if value is None or by_default or (flag.switch and not value):
            continue
        if flag.switch:
            words.append(f"--{flag.name}")
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        quoted = text if PLAIN.fullmatch(text) else shlex.quote(text)
        words += [f"--{flag.name}={quoted}"] if text.startswith("-") else [f"--{flag.name}", quoted]
    return " ".join(words)
