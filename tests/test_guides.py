"""Every example in the guides gives the result shown; and the machinery detects examples that do not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from tests.guides import Guide, commands, shows

from lesson_runner.testing import lesson_text

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = (DOCS / "any-lesson.md", DOCS / "authoring.md", DOCS / "plugins.md")
LESSON = lesson_text(
    "# x\n\n<!-- step\nid: one\nexpect: [{contains: a}]\n-->\n```bash\necho a\n```", status="draft"
)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.slow) for path in GUIDES],  # all of each is typed in
    ids=[path.stem for path in GUIDES],
)
def test_the_examples_of_a_guide(path: Path, tmp_path: Path) -> None:
    Guide(path, tmp_path).check()


def check(text: str, folder: Path) -> Guide:
    path = folder / "guide.md"
    path.write_text(dedent(text), "utf-8")
    guide = Guide(path, folder)
    guide.check()
    return guide


def test_files_commands_and_names(tmp_path: Path) -> None:
    guide = check(
        """\
        Write `a/one.txt`:

        ```text
        first
        ```

        Add to `a/one.txt`:

        ```text
        second
        ```

        In `a/one.txt` there is:

        ```text
        second
        ```

        ```console
        $ cd a
        $ cat one.txt
        first
        ...
        sec...
        ```

        ```python
        n = 1
        ```

        ```python
        n += 1
        ```
        """,
        tmp_path,
    )
    assert guide.names["n"] == 2
    assert guide.here.name == "a"


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ echo one\ntwo\n```",
        "```console\n$ echo one; echo two\none\n```",
        "```console\n$ false\n```",
        "```python\n1 / 0\n```",
        "```toml\n[a\n```",
        "In `one.txt`:\n\n```text\nfirst\n```",
        "```markdown\n---\nid: one\n---\n```",
        f"````markdown\n{LESSON.replace('draft', 'drafty')}````",
        f"````markdown broken\n{LESSON}````",
    ],
)
def test_an_example_that_is_not_true(tmp_path: Path, text: str) -> None:
    with pytest.raises(AssertionError, match=r"^guide.md:\d+: "):
        check(text, tmp_path)


def test_lessons_in_a_guide(tmp_path: Path) -> None:
    guide = check(
        f"This is `one.md`:\n\n````markdown\n{LESSON}````\n\n````markdown broken\n---\n````", tmp_path
    )
    assert (guide.folder / "one.md").read_text() == LESSON


def test_an_error_names_the_line_of_the_block(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"^guide.md:4: ZeroDivisionError"):
        check("# A\n\n```python\n1 / 0\n```\n", tmp_path)


def test_what_counts_as_shown() -> None:
    assert list(commands("$ a\n1\n2\n$ b\n")) == [("a", ["1", "2"]), ("b", [])]
    assert shows("a\nb\nc\n", ["a", "...", "c"])
    assert shows("a\nc\n", ["a", "...", "c"])
    assert shows("a (b) 3.4 s\n", ["a (b) ... s"])
    assert not shows("a\nb\n", ["a"])
    assert not shows("a\n", ["a", "b"])
    assert not shows("abc\n", ["a.c"])
