"""What is found while a document is planned: what makes it impossible to run, and what no step checks."""

from __future__ import annotations

from lesson_runner.model import Rule

RULES = (
    Rule("unknown-action", "error", "An action that no plugin brings."),
    Rule("unknown-profile", "error", "A profile that the lesson does not declare."),
    Rule("unknown-language", "error", "A step's block in a language that nothing runs."),
    Rule("unknown-need", "error", "A need for a step that does not exist."),
    Rule("needs-circle", "error", "Steps that need one another in a circle."),
    Rule("nothing-judged", "error", "A step that nothing judges."),
    Rule("no-steps", "info", "Nothing in the lesson can be run (to 'lesson run', an error)."),
    Rule("uncovered-block", "info", "A block that a reader types in and no step runs."),
    Rule("only-exit", "info", "A step that nothing but its exit code judges."),
)
