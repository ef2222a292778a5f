"""Permissions of lessons from elsewhere: asked at a terminal, remembered for the content, taken back."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin
from tests.reliability import fault

from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
SHELL = "<!-- step\nid: one\n-->\n```bash\necho {}\n```\n"
GET = "<!-- step\nid: get\nuses: far.get\n{}-->\n```text\nx\n```\n"


def get(params: Json, context: StepContext) -> Outcome:
    context.say(f"got {params['url']}")
    return Outcome()


def asks(params: Json) -> list[str]:
    """Ask for the network if the lesson names an address."""
    return [] if params["url"] == "ours" else ["network"]


SCHEMA = {"type": "object", "properties": {"url": {"type": "string"}}}
far = fake_plugin(
    "far",
    actions=[Action("far.get", "Get", get, SCHEMA, {"url": "ours"}, permissions=asks, self_judging=True)],
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that `LESSON_HOME` names; the file of permissions is below it."""
    monkeypatch.setenv("LESSON_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "config" / "allowed.json"


@pytest.fixture
def answer(tmp_path: Path, home: Path) -> Callable[..., tuple[int, str]]:
    """Runs `lesson` at a terminal and answers its questions; returns the exit code and the output."""

    def run(keys: bytes, *arguments: str, plugins: str = "") -> tuple[int, str]:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "lesson_runner", *arguments],
            cwd=tmp_path,
            env={**os.environ, "LESSON_PLUGINS": plugins, "COLUMNS": "200", "NO_COLOR": "1"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        shown, sent, end = b"", False, time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    shown += os.read(ours, 4096)
                except OSError:  # its end of the terminal is closed
                    break
            if b"[y/N]" in shown and not sent:
                os.write(ours, keys)
                sent = True
        os.close(ours)
        return process.wait(timeout=30), shown.decode()

    return run


def write(folder: Path, body: str, **front: Any) -> Path:
    path = folder / "a.md"
    path.write_text(lesson_text(body, **front))
    return path


@pytest.mark.parametrize("closed", [None, io.StringIO()], ids=["never open", "closed"])
def test_no_question_if_standard_input_is_closed(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: io.StringIO | None
) -> None:
    if closed is not None:
        closed.close()
    monkeypatch.setattr(sys, "stdin", closed)
    write(tmp_path, SHELL.format("hi"))
    assert "--allow shell" in lesson("run", "a.md").err
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    assert lesson("run", "a.md", "--allow", "shell", "--step").code == 2
    assert lesson("runs", "rm", "latest").code == 2


@pytest.mark.slow
def test_a_yes_is_remembered_for_exactly_this_content(
    answer: Callable[..., tuple[int, str]], lesson: Lesson, home: Path, tmp_path: Path
) -> None:
    path = write(tmp_path, SHELL.format("hi"))
    assert lesson("run", "a.md").code == 2
    code, shown = answer(b"n\n", "run", "a.md")
    assert (code, home.exists()) == (2, False)
    code, shown = answer(b"y\n", "run", "a.md")
    assert code == 0
    assert "wants to run its own commands on this machine, as you (step 'one')" in shown
    assert "step 'one' of " in shown.partition("wants to run")[0]  # first what it would run
    assert "│ echo hi" in shown.partition("wants to run")[0]
    assert home.stat().st_mode & 0o777 == 0o600
    assert lesson("run", "a.md").code == 0
    (listed,) = lesson("trust", "list", "--json").json
    assert (listed["lesson"], listed["path"], list(listed["permissions"])) == ("sample", str(path), ["shell"])
    assert "sample  shell" in lesson("trust").out

    write(tmp_path, SHELL.format("hi"), status="draft")  # fields that validating writes back do not count
    assert lesson("run", "a.md").code == 0
    (tmp_path / "b.md").write_bytes(path.read_bytes())  # nor does another place
    assert lesson("run", "b.md").code == 0

    write(tmp_path, SHELL.format("ho"))
    said = lesson("run", "a.md")
    assert said.code == 2
    assert (
        f"a.md has changed since you allowed it on {next(iter(listed['permissions'].values()))[:10]}"
        in said.err
    )
    code, shown = answer(b"y\n", "run", "a.md")
    assert (code, "has changed since you allowed it" in shown) == (0, True)
    assert lesson("run", "a.md").code == 0
    assert lesson("run", "b.md").code == 2  # the permission of the old text was removed
    assert len(lesson("trust", "list", "--json").json) == 1


@pytest.mark.slow
def test_permissions_can_be_taken_back(
    answer: Callable[..., tuple[int, str]], lesson: Lesson, tmp_path: Path
) -> None:
    write(tmp_path, SHELL.format("hi"))
    assert answer(b"y\n", "run", "a.md")[0] == 0
    wrong = lesson("trust", "forget", "sampel")
    assert (wrong.code, "did you mean 'sample'" in wrong.err) == (2, True)
    assert lesson("trust", "forget").code == 2
    assert lesson("trust", "forget", "sample").out == f"revoked: sample ({tmp_path / 'a.md'})\n"
    assert lesson("run", "a.md").code == 2
    assert "No lesson has permissions." in lesson("trust", "list").out


DAMAGE: dict[str, Any] = {
    "no JSON": "{",
    "a list": "[]",
    "no text": b"\xff\xfe\x00",
    "another version": '{"version": 9, "lessons": {}}',
    "another shape": '{"version": 1, "lessons": {"x": {"permissions": []}}}',
    "no texts": '{"version": 1, "lessons": {"x": {"lesson": 1, "path": "", "permissions": {}}}}',
    "deep": '{"version": ' + "[" * 100_000,
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
}


@fault(
    "permissions",
    "the file of permissions is damaged",
    how="cut JSON, wrong structure, bytes that are not text, a folder or a pipe in its place",
    seen="a note with the file and the reason; the lesson asks again, exit 2 if nobody can answer",
    survives="nothing runs that was not allowed; the damaged file is kept under another name",
)
@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_permission_file_is_ignored(
    lesson: Lesson, home: Path, tmp_path: Path, content: Any
) -> None:
    write(tmp_path, SHELL.format("hi"))
    home.parent.mkdir(parents=True)
    if callable(content):
        content(home)
    else:
        home.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = lesson("run", "a.md")
    assert said.code == 2
    assert f"note: {home}: " in said.err
    assert "Traceback" not in said.err
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    assert lesson("trust", "list").code == 0
    assert lesson("trust", "forget", "--all").code == 0
    assert json.loads(home.read_text())["lessons"] == {}
    assert home.with_name("allowed.json.damaged").exists()


@pytest.mark.slow
@fault(
    "permissions",
    "another user can write the file of permissions",
    how="the file is made writable for the group",
    seen="a note that others can write it; the lesson asks again",
    survives="nothing runs that was not allowed",
)
def test_a_permission_file_that_others_can_write_is_ignored(
    answer: Callable[..., tuple[int, str]], lesson: Lesson, home: Path, tmp_path: Path
) -> None:
    write(tmp_path, SHELL.format("hi"))
    assert answer(b"y\n", "run", "a.md")[0] == 0
    home.chmod(0o620)
    said = lesson("run", "a.md")
    assert (said.code, "others can write it" in said.err) == (2, True)


@pytest.mark.slow
def test_an_answer_that_cannot_be_saved_counts_once(
    answer: Callable[..., tuple[int, str]], lesson: Lesson, home: Path, tmp_path: Path
) -> None:
    write(tmp_path, SHELL.format("hi"))
    (tmp_path / "home").write_text("no folder")
    code, shown = answer(b"y\n", "run", "a.md")
    assert (code, "the answer cannot be saved" in shown) == (0, True)
    assert lesson("run", "a.md").code == 2


@pytest.mark.parametrize(
    ("address", "arguments", "code"),
    [
        ("", [], 0),
        ("with: {url: theirs}\n", [], 2),
        ("with: {url: theirs}\n", ["--allow", "shell"], 2),
        ("with: {url: theirs}\n", ["--allow", "network"], 0),
        ("with: {url: theirs}\n", ["--allow", "shell,network"], 0),
        ("with: {url: theirs}\n", ["--allow", "shell", "--allow", "network"], 0),
        ("", ["--param", "url=mine"], 0),  # the user's own
        ("with: {url: theirs}\n", ["--param", "url=mine"], 0),
    ],
)
def test_an_address_in_a_lesson_needs_permission(
    lesson: Lesson, tmp_path: Path, address: str, arguments: list[str], code: int
) -> None:
    write(tmp_path, GET.format(address))
    said = lesson("run", "a.md", *arguments, plugins=[far])
    assert said.code == code, said.err
    if code:
        assert "wants to download from addresses that it names" in said.err
        assert "and, in a sandbox, use the network in its commands (step 'get')" in said.err
        assert "--allow network" in said.err


FETCH = """<!-- step
id: get
uses: ct4.fetch-dataset
with: {{dataset: {}, sha256: any, name: n.txt}}
-->
```text
x
```
"""


@pytest.mark.slow
def test_permission_for_a_file_covers_only_that_file(
    answer: Callable[..., tuple[int, str]], lesson: Lesson, home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("text\n")
    (folder / "link").symlink_to("../one.txt")
    write(folder, FETCH.format("link"))
    code, shown = answer(b"y\n", "run", "a/a.md", plugins="ct4")
    asked = f"a.md wants to read {tmp_path / 'one.txt'} (step 'get'). Allow"
    assert (code, asked in shown) == (0, True), shown
    (known,) = json.loads(home.read_text())["lessons"].values()
    assert list(known["permissions"]) == [f"read {tmp_path / 'one.txt'}"]
    assert [*lesson("trust", "list", "--json").json[0]["permissions"]] == [f"read {tmp_path / 'one.txt'}"]
    code, shown = answer(b"n\n", "run", "a/a.md", plugins="ct4")
    assert (code, "[y/N]" in shown) == (0, False)
    (folder / "link").unlink()
    (folder / "link").symlink_to("../two.txt")
    code, shown = answer(b"n\n", "run", "a/a.md", plugins="ct4")
    assert (code, f"wants to read {tmp_path / 'two.txt'}" in shown) == (2, True)


def test_a_partial_run_asks_about_all_steps(answer: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    other = SHELL.replace("id: one", "id: other").format("rm")
    write(tmp_path, SHELL.format("hi") + other)
    code, shown = answer(b"n\n", "run", "a.md", "--only", "one")
    assert (code, "(steps 'one', 'other'). Allow" in shown) == (2, True), shown
