"""Sidecars: directives for a document that is not edited, and what happens when the document changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.certify.evidence import LESSON
from lesson_runner.certify.evidence import SIDECAR as COPY
from lesson_runner.document.directives import WORDS
from lesson_runner.document.lessons import load_lesson
from lesson_runner.document.schema.validator import load_schema
from lesson_runner.document.sidecar import MAX_BYTES
from lesson_runner.run.digests import content_digest

Lesson = Callable[..., Any]
DOCUMENT = """# Count

**Why:** later blocks read it.

```bash
echo one two > words.txt
```

**Look for:** nothing.

- Then:

  ```bash
  wc -w < words.txt
  ```

## Output

```
2
```

```bash
rm words.txt
```
"""
SIDECAR = """\
frontmatter:
  supportedHardware: [simulator]
  runner: {timeout: 30s}
steps:
  - heading: [Count]
    manual: {id: look, instruction: Look at it}
    fence: 1
  - heading: [Count]
    fence: 1
    text: echo one two > words.txt
    step: {id: write, expect: [{file: {path: words.txt}}]}
  - heading: [Count]
    fence: 2
    text: |
      wc -w < words.txt
    step:
      id: count
      needs: [write]
  - heading: [Count]
    run: {id: check, expect: [{contains: checked}]}
    language: bash
    text: |
      test -e words.txt
      echo checked
  - heading: [Count, Output]
    fence: 1
    text: "2"
    expect: {step: count}
  - heading: [Count, Output]
    fence: 2
    text: rm words.txt
    skip: {reason: it is still needed}
