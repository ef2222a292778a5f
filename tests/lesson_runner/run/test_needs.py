"""What steps need from the machine: looked for in the terminal, right before the step."""

from __future__ import annotations

import socket
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.execute import network
from lesson_runner.plugins import Hardware
from lesson_runner.testing import lesson_text, run_lesson


def step(name: str, script: str, requires: str = "[]", language: str = "bash", more: str = "") -> str:
    directive = f"id: {name}\nrequires: {requires}\nexpect: [{{exit: 0}}]\n{more}"
    return f"<!-- step\n{directive}\n-->\n```{language}\n{script}\n```\n\n"


def run(folder: Path, *steps: str, **options: Any) -> dict[str, tuple[str, str]]:
    folder.mkdir(exist_ok=True)
    record = run_lesson(lesson_text("".join(steps)), folder, **options)
    return {item["id"]: (item["status"], item["message"]) for item in record["steps"]}


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the only programs besides bash and Python."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("bash", "mkdir", "cat"):
        found = next(path for place in ("/bin", "/usr/bin") if (path := Path(place, name)).exists())
        (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    return folder


UNMET = [
    ("{command: no-such-program}", "the command no-such-program, which is not installed"),
    ("{python: no_such_module}", "the Python module no_such_module, which is not installed"),
    ("{env: NO_SUCH_VARIABLE}", "the variable NO_SUCH_VARIABLE, which is not set"),
    ("{file: ~/no/such file}", "~/no/such file, which does not exist"),
    ("{file: no/such}", "no/such, which does not exist"),
    ("{chips: 2}", "2 chips, and this machine has 1"),
    ("docker", "Docker, which is not installed"),
    ("sudo", "sudo, which is not installed"),
    ("macos" if sys.platform == "linux" else "linux", ", and this machine runs "),
]


@pytest.mark.parametrize(("need", "message"), UNMET)
def test_a_step_whose_need_is_not_met_is_skipped(
    tmp_path: Path, programs: Path, need: str, message: str
) -> None:
    found = run(tmp_path, step("one", "exit 1", f"[{need}]"), hardware=[Hardware("n150", "a test", 1)])
    status, said = found["one"]
    assert (status, message in said) == ("skipped", True), said


def test_what_the_machine_has(tmp_path: Path, programs: Path, port: int) -> None:
    (programs / "tool").write_text("#!/bin/sh\n")
    (programs / "tool").chmod(0o755)
    own = "linux" if sys.platform == "linux" else "macos"
    requires = (
        f"[board, {own}, {{chips: 2}}, {{command: tool}}, {{command: cd}}, {{python: json}}, {{env: PATH}},"
        f" {{file: '~'}}, {{file: /}}, {{server: '127.0.0.1:{port}'}}]"
    )
    assert run(tmp_path, step("one", "true", requires), hardware=[Hardware("n300", "a test", 2)])["one"] == (
        "passed",
        "",
    )


def test_a_server_that_has_ended(tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ended:
        free = ended.getsockname()[1]
    found = run(tmp_path, step("one", "true", f"[{{server: 'localhost:{free}'}}]"))
    assert found["one"] == ("skipped", f"it needs a server at localhost:{free}, and none answers")


@pytest.mark.parametrize("host", ["pypi.org", "github.com"])
def test_hosts_behind_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int, host: str) -> None:
    """Only the proxy is asked, and only once a run."""
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(network, "_pip_files", lambda _: [])
    steps = [step(name, "true", f"[{{network: {host}}}]") for name in ("one", "two")]
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    assert run(tmp_path / "a", *steps)["two"][0] == "passed"
    with socket.create_server(("127.0.0.1", 0)) as ended:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{ended.getsockname()[1]}")
    unmet = ("skipped", f"it needs the network, and {host} cannot be reached")
    assert run(tmp_path / "b", *steps) == {"one": unmet, "two": unmet}


SETTINGS = [
    ("", False),
    ("not an option", False),
    ("[global]\nindex-url = http://127.0.0.1:{0}/x\n", True),
    ("[install]\nno-index = true", True),
    ("[global]\nfind-links = /wheels", True),
]


@pytest.mark.parametrize(("settings", "met"), SETTINGS)
def test_another_package_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int, settings: str, met: bool
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(settings.format(port))
    monkeypatch.setattr(network, "_pip_files", lambda _: [file])
    monkeypatch.setattr(network, "_PORTS", (port,))
    monkeypatch.setattr(urllib.request, "getproxies", dict)
    environ = {"PIP_INDEX_URL": "http://host.invalid"} if not met else {}
    monkeypatch.setattr(network, "PATIENCE", 0.5)
    assert network.unreachable(["pypi.org"], environ) == (set() if met else {"pypi.org"})


def test_needs_are_looked_for_in_the_terminal_and_leave_it_as_it_is(tmp_path: Path) -> None:
    """Functions, aliases, variables, folders and local modules of earlier steps count; ``$?`` is kept."""
    made = (
        "tool() { :; }\nalias short=tool\nMINE=\nmkdir -p place/pack ~/.x\n"
        "touch place/own.py place/pack/__init__.py\ncd place\nset -- a b\n(exit 7) || true\n"
        "sleep 60 &\nPID=$!\n! true"
    )
    requires = (
        "[{command: tool}, {command: short}, {env: MINE}, {file: own.py}, {python: own}, {python: pack}]"
    )
    kept = '[[ $? == 1 && $PWD == */place && $1 == a && $! == "$PID" && -n $(jobs) ]]'
    found = run(
        tmp_path,
        step("make", made, more="with: {strict: false}\n").replace("{exit: 0}", "{exit: 1}"),
        step("use", kept, requires),
        step("gone", "true", "[{command: long}, {env: YOURS}, {file: place}, {python: place}]"),
    )
    assert found["make"][0] == found["use"][0] == "passed", found
    assert found["gone"][0] == "skipped"
    for missing in ("command long", "variable YOURS", "place, which"):
        assert missing in found["gone"][1]


def test_a_folder_is_not_a_module(tmp_path: Path) -> None:
    found = run(tmp_path, step("make", "mkdir wandb0"), step("use", "true", "[{python: wandb0}]"))
    assert found["use"][0] == "skipped"


def test_a_withheld_variable_says_how_to_pass_it_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "0123456789abcdef")
    requires = step("one", "true", "[{env: MY_TOKEN}]")
    assert run(tmp_path, requires)["one"] == (
        "skipped",
        "it needs the variable MY_TOKEN, which is withheld (--env MY_TOKEN passes it on)",
    )


