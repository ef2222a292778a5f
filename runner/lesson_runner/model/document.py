"""The parts of a lesson document, each with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lesson_runner.model.lesson_ids import id_of_file, is_lesson_id
from lesson_runner.model.need import Need
from lesson_runner.model.roles import Role

_MARKUP = re.compile(r"!?\[(?P<text>[^\]]*)\]\([^)]*\)|<[^<>]*>|[`*]+")
"""Markup in a heading, and the text in it that readers see."""
Severity = Literal["error", "warning", "info"]
Json = Mapping[str, Any]
"""A JSON object: a mapping with string keys, and values that JSON can hold."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file."""

    path: Path
    """The file, as the user named it: absolute, or relative to the current folder."""
    line: int
    """Counted from 1."""
    column: int = 1
    """In characters, counted from 1."""
    written: str | None = field(default=None, compare=False, repr=False)
    """
    For the place of a value in YAML: its text, if the value is another than the text, as 3.1 is another than
    ``3.10``; ``None`` for all other places.
    """

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a document's text, made by ``lesson validate --fix``."""

    location: Location
    """Where :attr:`old` begins."""
    old: str
    """The text to replace. If the document has another text there, the edit is dropped."""
    new: str
    """The text to write instead; empty deletes :attr:`old`. Lines end with ``\\n`` in both texts."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One diagnostic about a document."""

    rule: str
    """The id of its rule, such as ``unknown-key``."""
    severity: Severity
    """``error``, ``warning`` or ``info``; settings may change it. Errors stop ``lesson run``."""
    message: str
    """What was found and what was expected, in one line without a period at the end."""
    location: Location
    """Where the mistake is; its file must be the document's for edits to apply."""
    fix: str | None = None
    """How to fix it, as an instruction to the author; ``None`` if the message says enough."""
    edits: tuple[Edit, ...] = ()
    """Edits that fix it, for ``lesson validate --fix``; empty if the author has to decide."""

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
    """The first word after the opening fence (of ``{.bash}``: ``bash``), in lower case; or empty."""
    text: str
    """The lines between the fences, each with its ``\\n``, without the indentation of the fence."""
    location: Location
    """Where the first line of :attr:`text` begins."""
    headings: tuple[str, ...] = ()
    """The titles of the headings above the block, outermost first."""
    hidden: bool = False
    """True for a block inside the comment of a ``run`` directive, which readers do not see."""
    closed: bool = True
    """False if the block has no closing fence and ends with its list, its quote or the document."""
    depth: int = 0
    """How many lists and quotes contain it; 0 at the top level."""
    lead: str = ""
    """The paragraph directly above it, with its markup; empty if there is none."""
    below: str = ""
    """The paragraph directly below it, with its markup; empty if something else follows."""
    info: str = ""
    """What the line of the opening fence says, such as ``python title="app.py"``."""
    fold: str = ""
    """The title of the fold (``<details>``) that contains it; empty if none does."""
    tab: str = ""
    """The title of the tab that contains it; empty if none does."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a lesson."""

    level: int
    """1 to 6."""
    title: str
    """As written, with its markup."""
    location: Location
    """Where the line begins, after its indentation: the ``#`` of an ATX heading."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link or an image of a lesson, in Markdown or in HTML."""

    kind: Literal["link", "image"]
    """``link``, also for a ``[name]: target`` definition; or ``image``, also for a video."""
    target: str
    """The URL, path or ``#anchor``, as written."""
    text: str
    """The text that readers see, with its markup; empty for a link in HTML."""
    location: Location
    """Where the target begins."""
    headings: tuple[str, ...] = ()
    """The titles of the headings above it, outermost first."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """An ``ignore`` directive: the author says that rules do not apply to a part of the document."""

    rules: tuple[str, ...]
    """Ids of rules."""
    reason: str
    """The author's reason; never empty."""
    location: Location
    """Where the directive's comment begins."""
    first: int
    """The first line of that part, counted from 1."""
    last: int
    """The last line of that part, counted from 1 and included."""