"""
INLINE = DOCUMENT.replace(
    "```bash\necho", "<!-- step\nid: write\nexpect: [{file: {path: words.txt}}]\n-->\n```bash\necho"
).replace("```\n2", "<!-- expect\nstep: count\n-->\n```\n2")
INLINE = INLINE.replace(
    "  ```bash\n  wc", "  <!-- step\n  id: count\n  needs: [write]\n  -->\n  ```bash\n  wc"
)


@pytest.fixture
def count(tmp_path: Path) -> Path:
    (tmp_path / "count.md").write_text(DOCUMENT)
    (tmp_path / "count.steps.yaml").write_text(SIDECAR)
    return tmp_path / "count.md"


def rules(lesson: Lesson, *arguments: object) -> list[tuple[str, str, int]]:
    found = lesson("validate", *arguments, "--json").json["findings"]
    wanted = [item for item in found if item["rule"] not in ("no-frontmatter", "only-exit")]
    return [(item["rule"], item["path"], item["line"]) for item in wanted]


def test_an_entry_means_what_a_comment_means(count: Path, tmp_path: Path) -> None:
    beside, problems = load_lesson(count)
    assert [item.rule for item in problems] == ["no-frontmatter"]
    assert [step.id for step in beside.steps] == ["look", "write", "count", "check"]
    assert beside.runner == {"timeout": "30s"}
    assert [item.reason for item in beside.skipped] == ["it is still needed"]
    inline = tmp_path / "inline.md"
    inline.write_text(INLINE)
    written = {step.id: step for step in load_lesson(inline)[0].steps}
    for step in beside.steps:
        if step.id in written:
            other = written[step.id]
            assert (step.title, step.look_for, step.expect) == (other.title, other.look_for, other.expect)
            assert step.block is not None
            assert other.block is not None
            assert step.block.text == other.block.text
    assert beside.steps[0].why  # the first directive of the section has its reason


def test_it_runs_is_resumed_and_changes_the_digest(lesson: Lesson, count: Path) -> None:
    sidecar = count.with_name("count.steps.yaml")
    sidecar.write_text(SIDECAR.replace("echo checked", "test -e ../../../../ready && echo checked"))
    before = content_digest(load_lesson(count)[0])
    first = lesson("run", "count.md", "--allow", "shell", "--json")
    statuses = {step["id"]: step["status"] for step in first.json["steps"]}
    assert (statuses["write"], statuses["count"], statuses["check"]) == ("passed", "passed", "failed")
    assert first.json["lesson"]["sidecar"] == str(Path("count.steps.yaml"))
    text = sidecar.read_text()
    sidecar.write_text(f"{text}# changed\n")
    assert content_digest(load_lesson(count)[0]) != before
    refused = lesson("resume", first.json["run_id"], "--allow", "shell")
    assert (refused.code, "sidecar" in refused.err) == (2, True)
    sidecar.write_text(text)
    (count.parent / "ready").touch()
    again = lesson("resume", first.json["run_id"], "--allow", "shell", "--json")
    assert {step["id"]: step["status"] for step in again.json["steps"]}["check"] == "passed"


@pytest.mark.parametrize("name", ["count.md", "Count Words/README.md"])
def test_an_overlay(lesson: Lesson, tmp_path: Path, name: str) -> None:
    path, overlay = tmp_path / name, tmp_path / "notes"
    overlay.mkdir()
    path.parent.mkdir(exist_ok=True)
    path.write_text(DOCUMENT)
    missing = lesson("plan", name, "--overlay", overlay)
    assert (missing.code, "--sidecar --overlay" in missing.err) == (2, True)
    stem = path.parent.name if path.stem == "README" else path.stem
    without_manual = SIDECAR.partition("  - heading")[2].partition("  - heading")[2]
    without_manual = without_manual.replace("echo checked", "test -e ../../../../ready && echo checked")
    (overlay / f"{stem}.steps.yaml").write_text(f"steps:\n  - heading{without_manual}")
    planned = lesson("plan", name, "--overlay", overlay, "--json")
    assert planned.code == 0, planned
    assert [step["id"] for step in planned.json["steps"]] == ["write", "count", "check"]
    assert rules(lesson, name, "--overlay", overlay) == []
    run = lesson("run", name, "--overlay", "notes", "--allow", "shell", "--json")
    assert run.code == 1
    (tmp_path / "ready").touch()
    resumed = lesson("resume", "--allow", "shell", "--json")
    assert (resumed.code, resumed.json["run_id"]) == (0, run.json["run_id"])


@pytest.mark.parametrize(
    ("old", "new", "rule", "words"),
    [
        (
            "echo one two >",
            "echo one 2 >",
            "sidecar-changed",
            ["'echo one two > words.txt'", "'echo one 2 >"],
        ),
        ("# Count\n", "# Count\n\n```bash\nls\n```\n", "sidecar-changed", ["fence 2", "line 9"]),
        ("## Output", "## What it prints", "sidecar-renamed", ["'What it prints'"]),
        ("```bash\nrm words.txt\n```\n", "", "sidecar-unbound", ["fence 2"]),
        ("```bash\nrm", "<!-- skip\nreason: no\n-->\n```bash\nrm", "sidecar-conflict", ["line 23"]),
        ("# Count\n", "---\nrunner: {timeout: 5s}\n---\n\n# Count\n", "sidecar-conflict", ["'runner'"]),
    ],
)
def test_a_document_that_changed(
    lesson: Lesson, count: Path, old: str, new: str, rule: str, words: list[str]
) -> None:
    count.write_text(DOCUMENT.replace(old, new, 1))
    found = lesson("validate", "count.md", "--json").json["findings"]
    mine = [item for item in found if item["rule"] == rule]
    assert mine
    assert all(item["path"] == "count.steps.yaml" for item in mine)
    assert all(word in " ".join(item["message"] for item in mine) for word in words), mine
    assert lesson("plan", "count.md").code == (0 if rule == "sidecar-renamed" else 2)


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ("{ignore: {rules: [only-exit], reason: a test, file: true}}", 0),
        ("{heading: [Say], fence: 1, text: echo 1, ignore: {rules: [only-exit], reason: a test}}", 1),
    ],
)
def test_rules_are_ignored(lesson: Lesson, tmp_path: Path, entry: str, left: int) -> None:
    blocks = [f"```bash\necho {number}\n```\n" for number in (1, 2)]
    (tmp_path / "a.md").write_text("# Say\n\n" + "\n".join(blocks))
    steps = [f"{{heading: [Say], fence: {n}, text: echo {n}, step: {{id: say-{n}}}}}" for n in (1, 2)]
    (tmp_path / "a.steps.yaml").write_text("steps:\n" + "".join(f"  - {item}\n" for item in [*steps, entry]))
    found = [item["rule"] for item in lesson("validate", "a.md", "--json").json["findings"]]
    assert found == ["no-frontmatter", *["only-exit"] * left]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("{heading: [Count], fence: 1, text: x, step: {id: a}, skip: {reason: b}}", 2),
        ("{heading: [Count], fence: 1, text: x}", 2),
        ("{heading: [Count], fence: 1, step: {id: a}}", 2),
        ("{heading: [Count], fence: 0, text: x, step: {id: a}}", 2),
        ("{heading: [Count], fence: 1, text: x, language: bash, step: {id: a}}", 2),
        ("{heading: [Count], fence: 1, text: echo one two > words.txt, step: {id: A}}", 2),
        ("{heading: [Count], fence: 1, text: echo one two > words.txt, step: {id: a, expects: []}}", 2),
        ("{heading: [Count], run: {id: a}, text: x}", 2),
        ("{heading: [Count, Nothing], manual: {id: a, instruction: b}}", 2),
    ],
)
def test_entries_that_are_wrong(lesson: Lesson, count: Path, entry: str, line: int) -> None:
    count.with_name("count.steps.yaml").write_text(f"steps:\n  - {entry}\n")
    found = rules(lesson, "count.md")
    assert {(path, row) for _, path, row in found} == {("count.steps.yaml", line)}
    assert lesson("run", "count.md", "--allow", "shell").code == 2


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"steps: [", "yaml-syntax"),
        (b"- a\n", "wrong-value"),
        (b"step: {}\n", "unknown-key"),
        (b"\xff\n", "not-utf-8"),
        (b"# " + b"x" * MAX_BYTES, "unreadable"),
        (b"steps: [{heading: &a [*a]}]\n", "yaml-too-deep"),
    ],
)
def test_files_that_are_not_sidecars(lesson: Lesson, count: Path, content: bytes, rule: str) -> None:
    count.with_name("count.steps.yaml").write_bytes(content)
    assert rule in [name for name, _, _ in rules(lesson, "count.md")]
    assert lesson("run", "count.md", "--allow", "shell").code == 2


def test_a_link_is_not_followed(lesson: Lesson, count: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text(SIDECAR)
    beside = count.with_name("count.steps.yaml")
    for target in (secret, tmp_path / "missing"):
        beside.unlink()
        beside.symlink_to(target)
        assert rules(lesson, "count.md") == [("unreadable", "count.steps.yaml", 1)]
    beside.unlink()
    os.mkfifo(beside)
    assert rules(lesson, "count.md") == [("unreadable", "count.steps.yaml", 1)]


def test_a_folder_is_validated_with_its_sidecars(lesson: Lesson, count: Path, tmp_path: Path) -> None:
    (tmp_path / "gone.steps.yaml").write_text("steps: []\n")
    (tmp_path / "README.md").write_text("# Read me\n")
    assert rules(lesson, ".") == [("sidecar-unbound", "gone.steps.yaml", 1)]
    (tmp_path / "README.steps.yaml").write_text("steps: []\n")
    assert ("no-steps", "README.md", 1) in rules(lesson, ".")


def test_the_schema_knows_every_directive() -> None:
    entry = load_schema("sidecar")["$defs"]["entry"]["properties"]
    assert set(WORDS) <= set(entry)


def test_copies_have_the_same_content(count: Path, tmp_path: Path) -> None:
    found, _ = load_lesson(count)
    assert found.sidecar is not None
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / LESSON).write_text(found.text)
    (evidence / COPY).write_text(found.sidecar.text)
    assert content_digest(load_lesson(evidence / LESSON)[0]) == content_digest(found)
