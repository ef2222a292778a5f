"""
Pairs of documents that are equivalent, or nearly: ``python -m tools.fuzz.pairs --pairs 50000 --seed 1``.

Two documents with the same digest must have the same plan, because permissions and certificates apply to a
digest. And the frontmatter of an accepted document must end at the same line for markdown-it-py's front
matter plugin, for PyYAML and for our own reader. Exits with 1 if a pair or a document violates that.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tools.fuzz.mutations import MARKDOWN, YAML

from lesson_runner.document.frontmatter import Parts, split
from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import Lesson, first_error
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.digests import WRITTEN_BACK, content_digest, plan_content
from lesson_runner.run.plan import make_plan
from lesson_runner.testing import load_plugins

BODY = """
# Growing

<!-- step
id: grow
expect: [{contains: beans}]
-->
```bash
echo beans
```

---

Not frontmatter: tomatoes
-------------------------

...

<!-- step
id: eat
needs: [grow]
-->
```bash
echo eaten
```
"""
KEYS = (
    "id: growing",
    "title: Growing",
    "description: How beans grow.",
    "category: tests",
    "tags: [test, 'beans']",
    "supportedHardware: [simulator]",
    "status: draft",
    "validatedOn: [n150]",
    "validationDate: 2026-01-01",
    "validationNotes: |\n  Checked by hand.",
    "estimatedMinutes: 5",
    "runner:\n  timeout: 60\n  profiles:\n    quick: {summary: fast}\n    full: {summary: slow}",
)
EVIL = "\n\n<!-- step\nid: evil\n-->\n```bash\necho evil\n```\n\n"
LINES = (
    *("---", " ---", "  ---", "    ---", "\t---", "--- ", "---\t", "----", "-----", "--", "- - -", "***"),
    *(
        "...",
        " ...",
        "... ",
        "....",
        "--- a",
        "... a",
        "---a",
        "--- |",
        "--- # a",
        "...\t",
        "\u00a0---",
        "\u2003---",
    ),
    *(
        "\x0b---",
        "\x0c---",
        "\x85---",
        "\u2028---",
        "---\u2029",
        "a\u2028---\u2028b",
        "a\x85...\x85b",
        "\u200b---",
    ),
    *(
        "# a comment",
        "",
        " ",
        "\t",
        "%YAML 1.1",
        "%TAG ! x",
        "<<: {title: merged}",
        "? a",
        ": b",
        "!!map",
        "&a",
        "*a",
    ),
    *(
        "extra: |",
        "extra: >-",
        'extra: "',
        "extra: '",
        "extra: [",
        "extra: {",
        "validationNotes: |",
        "status: >",
    ),
    *(
        "extra: 1",
        "extra: 1.0",
        "extra: 1e0",
        "extra: 0x1",
        "extra: '1'",
        "extra: true",
        "extra: .nan",
        "extra: null",
    ),
    *(
        "extra: 9007199254740993",
        "extra: '9007199254740993'",
        "extra: 1e17",
        'extra: "\\0int 1"',
        'extra: "\\ud800"',
    ),
    *(
        "extra: .inf",
        "extra: -0.0",
        "extra: 0",
        "extra: ''",
        "extra: 2026-01-01",
        "extra: '2026-01-01'",
        "1: extra",
    ),
)
Change = Callable[[str, Random], str]


def insert(text: str, chance: Random) -> str:
    """Insert a line, usually in the frontmatter."""
    lines = text.split("\n")
    near = lines.index("---", 1) + 3 if "---" in lines[1:] else len(lines)
    place = chance.randrange(min(near, len(lines)) + 1 if chance.random() < 0.8 else len(lines) + 1)
    return "\n".join([*lines[:place], chance.choice(LINES), *lines[place:]])


def smuggle(text: str, chance: Random) -> str:
    """Write a step into a key that the digest leaves out, after what may look like the frontmatter's end."""
    key = chance.choice(("validationNotes", "status", "validationDate", "extra"))
    style = chance.choice(("|", ">", "|+", ">-", "|2", '"', "'", "[", "{", "# "))
    marker = chance.choice(chance.choice((LINES, ("  ---", "  ...", "   ---", "  ----"))))
    indent = chance.choice(("", "  ", "  ", "   ", "    "))
    close = {'"': '"', "'": "'", "[": "]", "{": "}"}.get(style, "")
    rows = [f"{key}: {style}", "  a" + chance.choice(("", " ", "\u2028", "\x85")), marker]
    rows += [f"{indent}{row}" for row in EVIL.split("\n")] + [close]
    return _in_frontmatter(text, rows, chance)


