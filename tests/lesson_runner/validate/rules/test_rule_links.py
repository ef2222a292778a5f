"""Dead links and anchors."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```\n\n"


@pytest.fixture
def say(lesson: Lesson, tmp_path: Path) -> Callable[..., list[str]]:
    """Return the diagnostics of a lesson with this text in the folder ``lessons``."""

    def said(text: str, name: str = "a.md") -> list[str]:
        path = tmp_path / "lessons" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lesson_text("x\n\n").replace("x\n", STEP) + text, "utf-8")
        found = lesson("validate", path, "--json").json["findings"]
        return [f"{item['rule']}: {item['message']} ({item['fix']})" for item in found]

    return said


Say = Callable[..., list[str]]


@pytest.mark.parametrize(
    "target",
    [
        "b.md",
        "./b.md",
        "b.md?plain=1",
        "b.md?plain=1#part",
        "<with space.md>",
        "with%20space.md",
        "%C3%BC%C2%B2.md",
        "ü².md",
        "folder",
        "folder/",
        "folder/../b.md",
        "../above.txt",
        "../lessons/b.md",
        ".",
        "..",
        "?query",
        "#",
        "#top",
        "https://example.org/missing.md",
        "HTTP://example.org",
        "//example.org/missing",
        "mailto:me@example.org",
        "/missing/from/the/site.md",
        "vscode:extension/x",
    ],
)
def test_links_that_work(say: Say, tmp_path: Path, target: str) -> None:
    folder = tmp_path / "lessons" / "folder"
    folder.mkdir(parents=True)
    for name in ("b.md", "with space.md", "ü².md"):
        (folder.parent / name).write_text("# part\n")
    (tmp_path / "above.txt").touch()
    assert say(f"[a]({target}) ![b]({target})") == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("missing.md", "the link 'missing.md': there is no 'missing.md' in the folder of a.md"),
        ("B.md", "(did you mean 'b.md'?)"),
        ("b.markdown", "there is no 'b.markdown'"),
        ("Folder/c.md", "there is no 'Folder' in the folder of a.md (did you mean 'folder'?)"),
        ("folder/see.md", "there is no 'see.md' in 'folder' (did you mean 'sea.md'?)"),
        ("../lesson/b.md", "there is no 'lesson' in '..' (did you mean 'lessons'?)"),
        ("folder\\\\sea.md", "(separate folders with '/')"),
        ("b.md/x", "there is no 'x' in 'b.md'"),
        ("%00.md", "there is no"),
        ("a" * 5000, "there is no"),
        ("<>", "the link has no target"),
        ("", "the link has no target"),
        ("file:///etc/hosts", "leads to a file on your machine"),
        ("C:/lessons/b.md", "leads to a file on your machine"),
    ],
)
def test_dead_links(say: Say, tmp_path: Path, target: str, message: str) -> None:
    folder = tmp_path / "lessons" / "folder"
    folder.mkdir(parents=True)
    (folder.parent / "b.md").touch()
    (folder / "sea.md").touch()
    [found] = say(f"[a]({target})")
    assert found.startswith("dead-link: ")
    assert message in found


def test_the_lesson_may_be_named_in_any_way(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "above.txt").touch()
    path = tmp_path / "folder" / "a.md"
    path.write_text(lesson_text(STEP + "[a](../above.txt) [b](../nowhere.txt)"))
    for name, folder in (("folder/a.md", tmp_path), ("a.md", path.parent), (path, Path("/"))):
        os.chdir(folder)
        [found] = lesson("validate", name, "--json").json["findings"]
        assert "there is no 'nowhere.txt' in '..'" in found["message"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed(say: Say, tmp_path: Path) -> None:
    closed = tmp_path / "lessons" / "closed"
    closed.mkdir(parents=True)
    (closed / "b.md").touch()
    closed.chmod(0o100)
    assert len(say("[a](closed/b.md) [a](closed/c.md)")) == 1
    closed.chmod(0o700)


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Step 3: Train the model", "step-3-train-the-model"),
        ("`lesson run`, *fast* & **good**!", "lesson-run-fast--good"),
        ("A [link](#) and ![image](a.md)", "a-link-and-"),
        ("snake_case and __init__.py", "snake_case-and-initpy"),
        ("Übung 一", "übung-一"),
        ("हिन्दी", "हिन्दी"),
        ("🎓 What you learned", "-what-you-learned"),
        ("⚠️ Careful", "\ufe0f-careful"),
        ("10 → 30", "10--30"),
        ("A <b>bold</b> word", "a-bold-word"),
        ("AT&amp;T", "att"),
        ("v1.2.0 (2026-01-02)", "v120-2026-01-02"),
        ("Own name {#mine}", "mine"),
        ("Own name {#mine}", "own-name"),
    ],
)
def test_anchors_as_on_github(say: Say, tmp_path: Path, heading: str, anchor: str) -> None:
    text = f"## {heading}\n\n[a](#{anchor})"
    (tmp_path / "lessons").mkdir()
    assert say(text) == []
    [found] = say(f"[b](a.md#{anchor}zz)", "b.md")
    assert f"did you mean '#{anchor}'?" in found


def test_equal_headings_get_numbers(say: Say) -> None:
    text = "## A\n\n## A\n\n## A-1\n\n## A\n\n"
    assert say(text + "[a](#a) [b](#a-1) [c](#a-1-1) [d](#a-2)") == []
    assert len(say(text + "[e](#a-3)")) == 1


def test_anchors_of_other_documents(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "b.md").write_text("# No frontmatter\n\n<a id='named'></a>\n")
    (folder / "code.py").touch()
    (folder / "book.pdf").touch()
    (folder / "broken.md").write_bytes(b"# A\xff\n")
    fine = "b.md#no-frontmatter b.md#named b.md#L10 b.md#L1-L3 b.md#:~:text=x broken.md#a"
    elsewhere = "code.py#L10 book.pdf#page=2"
    assert say(" ".join(f"[a]({target})" for target in f"{fine} {elsewhere}".split())) == []
    [found] = say("[a](b.md#no-frontmater)")
    assert found == (
        "dead-anchor: the link 'b.md#no-frontmater': no heading of 'b.md' has the anchor 'no-frontmater' "
        "(did you mean '#no-frontmatter'?)"
    )
    (folder / "b.md").write_text("# Changed since\n")
    assert say("[a](b.md#changed-since)") == []
    assert len(say("[a](b.md#named)")) == 1


def test_a_dead_link_is_not_a_dead_anchor_too(say: Say) -> None:
    [found] = say("[a](missing.md#part)")
    assert found.startswith("dead-link")


@pytest.mark.slow
def test_many_dead_links_do_not_take_long(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    for number in range(2_000):
        (folder / f"a-file-of-many-{number}.txt").touch()
    text = "\n\n".join(f"## Part {n}\n\n[a](a-fil-of-many-{n}.txt) [b](#prt-{n})" for n in range(2_000))
    assert len(say(text)) == 4_000
