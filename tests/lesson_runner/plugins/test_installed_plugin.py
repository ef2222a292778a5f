"""What users install: the built wheel, and another author's plugin next to it, in a fresh environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import lesson_text

ROOT = Path(__file__).parents[3]
SOURCE_ROOTS = {
    "runner/lesson_runner/": "lesson_runner/",
    "plugins/lesson_ct4/": "lesson_ct4/",
    "plugins/lesson_ct5/": "lesson_ct5/",
    "plugins/lesson_fleet/": "lesson_fleet/",
    "plugins/lesson_tenstorrent/": "lesson_tenstorrent/",
    "plugins/lesson_tracking/": "lesson_tracking/",
    "plugins/ttml_emulation/": "ttml_emulation/",
    "schemas/": "lesson_runner/_schemas/",
}

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "stranger-lessons"
version = "1.2.3"
dependencies = ["lesson-runner"]

[project.entry-points.lesson_runner]
stranger = "stranger_lessons.plugin"

[tool.hatch.build.targets.wheel]
packages = ["stranger_lessons"]
"""

PLUGIN = """
from pathlib import Path

from lesson_runner.plugins import Action, Outcome, hookimpl


def knock(params, context):
    context.say(f"knock {params['times']} times")
    return Outcome(metrics={"knocks": params["times"]})


@hookimpl
def lesson_actions():
    properties = {"times": {"type": "integer"}}
    schema = {"type": "object", "properties": properties}
    return [Action("stranger.knock", "Knock", knock, schema=schema, defaults={"times": 3})]


@hookimpl
def lesson_directories():
    return [Path(__file__).parent / "lessons"]
"""

LESSON = lesson_text(
    """
<!-- step
id: knock
uses: stranger.knock
expect:
  - metric: {name: knocks, min: 3}
-->
```text
Knock three times.
```

<!-- step
id: shell
needs: [knock]
expect:
  - contains: an installed lesson
-->
```bash
echo "an installed lesson may do this"
```
""",
    id="knocking",
    title="Knocking",
)


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(folder: Path, target: str, out: Path) -> Path:
    """Build a distribution with the backend that is installed here, which needs no network."""
    call = f"from hatchling.build import build_{target} as build; print(build({str(out)!r}))"
    return out / run(sys.executable, "-c", call, cwd=folder).split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project's wheel, built from its sdist as an installer does."""
    folder = tmp_path_factory.mktemp("dist")
    sdist = build(ROOT, "sdist", folder)
    run("tar", "-xzf", sdist, "-C", folder)
    return build(folder / sdist.name.removesuffix(".tar.gz"), "wheel", folder)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Callable[..., Any]:
    """Runs ``lesson`` from an environment with the wheel, a stranger's plugin, and our dependencies."""
    folder = tmp_path_factory.mktemp("fresh")
    source = folder / "source"
    (source / "stranger_lessons" / "lessons").mkdir(parents=True)
    (source / "pyproject.toml").write_text(PYPROJECT)
    (source / "stranger_lessons" / "__init__.py").write_text("")
    (source / "stranger_lessons" / "plugin.py").write_text(PLUGIN)
    (source / "stranger_lessons" / "lessons" / "knocking.md").write_text(LESSON)
    theirs = build(source, "wheel", folder)

    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, theirs)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # Dependencies come from the environment of the tests. A line of a .pth file adds the folder itself
    # but does not read the .pth files in it, so the editable installation of this project stays outside.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("LESSON_", "PYTHON"))}

    env["LESSON_PLUGINS"] = (
        "ct4,ct5,fleet,tenstorrent,tracking,stranger"  # `setup` is a separate distribution
    )

    def lesson(*arguments: object, code: int = 0) -> Any:
        command = [str(folder / "env" / "bin" / "lesson"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    return lesson


def test_the_wheel_has_every_file_and_no_other(wheel: Path) -> None:
    """What git would have is what the wheel has: nothing forgotten, nothing ignored that is needed."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines()
    expected = {
        there + path.removeprefix(here)
        for path in listed
        for here, there in SOURCE_ROOTS.items()
        if path.startswith(here) and (ROOT / path).exists()
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == expected


@pytest.mark.slow
def test_schemas_and_lessons_are_found_in_the_wheel(fresh: Callable[..., Any]) -> None:
    plugins = {item["name"]: item for item in fresh("plugins", "--json")["plugins"]}
    assert plugins["ct4"]["error"] is None
    site = Path(fresh("list", "--json")[0]["path"]).parents[2]
    assert site.name == "site-packages"
    assert str(ROOT) not in str(site)
    paths = {item["id"]: item["path"] for item in fresh("list", "--json")}
    assert paths["ct4-finetuning-basics"] == str(site / "lesson_ct4" / "lessons" / "ct4-finetuning-basics.md")
    assert fresh("validate", "knocking", "ct4-finetuning-basics") == "2 lessons, 0 errors, 0 warnings\n"


@pytest.mark.slow
def test_a_stranger_s_lesson_runs(fresh: Callable[..., Any]) -> None:
    plugins = {item["name"]: item for item in fresh("plugins", "--json")["plugins"]}
    assert plugins["stranger"] == {
        "name": "stranger",
        "origin": "stranger_lessons.plugin (stranger-lessons)",
        "version": "1.2.3",
        "error": None,
    }
    assert "an installed lesson may do this" in fresh("run", "knocking")
    record = fresh("run", "knocking", "--json", "--param", "times=2", code=1)
    assert [step["status"] for step in record["steps"]] == ["failed", "not-reached"]
    assert {"name": "stranger", "version": "1.2.3", "error": None, "loaded": True} in record["plugins"]
