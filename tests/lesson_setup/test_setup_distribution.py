"""The distribution that users install, which the core does not depend on."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "plugins" / "lesson-setup"
PACKAGE = SOURCE / "lesson_setup"


def build(folder: Path, target: str, out: Path) -> Path:
    """Build with the backend that is installed here, which needs no network."""
    call = f"from hatchling.build import build_{target} as build; print(build({str(out)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The files of the wheel, built from the checkout, from the sdist, and for an editable installation."""
    folder = tmp_path_factory.mktemp("dist")
    sdist = build(SOURCE, "sdist", folder)
    subprocess.run(["tar", "-xzf", sdist, "-C", folder], check=True)
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    builds = {"checkout": (SOURCE, "wheel"), "sdist": (unpacked, "wheel"), "editable": (SOURCE, "editable")}
    names = {}
    for kind, (source, target) in builds.items():
        (folder / kind).mkdir()
        with zipfile.ZipFile(build(source, target, folder / kind)) as archive:
            names[kind] = {name for name in archive.namelist() if ".dist-info/" not in name}
    return names


def test_the_wheel_has_exactly_the_files_of_the_package(wheels: dict[str, set[str]]) -> None:
    expected = {
        path.relative_to(SOURCE).as_posix()
        for path in PACKAGE.rglob("*")
        if path.suffix in (".py", ".md") or path.name == "py.typed"
    }

    assert "lesson_setup/lessons/verify-your-setup.md" in expected
    assert wheels["checkout"] == wheels["sdist"] == expected


def test_an_editable_installation_copies_nothing(wheels: dict[str, set[str]]) -> None:
    """Package and lesson stay in the checkout, where they can be edited."""
    (name,) = wheels["editable"]

    assert name.endswith(".pth")


def test_the_core_does_not_mention_it() -> None:
    words = ("lesson_setup", "lesson-setup", "verify-your-setup", "setup.check", "setup.report")
    for path in sorted((ROOT / "runner").rglob("*.py")):
        text = path.read_text("utf-8")
        assert [word for word in words if word in text] == [], path


def test_it_imports_only_what_plugins_may() -> None:
    """Four helpers and the public module of the runner, and no other plugin but the shared one."""
    helpers = {"plugins", "plugins.checks", "cli.commands", "model.errors", "files.plain"}
    allowed = {f"lesson_runner.{name}" for name in helpers}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                package = module.split(".")[0]
                assert package not in ("lesson_ct4", "ttml_emulation"), path
                assert package != "lesson_runner" or module in allowed, f"{path} imports {module}"


def test_the_plugin_imports_no_heavy_module() -> None:
    code = (
        "import sys, typer, lesson_setup.plugin as plugin\n"
        "list(plugin.lesson_directories())\n"
        "print(sorted({'numpy', 'torch', 'packaging', 'subprocess', 'ttnn', 'yaml'} & set(sys.modules)))"
    )
    before = "import sys, typer; print('subprocess' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    bare = subprocess.run([sys.executable, "-c", before], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == ("['subprocess']" if bare.stdout.strip() == "True" else "[]")
