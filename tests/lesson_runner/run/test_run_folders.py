"""Each run works in a folder of its own; part of a lesson continues the files of an earlier run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Said, last_files

from lesson_runner.run.lock import locked
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Said]

STEP = """
<!-- step
id: {id}
expect: {expect}
-->
```bash
{script}
```
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    """Writes a lesson of shell steps, given as id and script, or id, script and expectations."""

    def save(name: str, *steps: tuple[str, ...]) -> None:
        parts = [
            STEP.format(id=step[0], script=step[1], expect=step[2] if step[2:] else "[{exit: 0}]")
            for step in steps
        ]
        (tmp_path / f"{name}.md").write_text(lesson_text("".join(parts), id=name))

    return save


def runs(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / ".lesson" / "runs").iterdir() if path.name[0] != ".")


def record(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return data


@pytest.mark.parametrize(
    "script",
    [
        "mkdir demo",
        "test ! -e x; ln -s / x",
        "set -C; echo > log",
        "python3 -m venv --without-pip v; mkdir w",
    ],
)
def test_a_lesson_runs_twice_in_a_row(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path, script: str
) -> None:
    write("twice", ("a", script))
    assert [lesson("run", "twice.md", "--allow", "shell").code for _ in range(2)] == [0, 0]
    assert len(runs(tmp_path)) == 2


@pytest.mark.parametrize(
    ("expect", "writing", "not_writing"),
    [
        ("[{file: {path: out.txt}}]", "echo result > out.txt", "echo nothing"),
        ("[{file: {path: a/b.txt, min_bytes: 3}}]", "mkdir a; echo result > a/b.txt", "mkdir a"),
        ("[{contains: result}]", "echo result > out.txt; cat out.txt", "cat out.txt || true"),
    ],
)
def test_a_file_of_an_earlier_run_satisfies_nothing(
    lesson: Lesson, write: Callable[..., None], expect: str, writing: str, not_writing: str
) -> None:
    write("stale", ("a", writing, expect))
    assert lesson("run", "stale.md", "--allow", "shell").code == 0
    write("stale", ("a", not_writing, expect))
    assert lesson("run", "stale.md", "--allow", "shell").code == 1


def test_two_lessons_do_not_see_each_other(lesson: Lesson, write: Callable[..., None]) -> None:
    for name in ("one", "two"):
        write(name, ("a", f"test ! -e name.txt; echo {name} > name.txt"), ("b", f"grep {name} name.txt"))
        assert lesson("run", f"{name}.md", "--allow", "shell").code == 0


@pytest.mark.parametrize("part", [("--from", "b"), ("--only", "b"), ("--from", "b", "--until", "b")])
def test_a_part_of_a_lesson_continues_its_last_run(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path, part: tuple[str, ...]
) -> None:
    write(
        "part",
        ("a", "mkdir -p w; cd w; export NAME=value; greet() { echo hi $1; }; echo 1 > made"),
        ("b", 'cat made; greet "$NAME"; basename "$PWD"; echo 2 >> made', '[{contains: "hi value\\nw"}]'),
        ("c", "true"),
    )
    write("other", ("a", "true"), ("b", "true"))
    assert lesson("run", "part.md", "--allow", "shell").code == 0
    (first,) = runs(tmp_path)
    lesson("run", "other.md", "--allow", "shell")

    said = lesson("run", "part.md", "--allow", "shell", *part)

    assert said.code == 0, said
    assert f"Continuing the files and the terminal of {first.name}" in said.out
    later = record(runs(tmp_path)[-1])
    assert later["continues"] == first.name
    assert "continues" not in record(first)
    assert (first / "files" / "w" / "made").read_text() == "1\n2\n2\n"
    assert not (runs(tmp_path)[-1] / "files").exists()
    assert lesson("report", "latest", "--format", "json").code == 0


def test_a_run_that_continued_is_continued_in_the_same_files(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write("part", ("a", "echo a >> log"), ("b", "echo b >> log"), ("c", "echo c >> log; cat log"))
    lesson("run", "part.md", "--until", "a", "--allow", "shell")
    for name in ("b", "c"):
        assert lesson("run", "part.md", "--only", name, "--allow", "shell").code == 0
    first, *later = runs(tmp_path)
    assert [record(folder)["continues"] for folder in later] == [first.name] * 2
    assert (first / "files" / "log").read_text() == "a\nb\nc\n"


@pytest.mark.parametrize("part", [("--from", "a"), ("--until", "b"), ("--only", "a"), ()])
def test_a_run_from_the_first_step_is_new(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path, part: tuple[str, ...]
) -> None:
    write("part", ("a", "mkdir demo"), ("b", "true"))
    for _ in range(2):
        assert lesson("run", "part.md", "--allow", "shell", *part).code == 0
    assert all((folder / "files" / "demo").is_dir() for folder in runs(tmp_path))
    assert not any("continues" in record(folder) for folder in runs(tmp_path))


def test_without_an_earlier_run_a_part_cannot_run(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write("part", ("a", "true"), ("b", "true"))
    write("apart", ("a", "true"), ("b", "true"))
    lesson("run", "apart.md", "--allow", "shell")
    said = lesson("run", "part.md", "--from", "b", "--allow", "shell")
    assert said.code == 2
    assert "--from b continues the last run of 'part'" in said.err
    assert "lesson run part.md" in said.err
    assert len(runs(tmp_path)) == 1


def test_a_step_whose_need_was_left_out_of_a_new_run_does_not_run(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write("part", ("a", "true"), ("b", "echo b > made"), ("c", "cat made"))
    path = tmp_path / "part.md"
    path.write_text(path.read_text().replace("id: c\n", "id: c\nneeds: [b]\n"))
    said = lesson("run", "part.md", "--only", "a", "--only", "c", "--allow", "shell", "--json")
    assert [step["status"] for step in said.json["steps"]] == ["passed", "skipped", "skipped"]


def test_the_run_to_continue_can_be_named(lesson: Lesson, write: Callable[..., None], tmp_path: Path) -> None:
    write("part", ("a", "echo a >> log"), ("b", "echo b >> log"))
    write("other", ("a", "true"))
    for name in ("part", "part", "other"):
        lesson("run", f"{name}.md", "--allow", "shell")
    first, second = [folder for folder in runs(tmp_path) if "part" in folder.name]
    (other,) = {*runs(tmp_path)} - {first, second}
    assert lesson("run", "part.md", "--from", "b", "--continue", first.name, "--allow", "shell").code == 0
    assert (first / "files" / "log").read_text() == "a\nb\nb\n"
    assert (second / "files" / "log").read_text() == "a\nb\n"
    for name, why in {
        other.name: f"{other.name} is a run of 'other', not of 'part'",
        "none": "there is no run 'none'",
    }.items():
        said = lesson("run", "part.md", "--continue", name, "--allow", "shell")
        assert (said.code, why in said.err) == (2, True), said


def test_a_run_with_another_profile_is_not_continued(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write("part", ("a", "true"), ("b", "true"))
    path = tmp_path / "part.md"
    profiles = "runner: {profiles: {quick: {summary: q}, full: {summary: f}}}"
    path.write_text(path.read_text().replace("---\n\n", f"{profiles}\n---\n\n", 1))
    assert lesson("run", "part.md", "--profile", "quick", "--allow", "shell").code == 0
    (first,) = runs(tmp_path)
    full = ("run", "part.md", "--profile", "full", "--allow", "shell")
    for part in (("--from", "b"), ("--continue", "latest")):
        said = lesson(*full, *part)
        assert (said.code, f"{first.name} ran with profile quick" in said.err) == (2, True), said
    assert lesson(*full).code == 0
    assert lesson(*full, "--from", "b").code == 0


def test_a_run_in_progress_is_not_continued(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write("part", ("a", "true"), ("b", "true"))
    lesson("run", "part.md", "--allow", "shell")
    (first,) = runs(tmp_path)
    with locked(first, "another"):
        said = lesson("run", "part.md", "--from", "b", "--allow", "shell")
    assert (said.code, f"{first} is in use by the run another" in said.err) == (2, True), said
    assert runs(tmp_path) == [first]


def test_resume_goes_on_in_the_files_that_its_run_continued(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write(
        "part", ("a", "echo a >> log; X=1"), ("b", "X=2; echo b >> log"), ("c", "test -e go; echo $X >> log")
    )
    lesson("run", "part.md", "--allow", "shell")
    (first,) = runs(tmp_path)
    assert lesson("run", "part.md", "--from", "b", "--allow", "shell").code == 1
    (first / "files" / "go").touch()
    assert lesson("resume", "--allow", "shell").code == 0
    assert (first / "files" / "log").read_text() == "a\nb\nb\n2\n"
    second = runs(tmp_path)[-1]
    (second / "record.json").write_text(json.dumps({**record(second), "status": "failed"}))
    assert lesson("runs", "rm", first.name, "--yes").code == 0
    said = lesson("resume", "--allow", "shell")
    assert (said.code, f"{second.name} continued {first.name}" in said.err) == (2, True), said


@pytest.mark.parametrize("name", ["../..", "..", ".", "/tmp", "a/b", 3])
def test_the_record_of_a_stranger_leads_nowhere(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path, name: object
) -> None:
    write("part", ("a", "true"), ("b", "test -e go"))
    lesson("run", "part.md", "--allow", "shell")
    (folder,) = runs(tmp_path)
    (folder / "record.json").write_text(json.dumps({**record(folder), "continues": name}))
    said = lesson("resume", "--allow", "shell")
    assert said.code == 2, said
    assert "record.json: it does not follow the schema" in said.err or "damaged" in said.err
    assert lesson("run", "part.md", "--from", "b", "--allow", "shell").code in (1, 2)
    assert not (tmp_path / "files").exists()


def test_commands_in_a_step_work_in_its_run(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write("env", ("a", 'echo "$LESSON_WORKSPACE"; test "$LESSON_FILES" = "$PWD"; touch "$LESSON_FILES"/mark'))
    said = lesson("run", "env.md", "--allow", "shell")
    assert said.code == 0, said
    assert f"│ {runs(tmp_path)[0]}\n" in said.out
    assert (last_files(tmp_path / ".lesson") / "mark").exists()


# --- in a folder of the user's ---


def test_a_lesson_can_be_followed_in_a_folder_of_the_user(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "mine.txt").write_text("mine\n")
    expect = "[{file: {path: out.txt}}]"
    write(
        "guest",
        ("a", "X=1; cp mine.txt out.txt; cat mine.txt", expect),
        ("b", "test -e go; echo $X >> out.txt"),
    )

    assert lesson("run", "guest.md", "--in", project, "--allow", "shell").code == 1

    (folder,) = runs(tmp_path)
    assert record(folder)["options"]["in"] == str(project)
    assert sorted(path.name for path in project.iterdir()) == ["mine.txt", "out.txt"]
    (project / "go").touch()
    refused = lesson("resume", "--allow", "shell")
    assert (refused.code, f"was started with --in {project}" in refused.err) == (2, True)
    assert lesson("resume", "--in", project, "--allow", "shell").code == 0
    assert (project / "out.txt").read_text() == "mine\n1\n"
    assert lesson("run", "guest.md", "--from", "b", "--in", project, "--allow", "shell").code == 0
    assert lesson("run", "guest.md", "--from", "b", "--allow", "shell").code == 2
    assert (project / "out.txt").read_text() == "mine\n1\n1\n"


def test_the_workspace_inside_that_folder_is_not_what_steps_left(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write("guest", ("a", "echo 1 > one"), ("b", "test -e go"))
    assert lesson("run", "guest.md", "--in", ".", "--allow", "shell").code == 1
    events = [json.loads(line) for line in (runs(tmp_path)[0] / "events.jsonl").read_text().splitlines()]
    assert [set(event["left"]) for event in events if event["event"] == "step-finished"] == [{"one"}, set()]
    (tmp_path / "go").touch()
    assert lesson("resume", "--in", ".", "--allow", "shell").code == 0


def test_that_folder_gives_a_lesson_no_right_to_read(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    said = lesson("run", "guest.md", "--in", tmp_path / "none", "--allow", "shell")
    write("guest", ("a", "true"))
    said = lesson("run", "guest.md", "--in", tmp_path / "none", "--allow", "shell")
    assert (said.code, "there is no such folder" in said.err) == (2, True)
    said = lesson("run", "guest.md", "--in", Path.home(), "--sandbox", "--allow", "shell")
    assert (said.code, "commands in a sandbox could change everything" in said.err) == (2, True)


@pytest.mark.parametrize("how", ["in", "continue"])
def test_such_a_run_does_not_count_as_fresh(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path, how: str
) -> None:
    (tmp_path / "mine").mkdir()
    write("guest", ("a", "echo done", "[{contains: done}]"))
    lesson("run", "guest.md", "--fresh", "--allow", "shell")
    words = {"in": ("--in", tmp_path / "mine"), "continue": ("--continue", "latest")}[how]
    assert lesson("run", "guest.md", "--fresh", *words, "--allow", "shell").code == 0
    lesson("cert", "keys", "new", "mine")
    said = lesson("certify", "guest.md", "--from-run", "latest", "--policy", "emulated", "--json")
    assert said.code == 5
    why = {"in": "worked in a folder that already existed", "continue": "continued the files of another run"}
    assert f"{runs(tmp_path)[-1].name} {why[how]}" in said.out


# --- removing runs ---


@pytest.fixture
def five(lesson: Lesson, write: Callable[..., None], tmp_path: Path) -> list[Path]:
    """Five runs, of which the last continues the second."""
    write("many", ("a", "echo 12345 > a"), ("b", "cat a"))
    for _ in range(4):
        lesson("run", "many.md", "--allow", "shell")
    lesson("run", "many.md", "--from", "b", "--continue", runs(tmp_path)[1].name, "--allow", "shell")
    return runs(tmp_path)


def test_only_the_newest_runs_are_kept(lesson: Lesson, five: list[Path], tmp_path: Path) -> None:
    said = lesson("runs", "rm", "--keep", "2", "--yes")
    assert said.code == 0
    assert runs(tmp_path) == [five[1], five[3], five[4]]
    assert f"{five[1].name} stays: {five[4].name} continued it" in said.out
    assert f"removed {five[0].name} (" in said.out
    assert lesson("runs", "rm", "--keep", "9", "--yes").code == 0
    assert lesson("runs", "rm", "--keep", "0", "--yes").code == 0
    assert runs(tmp_path) == []


def test_old_runs_are_removed(lesson: Lesson, five: list[Path], tmp_path: Path) -> None:
    for folder in five[:3]:
        started = {"started": "2020-01-01T00:00:00.000Z"}
        (folder / "record.json").write_text(json.dumps({**record(folder), **started}))
    assert lesson("runs", "rm", "--older-than", "30d", "--keep", "3", "--yes").code == 0
    assert runs(tmp_path) == five[1:]
    assert lesson("runs", "rm", "--older-than", "2w", "--yes").code == 0
    assert runs(tmp_path) == [five[1], five[3], five[4]]


def test_removing_files_that_others_continue_is_said(
    lesson: Lesson, five: list[Path], tmp_path: Path
) -> None:
    said = lesson("runs", "rm", five[1].name, "--yes")
    assert (said.code, f"{five[4].name} continued {five[1].name}" in said.out) == (0, True)
    assert five[1] not in runs(tmp_path)


def test_a_run_in_progress_stays(lesson: Lesson, five: list[Path], tmp_path: Path) -> None:
    with locked(five[0], five[0].name), locked(five[1], five[4].name):
        said = lesson("runs", "rm", "--keep", "0", "--yes")
        assert said.code == 0
        assert runs(tmp_path) == [five[0], five[1], five[4]]
        for folder in (five[0], five[1], five[4]):
            assert f"{folder.name} stays: it is in use by" in said.out
            assert lesson("runs", "rm", folder.name, "--yes").code == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [(), ("--older-than", "soon"), ("--older-than", "-3d"), ("latest", "--keep", "1"), ("--keep", "-1")],
)
def test_what_to_remove_must_be_clear(
    lesson: Lesson, five: list[Path], tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert lesson("runs", "rm", "--yes", *words).code == 2
    assert runs(tmp_path) == five


@pytest.mark.parametrize("failing", ["unset X", "unset X; false", "unset X; exit 0"])
def test_a_later_part_sees_what_an_earlier_part_did_last(
    lesson: Lesson, write: Callable[..., None], failing: str
) -> None:
    last = ("c", 'echo "X=$X"', "[{contains: X=2}]")
    write("part", ("a", "true"), ("b", "export X=2"), last)
    assert lesson("run", "part.md", "--allow", "shell").code == 0
    write("part", ("a", "true"), ("b", failing), last)
    lesson("run", "part.md", "--only", "b", "--allow", "shell")
    assert lesson("run", "part.md", "--only", "c", "--allow", "shell").code == 1


def test_a_new_step_begins_as_the_step_after_it_did(lesson: Lesson, write: Callable[..., None]) -> None:
    steps = [("a", "X=1"), ("b", "true"), ("c", "X=3")]
    write("part", *steps)
    assert lesson("run", "part.md", "--allow", "shell").code == 0
    steps.insert(1, ("new", "echo X=$X; X=2"))
    write("part", *steps)
    said = lesson("run", "part.md", "--from", "new", "--allow", "shell")
    assert "│ X=1" in said.out
    said = lesson("run", "part.md", "--only", "b", "--allow", "shell")
    assert said.code == 0


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (("b", "false"), "failed"),
        (("b", "true", "[{contains: x}]"), "failed"),
        (("b", "true"), "was not reached"),
    ],
)
def test_what_a_step_needs_must_have_passed_in_the_run_that_is_continued(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path, first: tuple[str, ...], reason: str
) -> None:
    path, until = tmp_path / "part.md", ("--until", "a") if "not" in reason else ()

    def save(*steps: tuple[str, ...]) -> None:
        write("part", *steps)
        path.write_text(path.read_text().replace("id: c\n", "id: c\nneeds: [b]\n"))

    save(("a", "true"), first, ("c", "true"))
    lesson("run", "part.md", "--allow", "shell", *until)
    (home,) = runs(tmp_path)
    for part in ("--from", "--only"):
        assert lesson("run", "part.md", part, "c", "--allow", "shell").code == 1
        steps = record(runs(tmp_path)[-1])["steps"]
        assert steps[-1]["status"] == "not-reached"
        assert steps[-1]["message"] == f"it needs 'b', which {reason} in {home.name}"
    save(("a", "true"), ("b", "true"), ("c", "true"))
    for name in ("b", "c"):
        assert lesson("run", "part.md", "--only", name, "--allow", "shell").code == 0


def test_a_link_in_the_place_of_the_files_is_not_followed(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_text("x")
    write("link", ("a", f"rmdir $LESSON_FILES; ln -s {other} $LESSON_FILES"), ("b", "false"))
    lesson("run", "link.md", "--allow", "shell")
    (run,) = runs(tmp_path)
    events = map(json.loads, (run / "events.jsonl").read_text().splitlines())
    assert [event["left"] for event in events if event["event"] == "step-finished"] == [{}, {}]
    assert lesson("resume", "--allow", "shell").code == 2


def test_a_run_without_its_files_is_not_resumed(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    write("lost", ("a", "mkdir w"), ("b", "cd w; false"))
    lesson("run", "lost.md", "--allow", "shell")
    (run,) = runs(tmp_path)
    (run / "files" / "w").rmdir()
    (run / "files").rmdir()
    said = lesson("resume", "--allow", "shell")
    assert said.code == 2
    assert f"its files are not in {run / 'files'}" in said.err
    assert not (run / "files").exists()
    assert lesson("run", "lost.md", "--from", "b", "--allow", "shell").code == 2


@pytest.mark.parametrize(
    "place", ["", ".lesson", ".lesson/runs", ".lesson/runs/{run}", ".lesson/runs/{run}/files"]
)
def test_a_folder_of_runs_is_no_folder_to_work_in(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path, place: str
) -> None:
    write("a", ("a", "true"))
    lesson("run", "a.md", "--allow", "shell")
    (run,) = runs(tmp_path)
    assert lesson("run", "a.md", "--allow", "shell", "--in", place.format(run=run.name)).code == 2
    assert runs(tmp_path) == [run]


@pytest.mark.slow
def test_one_run_at_a_time_works_in_a_folder_of_the_user(
    lesson: Lesson, write: Callable[..., None], tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    command = f"{sys.executable} -m lesson_runner run inner.md --allow shell --in {mine} --workspace other"
    write("inner", ("a", "touch here"))
    write("outer", ("a", f"cd {tmp_path}; ! {command}"), ("b", "test ! -e here"))
    assert lesson("run", "outer.md", "--in", "mine", "--allow", "shell").code == 0
    assert lesson("run", "inner.md", "--in", "mine", "--allow", "shell").code == 0
