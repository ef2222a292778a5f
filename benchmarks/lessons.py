"""Generated lessons with the proportions of real ones: prose, tables, lists, links, code, and directives."""

from __future__ import annotations

import random
from pathlib import Path

TEXT = """
the model learns a pattern from text and writes it back while the loss falls step by step on this board
because every layer reads what came before it and a batch of tokens moves through memory in tiles
"""
WORDS = tuple(TEXT.split())

FRONTMATTER = """---
id: lesson-{number}
title: Lesson {number}
description: >-
  {sentence}
category: benchmarks
tags:
  - made-up
  - benchmark
supportedHardware:
  - n150
  - n300
status: draft
estimatedMinutes: {minutes}
---

# Lesson {number}
"""

SECTION = """
## Part {section}: {title}

{paragraphs}

See [the project](https://example.com/a/b) and *what follows*.

{items}

| loss | meaning |
|---|---|
{rows}

{step}```bash
# {title}
echo part {section}
```

```
{sentence}
```

{skip}```python
for step in range({section}):
    print(step)
```
"""


def write_lessons(folder: Path, count: int, size: int) -> list[Path]:
    """Write ``count`` lessons of about ``size`` bytes each; every second one declares its steps."""
    paths = []
    for number in range(count):
        path = folder / f"lesson-{number}.md"
        path.write_text(_lesson(random.Random(number), number, size, declared=number % 2 == 0), "utf-8")
        paths.append(path)
    return paths


def _lesson(source: random.Random, number: int, size: int, *, declared: bool) -> str:
    minutes = source.randint(5, 60)
    text = FRONTMATTER.format(number=number, sentence=_sentence(source), minutes=minutes)
    section = 0
    while len(text) < size:
        section += 1
        text += _section(source, section, declared=declared)
    return text


def _section(source: random.Random, section: int, *, declared: bool) -> str:
    paragraphs = [
        f"{_sentence(source)} **{_words(source, 2)}** {_sentence(source)} `{_words(source, 1)}`."
        for _ in range(4)
    ]
    step = f"<!-- step\nid: part-{section}\nexpect:\n  - contains: part {section}\n-->\n"
    return SECTION.format(
        section=section,
        title=_words(source, 4),
        paragraphs="\n\n".join(paragraphs),
        items="\n".join(f"- {_sentence(source)}" for _ in range(5)),
        rows="\n".join(f"| {source.random():.2f} | {_words(source, 5)} |" for _ in range(4)),
        sentence=_sentence(source),
        step=step if declared else "",
        skip="<!-- skip\nreason: for readers only\n-->\n" if declared else "",
    )


def _words(source: random.Random, count: int) -> str:
    return " ".join(source.choice(WORDS) for _ in range(count))


def _sentence(source: random.Random) -> str:
    return f"{_words(source, source.randint(8, 16)).capitalize()}."
