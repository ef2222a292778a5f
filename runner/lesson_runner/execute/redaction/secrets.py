"""
Find access tokens and private keys by their shapes, and mask them.

`detect-secrets` knows more shapes, but takes about 10 ms per kilobyte of a lesson, ten times as long as
parsing its Markdown, and 0.2 s to import. Here every shape starts with a fixed text, which is searched first,
so a document without secrets costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SHOWN = 4
"""How many characters of a masked secret are shown."""


@dataclass(frozen=True, slots=True, order=True)
class Secret:
    """A secret in a text: ``text[start:end]``."""

    start: int
    end: int
    kind: str
    """With an article, such as ``a GitHub token``."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The text ``start`` followed by ``rest``; the group ``v``, or else the whole match, is the secret."""

    kind: str
    start: str
    rest: str
    """A regular expression, compiled when it is first needed."""
    named: bool = False
    """True if ``start`` is the end of a name, and not part of the value."""
    random: bool = False
    """True if the value must look random to count."""


_VALUE = r"""["']?(?P<v>[A-Za-z0-9_\-]{20,200})(?![A-Za-z0-9_\-./:({])"""
_ASSIGNED = rf"""["']?[ \t]{{0,3}}(?:=|:(?!/))[ \t]{{0,3}}{_VALUE}"""
_GAP = r"""(?:\\n|[\s>"'+]){0,12}"""
_KEY_LINES = rf"(?P<v>[A-Za-z0-9+/]{{40,100}}(?:{_GAP}[A-Za-z0-9+/=]{{8,100}}){{0,300}})"


def _named(kind: str, start: str, rest: str) -> _Shape:
    return _Shape(kind, start, rest, named=True, random=True)


SHAPES = (
    *(
        _Shape("a GitHub token", start, "[A-Za-z0-9]{36,255}")
        for start in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")
    ),
    _Shape("a GitHub token", "github_pat_", "[A-Za-z0-9_]{40,255}"),
    _Shape("a GitLab token", "glpat-", r"[A-Za-z0-9_\-]{20,255}"),
    _Shape("a Hugging Face token", "hf_", "[A-Za-z0-9]{34,40}(?![A-Za-z0-9_])"),
    *(_Shape("an AWS access key", start, "[A-Z0-9]{16}(?![A-Za-z0-9])") for start in ("AKIA", "ASIA")),
    *(
        _Shape(
            "an AWS secret key",
            start,
            r"""["']?[ \t]*[=:][ \t]*["']?(?P<v>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])""",
        )
        for start in ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY")
    ),
    # Names in style sheets also start like this.
    _Shape("an API key", "sk-", r"[A-Za-z0-9_\-]{20,255}", random=True),
    *(_Shape("a Stripe key", start, "[A-Za-z0-9]{20,255}") for start in ("sk_live_", "rk_live_")),
    *(_Shape("a Slack token", f"xox{kind}-", r"[A-Za-z0-9\-]{20,255}") for kind in "abeoprs"),
    _Shape(
        "a Slack webhook",
        "https://hooks.slack.com/services/",
        "(?P<v>T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,})",
    ),
    _Shape("a Google API key", "AIza", r"[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])"),
    _Shape("an npm token", "npm_", "[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _Shape("a PyPI token", "pypi-AgE", r"[A-Za-z0-9_\-]{40,255}"),
    _Shape("a Docker token", "dckr_pat_", r"[A-Za-z0-9_\-]{20,255}"),
    _Shape(
        "a JSON Web Token",
        "eyJ",
        r"[A-Za-z0-9_\-]{8,4000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{16,1000}",
    ),
    _Shape("a private key", "-----BEGIN ", rf"[A-Z ]{{0,30}}PRIVATE KEY-----{_GAP}{_KEY_LINES}"),
    *(
        _named("a token", start, _ASSIGNED)
        for name in ("token", "secret", "password", "api_key", "apikey", "access_key", "secret_key")
        for start in (name, name.upper())
    ),
    _named(
        "a token",
        "--",
        rf"[a-z\-]{{0,30}}(?:token|password|secret|api[_\-]?key)(?:=|[ \t]{{1,3}}){_VALUE}",
    ),
    _named("a token", "Bearer ", _VALUE),
    _Shape("a W&B key", "wandb login ", r"(?:--relogin )?(?P<v>[0-9a-f]{40})(?![0-9a-f])"),
)
_PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----.{0,400}?[A-Za-z0-9+/]{40}"
    rb"|^PuTTY-User-Key-File-\d",
    re.DOTALL | re.MULTILINE,
)
_STARTS = tuple((shape.start, shape) for shape in SHAPES)
_PLACEHOLDER = re.compile(
    r"your|my[_\-]|example|placeholder|changeme|replace|insert|dummy|fake|sample|here\b|token|secret"
    r"|(.)\1{4}|1234|abcd|\.\.\.",
    re.IGNORECASE,
)
_IN_DOCUMENTS = ("SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY")
"""Well-known examples from documentation that do not look like placeholders."""
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def find(text: str) -> list[Secret]:
    """Return the secrets in a text, in order and without overlaps."""
    found: list[Secret] = []
    for secret in sorted(_candidates(text), key=lambda item: (item.start, -item.end)):
        if not found or secret.start >= found[-1].end:
            found.append(secret)
    return found


def holds_private_key(data: bytes) -> bool:
    """Return whether data holds a private key; a mention of one does not count."""
    return bool(_PRIVATE_KEY.search(data))


def masked(value: str) -> str:
    """Return a secret with only its start shown."""
    return f"{value[:SHOWN]}…"


def mask(text: str, *, keep_places: bool = False) -> str:
    """
    Mask the secrets in a text, showing only the start of each.

    Args:
        keep_places: keep the length of the text, so that line and column numbers stay valid.
    """
    parts: list[str] = []
    end = 0
    for secret in find(text):
        value = text[secret.start : secret.end]
        shown = value[:SHOWN] + re.sub(".", "…", value[SHOWN:]) if keep_places else masked(value)
        parts += (text[end : secret.start], shown)
        end = secret.end
    return "".join((*parts, text[end:]))


def _candidates(text: str) -> Iterator[Secret]:
    for shape in [
        shape for start, shape in _STARTS if start in text
    ]:  # fast: this runs for every line of output
        rest = re.compile(shape.rest)
        begin = text.find(shape.start)
        while begin >= 0:
            after = begin + len(shape.start)
            # A name may be the end of a longer name; a token does not start inside a word.
            if shape.named or begin == 0 or text[begin - 1] not in _WORD:
                match = rest.match(text, after)
                if match is not None:
                    value = "v" in match.re.groupindex
                    start, end = match.span("v") if value else (begin, match.end())
                    if _is_real(text[start if value else after : end], shape):
                        yield Secret(start, end, shape.kind)
            begin = text.find(shape.start, after)


def _is_real(value: str, shape: _Shape) -> bool:
    """Return whether a value looks generated, and not like a placeholder."""
    if len(set(value)) < 8 or any(known in value for known in _IN_DOCUMENTS) or _PLACEHOLDER.search(value):
        return False
    return not shape.random or any(
        len(part) >= 16 and any(map(str.isdigit, part)) and any(map(str.isalpha, part))
        for part in re.split(r"[_\-]", value)
    )
