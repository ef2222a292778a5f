"""A new plugin, built and installed next to the wheel in a new environment, passes its own tests there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from tests.lesson_runner.plugins.test_installed_plugin import ROOT, build, run


@pytest.mark.slow
def test_a_new_plugin_where_users_install_it(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    programs = tmp_path / "env" / "bin"
    python, lesson = programs / "python", programs / "lesson"
    project = tmp_path / "my-lessons"
    env = {key: value for key, value in os.environ.items() if not key.startswith(("LESSON_", "PYTHON"))}

    def install(folder: Path) -> None:
        wheel = build(folder, "wheel", tmp_path)
        pip = (sys.executable, "-m", "pip", "--python", python)
        run(*pip, "install", "--no-deps", "--no-index", wheel)

    def there(*command: object, cwd: Path = project) -> str:
        words = [str(word) for word in command]
        done = subprocess.run(words, capture_output=True, check=False, cwd=cwd, env=env, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    install(ROOT)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # Dependencies come from the environment of the tests, and the editable installation there stays outside.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    # The templates are those of the wheel.
    assert "created my-lessons/pyproject.toml\n" in there(lesson, "new", "plugin", "my-lessons", cwd=tmp_path)
    install(project)

    listed = there(lesson, "plugins")
    assert "my_lessons 0.1.0: my_lessons.plugin (my-lessons)\n" in listed
    assert re.search(r"^  my_lessons\.greet +Greet somebody$", listed, re.MULTILINE)
    assert "3 passed" in there(python, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "my-lessons " in there(lesson, "list")
    # Lessons of installed plugins are trusted, so this one may use the shell without a prompt.
    assert "my-lessons: passed" in there(lesson, "run", "my-lessons")
    # A plugin that the tests' environment has in editable mode is listed here, but cannot be imported.
    env["LESSON_PLUGINS"] = "my_lessons"
    assert there(lesson, "validate", "my-lessons").startswith("1 lesson, 0 errors, 0 warnings")
    assert "Success" in there(sys.executable, "-m", "mypy")
    there(sys.executable, "-m", "ruff", "check", ".")
    there(sys.executable, "-m", "ruff", "format", "--check", ".")
