"""Too little memory: for a step's process, and for the runner itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.running import Ran, messages, only_run, record_of, shell, told, typed
from tests.reliability import fault

from lesson_runner.testing import lesson_text

AREA = "memory"
Command = Callable[..., Ran]
PYTHON = """<!-- step
id: one
-->
```python
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
bytearray(1 << 30)
```

"""
GREEDY = """
from lesson_runner.plugins import *

@hookimpl
def lesson_actions():
    return [Action("theirs.act", "Act", lambda params, context: bytearray(8 << 30), self_judging=True)]
"""
HOOK = """
from lesson_runner.plugins import *

@hookimpl
def lesson_measure(step):
    return {"bytes": len(bytearray(8 << 30))}
"""
LIMIT = ["bash", "-c", 'ulimit -v 2000000; exec "$@"', "bash"]
"""Two gigabytes of address space for the runner and all that it starts."""
KILLED = "exit code 137 (SIGKILL: did the machine run out of memory?)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(
            shell("one", "echo so far; kill -KILL $$"),
            f"line 14: kill -KILL $$: {KILLED}",
            marks=fault(
                AREA,
                "the system kills a step's process",
                how="SIGKILL, which is what the system sends",
                seen="`exit code 137 (SIGKILL: did the machine run out of memory?)`; exit code 1",
                survives="its output so far, later steps, the record",
            ),
            id="a process is killed",
        ),
        pytest.param(
            PYTHON,
            "line 16: bytearray(1 << 30): exit code 1: MemoryError",
            marks=fault(
                AREA,
                "a Python step runs out of memory",
                how="it requests 1 GB under a limit of 512 MB (RLIMIT_AS)",
                seen="`MemoryError`, with the line; exit code 1",
                survives="later steps, the record",
            ),
            id="a Python step",
        ),
    ],
)
def test_a_process_of_a_step(command: Command, tmp_path: Path, body: str, message: str) -> None:
    (tmp_path / "a.md").write_text(lesson_text(body + shell("two", "echo second")))
    said = command("run", "a.md", "--allow", "shell", "--json")
    assert (said.code, said.err) == (1, "")
    record = record_of(only_run(tmp_path / ".lesson"))
    assert told(record) == {"one": "failed", "two": "passed"}
    assert messages(record)["one"] == message


@pytest.mark.slow
@fault(
    AREA,
    "a typed action runs out of memory, in the runner's own process",
    how="it requests 8 GB under a limit of 2 GB (`ulimit -v`)",
    seen="`raised MemoryError`, and `this machine has too little memory`; exit code 1",
    survives="the runner, later steps, the record",
)
def test_a_typed_action(command: Command, install: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(typed("one", "theirs.act") + shell("two", "echo second")))
    said = command("run", "a.md", "--allow", "shell", "--json", plugins=install(GREEDY), before=LIMIT)
    assert (said.code, said.err) == (1, "")
    record = record_of(only_run(tmp_path / ".lesson"))
    assert told(record) == {"one": "error", "two": "passed"}
    cure = "(this machine has too little memory: close other programs, or use smaller settings)"
    assert messages(record)["one"].startswith(f"theirs.act raised MemoryError {cure}")


@pytest.mark.slow
@fault(
    AREA,
    "a hook runs out of memory",
    how="it requests 8 GB under a limit of 2 GB (`ulimit -v`)",
    seen="the record names the plugin and the hook; the exit code does not change",
    survives="the run, the results of all other plugins",
)
def test_a_hook(command: Command, install: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(shell("one", "echo first")))
    said = command("run", "a.md", "--allow", "shell", "--json", plugins=install(HOOK), before=LIMIT)
    assert said.code == 0
    assert said.err.startswith("warning: plugin 'theirs': in lesson_measure: MemoryError (")
    errors = {item["name"]: item["error"] for item in record_of(only_run(tmp_path / ".lesson"))["plugins"]}
    assert errors["theirs"].startswith("in lesson_measure: MemoryError")
