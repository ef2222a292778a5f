"""
Decide which environment variables commands get: all except those that look like credentials.

A variable looks like a credential if its name says so, or if its value has the shape of a token. A withheld
variable can be passed on by name; its value then counts as a declared secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping

from lesson_runner.execute.redaction.redactor import SHORTEST, Redactor
from lesson_runner.execute.redaction.secrets import find
from lesson_runner.model.errors import LessonError

_WORDS = frozenset({"TOKEN", "TOKENS", "AUTH", "JWT", "PAT", "KEY", "PASS", "PASSPHRASE", "ASKPASS", "DSN"})
"""Words of a name, between underscores, that mark a credential."""
_PARTS = ("PASSWORD", "PASSWD", "SECRET", "CREDENTIAL", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY")
_FAMILIES = ("AWS_", "ACTIONS_")
_NAMES = frozenset(
    {
        *("MYSQL_PWD", "KUBECONFIG", "NETRC", "DATABASE_URL", "SSH_AGENT_PID", "GPG_AGENT_INFO"),
        # A GitHub workflow acts on what is written to these files.
        *("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"),
    }
)
_HARMLESS = frozenset(
    {
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_DEFAULT_OUTPUT", "AWS_PROFILE", "AWS_PAGER"),
        *("AWS_CA_BUNDLE", "ACTIONS_RUNNER_DEBUG", "ACTIONS_STEP_DEBUG", "LESSON_STEP_TOKEN"),
    }
)
_IN_ADDRESS = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")
SHORTEST_WITHHELD = 8
"""Shorter withheld values are not redacted: they are probably words that occur in any output."""


def is_credential(name: str, value: str) -> bool:
    """Return whether a variable looks like a credential."""
    upper = name.upper()
    if upper in _HARMLESS:
        return False
    return (
        upper in _NAMES
        or upper.startswith(_FAMILIES)
        or any(part in upper for part in _PARTS)
        or not _WORDS.isdisjoint(upper.split("_"))
        or bool(find(value))
    )


def withheld(environ: Mapping[str, str], passed: Collection[str] = ()) -> list[str]:
    """Return the names of the variables that commands do not get."""
    return sorted(name for name in environ if name not in passed and is_credential(name, environ[name]))


def command_environment(environ: Mapping[str, str], passed: Collection[str] = ()) -> dict[str, str]:
    """Return the variables that commands get."""
    hidden = withheld(environ, passed)
    return {name: value for name, value in environ.items() if name not in hidden}


_passed_names: set[str] = set()
"""The names given with ``--env``; error messages of this process must not show their values either."""


def redactor_for(
    environ: Mapping[str, str] | None = None, passed: Iterable[str] = (), more: Iterable[str] = ()
) -> Redactor:
    """
    Return a redactor for the secrets of an environment.

    Secrets are the values of ``passed``, the values of withheld variables with at least
    :data:`SHORTEST_WITHHELD` characters that are not the path of an existing file, and passwords in URLs.

    Args:
        environ: by default the environment of this process.
        more: other secrets.
    """
    environ = os.environ if environ is None else environ
    values = [*more] + [environ[name] for name in {*passed, *_passed_names} if name in environ]
    for name, value in environ.items():
        if len(value) >= SHORTEST_WITHHELD and is_credential(name, value) and not _is_existing_path(value):
            values.append(value)
        values += [password for password in _IN_ADDRESS.findall(value) if len(password) >= SHORTEST_WITHHELD]
    return Redactor(values)


def check_passed(names: Iterable[str], environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """
    Check and return the names given with ``--env``.

    Raises:
        LessonError: a variable is not set, or its value is too short to be redacted.
    """
    environ = os.environ if environ is None else environ
    passed = frozenset(names)
    _passed_names.update(passed)
    for name in sorted(passed):
        shown, equals, _ = name.partition("=")
        if equals:
            raise LessonError(
                f"--env {shown}=…: give only the name; every user of this machine can read command lines",
                fix=f"export {shown} first, then --env {shown}",
            )
        if name not in environ:
            raise LessonError(f"--env {name}: this variable is not set", fix=f"export {name} first")
        if 0 < len(environ[name].strip()) < SHORTEST:
            raise LessonError(
                f"--env {name}: its value has fewer than {SHORTEST} characters, too few to redact it from"
                " the output",
                fix="pass only secrets with --env; give a step other values with its parameter 'env'",
            )
    return passed


def _is_existing_path(value: str) -> bool:
    return value.startswith("/") and os.path.exists(value)  # noqa: PTH110 - the value may not be a path
