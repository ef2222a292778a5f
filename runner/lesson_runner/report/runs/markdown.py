"""A run as GitHub-flavoured markdown, such as a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lesson_runner.model import Section, Series, Table, Texts
from lesson_runner.report.runs.formatting import (
    cell,
    claim_counts,
    claims_of,
    command_of,
    left_out,
    moment,
    public,
    shortened,
    step_counts,
    unmet,
    went_wrong,
)
from lesson_runner.report.runs.report_data import Report
from lesson_runner.report.runs.sections import MAX_ITEMS, as_table, by_row, pieces
from lesson_runner.report.summary import key_metric
from lesson_runner.report.text import duration

SIGNS = {"passed": "✅", "failed": "❌", "error": "❌", "interrupted": "⚠️", "nothing-ran": "⏭️"}
"""Other statuses have no sign."""
LONGEST = 400
"""Characters shown of a message or a value; the record has all of it."""
MOST_ROWS = 50
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&$^])")
_AT_THE_START = re.compile(r"^(\d*)([-+=]|[.)](?= |$))")
"""Characters that begin a list, or make the line above a heading."""
_MENTION = re.compile(r"(?<=[@#])(?=\w)")
_LONGER = re.compile(r"`+")


def render(report: Report) -> str:
    """Return the markdown."""
    return "\n".join(_rows(report)).rstrip("\n") + "\n"


def plain(text: object) -> str:
    """Return a text on one line without markup, links or mentions: markdown shows it as it is."""
    line = " ".join(public(text).split())
    # A word joiner keeps "@name" and "#12" from mentioning a person or an issue.
    return _MENTION.sub("\u2060", _AT_THE_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", line)))


def _rows(report: Report) -> Iterator[str]:
    record = report.record
    yield f"## {SIGNS[record['status']]} {plain(record['lesson']['title'])}: {record['status']}"
    yield ""
    if record["labels"]:
        yield f"> **{plain(', '.join(record['labels']))}**: everything shown here was measured that way."
        yield ""
    yield from _summary(record, report.conclusions)
    for section in report.sections:
        table = as_table(section) if isinstance(section, Series) else section
        if isinstance(table, Table):
            yield from _section(table)
    yield from _failures(record)
    yield from _claims(record)
    yield from _steps(record)
    yield from _passages(report.sections)


def _summary(record: Mapping[str, Any], conclusions: Iterable[str]) -> Iterator[str]:
    hardware = "; ".join(f"{item['name']} ({item['detected_by']})" for item in record["hardware"])
    lines = {
        "Lesson": record["lesson"]["id"],
        "Profile": record["profile"],
        "Steps": step_counts(record),
        "The lesson's claims": claim_counts(record),
        "Hardware": hardware,
        "Time": duration(record["seconds"]),
        "Started": moment(record["started"]),
        "Run": record["run_id"],
    }
    yield from _table(("", ""), ((f"**{name}**", plain(text)) for name, text in lines.items() if text))
    for text in conclusions:
        yield plain(shortened(text, LONGEST))
        yield ""


def _section(table: Table) -> Iterator[str]:
    yield f"### {plain(table.title)}"
    yield ""
    if table.note:
        yield plain(table.note)
        yield ""
    # Markdown has no table without columns.
    if table.columns:
        rows = ([plain(shortened(cell(item), LONGEST)) for item in row] for row in table.rows[:MOST_ROWS])
        yield from _table([plain(name) for name in table.columns], rows)
    hidden = max(0, len(table.rows) - MOST_ROWS)
    if hidden:
        yield f"… and {hidden:,} more rows"
        yield ""


def _failures(record: Mapping[str, Any]) -> Iterator[str]:
    failed = [step for step in record["steps"] if went_wrong(step)]
    if failed:
        yield "### What failed"
        yield ""
    for step in failed:
        optional = ", optional" if step.get("optional") else ""
        yield f"**{plain(step['title'])}** ({plain(step['id'])}{optional})"
        yield ""
        if step["message"]:
            yield plain(shortened(str(step["message"]), LONGEST))
            yield ""
        if step.get("hint"):
            yield f"Hint: {plain(shortened(str(step['hint']), LONGEST))}"
            yield ""
        if rows := command_of(step):
            yield from _fenced(shortened(public("\n".join(rows)), 10 * LONGEST), "console")
        wrong = [
            [plain(shortened(str(item[key]), LONGEST)) for key in ("matcher", "expected", "actual")]
            for item in unmet(step)
        ]
        if wrong:
            yield from _table(("what", "expected", "got"), wrong)
        for item in step.get("diagnoses", ()):
            where = f" ({plain(item['link'])})" if item.get("link") else ""
            yield f"> **{plain(item['title'])}** {plain(item['explanation'])}{where}"
            yield ""


def _claims(record: Mapping[str, Any]) -> Iterator[str]:
    evaluated = [(step, claim) for step, claim in claims_of(record) if claim["result"] != "not evaluated"]
    if evaluated:
        yield "### What the lesson says, and what happened"
        yield ""
        rows = [
            [
                plain(step["id"]),
                *(plain(shortened(str(claim[key]), LONGEST)) for key in ("claim", "actual", "result")),
            ]
            for step, claim in evaluated
        ]
        yield from _table(("step", "the lesson says", "here", "result"), rows)


def _steps(record: Mapping[str, Any]) -> Iterator[str]:
    steps = [step for step in record["steps"] if not left_out(step)]
    rows = [
        [
            plain(step["id"]),
            f"{SIGNS.get(step['status'], '')} {step['status']}".strip(),
            plain(shortened(key_metric(step), LONGEST)),
            duration(step.get("seconds", 0)) if step.get("attempts") else "",
        ]
        for step in steps
    ]
    yield from _folded("All steps", _table(("step", "status", "key metric", "time"), rows))


def _passages(sections: Iterable[Section]) -> Iterator[str]:
    for section in sections:
        if isinstance(section, Texts) and section.items:
            inner: list[str] = []
            for name, items in by_row(section.items[:MAX_ITEMS]).items():
                inner += [f"#### {plain(name)}", ""] if name else []
                for item in items:
                    inner += [f"**{plain(item.title)}**", ""]
                    inner += _fenced(public("".join(piece.text for piece in pieces(item))), "text")
            yield from _folded(section.title, inner)


def _folded(title: str, inner: Iterable[str]) -> Iterator[str]:
    """Yield a folded part; GitHub renders the markdown in it after an empty line."""
    yield f"<details><summary>{_html(title)}</summary>"
    yield ""
    yield from inner
    yield "</details>"
    yield ""


def _html(text: str) -> str:
    """Return a text for the inside of an HTML block, where markdown has no effect."""
    line = " ".join(public(text).split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u2060")


def _fenced(text: str, language: str) -> Iterator[str]:
    """Yield a block of code; its fence is longer than any row of backticks in the text."""
    fence = "`" * max(3, 1 + max((len(row) for row in _LONGER.findall(text)), default=0))
    yield f"{fence}{language}"
    yield text
    yield fence
    yield ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
