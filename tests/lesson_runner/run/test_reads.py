"""Which files typed actions may read: the lesson's own, those the user names, and those with permission."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.fake_plugin import fake_plugin
from tests.lesson_runner.execute.conftest import why_not
from tests.reliability import fault

from lesson_runner.plugins import Action, Json, LessonError, Outcome, StepContext
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
READ = "<!-- step\nid: {id}\nuses: near.read\nwith: {{file: {path}}}\n-->\n```text\nx\n```\n"
SECRET = "kumquat"


def read(params: Json, context: StepContext) -> Outcome:
    context.say(context.read_input("file", 1000).decode())
    return Outcome()


def swap(params: Json, context: StepContext) -> Outcome:
    """Change a link, as a background process might."""
    link = context.run.lesson.path.absolute().parent / "link.txt"
    link.unlink()
    link.symlink_to(link.parent.parent / "outside.txt")
    return Outcome()


def asks(params: Json) -> list[str]:
    return [f"read {params['file']}"] if "file" in params else []


SCHEMA = {"type": "object", "properties": {"file": {"type": "string"}}}
ACTIONS = [
    Action("near.read", "Read", read, SCHEMA, permissions=asks, self_judging=True),
    Action("near.swap", "Exchange a link", swap, self_judging=True),
]
near = fake_plugin("near", actions=ACTIONS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a lesson, surrounded by files that do not belong to the lesson."""
    home = tmp_path / "me"
    for name in ("me/diary", "me/.ssh/id_rsa", "me/.netrc", "outside.txt", "kube", "me/Downloads/bill"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET)
    own = tmp_path / "lesson"
    for name in ("text.txt", "deep/text.txt", ".env", ".git/config"):
        path = own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("own")
    (own / "link.txt").symlink_to("text.txt")
    (own / "out.txt").symlink_to(tmp_path / "outside.txt")
    (own / "up").symlink_to(tmp_path)
    (own / "circle").symlink_to("circle")
    os.mkfifo(own / "pipe")
    os.link(own / "text.txt", own / "same.txt")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kube"))
    return own


@pytest.fixture
def run(lesson: Lesson, folder: Path, tmp_path: Path) -> Callable[..., Any]:
    """Runs a lesson that reads one file, from another current folder."""

    def start(path: str, *options: str) -> Any:
        shutil.rmtree(tmp_path / ".lesson", ignore_errors=True)
        write(folder, path)
        return lesson("run", folder / "a.md", *options, plugins=[near])

    return start


def write(folder: Path, *paths: str) -> None:
    steps = [READ.format(id=f"s{n}", path=json.dumps(path)) for n, path in enumerate(paths, 1)]
    (folder / "a.md").write_text(lesson_text("".join(steps)))


@pytest.mark.parametrize("path", ["text.txt", "deep/text.txt", "link.txt", "up/lesson/text.txt", "same.txt"])
def test_files_below_the_lesson_need_no_permission(run: Callable[..., Any], path: str) -> None:
    said = run(path)
    assert (said.code, "own" in said.out) == (0, True), said


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("../outside.txt", "outside.txt"),
        ("{}/outside.txt", "outside.txt"),
        ("out.txt", "outside.txt"),
        ("up/outside.txt", "outside.txt"),
        ("up/lesson/../outside.txt", "outside.txt"),
        ("~/diary", "me/diary"),
        ("deep/../../nowhere", "nowhere"),  # not even whether it exists is reported
        (".env", "lesson/.env"),
        (".git/config", "lesson/.git/config"),
    ],
)
def test_other_files_need_permission_by_real_path(
    run: Callable[..., Any], lesson: Lesson, folder: Path, tmp_path: Path, path: str, real: str
) -> None:
    said = run(path.format(tmp_path))
    assert said.code == 2
    assert f"a.md wants to read {tmp_path / real} (step 's1')" in said.err
    assert "--allow read" in said.err
    assert run(path.format(tmp_path), "--allow", "shell,network").code == 2
    for allow in ("read", f"read {tmp_path / real}"):
        assert run(path.format(tmp_path), "--allow", allow).code == (1 if real == "nowhere" else 0)
    assert run(path.format(tmp_path), "--allow", f"read {tmp_path}/me").code == 2
    planned = lesson("plan", folder / "a.md", plugins=[near])
    assert f"asks to read {tmp_path / real}" in " ".join(planned.out.split())
    planned = lesson("plan", folder / "a.md", "--json", plugins=[near])
    assert planned.json["steps"][0]["permissions"] == [f"read {tmp_path / real}"]


