"""Libraries that crash, hang, print or give invalid answers: each is a fact with a reason; nothing breaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.lesson_tenstorrent.hardware.worlds import World, ttnn_of, umd_of, values

BAD_CAST = (
    "class cluster:\n    @staticmethod\n    def get_cluster_type(): raise RuntimeError('std::bad_cast')\n"
)
FATAL = """
class cluster:
    @staticmethod
    def get_cluster_type():
        raise RuntimeError(
            "TT_FATAL @ /tt_cluster.cpp:129: num_chips > 0\\ninfo:\\nNo chips detected in the cluster\\n"
            "backtrace:\\n --- _ttnncpp.so(+0xb233e8)")
"""
SAID = "TT_FATAL @ /tt_cluster.cpp:129: num_chips > 0 info: No chips detected in the cluster"
MISBEHAVIOUR = {
    "crash": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by signal 11 (SIGSEGV)"),
    "abort": ("import os; os.abort()", "killed by signal 6 (SIGABRT)"),
    "exit": ("import sys; print('a last word'); sys.exit(3)", "ended without an answer: a last word"),
    "hard exit": ("import os; os._exit(0)", "it ended without an answer"),
    "rubbish": ("print('{\"cluster_type\": 5}' * 9)", "AttributeError"),
    "bad cast": (BAD_CAST, "RuntimeError: std::bad_cast"),
    "no chips": (FATAL, f"RuntimeError: {SAID}"),
    "wrong build": (
        "raise ImportError('_ttnn.so: undefined symbol: DevicePool')",
        "undefined symbol: DevicePool",
    ),
    "part missing": ("import loguru_is_missing", "No module named 'loguru_is_missing'"),
    "missing": ("raise ModuleNotFoundError('No module', name='{name}')", "not installed"),
}


@pytest.mark.parametrize("name", ["tt_umd", "ttnn"])
@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_misbehaviour_is_a_fact(world: World, kind: str, name: str) -> None:
    source, reason = MISBEHAVIOUR[kind]
    if name == "tt_umd" and "get_cluster_type" in source:
        source = (
            "class TopologyDiscoveryOptions:\n    def __init__(self): raise RuntimeError('std::bad_cast')\n"
        )
        reason = "RuntimeError: std::bad_cast"
    world.add("n150", "A")
    world.add_package(name, source.replace("{name}", name))

    found = world.detect(thorough=True)

    assert (found.name, found.devices) == ("n150", 1)
    said = str(values(found)[name.replace("_", "-")])
    assert reason in said
    assert "\n" not in said


@pytest.mark.parametrize("name", ["tt_umd", "ttnn"])
@pytest.mark.slow
def test_a_library_that_hangs_is_killed_with_its_children(world: World, name: str) -> None:
    child = world.root / "child"
    world.add_package(
        name,
        f"""
        import os, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open({str(child)!r}, "w").write(str(child.pid))
        time.sleep(60)
        """,
    )
    world.add("n150", "A")
    started = time.monotonic()

    found = world.detect(thorough=True, LESSON_PROBE_SECONDS="3")

    assert time.monotonic() - started < 30
    assert found.name == "n150"
    assert values(found)[name.replace("_", "-")] == "no answer within 3 s"
    number = int(child.read_text())
    deadline = time.monotonic() + 10
    while _runs(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(number)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{number}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


INVALID = [
    umd_of("N300", 1).replace('"wormhole_b0"', "{1: 2}"),
    umd_of("N300", 1).replace("set(range(1))", "None"),
    umd_of("N300", 0),
]


@pytest.mark.parametrize("source", INVALID)
def test_invalid_answers_of_tt_umd_do_no_harm(world: World, source: str) -> None:
    world.add("n150", "A")
    world.add_package("tt_umd", source)
    assert world.detect(thorough=True).devices == 1


@pytest.mark.parametrize(
    "source",
    [
        ttnn_of("N150", 1).replace("return 1", "return 'many'"),
        ttnn_of("N150", 1).replace('"wormhole_b0"', "None"),
        ttnn_of("CUSTOM", 1),
        "",
    ],
)
def test_invalid_answers_of_ttnn_do_no_harm(world: World, source: str) -> None:
    world.add("n150", "A")
    world.add_package("ttnn", source)
    found = world.detect(thorough=True)
    assert (found.name, found.devices) == ("n150", 1)
    assert "disagreement" not in values(found)


@pytest.mark.parametrize("seconds", ["", "soon", "0", "-1", "nan"])
def test_an_invalid_time_limit_is_ignored(world: World, seconds: str) -> None:
    world.add()
    world.add_package("tt_umd", umd_of("N150", 1))
    assert world.detect(LESSON_PROBE_SECONDS=seconds).name == "n150"


def test_an_answer_given_before_a_crash_counts(world: World) -> None:
    crash = "import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGABRT)\n"
    world.add()
    world.add_package("tt_umd", crash + umd_of("N150", 1))
    assert world.detect().name == "n150"


def test_an_answer_counts_although_a_child_keeps_the_output_open(world: World) -> None:
    child = "import subprocess\nsubprocess.Popen(['sleep', '20'], start_new_session=True)\n"
    world.add()
    world.add_package("tt_umd", child + umd_of("N150", 1))
    started = time.monotonic()
    assert world.detect().name == "n150"
    assert time.monotonic() - started < 15


def test_a_folder_in_the_current_folder_is_not_a_library(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tt_umd").mkdir()
    (tmp_path / "tt_umd" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    world.add()
    path = f"{os.pathsep}{world.variables['PYTHONPATH']}"  # an empty entry means the current folder
    assert values(world.detect(PYTHONPATH=path))["tt-umd"] == "not installed"


def test_the_same_question_is_asked_once(world: World) -> None:
    world.add()
    count = f"open({str(world.root / 'asked')!r}, 'a').write('x')\n"
    world.add_package("tt_umd", count + umd_of("N150", 1))
    assert world.detect() == world.detect()
    assert (world.root / "asked").read_text() == "x"


def test_nothing_a_library_prints_reaches_the_output(tmp_path: Path, world: World) -> None:
    world.add_package("tt_umd", "print('loud', flush=True)\nraise RuntimeError('no')")
    world.add_package("ttnn", "import os; os.write(1, b'loud'); os.write(2, b'loud'); os._exit(1)")
    description = tmp_path / "a.yaml"
    description.write_text("arch: {}\n")
    environ = {**world.variables, "TT_METAL_MOCK_CLUSTER_DESC_PATH": str(description)}
    done = subprocess.run(
        [sys.executable, "-m", "lesson_runner", "hw", "--json"],
        capture_output=True,
        text=True,
        env=environ,
        check=True,
    )
    assert done.stderr == ""
    (found,) = json.loads(done.stdout)["hardware"]
    assert (found["name"], found["kind"]) == ("unknown", "mock")
    assert found["facts"]["tt-umd"]["value"] == "RuntimeError: no"
    assert found["facts"]["ttnn"]["value"] == "it ended without an answer: loudloud"