@dataclass(frozen=True, slots=True)
class NotRun:
    """A block that a reader would type in, but that no step runs."""

    block: Block
    """The block."""
    reason: str = ""
    """The author's reason from a ``skip`` directive, or why it cannot run; empty if there is none."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """
    Something a step must show, or else it fails.

    Matchers, from weak to strong: ``exit contains not_contains regex lines json metric file``.
    """

    matcher: str
    """One of the names above."""
    argument: Any
    """
    What the matcher compares with: an integer for ``exit``; text for ``contains``, ``not_contains`` and
    ``regex``; a list of lines for ``lines``; a JSON Schema for ``json``; a mapping for ``metric`` and
    ``file``, as in a lesson.
    """
    when: Json = field(default_factory=dict)
    """Facts of the run, by dotted name, that must hold for it to apply; empty means always."""
    places: tuple[Location, ...] = ()
    """Where the step's block shows each line of the argument as output; empty if a directive says it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the lesson *says* happens. A claim is reported and never fails a step."""

    matcher: str
    """Always ``metric``."""
    argument: Any
    """As for the matcher ``metric``: ``name``, and ``min``, ``max`` or both."""
    source: str
    """Where the lesson says so, as a quotation or a reference."""
    conditions: Json = field(default_factory=dict)
    """
    When the claim applies: ``profile`` and ``hardware`` (lists of names), ``with`` (parameters) and
    ``facts`` (of the run, by dotted name); and which side of the bounds is ``better``: ``lower`` or
    ``higher``. Empty means always.
    """


