"""Typed actions write in the workspace and nowhere else, whatever a lesson or what lies there says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.fake_plugin import fake_plugin
from tests.reliability import fault

from lesson_runner.model import Outcome
from lesson_runner.plugins import StepContext
from lesson_runner.plugins.action import Action
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
STEP = "<!-- step\nid: {id}\nuses: {uses}\nwith: {params}\n-->\n```text\nx\n```\n"


def put(params: Any, context: StepContext) -> Outcome:
    context.workspace.resolve(params["name"]).write_text("x")
    return Outcome()


writer = fake_plugin("writer", actions=[Action("put", "Put", put, self_judging=True)])


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if ".lesson" not in path.parts}


def write(folder: Path, uses: str = "put", id: str = "one", **params: Any) -> None:  # noqa: A002
    text = STEP.format(id=json.dumps(id), uses=uses, params=json.dumps(params))
    (folder / "a.md").write_text(lesson_text(text))


OUTSIDE = [
    "../x",
    "../../x",
    "a/../../../x",
    "/tmp/lesson-x",
    "data/../../../x",
    "x\0",
    "link/x",
    "link",
    "loop",
]


@fault(
    "hostile lessons",
    "a path that leaves the workspace",
    how="`..`, absolute, through links, with a NUL",
    seen="the step fails and names the path; exit 1",
    survives="everything outside the workspace",
)
@pytest.mark.parametrize("name", OUTSIDE)
def test_a_path_that_leads_outside(lesson: Lesson, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").mkdir()
    write(tmp_path, name="x")
    assert lesson("run", "a.md", plugins=[writer]).code == 0
    files = last_files(tmp_path / ".lesson")
    (files / "link").symlink_to(tmp_path / "outside")
    (files / "loop").symlink_to(files / "loop")
    write(tmp_path, name=name)
    before = tree(tmp_path)
    said = lesson("run", "a.md", "--continue", "latest", plugins=[writer])
    assert said.code == 1, said
    assert tree(tmp_path) == before
    assert not Path("/tmp/lesson-x").exists()
    if name not in ("loop",):
        assert "outside the workspace" in said.out or "is not a valid file name" in said.out


@pytest.mark.parametrize("name", ["~/x", "~root/x", "$HOME/x"])
def test_a_path_that_only_looks_as_if(lesson: Lesson, tmp_path: Path, name: str) -> None:
    """No shell reads it: it is a name in the workspace like any other."""
    write(tmp_path, name="x")
    assert lesson("run", "a.md", plugins=[writer]).code == 0
    (last_files(tmp_path / ".lesson") / name).parent.mkdir(parents=True)
    write(tmp_path, name=name)
    before = tree(tmp_path)
    assert lesson("run", "a.md", "--continue", "latest", plugins=[writer]).code == 0
    assert tree(tmp_path) == before
    assert list(tmp_path.glob(f".lesson/runs/*/files/{name}"))


@fault(
    "hostile lessons",
    "a folder of the workspace that is a link",
    how="`.lesson/runs`, `files`, `checkpoint-cache` or another is a link: out of the workspace, to "
    "nowhere, or to the workspace",
    seen="an error that names the link; exit 2",
    survives="everything outside the workspace",
)
@pytest.mark.parametrize("target", ["outside", "nowhere", ".lesson"])
@pytest.mark.parametrize("name", ["runs", "files", "checkpoint-cache", "certificates", "lock", "anything"])
def test_a_folder_of_the_workspace_that_is_a_link(
    lesson: Lesson, tmp_path: Path, name: str, target: str
) -> None:
    outside = tmp_path / target
    (tmp_path / "outside").mkdir()
    (tmp_path / ".lesson").mkdir()
    (tmp_path / ".lesson" / name).symlink_to(outside)
    write(tmp_path, name="x")
    before = tree(tmp_path)
    said = lesson("run", "a.md", plugins=[writer])
    assert (said.code, f".lesson/{name} is a link to" in said.err) == (2, True), said
    assert tree(tmp_path) == before


@fault(
    "hostile lessons",
    "the workspace is a link that came with the lesson",
    how="`.lesson` is a link to the folder above",
    seen="an error that names the link and `--workspace`; exit 2",
    survives="everything outside the workspace",
)
@pytest.mark.parametrize(
    "words",
    [
        ("run", "a.md"),
        ("resume",),
        ("runs", "rm", "latest", "--yes"),
        ("certify", "a.md"),
        ("cert", "import", "."),
    ],
    ids=" ".join,
)
def test_the_usual_workspace_is_not_followed_if_it_is_a_link(
    lesson: Lesson, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / ".lesson").symlink_to(tmp_path / "disk")
    write(tmp_path, name="x")
    said = lesson(*words, plugins=[writer])
    assert said.code == 2, said
    assert f".lesson is a link to {tmp_path / 'disk'}" in said.err
    assert "--workspace .lesson" in said.err
    assert not list((tmp_path / "disk").iterdir())


def test_a_workspace_that_the_user_names_may_be_a_link(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / ".lesson").symlink_to(tmp_path / "disk")
    write(tmp_path, name="x")
    assert lesson("run", "a.md", "--workspace", ".lesson", plugins=[writer]).code == 0
    assert (last_files(tmp_path / "disk") / "x").is_file()
    monkeypatch.setenv("LESSON_WORKSPACE", ".lesson")
    assert lesson("run", "a.md", plugins=[writer]).code == 0
    assert lesson("runs", "rm", "latest", "--yes").code == 0


def _interrupted(lesson: Lesson, folder: Path) -> Path:
    """The folder of a run whose step failed."""
    write(folder, name="../x")
    assert lesson("run", "a.md", plugins=[writer]).code == 1
    (run,) = (folder / ".lesson" / "runs").iterdir()
    return run


@pytest.mark.parametrize("name", ["evidence", "evidence/one", "evidence/_shared", "memory", "shell"])
def test_a_run_with_a_link_in_it_is_not_resumed(lesson: Lesson, tmp_path: Path, name: str) -> None:
    run = _interrupted(lesson, tmp_path)
    outside = tmp_path / "outside"
    (outside / "one").mkdir(parents=True)
    (outside / "one" / "kept").touch()
    if (run / name).is_dir():
        shutil.rmtree(run / name)
    (run / name).symlink_to(outside)
    before = tree(tmp_path)
    said = lesson("resume", plugins=[writer])
    assert (said.code, "is a link to" in said.err) == (2, True), said
    assert tree(tmp_path) == before


def test_a_link_to_a_run_is_no_run_of_a_workspace(lesson: Lesson, tmp_path: Path) -> None:
    run = _interrupted(lesson, tmp_path)
    outside = run.rename(tmp_path / "outside")
    run.symlink_to(outside)
    before = tree(tmp_path)
    for words in (("resume", run.name), ("runs", "rm", run.name, "--yes"), ("resume",)):
        assert lesson(*words, plugins=[writer]).code == 2
    assert tree(tmp_path) == before
    assert lesson("runs", "--json").json == []


@pytest.mark.parametrize("id", ["../one", "/one", "one\n", "a/b", "..", "~"])
def test_a_step_whose_id_is_a_path(lesson: Lesson, tmp_path: Path, id: str) -> None:  # noqa: A002
    write(tmp_path, id=id, name="x")
    before = tree(tmp_path)
    assert lesson("run", "a.md", plugins=[writer]).code == 2
    assert tree(tmp_path) == before


@pytest.mark.parametrize("id", ["../a", "/a", "a\n", ".."])
def test_a_lesson_whose_id_is_a_path(lesson: Lesson, tmp_path: Path, id: str) -> None:  # noqa: A002
    (tmp_path / "a.md").write_text(
        lesson_text(STEP.format(id="one", uses="put", params='{"name": "x"}'), id=id)
    )
    before = tree(tmp_path)
    assert lesson("run", "a.md", plugins=[writer]).code == 2
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["..", "../../x", "/tmp/lesson-x", "text.txt", "x\0", "~"])
def test_the_data_set_that_a_lesson_names(lesson: Lesson, tmp_path: Path, name: str) -> None:
    import lesson_ct4.plugin as ct4

    (tmp_path / "given.txt").write_text("ROMEO:\nBut soft.\n" * 99)
    outside = tmp_path / "outside.txt"
    outside.write_text("kept")
    write(tmp_path, "ct4.fetch-dataset", name="first.txt", sha256="any", dataset="given.txt")
    assert lesson("run", "a.md", plugins=[ct4]).code == 0
    data = last_files(tmp_path / ".lesson") / "data"
    (data / "text.txt").symlink_to(outside)
    (data / "text.json").symlink_to(outside)
    write(tmp_path, "ct4.fetch-dataset", name=name, sha256="any", dataset="given.txt")
    before = tree(tmp_path)
    said = lesson("run", "a.md", "--continue", "latest", plugins=[ct4])
    assert tree(tmp_path) == before
    assert outside.read_text() == "kept"
    assert not Path("/tmp/lesson-x").exists()
    assert said.code in (0, 1, 2)
    assert "Traceback" not in said.out + said.err


@pytest.mark.skipif(find_spec("safetensors") is None, reason="checkpoints need the `ct4` extra")
def test_a_checkpoint_is_not_written_through_a_link(tmp_path: Path) -> None:
    from tests.lesson_ct4.test_checkpoint import small

    from lesson_ct4.training.checkpoint import load_checkpoint, save_checkpoint

    outside = tmp_path / "outside"
    outside.write_text("kept")
    (tmp_path / "x.safetensors").symlink_to(outside)
    save_checkpoint(tmp_path / "x.safetensors", small())
    assert outside.read_text() == "kept"
    assert load_checkpoint(tmp_path / "x.safetensors").step == 3


def test_an_expected_file_outside_is_not_looked_at(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x")
    write(tmp_path, name="x")
    assert lesson("run", "a.md", plugins=[writer]).code == 0
    (last_files(tmp_path / ".lesson") / "link.txt").symlink_to(tmp_path / "secret.txt")
    for path in ("../../../../secret.txt", "link.txt", str(tmp_path / "secret.txt")):
        step = STEP.replace("-->", "expect: [{{file: {{path: {path}}}}}]\n-->")
        text = step.format(id="one", uses="put", params='{"name": "x"}', path=json.dumps(path))
        (tmp_path / "a.md").write_text(lesson_text(text))
        said = lesson("run", "a.md", "--continue", "latest", plugins=[writer])
        assert (said.code, "the path is outside the workspace" in said.out) == (1, True), said


@pytest.mark.skipif(find_spec("safetensors") is None, reason="checkpoints need the `ct4` extra")
def test_states_are_not_written_through_a_link(tmp_path: Path) -> None:
    from tests.lesson_ct4.test_checkpoint import small

    from lesson_ct4.training.checkpoint_cache import CheckpointCache
    from lesson_runner.model.errors import LessonError

    CheckpointCache(tmp_path / "checkpoint-cache", small().config, "0" * 64, small().session).save(small())
    (saved,) = (tmp_path / "checkpoint-cache").glob("*/step_*.safetensors")
    (tmp_path / "outside").mkdir()
    saved.unlink()
    for file in saved.parent.iterdir():
        file.unlink()
    saved.parent.rmdir()
    saved.parent.symlink_to(tmp_path / "outside")
    with pytest.raises(LessonError, match="is a symbolic link"):
        CheckpointCache(tmp_path / "checkpoint-cache", small().config, "0" * 64, small().session)
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_the_usual_workspace_of_another_user_has_to_be_named(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text("<!-- step\nid: one\n-->\n```bash\ntrue\n```\n"))
    (tmp_path / ".lesson").mkdir()
    os.chown(tmp_path / ".lesson", 12345, 12345)  # like a checkout that another user mounted into a container
    said = lesson("run", "a.md", "--allow", "shell")
    assert (said.code, "if you trust this one: --workspace .lesson" in said.err) == (2, True), said
    assert lesson("run", "a.md", "--allow", "shell", "--workspace", ".lesson").code == 0