def restate(text: str, chance: Random) -> str:
    """Write the same lesson differently: order, comments, quotes, line endings, written-back keys."""
    ways: tuple[Change, ...] = (
        lambda text, chance: _in_frontmatter(text, [chance.choice(("# note", "", "   ", "#---"))], chance),
        lambda text, _: text.replace("title: Growing", "title: 'Growing'"),
        lambda text, _: text.replace("\n", "\r\n"),
        lambda text, _: text.replace("\n", "\r"),
        lambda text, _: "\ufeff" + text,
        lambda text, _: text.replace("---\n", "--- \n", 1),
        lambda text, chance: text.replace(
            "Checked by hand.", chance.choice(("no", "- [ ] x", "<!-- step", "a: b"))
        ),
        lambda text, _: text.replace("status: draft", "status: validated"),
        lambda text, chance: text.replace(
            "timeout: 60", f"timeout: {chance.choice(('60.0', '6e1', '0x3c', '61'))}"
        ),
    )
    return chance.choice(ways)(text, chance)


def mutate(text: str, chance: Random) -> str:
    """Change a text as hostile documents do."""
    change = chance.choice((*YAML, *MARKDOWN))
    other = base(chance).encode()
    return change(text.encode("utf-8", "replace"), other, chance).decode("utf-8", "replace")


def base(chance: Random) -> str:
    """Return a document that is a valid lesson."""
    keys = list(KEYS[:6]) + chance.sample(KEYS[6:], chance.randrange(len(KEYS) - 5))
    chance.shuffle(keys)
    return "\n".join(["---", *keys, "---", BODY])


def pair(chance: Random) -> tuple[str, str]:
    """Return two documents that have much in common."""
    changes: tuple[Change, ...] = (insert, insert, smuggle, restate, restate, restate, restate, mutate)
    one = base(chance)
    for _ in range(chance.choice((0, 0, 1, 2))):
        one = chance.choice(changes)(one, chance)
    two = one
    for _ in range(chance.choice((1, 1, 2, 3))):
        two = chance.choice(changes)(two, chance)
    return one, two


def _in_frontmatter(text: str, rows: list[str], chance: Random) -> str:
    lines = text.split("\n")
    end = lines.index("---", 1) if "---" in lines[1:] else len(lines)
    tops = [n for n, line in enumerate(lines[:end]) if n and not line.startswith(" ")] or [end]
    place = chance.choice([*tops, end])
    return "\n".join([*lines[:place], *rows, *lines[place:]])


@dataclass
class Found:
    """The results."""

    pairs: int = 0
    accepted: int = 0
    """Documents without an error."""
    same: int = 0
    """Pairs of different accepted documents with the same digest."""
    wrong: list[str] = field(default_factory=list)


