"""Access tokens and private keys in a document."""

from __future__ import annotations

from collections.abc import Iterable

from lesson_runner.execute.redaction.secrets import find, masked
from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope


def check_secrets(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield all secrets in a document."""
    line, counted = 1, 0
    for secret in find(lesson.text):
        line += lesson.text.count("\n", counted, secret.start)
        counted = secret.start
        column = secret.start - lesson.text.rfind("\n", 0, secret.start)
        message = f"this looks like {secret.kind}: {masked(lesson.text[secret.start : secret.end])}"
        fix = "revoke it, because git keeps what was committed, and write a placeholder such as $HF_TOKEN"
        yield Diagnostic("secret", "error", message, Location(lesson.path, line, column), fix)


RULES = (Rule("secret", "error", "An access token or a private key.", check=check_secrets),)
