"""The rules for training and generating commands, checked while a lesson is planned."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from lesson_runner.model import Rule, Severity

SUMMARIES: Mapping[str, tuple[Severity, str]] = {
    "unknown-flag": ("error", "A flag that training or generating does not have."),
    "missing-value": ("error", "A flag without its value."),
    "unexpected-argument": ("error", "An argument that does not belong to a flag."),
    "unexpected-value": ("error", "A value for a flag that takes no value."),
    "wrong-type": ("error", "A value that is not a number, or not one of the allowed words."),
    "impossible-value": ("error", "A value that no training can have."),
    "shell-syntax": ("error", "A quote that is never closed."),
    "unknown-character": ("warning", "A prompt with a character that does not occur in the lesson's text."),
    "no-effect": ("info", "A flag that has no effect here."),
}


def rules() -> list[Rule]:
    """Return the rules, each with its page."""
    pages = files("lesson_ct4") / "pages"
    return [
        Rule(f"ct4.{name}", severity, summary, (pages / f"{name}.md").read_text("utf-8").strip())
        for name, (severity, summary) in SUMMARIES.items()
    ]
