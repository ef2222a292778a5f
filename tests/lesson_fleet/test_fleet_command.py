"""The command ``lesson fleet run``, with a worker in this process instead of Ray."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin
from tests.lesson_fleet.toys import toy

from lesson_fleet import plugin
from lesson_fleet.cells import Cell
from lesson_fleet.drive import Arrival
from lesson_fleet.work import run_cell
from lesson_runner.plugins import Hardware
from lesson_runner.testing import assert_conforms

Fleet = Callable[..., Any]
INTERRUPT = "interrupt"


class Here:
    """An engine whose only worker is this process; like Ray, it reports the resources of its nodes."""

    resources: Mapping[str, float] = {}
    """The resources of a cluster."""

    def __init__(
        self,
        jobs: Mapping[Cell, Mapping[str, Any]],
        *,
        pretended: bool,
        address: str | None,
        boards: Mapping[str, int],
    ) -> None:
        self.jobs, self.pretended = jobs, pretended
        local = {f"pretended-{name}" if pretended else name: count for name, count in boards.items()}
        self.found = dict(self.resources) if address else {"CPU": 2.0, **local}
        self.waiting: list[Cell] = []

    def __enter__(self) -> Here:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        print("a line of Ray's")

    def everything(self) -> Mapping[str, float]:
        return self.found

    def offered(self) -> Mapping[str, float]:
        prefix = "pretended-" if self.pretended else ""
        return {cell.hardware: self.found.get(prefix + cell.hardware, 0) for cell in self.jobs}

    def submit(self, cell: Cell) -> None:
        self.waiting.append(cell)

    def arrived(self, seconds: float) -> Sequence[Arrival]:
        cell = self.waiting.pop(0)
        if cell.lesson == INTERRUPT:
            raise KeyboardInterrupt
        return [Arrival(cell, answer=run_cell(self.jobs[cell], "here", 1))]

    def cancel(self, cell: Cell) -> None:
        self.waiting.remove(cell)


@pytest.fixture
def fleet(lesson: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Runs ``lesson fleet run`` in a folder with the lessons ``good``, ``bad`` and ``interrupt``."""
    for name, script in {"good": "echo done", "bad": "echo no", INTERRUPT: "echo done"}.items():
        supported = ("n150",) if name == "bad" else ("n150", "n300")
        (tmp_path / f"{name}.md").write_text(toy(name, script, supported=supported))
    monkeypatch.setattr("lesson_fleet.engine.RayEngine", Here)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("LESSON_PLUGINS", "")

    def run(*words: object, plugins: Sequence[object] = ()) -> Any:
        return lesson("fleet", "run", *words, plugins=[plugin, *plugins])

    return run


def test_the_plugin_keeps_its_promises() -> None:
    assert_conforms("lesson_fleet.plugin")


@pytest.mark.slow
def test_a_fleet_of_pretended_boards(fleet: Fleet, lesson: Callable[..., Any], tmp_path: Path) -> None:
    done = fleet(
        "good.md", "bad.md", "--hardware", "n150,n300", "--pretend", "--passes", 2, "--allow", "shell"
    )
    assert (done.code, done.err) == (1, "")
    rows = done.out.splitlines()
    assert rows[0] == "2 lessons on 1 n150, 1 n300, 2 passes each  [pretended]"
    assert [row.split(" in ")[0] for row in rows[1:4]] == [
        "1/3 good on n150: passed",
        "2/3 good on n300: passed",
        "3/3 bad on n150: failed",
    ]
    assert all(row.endswith("[pretended]") for row in rows[1:4])
    table = [row for row in rows if row.startswith(("lesson ", "good ", "bad  "))]
    assert table[0].split("  ")[:2] == ["lesson", "n150"]
    assert table[0].count("[pretended]") == 2
    assert table[1].count("✓ passed") == 2
    assert "✗ failed" in table[2]
    assert "not supported" in table[2]
    assert "3 results" not in done.out
    assert "4 results: 2 passed, 1 failed, 1 not supported  [pretended]" in rows
    assert "bad on n150  [pretended]: step 'say': expected output with 'done'; got no" in done.out
    assert "a line of Ray's" not in done.out
    assert [path.read_text() for path in tmp_path.glob(".lesson/fleet/*/ray.log")] == ["a line of Ray's\n"]
    listed = lesson("runs", "--json").json
    assert len(listed) == 5
    assert all(item["labels"][0] == "emulated" for item in listed)
    assert all(item["labels"][1].startswith("pretended n") for item in listed)
    report = lesson("report", listed[0]["run_id"], "--workspace", ".lesson")
    assert report.code == 0
    assert "pretended n150" in report.out


