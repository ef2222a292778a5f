"""``.github/workflows/certify.yml``: its form, and its scripts run as GitHub runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lesson_runner.testing import lesson_text

ROOT = Path(__file__).parents[1]
PATH = ROOT / ".github" / "workflows" / "certify.yml"
TEXT = PATH.read_text("utf-8")
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
INPUTS = WORKFLOW[True]["workflow_call"]["inputs"]  # YAML takes "on" for a yes
STEPS = {step["name"]: step for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step}
LESSON = lesson_text(
    "# Sample\n\n<!-- step\nid: one\nexpect: [{contains: a}]\n-->\n```bash\necho a\n```", title="Sample"
)
POLICY = "policy_version: 1\nname: here\nsummary: for a test\nclasses: [host, emulated]\npasses: 1\n"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a step's script in a folder, with what GitHub would put into its variables."""
    program = tmp_path / "temp" / "lesson-runner" / "bin" / "lesson"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lesson_runner "$@"\n')
    program.chmod(0o755)

    def call(
        name: str, given: Mapping[str, str], *, home: str = "runner", without: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        defaults = {key: str(value["default"]) for key, value in INPUTS.items() if "default" in value}
        values = {f"inputs.{key}": value for key, value in defaults.items()} | dict(given)
        env = {
            key: re.sub(r"\$\{\{ ([a-z.-]+) \}\}", lambda match: values[match[1]], value)
            for key, value in STEPS[name]["env"].items()
        }
        own = {key: value for key, value in os.environ.items() if not key.startswith("LESSON_")}
        own |= {"RUNNER_TEMP": str(tmp_path / "temp"), "LESSON_HOME": str(tmp_path / home), **more}
        script = tmp_path / "script.sh"
        assert without in STEPS[name]["run"]
        script.write_text(STEPS[name]["run"].replace(without, ""))
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env={**own, **env}
        )

    return call


@pytest.mark.slow
def test_its_form() -> None:
    command = ["check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(PATH)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_input_becomes_part_of_a_script() -> None:
    for step in STEPS.values():
        assert "${{" not in step["run"]
        assert {f"${name}" for name in step["env"]} <= set(re.findall(r"\$[A-Z_]+", step["run"]))
    assert set(re.findall(r"inputs\.([a-z-]+)", TEXT)) == set(INPUTS)


@pytest.mark.slow
def test_from_a_run_to_a_certificate_that_was_checked(run: Run, tmp_path: Path) -> None:
    """Under a policy that asks for no board; with a key of the runner that the last job trusts."""
    pytest.importorskip("cryptography", reason="certificates are signed with the `sign` extra")
    (tmp_path / "sample.md").write_text(LESSON)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "keys").mkdir()
    keys = [sys.executable, "-m", "lesson_runner", "cert", "keys"]
    env = {**os.environ, "LESSON_HOME": str(tmp_path / "runner")}
    subprocess.run([*keys, "new", "lab"], env=env, check=True, capture_output=True)
    public = subprocess.run([*keys, "list", "lab"], env=env, check=True, capture_output=True)
    (tmp_path / "keys" / "lab.pub").write_bytes(public.stdout)
    given = {
        "inputs.command": str(tmp_path / "temp" / "lesson-runner" / "bin" / "lesson"),
        "inputs.lesson": "sample.md",
        "inputs.policy": "policy.yaml",
        "inputs.allow": "shell",
        "matrix.hardware": "galaxy",
    }
    assert run("Run and certify", given).returncode == 4
    done = run("Run and certify", given, without='--hardware "$LESSON_HARDWARE" ')
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / ".lesson" / "certificates").rename(tmp_path / "arrived")
    done = run("Check and keep certificates", {}, home="collector")
    assert done.returncode == 0, done.stdout + done.stderr
    kept, arrived = tmp_path / ".lesson" / "certificates", tmp_path / "arrived"
    assert [path.name for path in kept.iterdir()] == [path.name for path in arrived.iterdir()]
    (bundle,) = arrived.glob("*/*.jsonl")
    bundle.write_text(re.sub('("sig": ?")', r"\1A", bundle.read_text(), count=1))
    assert run("Check and keep certificates", {}, home="another").returncode == 5


def test_what_is_installed(run: Run, tmp_path: Path) -> None:
    """With a Python that only records its arguments."""
    stub = tmp_path / "stubs" / "python3"
    stub.parent.mkdir()
    stub.write_text(
        '#!/bin/sh\nprintf "%s|" "$@" >> "$RUNNER_TEMP/asked"; echo >> "$RUNNER_TEMP/asked"\n'
        'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi\n'
    )
    stub.chmod(0o755)
    wanted = {"inputs.install": "lesson-runner[sign]\n\n./my lessons\n"}
    path = f"{stub.parent}{os.pathsep}{os.environ['PATH']}"
    done = run("Install lesson-runner", wanted, PATH=path)
    assert done.returncode == 0, done.stderr
    temp = tmp_path / "temp"
    assert (temp / "asked").read_text().splitlines() == [
        f"-m|venv|{temp}/lesson-runner|",
        "-m|pip|install|--quiet|--|lesson-runner[sign]|./my lessons|",
    ]