@dataclass(frozen=True, slots=True)
class Override:
    """What a profile changes in one step."""

    params: Json = field(default_factory=dict)
    """Parameters to set, by name; stronger than the directive's ``with``."""
    expect: tuple[Expectation, ...] | None = None
    """Replaces the step's expectations; ``None`` keeps them."""
    timeout: float | None = None
    """In seconds; ``None`` keeps the step's timeout."""
    skip: str | None = None
    """Why this profile skips the step; ``None`` if it does not."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The option that a step belongs to. Of the options of a group, one runs: the first, or the user's."""

    group: str
    """The name of the choice."""
    option: str
    """The name of this way, unique in its group."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step as its author wrote it: a directive and the block it belongs to."""

    id: str
    """Unique in the lesson, in ``words-with-hyphens``."""
    kind: Literal["step", "manual"]
    """``manual`` for something that a person does and confirms; ``step`` for all others."""
    location: Location
    """Where the directive's comment begins; for an entry of a sidecar, where it would stand."""
    block: Block | None
    """The code block that the step runs; ``None`` if it has none, as a ``manual`` step."""
    title: str = ""
    """The directive's ``title``, or else the nearest heading above it, or else the id."""
    why: str = ""
    """The paragraph that begins with **Why:** in the step's section; empty if there is none."""
    look_for: str = ""
    """The paragraph that begins with **Look for:** in the step's section; empty if there is none."""
    uses: str | None = None
    """The name of the action; ``None`` leaves the choice to plugins, the shell and Python."""
    params: Json = field(default_factory=dict)
    """The directive's ``with``: parameters of the action, by name."""
    needs: tuple[str, ...] = ()
    """Ids of steps that must pass first."""
    timeout: float | None = None
    """In seconds, for each attempt; ``None`` takes the lesson's timeout, if it has one."""
    retries: int = 0
    """How many times a failed step is tried again; 0 to 10."""
    requires: tuple[Need, ...] = ()
    """What the machine must have, or else the step is skipped."""
    capture: Json = field(default_factory=dict)
    """Metrics to read from the output: name, and a regular expression with one group."""
    expect: tuple[Expectation, ...] = ()
    """What the step must show; all of them must hold."""
    claims: tuple[Claim, ...] = ()
    """What the lesson says about the step's metrics."""
    profiles: Mapping[str, Override] = field(default_factory=dict)
    """What profiles change in the step, by the profile's name."""
    optional: bool = False
    """True if a failure of the step is recorded but does not fail the run."""
    compares_output: bool = True
    """False if the output that its block shows is not compared with what it prints (``output: ignore``)."""
    cleanup: bool = False
    """True if it runs at the end of the run, whatever happened before."""
    choice: Choice | None = None
    """The option that it belongs to; ``None`` if it runs in any case."""
    hint: str = ""
    """What a learner can try if it fails; empty if the author did not say."""
    recognised: bool = False
    """True if the author wrote no directive: the block was recognised as a step."""
    role: Role = "run"
    """What the block is; ``system`` steps run only with the permission of that name."""
    skip: str = ""
    """Why the step cannot run, although its block is one of a run; empty if it can."""
    placeholders: tuple[str, ...] = ()
    """Texts in the block that ``--param`` fills in."""
    positions: Mapping[tuple[str | int, ...], Location] = field(default_factory=dict)
    """The place of each key of the directive, by its path, such as ``("expect", 0, "contains")``."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file with directives for a lesson's blocks."""

    path: Path
    """The file."""
    text: str
    """All of it; lines end with ``\\n``, whatever the file has."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A parsed lesson document."""

    path: Path
    """The file, as the user named it: absolute, or relative to the current folder."""
    text: str
    """The whole document; lines end with ``\\n``, whatever the file has, and there is no byte order mark."""
    frontmatter: Json
    """The YAML between the two ``---`` lines, and the sidecar's; empty if it has errors."""
    positions: Mapping[tuple[str | int, ...], Location]
    """The place of each key of the frontmatter, by its path, such as ``("tags", 0)``."""
    blocks: tuple[Block, ...]
    """Every fenced block, with or without a directive, in the order of the document."""
    steps: tuple[Step, ...]
    """The steps that directives declare, in the order of the document."""
    skipped: tuple[NotRun, ...]
    """The blocks under a ``skip`` directive."""
    digest: str
    """The sha256 of the file's bytes, in hex."""
    headings: tuple[Heading, ...] = ()
    """In the order of the document."""
    links: tuple[Link, ...] = ()
    """Links and images."""
    anchors: frozenset[str] = frozenset()
    """Anchors that HTML in the document defines with ``id=`` and ``name=``, without those of headings."""
    ignores: tuple[Ignore, ...] = ()
    """The ``ignore`` directives."""
    links_complete: bool = True
    """False if the document has so many brackets that not all links were searched for."""
    unseen: tuple[NotRun, ...] = ()
    """Blocks that a reader would type in, whose fences Markdown does not see; not in ``blocks``."""
    sidecar: Sidecar | None = None
    """The file with directives for the lesson, beside it or in ``--overlay``; ``None`` if there is none."""

    @property
    def has_directives(self) -> bool:
        """True if the author declared steps or skipped blocks."""
        return bool(self.skipped) or any(not step.recognised for step in self.steps)

    @property
    def id(self) -> str:
        """The frontmatter's id, or one made of the file's name if it has no valid one."""
        given = self.frontmatter.get("id")
        return given if is_lesson_id(given) else id_of_file(self.path)

    @property
    def title(self) -> str:
        """The frontmatter's title, or the first heading without its markup, or the id."""
        given = self.frontmatter.get("title")
        if isinstance(given, str | int | float) and str(given).strip():
            return str(given)
        first = self.headings[0].title if self.headings else ""
        return " ".join(_MARKUP.sub(r"\g<text>", first).split()) or self.id

    @property
    def runner(self) -> Json:
        """The frontmatter's ``runner`` mapping: profiles and defaults."""
        value = self.frontmatter.get("runner")
        return value if isinstance(value, Mapping) else {}
