"""Rules that are applied while a document is planned."""

from __future__ import annotations

from lesson_runner.model import Rule

RULES = (
    Rule("unknown-action", "error", "An action that no plugin has."),
    Rule("unknown-profile", "error", "A profile that the lesson does not declare."),
    Rule("unknown-language", "error", "A step's block in a language that nothing runs."),
    Rule("unclear-transcript", "error", "A step's terminal in which commands and output look the same."),
    Rule("other-prompt", "warning", "A line of a terminal's output that looks like a command."),
    Rule("unknown-need", "error", "A need for a step that does not exist."),
    Rule("needs-circle", "error", "Steps that need each other in a circle."),
    Rule("needs-cleanup", "error", "A need for a step that cleans up at the end of the run."),
    Rule(
        "needs-other-option",
        "error",
        "A need for a step of another option, which never runs together with it.",
    ),
    Rule("single-option", "error", "A choice with only one option."),
    Rule("nothing-judged", "error", "A step without an exit code or expectations."),
    Rule(
        "unmeasured-metric",
        "error",
        "An expectation or claim about a metric that nothing captures or measures.",
    ),
    Rule("plugin-failed", "error", "A plugin that does not work, so that not everything was checked."),
    Rule("no-steps", "info", "A lesson of which no block is a step, so that a run does nothing."),
    Rule("uncovered-block", "info", "A block that a reader types in but no step runs."),
    Rule("only-exit", "info", "A step that is judged only by its exit code."),
)
