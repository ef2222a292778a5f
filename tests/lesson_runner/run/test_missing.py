"""Recognised steps that fail for want of something are skipped; other failures stay failures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.model import BlockRole, Need, Plan
from lesson_runner.plugins.context import Workspace
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run import prepare
from lesson_runner.run.missing import lacks_something, missing_from
from lesson_runner.run.options import RunOptions
from lesson_runner.testing import check_lesson, lesson_text

MADE = frozenset({Need("command", "greet"), Need("python", "shapes"), Need("file", "lib/circles.py")})
LACKS = [
    (127, "ok\nbash: line 3: no-tool: command not found\n", "command no-tool"),
    (127, "run.sh: 3: no-tool: not found", "command no-tool"),
    (1, "Traceback…\nModuleNotFoundError: No module named 'numpy'\n", "python numpy"),
    (6, "curl: (6) Could not resolve host: example.org", "network example.org"),
    (7, "curl: (7) Failed to connect to example.org port 443 after 3 ms: x", "network example.org"),
    (128, "fatal: unable to access 'https://example.org/a/': Could not resolve host: example.org",
     "network example.org"),
    (128, "ssh: Could not resolve hostname example.org: Name or service not known\nfatal: x\n\nmore\nmore",
     "network example.org"),
    (1, "npm error request failed, reason: getaddrinfo ENOTFOUND example.org", "network example.org"),
    (100, "E: Failed to fetch\n  Temporary failure resolving 'example.org'", "network example.org"),
    (4, "wget: unable to resolve host address 'example.org'", "network example.org"),
    (1, "WARNING: HTTPSConnectionPool(host='example.org', port=443): Failed to establish\nERROR: x\nERROR: y",
     "network example.org"),
    (1, "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "docker"),
    (1, "sudo: a terminal is required to read the password\nsudo: a password is required", "sudo"),
    (1, "cat: /dev/accel/0: No such file or directory", "file /dev/accel/0"),
    (1, "FileNotFoundError: [Errno 2] No such file or directory: '/dev/accel0'", "file /dev/accel0"),
]  # fmt: skip
STAYS_RED = [
    (0, "bash: no-tool: command not found"),
    (1, "bash: no-tool: command not found"),  # the block went on, and failed for another reason
    (127, "bash: line 1: gret: command not found"),  # the lesson defines `greet`
    (127, "bash: ./run.sh: No such file or directory"),
    (127, "bash: no-tool: command not found\nAssertionError"),
    (1, "ModuleNotFoundError: No module named 'shape'"),
    (1, "ModuleNotFoundError: No module named 'circle'"),
    (1, "ModuleNotFoundError: No module named 'jsonn.x'"),
    (1, "ModuleNotFoundError: No module named 'numpy.no_such'"),
    (1, "ImportError: cannot import name 'x' from 'numpy'"),
    (7, "curl: (7) Failed to connect to localhost port 8000 after 0 ms: Connection refused"),
    (7, "curl: (7) Failed to connect to 127.0.0.1 port 8000 after 0 ms: Connection refused"),
    (6, "curl: (6) Could not resolve host: db"),
    (1, "HTTPConnectionPool(host='127.0.0.1', port=8000): Failed to establish a new connection"),
    (1, "1 failed, 3 passed"),
    (22, "curl: (22) The requested URL returned error: 404"),
    (1, "cat: data.txt: No such file or directory"),
    (127, "bash: line 1: mkdri: command not found"),  # every machine has `mkdir`
    (1, "ModuleNotFoundError: No module named 'jsno'"),
    (1, "curl: (6) Could not resolve host: example.org\nTraceback\nAssertionError: 1 != 2"),
]
UNRELATED = [
    "the coupon X does not exist\nFAIL: test_a\nAssertionError: 1 != 2\n\nFAILED (failures=1)",
    "cache.txt not found, going on\nValueError: 3",
    "ValueError: the price does not exist",
    "cat: x.txt: No such file or directory\nerror: pathspec 'topic' did not match any file(s) known to git",
    "curl: (7) Failed to connect to localhost port 8000 after 0 ms: Connection refused",
    "bash: line 3: sotr: command not found",
    "cat: out/reslt.txt: No such file or directory",
    "cat: results.txt: No such file or directory",
]
RELATED = [
    "cat: data.csv: No such file or directory",
    "FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'",
    "main.c:1:10: fatal error: z.h: No such file or directory\nmake: *** [Makefile:2: all] Error 1",
    "ConnectionRefusedError: [Errno 111] Connection refused\n\nRan 1 test in 0.1s\n\nFAILED (errors=1)",
    "make: *** No rule to make target 'build'.  Stop.",
    "make: *** No targets specified and no makefile found.  Stop.",
    "error: could not find `Cargo.toml` in `/tmp/x` or any parent directory",
    "npm error code ENOENT\nnpm error enoent Could not read package.json: no such file or directory",
    "fatal: not a git repository (or any of the parent directories): .git",
    "Error: Cannot find module 'express'\n  code: 'MODULE_NOT_FOUND'\n\nNode.js v20.0.0",
]


@pytest.mark.parametrize(("code", "output", "need"), LACKS)
def test_what_the_machine_lacks(code: int, output: str, need: str) -> None:
    assert str(missing_from(output, code, MADE)) == need


@pytest.mark.parametrize(("code", "output"), STAYS_RED)
def test_what_stays_a_failure(code: int, output: str) -> None:
    assert missing_from(output, code, MADE) is None


@pytest.fixture
def there(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/result.txt").touch()
    (tmp_path / "result.txt").touch()
    return tmp_path


@pytest.mark.parametrize("output", UNRELATED)
def test_what_skipped_steps_do_not_explain(output: str, there: Path) -> None:
    assert not lacks_something(output, {*MADE, Need("server", "8000")}, there)


@pytest.mark.parametrize("output", RELATED)
def test_what_skipped_steps_may_explain(output: str, there: Path) -> None:
    assert lacks_something(output, MADE, there)


def test_a_misspelt_target(there: Path) -> None:
    (there / "Makefile").touch()

    assert not lacks_something("make: *** No rule to make target 'buidl'.  Stop.", MADE, there)


def test_misspelt_names_are_no_lack_of_the_machine(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        "touch config.py\ngreet() { echo hi; }",
        "mkdri app",
        "python3 -c 'import confg'",
        "gret",
        "eval 'mkdir out; touch out/result.txt'",
        "cat out/reslt.txt",
        "cat out/other-file.txt",
        "no-such-tool",
        "mkdir src\ntouch src/main.py",
        "cat main.py",
        "cat > run.sh <<X\nhelpr() { :; }\nhelper\nX\nbash run.sh",
    )
    assert [status for status, _ in found.values()] == [
        "passed", "failed", "failed", "failed", "passed", "failed", "skipped", "skipped",
        "passed", "failed", "failed",
    ]  # fmt: skip


def run(folder: Path, *blocks: str) -> dict[str, tuple[str, str]]:
    """Run blocks as the steps of a lesson without directives: each requires what is found in it."""
    text = "".join(
        f"<!-- step\nid: s{number}\nexpect: [{{exit: 0}}]\n-->\n```bash\n{block}\n```\n\n"
        for number, block in enumerate(blocks, 1)
    )
    plugins = Plugins(points=[])
    options = RunOptions(hardware=(), workspace=Workspace(folder / ".lesson"))
    plan = prepare.plan_run(*check_lesson(lesson_text(text), folder), plugins, options)
    record = prepare.prepare_run(recognised(plan), plugins, options, installed=True)
    done = record.run(record.open())
    return {item["id"]: (item["status"], item["message"]) for item in done["steps"]}


def recognised(plan: Plan) -> Plan:
    blocks = [replace(item, step=f"s{item.number}") for item in plan.blocks]

    def needs(item: BlockRole) -> tuple[Need, ...]:
        return (*item.needs, *item.earlier)

    steps = [
        replace(step, requires=needs(item), expect=()) for step, item in zip(plan.steps, blocks, strict=True)
    ]
    lesson = replace(plan.lesson, steps=tuple(replace(step, recognised=True) for step in plan.lesson.steps))
    return replace(plan, lesson=lesson, steps=tuple(steps), blocks=tuple(blocks))


def test_a_step_that_needs_what_a_skipped_or_failed_step_makes(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        "no-such-tool\nmkdir app",
        "cd app",
        "echo hi > here.txt",
        "cat here.txt",
        "mkdir lost\nrm -r lost\nfalse",
        "ls lost",
        "echo x > gone.txt\nrm gone.txt",
        "cat gone.txt",
    )
    assert {name: status for name, (status, _) in found.items()} == {
        "s1": "skipped",
        "s2": "skipped",
        "s3": "passed",
        "s4": "passed",
        "s5": "failed",
        "s6": "skipped",
        "s7": "passed",
        "s8": "failed",  # the step that makes it has passed, so the lesson is wrong
    }
    assert found["s1"][1] == "it needs the command no-such-tool, which is not installed"
    assert found["s2"][1] == "it needs app, which step 's1' makes, and that was skipped"
    assert found["s6"][1] == "it needs lost, which step 's5' makes, and that failed"


def test_a_recognised_step_that_fails_for_want_of_a_program(tmp_path: Path) -> None:
    found = run(tmp_path, "if true; then no-such-tool; fi", "greet() { :; }", "eval grete", "false")
    assert {name: status for name, (status, _) in found.items()} == {
        "s1": "skipped",
        "s2": "passed",
        "s3": "failed",
        "s4": "failed",
    }
    assert found["s1"][1].startswith("it needs the command no-such-tool, which is missing here: line 15: ")


def test_a_step_that_an_author_declares_fails(lesson: Any, tmp_path: Path) -> None:
    text = "<!-- step\nid: one\nexpect: [{contains: x}]\n-->\n```bash\nno-such-tool\n```\n"
    (tmp_path / "a.md").write_text(lesson_text(text))
    assert lesson("run", "a.md", "--allow", "shell", "--json").json["steps"][0]["status"] == "failed"
