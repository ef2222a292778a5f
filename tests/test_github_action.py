"""``action.yml``: its form, and its scripts run as GitHub runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lesson_runner.testing import lesson_text

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
SCRIPTS = {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}
GOOD = lesson_text(
    "# Sample\n\n<!-- step\nid: one\nexpect: [{contains: a}]\n-->\n```bash\necho a\n```", status="draft"
)
BAD = GOOD.replace("id: one", "id: One")


@dataclass(frozen=True, slots=True)
class Machine:
    """A folder for each that GitHub gives to a step."""

    workspace: Path
    temp: Path

    def run(self, name: str, inputs: Mapping[str, str] = {}, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a step of the action with GitHub's own command line for bash, and what the action gives it."""
        defaults = {key: str(value["default"]) for key, value in ACTION["inputs"].items()}
        given = {
            key: re.sub(
                r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: {**defaults, **inputs}[match[1]], value
            )
            for key, value in SCRIPTS[name]["env"].items()
        }
        own = {key: value for key, value in os.environ.items() if not key.startswith("LESSON_")}
        script = self.temp / "script.sh"
        script.write_text(SCRIPTS[name]["run"])
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            capture_output=True,
            check=False,
            cwd=self.workspace,
            env={**own, **given, "GITHUB_ACTION_PATH": str(ROOT), "RUNNER_TEMP": str(self.temp), **env},
            text=True,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "workspace", tmp_path / "temp")
    made.workspace.mkdir()
    made.temp.mkdir()
    return made


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """A path with ``lesson`` where the first script installs it."""
    program = machine.temp / "lesson-runner" / "bin" / "lesson"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lesson_runner "$@"\n')
    program.chmod(0o755)
    return machine


@pytest.mark.slow
def test_its_form() -> None:
    command = ["check_jsonschema", "--builtin-schema", "vendor.github-actions", str(ROOT / "action.yml")]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_input_becomes_part_of_a_script() -> None:
    for step in SCRIPTS.values():
        assert "${{" not in step["run"]
        assert {f"${name}" for name in step["env"]} <= set(re.findall(r"\$[A-Z_]+", step["run"]))
    used = re.findall(r"inputs\.([a-z-]+)", str(ACTION["runs"]))
    assert set(used) == set(ACTION["inputs"])


@pytest.mark.slow
def test_a_good_lesson(ready: Machine) -> None:
    (ready.workspace / "good.md").write_text(GOOD)
    done = ready.run("Validate lessons")
    assert (done.returncode, done.stderr) == (0, "")
    assert "::error" not in done.stdout


@pytest.mark.slow
def test_a_bad_lesson_is_marked(ready: Machine) -> None:
    (ready.workspace / "lessons").mkdir()
    (ready.workspace / "lessons" / "bad.md").write_text(BAD)
    done = ready.run("Validate lessons")
    assert done.returncode == 1
    (row,) = [row for row in done.stdout.splitlines() if row.startswith("::error ")]
    assert "file=lessons/bad.md" in row
    assert "line=" in row


@pytest.mark.slow
def test_inputs_are_words_and_never_commands(ready: Machine) -> None:
    for name in ("a b.md", "$(touch owned).md", "--fix.md"):
        (ready.workspace / name).write_text(GOOD.replace('"sample"', f'"sample-{len(name)}"'))
    done = ready.run(
        "Validate lessons", {"paths": "a b.md\n\n$(touch owned).md\n--fix.md\n", "format": "json"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["lessons"] == ["a b.md", "$(touch owned).md", "--fix.md"]
    assert not (ready.workspace / "owned").exists()


@pytest.mark.slow
def test_select_ignore_config_and_output(ready: Machine) -> None:
    (ready.workspace / "bad.md").write_text(BAD)
    assert ready.run("Validate lessons", {"ignore": "wrong-value,no-steps"}).returncode == 0
    assert ready.run("Validate lessons", {"select": "missing-key"}).returncode == 0
    (ready.workspace / "own.toml").write_text('ignore = ["wrong-value"]\n')
    assert ready.run("Validate lessons", {"config": "own.toml"}).returncode == 0
    done = ready.run("Validate lessons", {"format": "sarif", "output": "out.sarif"})
    assert (done.returncode, done.stdout) == (1, "")
    assert json.loads((ready.workspace / "out.sarif").read_text())["version"] == "2.1.0"
    assert ready.run("Validate lessons", {"select": "no-such-rule"}).returncode == 2


def test_what_is_installed(machine: Machine, tmp_path: Path) -> None:
    """With a Python that only records its arguments."""
    stub = tmp_path / "stubs" / "python3"
    stub.parent.mkdir()
    stub.write_text(
        '#!/bin/sh\nprintf "%s|" "$@" >> "$RUNNER_TEMP/asked"; echo >> "$RUNNER_TEMP/asked"\n'
        'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi\n'
    )
    stub.chmod(0o755)
    path = f"{stub.parent}{os.pathsep}{os.environ['PATH']}"
    done = machine.run("Install lesson-runner", {"plugins": "./my lessons\n\nother>=2"}, PATH=path)
    assert done.returncode == 0, done.stderr
    assert (machine.temp / "asked").read_text().splitlines() == [
        f"-m|venv|{machine.temp}/lesson-runner|",
        f"-m|pip|install|--quiet|--|{ROOT}|./my lessons|other>=2|",
    ]


@pytest.mark.slow
def test_installed_for_real(machine: Machine) -> None:
    done = machine.run("Install lesson-runner")
    assert done.returncode == 0, done.stdout + done.stderr
    (machine.workspace / "bad.md").write_text(BAD)
    done = machine.run("Validate lessons")
    assert done.returncode == 1
    assert "::error file=bad.md" in done.stdout