@pytest.mark.slow
def test_json_output_equals_the_results_file(fleet: Fleet, tmp_path: Path) -> None:
    done = fleet("good.md", "--hardware", "n150", "--pretend", "--passes", 1, "--allow", "shell", "--json")
    assert (done.code, done.err) == (0, "")
    (path,) = tmp_path.glob(".lesson/fleet/*/results.json")
    assert done.json == json.loads(path.read_text())
    assert done.json["pretended"] is True
    (item,) = done.json["results"]
    assert (item["status"], item["pretended"], item["attempts"]) == ("passed", True, 1)
    assert item["certificate"] == {"issued": False, "message": "not certified: not requested (--certify)"}


@pytest.mark.slow
def test_ctrl_c_keeps_results(fleet: Fleet, tmp_path: Path) -> None:
    words = ("good.md", f"{INTERRUPT}.md", "--hardware", "n150", "--pretend", "--passes", 1)
    done = fleet(*words, "--allow", "shell")
    assert done.code == 130
    assert "2 results: 1 passed, 1 waiting  [pretended]" in done.out
    (path,) = tmp_path.glob(".lesson/fleet/*/results.json")
    data = json.loads(path.read_text())
    assert data["status"] == "interrupted"
    assert [item["status"] for item in data["results"]] == ["passed", "waiting"]