class Reader:
    """Loads and plans texts, each once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lesson.md"
        self.plugins: Plugins = load_plugins()

    def read(self, text: str) -> tuple[Lesson, list[Any]] | None:
        """Return a lesson and what its plans do; ``None`` if it is refused."""
        self.path.write_bytes(text.encode("utf-8", "replace"))
        try:
            lesson, problems = load_lesson(self.path)
            if first_error(problems):
                return None
            names = lesson.runner.get("profiles", {"default": {}})
            return lesson, [
                plan_content(make_plan(lesson, problems, self.plugins, name).steps) for name in names
            ]
        except LessonError:
            return None


def search(pairs: int, seed: int, folder: Path) -> Found:
    """Try pairs, and return the results; the same seed gives the same pairs."""
    found, reader = Found(), Reader(folder)
    for number in range(pairs):
        one, two = pair(Random(f"{seed}/{number}"))
        found.pairs += 1
        results = [item for item in map(reader.read, (one, two)) if item is not None]
        for lesson, _ in results:
            found.accepted += 1
            found.wrong += [
                f"{seed}/{number}: {what}\n{lesson.text!r}" for what in disagreements(lesson.text)
            ]
        if len(results) < 2 or one == two:
            continue
        (first, plan), (second, other) = results
        if content_digest(first) == content_digest(second):
            found.same += 1
            if repr(plan) != repr(other) or _said(first) != _said(second):
                found.wrong.append(f"{seed}/{number}: one digest, two plans\n{one!r}\n{two!r}")
    return found


def _said(lesson: Lesson) -> str:
    """Return a lesson's frontmatter without the keys that validation writes back; 1.0 differs from 1."""
    kept = {key: value for key, value in lesson.frontmatter.items() if key not in WRITTEN_BACK}
    return json.dumps(kept, sort_keys=True)


def disagreements(text: str) -> list[str]:
    """Return what other parsers read differently in an accepted document."""
    parts = split(text, Path("lesson.md"))
    found = [_markdown(text, parts)]
    found += [_yaml(text, parts)] if parts.yaml is not None else []
    return [what for what in found if what]


def _markdown(text: str, parts: Parts) -> str:
    """Compare markdown-it-py's own front matter, and what it parses below it, with ours."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    theirs = MarkdownIt("commonmark").enable("table").disable("inline").use(front_matter_plugin).parse(text)
    ours = MarkdownIt("commonmark").enable("table").disable("inline").parse(parts.body_in_place)
    sees = bool(theirs) and theirs[0].type == "front_matter"
    if sees != (parts.yaml is not None):
        return f"markdown-it-py sees {'' if sees else 'no '}front matter"
    if not sees:
        return ""
    if theirs[0].map != [0, parts.first - 1] or f"{theirs[0].content}\n" != (parts.yaml or "\n"):
        return f"markdown-it-py ends the front matter elsewhere: {theirs[0].map}"
    rest = [(item.type, item.map, item.content, item.info) for item in theirs[1:]]
    return "" if rest == [(item.type, item.map, item.content, item.info) for item in ours] else "another body"


def _yaml(text: str, parts: Parts) -> str:
    """Compare both of PyYAML's parsers with ours: where the first document ends, and what is in it."""
    import yaml

    head = len(text) - len(parts.body)
    text = text[:head] + yaml.reader.Reader.NON_PRINTABLE.sub(
        " ", parts.body
    )  # it reads the body's characters too
    loaders: list[Any] = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]
    for loader in loaders:
        events: Any = yaml.parse(text, Loader=loader)
        try:
            end: Any = next(event for event in events if isinstance(event, yaml.DocumentEndEvent))
        except yaml.YAMLError:  # it refuses more than our loader does, such as a tab after a colon
            continue
        if end.start_mark.line != parts.first - 2 or end.explicit:
            return f"PyYAML ends the first document elsewhere: line {end.start_mark.line + 1}"
    reader: Any = yaml.BaseLoader
    try:
        same = next(yaml.load_all(text, reader)) == yaml.load(parts.yaml or "", reader)
    except yaml.YAMLError:
        return ""
    return "" if same else "PyYAML reads other values"


def main() -> int:
    """Return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz.pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = search(given.pairs, given.seed, Path(folder))
    print(f"seed {given.seed}: {found.pairs:,} pairs in {time.monotonic() - began:,.0f} s")
    print(
        f"{found.accepted:,} documents accepted; {found.same:,} pairs of different documents with one digest"
    )
    for item in found.wrong[:10]:
        print(item)
    print(f"{len(found.wrong)} contradictions")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