def test_a_step_that_follows_a_failed_one_says_that(tmp_path: Path) -> None:
    """Its needs are not looked for: the reason is the failure."""
    found = run(tmp_path, step("a", "false"), step("b", "true", "[{command: no-such}]", more="needs: [a]\n"))
    assert found["b"] == ("not-reached", "it needs 'a', which failed")


def test_the_plan_shows_what_a_step_requires(lesson: Any, tmp_path: Path) -> None:
    text = lesson_text(step("one", "true", "[board, {command: git}, {chips: 4}]"))
    (tmp_path / "a.md").write_text(text)
    assert "   requires board, command git, chips 4\n" in lesson("plan", "a.md").out
    planned = lesson("plan", "a.md", "--json").json["steps"][0]
    assert planned["requires"] == ["board", "command git", "chips 4"]


@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        ("[bord]", "12:12", "'bord' is not allowed"),
        ("[{comand: git}]", "12:13", "unknown key 'comand'"),
        ("[{command: git, env: X}]", "12:12", "more than 1 key"),
        ("[{command: a b}]", "12:13", "not written like git"),
        ("[{server: localhost}]", "12:13", "not written like localhost:8000"),
        ("[{chips: 0}]", "12:13", "less than 1"),
        ("[{}]", "12:12", "at least 1 key"),
    ],
)
def test_wrong_values_are_reported_with_their_place(
    lesson: Any, tmp_path: Path, value: str, place: str, message: str
) -> None:
    (tmp_path / "a.md").write_text(lesson_text(step("one", "true", value)))
    said = lesson("validate", "a.md")
    assert said.code == 1
    assert f"a.md:{place}: " in said.err + said.out
    assert message in said.err + said.out