@pytest.mark.slow
def test_certificates(fleet: Fleet, lesson: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A pretended board can get an emulated certificate, which counts for no board; refusals are shown."""
    pytest.importorskip("cryptography", reason="certificates are signed with the `sign` extra")
    monkeypatch.setenv("LESSON_HOME", "home")
    assert lesson("cert", "keys", "new", "mine").code == 0
    words = ("good.md", "--hardware", "n150", "--pretend", "--allow", "shell", "--certify")
    done = fleet(*words, "--policy", "emulated")
    assert done.code == 0, done.out
    assert "good on n150  [pretended]: Certified under the policy 'emulated'" in done.out
    (folder,) = Path(".lesson", "certificates").iterdir()
    assert folder.name.startswith("good.emulated.")
    assert lesson("cert", "verify", folder).code == 0
    policy = Path("strict.yaml")
    asked = {"policy_version": 1, "name": "strict", "summary": "more", "classes": ["emulated"], "passes": 1}
    policy.write_text(json.dumps({**asked, "judgements": 9}))  # JSON is YAML
    done = fleet(*words, "--policy", policy, "--passes", 1)
    assert done.code == 5
    assert "good on n150  [pretended]: not certified: Not certified under the policy 'strict'" in done.out
    refused = fleet(*words)
    assert (refused.code, refused.err.splitlines()[0]) == (
        5,
        "error: the policy 'board' requires a board, but these are pretended",
    )


@pytest.mark.parametrize(
    ("words", "code", "said", "fix"),
    [
        (["good.md", "--hardware", "n1500"], 2, "--hardware n1500: there is no such hardware", "n150"),
        (["good.md", "--hardware", ","], 2, "--hardware is empty", "n150, n300"),
        (["nothing.md", "--hardware", "n150"], 2, "nothing.md: no such file", ""),
        (["good.md", "--hardware", "n150"], 2, "good.md wants to run its own commands", "--allow shell"),
        (["good.md", "--hardware", "n150", "--allow", "all"], 2, "--allow all: there is no such", "shell"),
        (
            ["good.md", "--hardware", "t3k", "--allow", "shell"],
            2,
            "--hardware t3k: no lesson supports any of these: good is for n150, n300",
            "",
        ),
        (
            ["good.md", "other/good.md", "--hardware", "n150", "--allow", "shell"],
            2,
            "two lessons have the id 'good'",
            "one after the other",
        ),
        (["good.md", "--hardware", "n150", "--policy", "board"], 2, "--policy is for", "--certify"),
        (["good.md", "--hardware", "n150", "--key", "mine"], 2, "--key is for certificates", "--certify"),
        (
            ["good.md", "--hardware", "n150", "--certify", "--policy", "bord"],
            2,
            "--policy bord:",
            "board",
        ),
        (
            ["good.md", "--hardware", "n150", "--certify", "--passes", "1"],
            2,
            "--passes 1: the policy 'board' requires 2",
            "--passes 2",
        ),
        (
            ["good.md", "--hardware", "n150", "--address", "ray://a:1"],
            2,
            "client is not supported",
            "HEAD:6379",
        ),
        (
            ["good.md", "--hardware", "n150", "--pretend", "--backend", "ttml"],
            2,
            "--pretend and --backend ttml exclude each other",
            "leave one",
        ),
        (["good.md", "--hardware", "n150", "--backend", "cuda"], 2, "--backend cuda: expected auto", ""),
        (
            ["good.md", "--hardware", "n150", "--allow", "shell", "--profile", "fast"],
            2,
            "--profile fast: the lesson has no such profile",
            "",
        ),
        (
            ["good.md", "--hardware", "n150,n300", "--allow", "shell"],
            4,
            "--hardware n150,n300: this machine has none; it has no board",
            "--pretend",
        ),
        (
            ["good.md", "--hardware", "n150,n300", "--allow", "shell", "--address", "head:6379"],
            4,
            "--hardware n300: the cluster has none; it has 2 n150, 1 pretended-t3k",
            """ray start --address=head:6379 --resources='{"n300": 1}'; or use --pretend""",
        ),
        (
            ["good.md", "--hardware", "n150", "--allow", "shell", "--address", "head:6379", "--pretend"],
            4,
            "--hardware n150: the cluster has no pretended one; it has 2 n150, 1 pretended-t3k",
            """--resources='{"pretended-n150": 1}'""",
        ),
    ],
)
def test_what_cannot_be_done(
    fleet: Fleet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    said: str,
    fix: str,
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "good.md").write_text(toy("good", "echo done"))
    monkeypatch.setattr(Here, "resources", {"CPU": 4.0, "n150": 2.0, "pretended-t3k": 1.0})
    done = fleet(*words)
    assert (done.code, done.out) == (code, "")
    first, *rest = done.err.splitlines()
    assert first.startswith("error: ")
    assert said in first
    assert fix in "".join(rest)
    assert not (tmp_path / ".lesson").exists()


board = fake_plugin("board", detect_hardware=[Hardware("n150", "a test", 1)])


def test_the_board_of_this_machine_is_offered(fleet: Fleet) -> None:
    """The lesson's process finds no board: only detected hardware counts, not declared hardware."""
    words = ("good.md", "--hardware", "n150", "--passes", 1, "--allow", "shell", "--json")
    done = fleet(*words, plugins=[board])
    (item,) = done.json["results"]
    assert (done.code, item["status"], item["pretended"]) == (1, "failed", False)
    assert "--hardware n150: expected n150, found" in item["message"]
    assert fleet("good.md", "--hardware", "n300", "--allow", "shell", plugins=[board]).code == 4


@pytest.mark.parametrize("address", [[], ["--address", "head:6379"]], ids=["local", "cluster"])
def test_without_ray(
    lesson: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.setenv(name, "")  # so that monkeypatch restores them
    (tmp_path / "good.md").write_text(toy("good", "echo done"))
    words = ["good.md", "--hardware", "n150", "--pretend", "--allow", "shell", *address]
    done = lesson("fleet", "run", *words, plugins=[plugin])
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "error: 'lesson fleet' needs Ray, which is not installed",
        'fix: pip install "lesson-runner[fleet]"',
    ]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "--address 127.0.0.1:1: cannot connect: "),
        ("no-such-host.invalid:6379", "--address no-such-host.invalid:6379: cannot connect: "),
        ("head", "--address head: expected HOST:PORT or auto"),
        ("head:port", "--address head:port: expected HOST:PORT or auto"),
        ("auto", "--address auto: the cluster cannot be reached: ConnectionError: no cluster"),
    ],
)
def test_a_cluster_that_cannot_be_reached(
    lesson: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    """With a Ray that finds no cluster."""

    def init(**options: object) -> None:
        raise ConnectionError("no cluster")

    ray = ModuleType("ray")
    monkeypatch.setattr(ray, "init", init, raising=False)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", ModuleType("ray.exceptions"))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "")
    (tmp_path / "good.md").write_text(toy("good", "echo done"))
    words = ["good.md", "--hardware", "n150", "--allow", "shell", "--address", address]
    done = lesson("fleet", "run", *words, plugins=[plugin])
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {said}")
    assert "\nfix: " in done.err


def test_help_imports_no_ray() -> None:
    program = (
        "import sys; from lesson_runner.cli import invoke; invoke(['fleet', 'run', '--help']);"
        "sys.exit(bool({'ray', 'lesson_fleet.engine', 'lesson_fleet.work'} & set(sys.modules)))"
    )
    env = {**os.environ, "LESSON_PLUGINS": "fleet"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--hardware" in done.stdout