@fault(
    "hostile lessons",
    "a lesson gives an action a file that belongs to another user or to the system",
    how="paths to `/proc`, `/dev`, keys, credentials and what variables name, also through links",
    seen="an error that names the path, the step and the reason; exit 2",
    survives="the content of the file; no permission and no `--param` opens it",
)
@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/environ",
        "/proc/self/cwd/outside.txt",
        "/dev/zero",
        "/dev/stdin",
        "~/.ssh/id_rsa",
        "~/.SSH/id_rsa",
        "~/.netrc",
        "{}/kube",
        "{}/home/config/allowed.json",
        "{}/home/config/keys/me.pem",
        "/etc/shadow",
        "/etc/ssh/ssh_host_rsa_key",
        "up/me/.ssh/id_rsa",
        "../me/.config/gcloud/credentials.db",
        "../me/.cargo/credentials.toml",
    ],
)
def test_files_that_are_never_read(run: Callable[..., Any], tmp_path: Path, path: str) -> None:
    named = path.format(tmp_path)
    for options in ((), ("--allow", "read"), ("--param", f"file={named.replace('up/', 'lesson/up/')}")):
        said = run(named, *options)
        assert said.code in (1, 2)
        assert "never read: " in said.err + said.out, said
        assert SECRET not in said.out


def test_links_to_files_that_are_never_read(run: Callable[..., Any], folder: Path) -> None:
    (folder / "innocent.txt").symlink_to("/proc/self/environ")
    assert "never read" in run("innocent.txt", "--allow", "read").err


@pytest.mark.parametrize("path", ["pipe", "deep", "circle", "nothing"])
def test_special_files_are_not_opened(run: Callable[..., Any], path: str) -> None:
    said = run(path)
    assert (said.code, "cannot be read" in said.out) == (1, True), said


def test_a_file_that_is_too_large_is_not_read(run: Callable[..., Any], folder: Path) -> None:
    with (folder / "big").open("wb") as file:
        file.truncate(1 << 40)
    assert "is larger than 1,000 bytes" in run("big").out


def test_a_permission_may_name_a_file_by_any_path(run: Callable[..., Any]) -> None:
    assert run("~/diary", "--allow", "read ~/diary").code == 0
    assert run("~/diary", "--allow", "read me/diary").code == 0
    said = run("~/diary", "--allow", "shell,read ~/diary")
    assert (said.code, "repeat --allow for each path" in said.err) == (2, True), said


