"""Faults of boards, in tt-metal's own words: each has an explanation and a fix."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lesson_ct4.device.faults import OPEN_FAULTS, RUN_FAULTS, explaining, find_fault, gist
from lesson_ct4.device.session import Session, open_session
from lesson_runner.model.errors import ExitCode, HardwareError, LessonError
from lesson_tenstorrent import busy

NO_CHIPS = """TT_FATAL @ tt_metal/llrt/tt_cluster.cpp:117: num_chips > 0
info:
No chips detected in the cluster
backtrace:
 --- build/lib/libtt_metal.so(+0x1dfbd5) [0x7f68df013bd5]
 --- tt::tt_metal::MetalContext::instance()"""
ETHERNET = """TT_THROW @ tt_metal/impl/context/metal_context.cpp:1248: tt::exception
info:
Device 0: Timed out while waiting for active ethernet core 29-25 to become active again.
backtrace:
 --- tt::tt_metal::MetalContext::initialize()"""
CORES = """TT_THROW @ tt_metal/impl/context/metal_context.cpp:1248: tt::exception
info:
Device 0: Timeout (10000 ms) waiting for physical cores to finish: (x=25,y=25)."""
FIRMWARE = """TT_THROW @ tt_metal/impl/context/metal_context.cpp:1248: tt::exception
info:
Device 0 init: failed to initialize FW! Try resetting the board."""
FABRIC = """TT_THROW @ tt_metal/impl/device/device_manager.cpp:800: tt::exception
info:
Fabric Router Sync: Timeout after 10000 ms. Device 0: Expected status 0xa2b2c2d2, got 0xa0b0c0d0"""
SHAPE = "Mesh shape mismatch!\n  Requested mesh shape: [1, 4]\n  MGD device_topology dims: [1, 2]"
LOCK = "Waiting for lock 'CHIP_IN_USE_0_PCIe' which is currently held by thread TID: 72566, PID: 72566"
SYSMEM = "Sysmem mapped at unexpected NOC address (likely a stale process holding sysmem)"
TLB = "Failed to allocate the TLB with size 1048576"
TWICE = "open_device was called after the device was created."
TOO_MANY = "TT_FATAL @ tt_metal/distributed/system_mesh.cpp:159: requested_size <= system_size"
MEMORY = (
    "TT_FATAL @ tt_metal/impl/allocator/bank_manager.cpp:439: false\ninfo:\nOut of Memory: Not enough space "
)
DRAM = MEMORY + (
    "to allocate 58720256 B DRAM buffer across 12 banks, where each bank needs to store 4894720 B, but "
    "bank size is 1071821792 B (allocated: 888424448 B, free: 183397344 B, largest free block: 3382944 B)"
)
OLD_DRAM = MEMORY + (
    "to allocate 146575360 B DRAM buffer across 12 banks, where each bank needs to store 12214976 B"
)
DEPENDENT = MEMORY + "after considering dependencies to allocate 4096 B L1 across 64 banks (64 B per bank)"
CIRCULAR = (
    "TT_THROW @ tt_metal/impl/program/program.cpp:927: tt::exception\ninfo:\nStatically allocated circular "
)
L1 = CIRCULAR + (
    "buffers on core range [(x=0,y=0) - (x=7,y=7)] grow to 3580704 B which is beyond max L1 size of 1499136 B"
)
CLASH = CIRCULAR + (
    "buffers in program 527 clash with L1 buffers on core range [(0,0)-(2,9)]. L1 buffer allocated at 1 "
    "and static circular buffer region ends at 2"
)
HANG = """TT_THROW @ tt_metal/impl/dispatch/system_memory_manager.cpp:765: tt::exception
info:
TIMEOUT: device timeout, potential hang detected, the device is unrecoverable"""
FETCH = "TT_THROW: TIMEOUT: device timeout in fetch queue wait, potential hang detected"
SPREAD = "TT_FATAL: Can't get a single buffer from host storage distributed over mesh"


def board(opens: Callable[[], None], closes: Callable[[], None] = lambda: None) -> Callable[[str], Any]:
    """Return an importer of modules that can only open and close a device."""
    context = SimpleNamespace(open_device=opens, close_device=closes, reset_graph=lambda: None)
    ttml = SimpleNamespace(
        autograd=SimpleNamespace(
            AutoContext=SimpleNamespace(get_instance=lambda: context),
            Tensor=SimpleNamespace(from_numpy=None.__eq__),
        ),
        models=SimpleNamespace(nanogpt=SimpleNamespace()),
        ops=SimpleNamespace(loss=SimpleNamespace(cross_entropy_loss=print)),
        optimizers=SimpleNamespace(AdamWConfig=object()),
    )
    ttnn = SimpleNamespace(get_arch_name=lambda: "BLACKHOLE")
    return {"ttml": ttml, "ttnn": ttnn}.__getitem__


def raising(text: str, times: int = 99) -> Callable[[], None]:
    """Return a function that fails with a text this many times."""
    left = [times]

    def fail() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise RuntimeError(text)

    return fail


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    for name in ("TT_METAL_SIMULATOR", "TT_METAL_MOCK_CLUSTER_DESC_PATH"):
        os.environ.pop(name, None)


@pytest.mark.parametrize(
    ("text", "name", "says", "cure"),
    [
        (NO_CHIPS, "no-chips", "No chips detected", "ls /dev/tenstorrent"),
        (ETHERNET, "timeout", "active ethernet core 29-25", "tt-smi -r"),
        (CORES, "timeout", "Timeout (10000 ms)", "tt-smi -r"),
        (FIRMWARE, "timeout", "failed to initialize FW", "tt-smi -r"),
        (FABRIC, "fabric", "Fabric Router Sync", "TT_MESH_GRAPH_DESC_PATH"),
        (SHAPE, "fabric", "Requested mesh shape: [1, 4]", "TT_MESH_GRAPH_DESC_PATH"),
        (LOCK, "in-use", "PID: 72566", "fuser -v /dev/tenstorrent/*"),
        (SYSMEM, "in-use", "stale process", "fuser -v /dev/tenstorrent/*"),
        (TLB, "in-use", "Failed to allocate the TLB", "fuser -v /dev/tenstorrent/*"),
        (TWICE, "same-process", "after the device was created", "close it first"),
        (TOO_MANY, "too-many", "requested_size <= system_size", "use fewer chips"),
    ],
)
def test_a_device_that_does_not_open_is_explained(text: str, name: str, says: str, cure: str) -> None:
    fault = find_fault(RuntimeError(text), OPEN_FAULTS)

    with pytest.raises(HardwareError) as caught:
        open_session("ttml", boards=lambda: 1, importer=board(raising(text))).__enter__()

    assert fault is not None
    assert fault.name == name
    assert says in str(caught.value)
    assert cure in str(caught.value.fix)
    assert "backtrace" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind", "says", "cure"),
    [
        (
            DRAM,
            LessonError,
            "bank of DRAM needs 4.9 MB more, its largest free block has 3.4 MB",
            "--batch_size",
        ),
        (OLD_DRAM, LessonError, "each bank of DRAM needs 12.2 MB more", "--sequence_length"),
        (DEPENDENT, LessonError, "Not enough space after considering dependencies", "--batch_size"),
        (L1, LessonError, "beyond max L1 size", "--n_embd"),
        (CLASH, LessonError, "clash with L1 buffers", "--n_embd"),
        (HANG, HardwareError, "the device stopped answering: TIMEOUT", "tt-smi -r"),
        (FETCH, HardwareError, "fetch queue wait", "tt-smi -r"),
        (CORES, HardwareError, "the device stopped answering", "tt-smi -r"),
        (SPREAD, HardwareError, "several chips", "leave out --mesh"),
        (
            "TT_FATAL @ some.cpp:1: a == b\ninfo:\nodd tiles\nbacktrace:\n x",
            HardwareError,
            "odd tiles",
            "tt-smi",
        ),
    ],
)
def test_what_breaks_while_it_runs_is_explained(
    text: str, kind: type[LessonError], says: str, cure: str
) -> None:
    with pytest.raises(LessonError) as caught, explaining():
        raise RuntimeError(text)

    assert type(caught.value) is kind
    assert says in str(caught.value)
    assert cure in str(caught.value.fix)


def test_signs_in_a_backtrace_count_for_nothing() -> None:
    error = RuntimeError("TT_FATAL @ x.cpp:1: a\ninfo:\nodd\nbacktrace:\n --- on device timeout detected")

    assert find_fault(error, RUN_FAULTS) is None
    assert gist(error) == "odd"


def test_what_is_nobodys_fault_passes_unchanged() -> None:
    with pytest.raises(RuntimeError, match="mine"), explaining():
        raise RuntimeError("mine")


def test_a_machine_without_memory_says_so() -> None:
    with pytest.raises(LessonError, match="this machine's memory is full") as caught, explaining():
        raise MemoryError

    assert "--batch_size" in str(caught.value.fix)


@pytest.mark.torch
def test_so_does_one_without_memory_for_the_emulation() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(LessonError, match="this machine's memory is full") as caught, explaining():
        torch.empty(10**15)

    assert caught.value.exit_code == ExitCode.FIXABLE


def test_an_unknown_reason_not_to_open_is_repeated() -> None:
    with pytest.raises(HardwareError, match="the device does not open: odd") as caught:
        open_session("ttml", boards=lambda: 1, importer=board(raising("odd"))).__enter__()

    assert caught.value.exit_code == ExitCode.HARDWARE


def test_opening_is_retried_once_after_a_timeout() -> None:
    notes: list[str] = []

    with open_session(
        "ttml", boards=lambda: 1, importer=board(raising(ETHERNET, 1)), note=notes.append
    ) as found:
        assert found.info["device"] == "blackhole"

    (note,) = notes
    assert "active ethernet core 29-25" in note
    assert "tt-smi -r" in note


@pytest.mark.parametrize(("text", "tries"), [(ETHERNET, 2), (NO_CHIPS, 1), (FABRIC, 1), (LOCK, 1)])
def test_only_timeouts_are_retried_once(text: str, tries: int) -> None:
    opened: list[int] = []

    def opens() -> None:
        opened.append(1)
        raise RuntimeError(text)

    with pytest.raises(HardwareError):
        open_session("ttml", boards=lambda: 1, importer=board(opens)).__enter__()

    assert len(opened) == tries


def test_processes_that_have_the_board_open_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    holder = busy.Holder(4321, "python3", "/dev/tenstorrent/0")
    monkeypatch.setattr(busy, "find_holders", lambda folder: ([holder], 0))
    notes: list[str] = []

    with open_session("ttml", boards=lambda: 1, importer=board(lambda: None), note=notes.append):
        pass

    (note,) = notes
    assert note.startswith("process 4321 (python3) has /dev/tenstorrent/0 open;")
    assert note.endswith("kill 4321")


def use(importer: Callable[[str], Any], work: Callable[[Session], None]) -> None:
    with open_session("ttml", boards=lambda: 1, importer=importer) as session:
        work(session)


def test_a_close_that_fails_does_not_hide_what_went_wrong() -> None:
    def work(_: Session) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        use(board(lambda: None, raising("teardown")), work)


def test_a_close_that_fails_after_good_work_is_told() -> None:
    with pytest.raises(HardwareError, match="does not close: teardown") as caught:
        use(board(lambda: None, raising("teardown")), lambda _: None)

    assert "tt-smi -r" in str(caught.value.fix)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_device(number: signal.Signals) -> None:
    """In a separate process: a kill that is not caught would end the tests."""
    program = (
        "import os, sys, signal; from tests.lesson_ct4.test_faults import board, use\n"
        "closes = lambda: print('closed', flush=True)\n"
        f"use(board(lambda: None, closes), lambda _: os.kill(os.getpid(), {number:d}))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.stdout == "closed\n", done.stderr
    assert "KeyboardInterrupt" in done.stderr


def test_what_a_library_prints_while_it_opens_is_no_output(capsys: pytest.CaptureFixture[str]) -> None:
    use(board(lambda: print("MGD validated")), lambda _: None)

    assert capsys.readouterr().out == ""


def test_a_hang_is_made_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """tt-metal waits forever by default; the user's limit takes precedence; a simulator has none."""
    name = "TT_METAL_OPERATION_TIMEOUT_SECONDS"
    os.environ.pop(name, None)
    os.environ["TT_METAL_SIMULATOR"] = "sim"
    use(board(lambda: None), lambda _: None)
    assert name not in os.environ
    del os.environ["TT_METAL_SIMULATOR"]
    use(board(lambda: None), lambda _: None)
    assert os.environ[name] == "300"
    os.environ[name] = "5"
    use(board(lambda: None), lambda _: None)
    assert os.environ[name] == "5"


def test_a_device_is_closed_when_the_process_ends_without_saying_so() -> None:
    """As after an unexpected error: the run never ends normally."""
    program = """
import os, sys
from pathlib import Path
from tests.lesson_ct4.test_faults import board
os.environ["TT_METAL_SIMULATOR"] = "sim"
fake = board(lambda: None, lambda: print("closed", flush=True))
sys.modules.update(ttml=fake("ttml"), ttnn=fake("ttnn"))
from lesson_ct4.actions.workspace_files import session_for
from lesson_runner.plugins.context import RunContext, Workspace
run = RunContext(None, "", "ttml", Workspace(Path(".")), Path("."))
session_for(run, "device")
raise ZeroDivisionError
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.stdout == "closed\n", done.stderr
    assert "ZeroDivisionError" in done.stderr
