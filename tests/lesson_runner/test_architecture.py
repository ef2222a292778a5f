"""What may import what, how long a module may be, and what a fast command must not load."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "runner" / "lesson_runner"
SOURCES = {
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
    for root in (ROOT / "runner", ROOT / "plugins", ROOT / "plugins" / "lesson-setup")
    for path in sorted(root.rglob("*.py"))
    if path.relative_to(root).parts[0] != "lesson-setup"
}
LAYERS = (
    {"lesson_runner"},
    {"model"},
    {"files"},
    {"document"},
    {"roles"},
    {"execute"},
    {"plugins"},
    {"run"},
    {"validate"},
    {"report", "certify"},
    {"cli", "testing", "__main__"},
)
"""Each may import those above it, and itself; imports for types and inside functions count."""
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
CIRCLES = [{"ttml_emulation.ops", "ttml_emulation.tensor"}]
"""Modules that may import each other: a tensor has operators, and operators make tensors."""
LONGEST = 400
HEAVY = (
    "torch",
    "numpy",
    "ttml",
    "ttnn",
    "jsonschema",
    "markdown_it",
    "requests",
    "rich",
    "yaml",
    "referencing",
    "tree_sitter",
    "ftfy",
    "jinja2",
    "matplotlib",
    "pydantic",
    "ray",
)


def imports(path: Path, module: str) -> Iterator[str]:
    """Yield what a module imports, for types and inside functions as well."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in SOURCES else base


def part(module: str) -> str:
    """Return the part of the core that a module belongs to."""
    names = module.split(".")
    return names[1] if len(names) > 1 else names[0]


CORE_MODULES = [name for name in SOURCES if name.split(".")[0] == "lesson_runner"]


def test_every_part_has_its_place() -> None:
    assert {part(name) for name in CORE_MODULES} == set(LEVEL)


def test_nothing_is_loose_at_the_top() -> None:
    assert {path.name for path in CORE.glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("module", CORE_MODULES)
def test_imports_go_one_way(module: str) -> None:
    for other in imports(SOURCES[module], module):
        if other.split(".")[0] == "lesson_runner":
            assert LEVEL[part(other)] <= LEVEL[part(module)], f"{module} imports {other}"


def test_the_core_knows_no_plugin() -> None:
    plugins = {path.name.replace("-", "_") for path in (ROOT / "plugins").iterdir() if path.is_dir()}
    for module in CORE_MODULES:
        found = {name.split(".")[0] for name in imports(SOURCES[module], module)}
        assert not found & plugins, module


def test_the_core_names_no_device_file_and_no_variable_of_a_make() -> None:
    words = ("/dev/tenstorrent", "hugepages", "TT_METAL", "TT_VISIBLE")
    for path in sorted((ROOT / "runner").rglob("*.py")):
        text = path.read_text("utf-8")
        assert [word for word in words if word in text] == [], path


def test_the_emulation_is_a_separate_library() -> None:
    for module, path in SOURCES.items():
        found = {name.split(".")[0] for name in imports(path, module)}
        if module.startswith("ttml_emulation"):
            assert not found & {"lesson_runner", "lesson_ct4", "lesson_tenstorrent"}, module
        elif module != "lesson_ct4.device.session":
            assert "ttml_emulation" not in found, module


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {
        name: {
            other
            for other in imports(path, name)
            # A package is imported before what is in it.
            if other in SOURCES and not name.startswith(f"{other}.") and {name, other} not in CIRCLES
        }
        for name, path in SOURCES.items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join([*way[way.index(name) :], name])
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("module", SOURCES)
def test_no_module_is_too_long(module: str) -> None:
    assert len(SOURCES[module].read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "--json"], ["--version"]], ids=" ".join)
@pytest.mark.parametrize("plugins", ["", None], ids=["core", "installed plugins"])
def test_a_fast_command_loads_nothing_heavy(arguments: list[str], plugins: str | None) -> None:
    program = (
        "import sys; from lesson_runner.cli import invoke; code = invoke(sys.argv[2:]);"
        "print(*sorted(set(sys.argv[1].split(',')) & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    # The installed plugins' lessons are read for their ids.
    allowed = {"yaml"} if "list" in arguments else set()
    env = {key: value for key, value in os.environ.items() if key != "LESSON_PLUGINS"}
    command = [sys.executable, "-c", program, ",".join(HEAVY), *arguments]
    env |= {} if plugins is None else {"LESSON_PLUGINS": plugins}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.split()) <= allowed