def test_download_folders_are_recognised_in_any_language(
    lesson: Lesson, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = tmp_path / "me" / "Descargas"
    wide.mkdir()
    monkeypatch.setenv("XDG_DOWNLOAD_DIR", str(wide))
    (wide / "bill").write_text(SECRET)
    write(wide, "bill")
    assert "wants to read" in lesson("run", wide / "a.md", plugins=[near]).err


def test_variables_that_name_both_data_and_secrets(
    run: Callable[..., Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hf/token", "hf/hub/play.txt", "tickets/krb"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/tickets/krb")
    assert run("text.txt").code == 0
    assert SECRET in run("x", "--param", f"file={tmp_path}/hf/hub/play.txt").out
    for name in ("hf/token", "tickets/krb"):
        assert "never read" in run("x", "--param", f"file={tmp_path / name}").out


def test_a_user_without_a_home_folder(
    run: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.delenv("HOME")
    assert run("text.txt").code == 0
    for name in ("LESSON_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    said = run("text.txt")
    assert (said.code, "this user has no home folder" in said.err) == (2, True), said


def test_param_is_relative_to_the_current_folder_and_needs_no_permission(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("of the person")
    assert "of the person" in run("nowhere.txt", "--param", "file=text.txt").out
    assert "of the person" in run("../outside.txt", "--param", "s1.file=text.txt").out
    assert SECRET in run("x", "--param", "file=~/diary").out


@pytest.mark.parametrize("wide", ["me", "me/Downloads", "."])
def test_files_in_a_broad_folder_need_permission(
    lesson: Lesson, folder: Path, tmp_path: Path, wide: str
) -> None:
    name = {"me": "diary", "me/Downloads": "bill", ".": "outside.txt"}[wide]
    write(tmp_path / wide, name)
    said = lesson("run", tmp_path / wide / "a.md", plugins=[near])
    assert (said.code, f"wants to read {(tmp_path / wide / name).resolve()}" in said.err) == (2, True), said


def test_a_link_is_resolved_again_when_the_file_is_opened(lesson: Lesson, folder: Path) -> None:
    body = "<!-- step\nid: swap\nuses: near.swap\n-->\n```text\nx\n```\n"
    body += READ.format(id="read", path="link.txt")
    (folder / "a.md").write_text(lesson_text(body))
    said = lesson("run", folder / "a.md", plugins=[near])
    assert said.code == 1
    assert f"is not allowed to read {folder.parent / 'outside.txt'}" in said.out
    assert SECRET not in said.out


def test_a_link_that_changes_while_it_is_opened(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lesson_runner.execute.inputs import Inputs

    inputs, before = Inputs(folder / "a.md"), os.open

    def exchange(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).endswith("deep/text.txt"):
            shutil.rmtree(folder / "deep")
            (tmp_path / "text.txt").write_text(SECRET)
            (folder / "deep").symlink_to(tmp_path)
        return before(path, *rest, **more)

    monkeypatch.setattr(os, "open", exchange)
    with pytest.raises(LessonError, match="may not read"):
        inputs.open("deep/text.txt", ())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_not_read_for_a_lesson(run: Callable[..., Any], tmp_path: Path) -> None:
    os.chown(tmp_path / "outside.txt", 12345, 12345)
    assert "belongs to another user" in run("../outside.txt", "--allow", "read").out
    assert SECRET in run("x", "--param", f"file={tmp_path / 'outside.txt'}").out


def test_params_from_a_record_need_permission_on_resume(
    run: Callable[..., Any], lesson: Lesson, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").symlink_to("nowhere")
    assert run("x", "--param", "file=mine.txt").code == 1
    (tmp_path / "mine.txt").unlink()
    (tmp_path / "mine.txt").write_text("mine")
    said = lesson("resume", plugins=[near])
    assert (said.code, f"wants to read {tmp_path / 'mine.txt'} (step 's1')" in said.err) == (2, True), said
    assert lesson("resume", "--allow", "read", plugins=[near]).code == 0


def test_a_record_gives_an_installed_lesson_no_file_to_read(
    run: Callable[..., Any], lesson: Lesson, folder: Path, tmp_path: Path
) -> None:
    shelf = fake_plugin("shelf", actions=ACTIONS, directories=[folder])

    (tmp_path / "mine.txt").mkdir()
    write(folder, "../outside.txt")
    assert lesson("run", folder / "a.md", "--param", "file=mine.txt", plugins=[shelf]).code == 1
    (tmp_path / "mine.txt").rmdir()
    (tmp_path / "mine.txt").write_text("mine")
    said = lesson("resume", plugins=[shelf])
    assert (said.code, f"wants to read {tmp_path / 'mine.txt'}" in said.err) == (2, True), said
    assert lesson("resume", "--allow", "read mine.txt", plugins=[shelf]).code == 0
    write(folder, "../outside.txt", "../mine.txt/none")
    assert lesson("run", folder / "a.md", plugins=[shelf]).code == 1
    assert (
        lesson("resume", plugins=[shelf]).code == 1
    )  # files that the lesson itself names need no permission


def test_a_partial_run_names_all_steps_that_need_a_permission(
    lesson: Lesson, folder: Path, tmp_path: Path
) -> None:
    write(folder, "../outside.txt", "text.txt", "../outside.txt")
    said = lesson("run", folder / "a.md", "--only", "s1", plugins=[near])
    assert f"wants to read {tmp_path / 'outside.txt'} (steps 's1', 's3')" in said.err
    assert lesson("run", folder / "a.md", "--allow", "read", plugins=[near]).code == 0
    assert lesson("run", folder / "a.md", "--only", "s2", plugins=[near]).code == 0


# --- in a sandbox ------------------------------------------------------------------------------


@pytest.mark.slow
@fault(
    "sandbox",
    "an action reads what the sandbox hides",
    how="a lesson in the home folder or in `/tmp` names a file in its own folder, or in the home folder",
    seen="an error that names the path and the step; exit 2",
    survives="the content of the file, unless a person allowed reading it",
)
@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_in_a_sandbox_actions_need_permission_for_hidden_files(
    run: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    # Everything is below /tmp, which is hidden from commands in a sandbox.
    for path in ("text.txt", "../me/diary", "out.txt"):
        said = run(path, "--sandbox")
        assert (said.code, f"wants to read {(folder / path).resolve()}" in said.err) == (2, True), said
        assert run(path, "--sandbox", "--allow", "read").code == 0
        assert run("x", "--sandbox", "--param", f"file={folder / path}").code == 0
    assert "never read" in run("/proc/self/environ", "--sandbox", "--allow", "read").err


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_in_a_sandbox_visible_files_need_no_permission(
    lesson: Lesson, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(folder))  # commands need it, so it is visible to them
    write(folder, "text.txt")
    assert lesson("run", folder / "a.md", "--sandbox", plugins=[near]).code == 0


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_a_sandboxed_step_cannot_give_an_action_a_link_out(
    lesson: Lesson, folder: Path, tmp_path: Path
) -> None:
    step = "<!-- step\nid: plant\n-->\n```bash\nmkdir -p data; ln -s {} data/n.txt; ln -s / all\n```\n"
    show = (
        "<!-- step\nid: show\nneeds: [plant]\nuses: ct4.preview\nwith: {name: n.txt}\n-->\n```text\nx\n```\n"
    )
    import lesson_ct4.plugin as ct4

    (folder / "a.md").write_text(lesson_text(step.format(tmp_path / "outside.txt") + show))
    said = lesson("run", folder / "a.md", "--sandbox", "--allow", "shell,read", plugins=[ct4])
    assert (said.code, "outside the workspace" in said.out) == (1, True), said
    assert SECRET not in said.out


# --- the data set of ct4 -----------------------------------------------------------------------


FETCH = "<!-- step\nid: get\nuses: ct4.fetch-dataset\nwith: {params}\n-->\n```text\nx\n```\n"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB" * 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"A poem.\n{KEY}\n-----END OPENSSH PRIVATE KEY-----\n", "holds a private key"),
        ("A poem.\npassw0rd-of-mine-77\n", "contains a secret value"),
        ("It begins with -----BEGIN OPENSSH PRIVATE KEY-----, and disabled was his token.\n", ""),
    ],
)
def test_a_data_set_with_a_secret_in_it(
    lesson: Lesson, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, why: str
) -> None:
    import lesson_ct4.plugin as ct4

    monkeypatch.setenv("MY_SECRET", "passw0rd-of-mine-77")
    monkeypatch.setenv("AUTH_MODE_TOKEN", "disabled")
    (folder / "text.txt").write_text(text)
    params = json.dumps({"dataset": "text.txt", "sha256": "any", "name": "n.txt"})
    (folder / "a.md").write_text(lesson_text(FETCH.format(params=params)))
    said = lesson("run", folder / "a.md", plugins=[ct4])
    assert said.code == (1 if why else 0), said
    assert why in said.out
    assert (last_files(tmp_path / ".lesson") / "data" / "n.txt").exists() == (not why)


# --- files that validating reads ---------------------------------------------------------------------


LINK = "[a](command:tenstorrent.showLesson?[%22{}%22]) "


def test_validating_opens_no_pipe_and_follows_no_link_next_to_a_lesson(
    lesson: Lesson, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.md").write_text(f"---\nid: {SECRET}\n---\n")
    (folder / "next.md").symlink_to(tmp_path / "notes.md")
    os.mkfifo(folder / "pipe.md")
    (folder / "a.md").write_text(
        lesson_text(READ.format(id="s", path="text.txt") + LINK.format(SECRET[:-1] + "x"))
    )
    said = lesson("validate", folder / "a.md", plugins=[near])
    assert "'kumquax'" in said.out
    assert "[unknown-lesson]" in said.out
    assert SECRET not in said.out


def test_a_document_that_is_a_link_out_of_the_project_is_left_out(
    lesson: Lesson, folder: Path, tmp_path: Path
) -> None:
    (folder / ".git" / "HEAD").touch()
    (tmp_path / "notes.md").write_text(f"[{SECRET}](nowhere.md)\n")
    (folder / "notes.md").symlink_to(tmp_path / "notes.md")
    (folder / "same.md").symlink_to("a.md")
    write(folder, "text.txt")
    assert lesson("validate", folder, "--json", plugins=[near]).json["lessons"] == ["lesson/a.md"]
    said = lesson("validate", folder, plugins=[near])
    assert SECRET not in said.out + said.err
    assert SECRET in lesson("validate", folder / "notes.md", plugins=[near]).out


def test_links_that_leave_the_project_are_not_followed(lesson: Lesson, folder: Path, tmp_path: Path) -> None:
    (folder / ".git" / "HEAD").touch()
    (tmp_path / "notes.md").write_text("# kumquat-heading\n")
    links = "[a](../me/diari) [b](up/me/diari) [c](../notes.md#kumquat-headin) [d](nothing.md)"
    (folder / "a.md").write_text(lesson_text(READ.format(id="s", path="text.txt") + links))
    said = lesson("validate", folder / "a.md", "--json", plugins=[near])
    assert ["nothing.md" in item["message"] for item in said.json["findings"]] == [True]


def test_settings_that_are_a_link_elsewhere_are_not_read(
    lesson: Lesson, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.toml").write_text(f"{SECRET} = 1\n")
    (folder / "lesson.toml").symlink_to(tmp_path / "outside.toml")
    write(folder, "text.txt")
    os.chdir(folder)
    said = lesson("validate", "a.md", plugins=[near])
    assert (said.code, f"lesson.toml is a link to {tmp_path / 'outside.toml'}" in said.err) == (2, True)
    assert SECRET not in said.err + said.out
    assert "kumquat" in lesson("validate", "a.md", "--config", "lesson.toml", plugins=[near]).err
