"""What a lesson document consists of, each part with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; ``line`` and ``column`` count from 1."""

    path: Path
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a document's text: :attr:`old`, which begins at :attr:`location`, becomes :attr:`new`."""

    location: Location
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One diagnostic about a document."""

    rule: str
    """A stable id, such as ``unknown-key``."""
    severity: Severity
    message: str
    """What was found and what was expected."""
    location: Location
    fix: str | None = None
    """What to do about it."""
    edits: tuple[Edit, ...] = ()
    """What does it, where that is safe."""

    def __str__(self) -> str:
        fix = f" ({self.fix})" if self.fix else ""
        return f"{self.location}: {self.severity}: {self.message}{fix} [{self.rule}]"


def first_error(diagnostics: Sequence[Diagnostic]) -> Diagnostic | None:
    """Return the first diagnostic that is an error, if there is one."""
    return next((item for item in diagnostics if item.severity == "error"), None)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced code block of a lesson."""

    language: str
    """The first word of the info string, lower case; empty if there is none."""
    text: str
    location: Location
    """The first line of the block's content."""
    headings: tuple[str, ...] = ()
    """The titles of the headings the block stands under, outermost first."""
    hidden: bool = False
    """True for a block inside a ``run`` directive's comment: readers do not see it."""
    closed: bool = True
    """False for a block that ends only because its container, or the document, does."""
    depth: int = 0
    """How many lists and quotes it stands in."""
    lead: str = ""
    """The paragraph just above it, with its markup."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a lesson."""

    level: int
    """1 to 6."""
    title: str
    """As written, with its markup."""
    location: Location


@dataclass(frozen=True, slots=True)
class Link:
    """A link or an image of a lesson, in Markdown or in HTML."""

    kind: Literal["link", "image"]
    target: str
    """As written."""
    text: str
    """What the reader sees, with its markup; empty for a link in HTML."""
    location: Location
    """Of the target."""
    headings: tuple[str, ...] = ()
    """The titles of the headings it stands under, outermost first."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """An author's word that a rule does not apply to a part of the document."""

    rules: tuple[str, ...]
    reason: str
    location: Location
    first: int
    """The first line of that part, counted from 1."""
    last: int


@dataclass(frozen=True, slots=True)
class NotRun:
    """A block that a reader would type in, and that no step stands for."""

    block: Block
    reason: str = ""
    """Why, if the author gave a reason in a ``skip`` directive."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """
    One thing a step must show: a matcher's name and its argument.

    Matchers, weak to strong: ``exit contains not_contains regex lines json metric file``.
    """

    matcher: str
    argument: Any
    when: Json = field(default_factory=dict)
    """Facts of the run, by dotted name, under which it is expected; empty means always."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the lesson *says* happens. A claim is reported, it never fails a step."""

    matcher: str
    argument: Any
    source: str
    """Who says so."""
    conditions: Json = field(default_factory=dict)
    """
    When the claim applies: ``profile`` and ``hardware`` (lists of names), ``with`` (parameters) and
    ``facts`` (of the run, by dotted name); and which side of the bounds is ``better``.
    """


@dataclass(frozen=True, slots=True)
class Override:
    """What a profile changes in one step."""

    params: Json = field(default_factory=dict)
    expect: tuple[Expectation, ...] | None = None
    """Replaces the step's expectations; ``None`` keeps them."""
    timeout: float | None = None
    skip: str | None = None
    """The reason this profile leaves the step out."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step as its author wrote it: a directive and the block it is bound to."""

    id: str
    kind: Literal["step", "manual"]
    location: Location
    block: Block | None
    title: str = ""
    why: str = ""
    """The paragraph of the lesson that begins with **Why:** in the step's section."""
    look_for: str = ""
    """The paragraph that begins with **Look for:** in the step's section."""
    uses: str | None = None
    params: Json = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    timeout: float | None = None
    """Seconds."""
    retries: int = 0
    requires: tuple[str, ...] = ()
    """Permissions or facts the machine must have, such as ``board``."""
    capture: Json = field(default_factory=dict)
    """Name of a metric: regular expression with one group, searched in the output."""
    expect: tuple[Expectation, ...] = ()
    claims: tuple[Claim, ...] = ()
    profiles: Mapping[str, Override] = field(default_factory=dict)
    optional: bool = False
    recognised: bool = False
    """True if the author wrote no directive for it: a plugin claimed its block."""
    positions: Mapping[tuple[str | int, ...], Location] = field(default_factory=dict)
    """Where each key of the directive stands, by its path."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A parsed lesson document."""

    path: Path
    text: str
    frontmatter: Json
    positions: Mapping[tuple[str | int, ...], Location]
    """Where each key of the frontmatter stands, by its path."""
    blocks: tuple[Block, ...]
    """Every fenced block, with or without a directive."""
    steps: tuple[Step, ...]
    skipped: tuple[NotRun, ...]
    """The blocks under a ``skip`` directive."""
    digest: str
    """sha256 of the file's bytes."""
    headings: tuple[Heading, ...] = ()
    links: tuple[Link, ...] = ()
    anchors: frozenset[str] = frozenset()
    """Names that HTML in the document gives to places (``id=`` and ``name=``)."""
    ignores: tuple[Ignore, ...] = ()
    links_complete: bool = True
    """False if the document's brackets are too many for its links to be looked for."""

    @property
    def id(self) -> str:
        """The lesson's id, or its file's name where it has none."""
        return str(self.frontmatter.get("id", self.path.stem))

    @property
    def title(self) -> str:
        """The lesson's title."""
        return str(self.frontmatter.get("title", self.id))

    @property
    def runner(self) -> Json:
        """The frontmatter's ``runner`` mapping: profiles and defaults."""
        value = self.frontmatter.get("runner")
        return value if isinstance(value, Mapping) else {}
