"""Finding the version of tt-metal in every source, and judging it for a lesson."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from lesson_runner.plugins.checks import Completed, Machine
from lesson_tenstorrent.metal import oldest_build_of, parse_version, tag_of
from lesson_tenstorrent.version import check_version, find_version

# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v0.67.0", "0.67.0"),
        ("0.73.1", "0.73.1"),
        ("v0.67.0-dev20260203", "0.67.0.dev20260203"),
        ("v0.66.0-rc7-12-gabc1234", "0.66.0rc7"),
        ("v0.67.0-dev20260203-3-gabc1234", "0.67.0.dev20260203"),
        ("v0.67.0-3-gabc1234\n", "0.67.0"),
        ("v0.67.0-dirty", "0.67.0"),
        ("0.67.0rc3.dev12", "0.67.0rc3"),
        ("0.67.0+gabc1234", "0.67.0"),
        ("0.66.0~rc7+12.abc1234def~ubuntu22.04", "0.66.0rc7"),
        ("0.67.0~dev20260203~ubuntu24.04", "0.67.0.dev20260203"),
        ("0.67.0~ubuntu22.04", "0.67.0"),
        ("0.0~alpha0+1.abc1234~ubuntu22.04", None),
        ("v0.67.0-latest", None),
        ("0.0-alpha0-1-gabc1234-dirty", None),
        ("0400b7f51e2d", None),
        ("v0.", None),
        ("", None),
    ],
)
def test_versions_are_read_from_tags(text: str, version: str | None) -> None:
    assert parse_version(text) == (Version(version) if version else None)


@given(st.text() | st.from_regex(r"v?\d+\.\d+[\d.~+-]*(rc|dev)?\d*.*"))
def test_reading_never_raises(text: str) -> None:
    version = parse_version(text)
    assert version is None or parse_version(tag_of(version)) == version


NUMBERS = st.integers(0, 10**6)
SUFFIXES = st.sampled_from(["", "rc", "dev"])
Parts = tuple[list[int], str, int]
TAGS: st.SearchStrategy[Parts] = st.tuples(st.lists(NUMBERS, min_size=2, max_size=3), SUFFIXES, NUMBERS)


def in_both_forms(parts: Parts) -> tuple[str, Version]:
    """Return a tag, and the version that packaging makes of it."""
    numbers, suffix, number = parts
    release = ".".join(map(str, numbers))
    if not suffix:
        return f"v{release}", Version(release)
    return f"v{release}-{suffix}{number}", Version(
        f"{release}{'.' if suffix == 'dev' else ''}{suffix}{number}"
    )


@given(TAGS, TAGS)
def test_tags_are_in_packagings_order(
    one: tuple[list[int], str, int], other: tuple[list[int], str, int]
) -> None:
    (tag, version), (tag_2, version_2) = in_both_forms(one), in_both_forms(other)
    read, read_2 = parse_version(tag), parse_version(tag_2)
    assert read is not None
    assert read_2 is not None
    assert (read == version, read < read_2) == (True, version < version_2)
    assert oldest_build_of(read) <= read


# --- where it is read --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FakeMachine(Machine):
    """A machine whose programs answer from a table, by their first word."""

    answers: dict[str, Completed] = field(default_factory=dict)

    def run(self, command: Sequence[str], timeout: float = 10) -> Completed:
        return self.answers.get(command[0], Completed(127, "", "no such program"))


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(environ={}, home=tmp_path, backend="ttml", python="python")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tt-metal"
    (folder / "tt_metal").mkdir(parents=True)
    return folder


def with_answers(machine: FakeMachine, **answers: str) -> FakeMachine:
    names = {"dpkg": "dpkg-query"}
    return replace(machine, answers={names.get(k, k): Completed(0, text, "") for k, text in answers.items()})


def found(machine: Machine) -> tuple[str, str]:
    version = find_version(machine)
    assert version is not None
    return str(version.version), version.source


def test_sources_are_read_in_order(machine: FakeMachine, tree: Path) -> None:
    assert find_version(machine) is None
    image = replace(machine, environ={"TT_METAL_COMMIT_SHA_OR_TAG": "v0.71.0"})
    assert found(image) == ("0.71.0", "the variable TT_METAL_COMMIT_SHA_OR_TAG")
    packaged = with_answers(image, dpkg="0.70.0~rc1~ubuntu22.04")
    assert found(packaged) == ("0.70.0rc1", "the Debian package tt-metalium")
    installed = with_answers(image, dpkg="0.70.0", python="0.69.0\n")
    assert found(installed) == ("0.69.0", "the installed ttnn package")
    archive = tree / "cmake" / "version.cmake"
    archive.parent.mkdir()
    archive.write_text('    set(fallbackVersion "v0.68.0-12-gabc1234")\n')
    assert found(installed) == ("0.68.0", "cmake/version.cmake of the archive")
    (tree / "VERSION").write_text("v0.68.0-rc2\n")
    assert found(installed) == ("0.68.0rc2", "the file VERSION")
    (tree / ".git").mkdir()
    checkout = with_answers(installed, git="v0.67.0-3-gabc1234\n")
    assert found(checkout) == ("0.67.0", "git describe: v0.67.0-3-gabc1234")


def test_text_that_is_not_a_version_is_ignored(machine: FakeMachine, tree: Path) -> None:
    (tree / ".git").mkdir()
    (tree / "VERSION").write_bytes(b"\xff\xfe")
    (tree / "cmake").mkdir()
    (tree / "cmake" / "version.cmake").write_text('set(fallbackVersion "$Format:%(describe)$")\n')
    commit = replace(machine, environ={"TT_METAL_COMMIT_SHA_OR_TAG": "0400b7f51e2d0d0c"})

    assert find_version(with_answers(commit, git="abc1234\n", dpkg="0.0~alpha0+1.abc~ubuntu22.04")) is None


@pytest.mark.parametrize(
    ("wheel", "version"), [("0.67.0.dev12", "0.67.0"), ("0.67.0.dev20260203", "0.67.0.dev20260203")]
)
def test_a_wheel_counts_commits_where_a_tag_has_a_date(
    machine: FakeMachine, wheel: str, version: str
) -> None:
    assert found(with_answers(machine, python=wheel))[0] == version


def test_a_container_without_a_tree_has_a_version(machine: FakeMachine) -> None:
    finding = check_version(with_answers(machine, python="0.73.1"))

    assert (finding.status, finding.found) == ("ok", "v0.73.1 (the installed ttnn package)")
    assert finding.facts == {"metal": {"version": "v0.73.1", "found_by": "the installed ttnn package"}}


def test_a_real_repository(tmp_path: Path, tree: Path) -> None:
    def git(*words: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "tag.gpgsign=false"]
        subprocess.run(["git", *identity, *words], cwd=tree, check=True, capture_output=True)

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "one")
    here = Machine(environ={"PATH": os.environ["PATH"]}, home=tmp_path, backend="ttml")
    nothing = check_version(here)
    git("tag", "v0.66.0-rc7")
    old = check_version(here)
    git("commit", "-q", "--allow-empty", "-m", "two")
    git("tag", "-a", "v0.67.0-dev20260203", "-m", "a")
    git("commit", "-q", "--allow-empty", "-m", "three")
    new = check_version(here)

    assert nothing.status == "warning"
    assert nothing.found.startswith("not known, so it cannot be certified")
    assert nothing.command == ("git", "-C", str(tree), "fetch", "--tags")
    assert nothing.facts == {}
    assert old.found.startswith(
        "v0.66.0-rc7 (git describe: v0.66.0-rc7); it trains, but its text repeats itself"
    )
    assert old.facts == {"metal": {"version": "v0.66.0-rc7", "found_by": "git describe: v0.66.0-rc7"}}
    assert new.status == "ok"
    assert "git describe: v0.67.0-dev20260203-1-g" in new.found
    (tree / ".git" / "shallow").touch()
    git("tag", "-d", "v0.67.0-dev20260203")
    git("tag", "-d", "v0.66.0-rc7")
    shallow = check_version(here)
    assert (shallow.status, shallow.command) == ("warning", ())
    assert "--unshallow" in shallow.fix


# --- judging it -----------------------------------------------------------------------

NO_TTML, REPEATS, NOT_KNOWN = (
    "it has no Python ttml",
    "its text repeats itself",
    "not known whether its text repeats",
)


@pytest.mark.parametrize(
    ("tag", "alone", "for_067", "for_070", "words"),
    [
        ("v0.64.5", "failed", "failed", "failed", NO_TTML),
        ("v0.66.0-rc4", "failed", "failed", "failed", NO_TTML),
        ("v0.66.0-dev20260101", "failed", "failed", "failed", NO_TTML),
        ("v0.66.0-rc5", "warning", "failed", "failed", REPEATS),
        ("v0.66.0-rc7-9-gabc1234", "warning", "failed", "failed", REPEATS),
        ("v0.66.0-rc8", "warning", "failed", "failed", NOT_KNOWN),
        ("v0.66.0", "warning", "failed", "failed", NOT_KNOWN),
        ("v0.67.0-dev20260120", "warning", "warning", "failed", NOT_KNOWN),
        ("v0.67.0-dev20260203", "ok", "ok", "failed", ""),
        ("v0.67.0-rc1", "ok", "ok", "failed", ""),
        ("v0.67.0", "ok", "ok", "failed", ""),
        ("v0.69.9", "ok", "ok", "failed", ""),
        ("v0.70.0-dev20260601", "ok", "ok", "ok", ""),
        ("v0.73.1", "ok", "ok", "ok", ""),
    ],
)
def test_verdicts_on_versions(
    machine: FakeMachine, tree: Path, tag: str, alone: str, for_067: str, for_070: str, words: str
) -> None:
    (tree / ".git").mkdir()
    (tree / "VERSION").write_text(tag)
    lessons = [{}, {"minTTMetalVersion": "v0.67.0"}, {"minTTMetalVersion": "v0.70.0"}]

    findings = [check_version(replace(machine, lesson=lesson)) for lesson in lessons]

    assert [finding.status for finding in findings] == [alone, for_067, for_070]
    assert [words in finding.found for finding in findings] == [True] * 3
    assert (";" in findings[0].found) == bool(words)
    assert [bool(finding.fix) for finding in findings] == [finding.status != "ok" for finding in findings]
    assert findings[2].expected == "v0.70.0 or newer (the lesson: minTTMetalVersion v0.70.0)"
    assert for_070 == "ok" or f"cd {tree} && git fetch --tags && git checkout v0.70.0 && " in findings[2].fix


def test_the_fix_checks_nothing_out_in_a_tree_that_is_not_a_checkout(
    machine: FakeMachine, tree: Path
) -> None:
    """It may be a copy inside another repository."""
    (tree / "VERSION").write_text("v0.64.5")

    assert check_version(machine).fix.startswith("cd /path/to/your/tt-metal && git fetch")


@pytest.mark.parametrize(
    ("answer", "found", "fix"),
    [
        (Completed(127, "", "no such file"), "git is not installed", "install git"),
        (
            Completed(128, "", "fatal: detected dubious ownership in repository at '/x'\nTo add: ...\n"),
            "it belongs to another user",
            "git config --global --add safe.directory ",
        ),
        (Completed(124, "", "no answer within 10 s"), "no answer within 10 s", "git -C "),
        (Completed(128, "", "fatal: No names found, cannot describe anything.\n"), "no tag", "fetch --tags"),
    ],
)
def test_why_git_fails(machine: FakeMachine, tree: Path, answer: Completed, found: str, fix: str) -> None:
    (tree / ".git").mkdir()

    finding = check_version(replace(machine, answers={"git": answer}))

    assert (finding.status, bool(finding.command)) == ("warning", "no tag" in found)
    assert found in finding.found
    assert fix in finding.fix


@pytest.mark.parametrize("minimum", [None, "new", "v0.67.0-latest"])
def test_an_invalid_minimum_is_ignored(machine: FakeMachine, tree: Path, minimum: str | None) -> None:
    (tree / "VERSION").write_text("v0.67.0")

    finding = check_version(replace(machine, lesson={"minTTMetalVersion": minimum}))

    assert (finding.status, finding.expected) == ("ok", "v0.67.0 or newer")


def test_an_unknown_version_is_never_ok(machine: FakeMachine) -> None:
    finding = check_version(machine)

    assert (finding.status, finding.command) == ("warning", ())
    assert "cannot be certified" in finding.found
    assert finding.fix.startswith("export TT_METAL_HOME=")
