"""
Mutation testing of the code that must be exactly right: directives, matchers, policies, certificates.

``python -m tools.mutation [AREA…]`` makes one small change at a time in the code of an area and runs the
area's tests on each; a mutant that no test notices has survived. mutmut (the extra ``mutation``) makes the
mutants and runs them, in a copy of the project; ``docs/mutation.md`` lists what survives, and why.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / ".mutation"
"""
Copies and results. A run continues where the last one stopped, and tries again the mutants that were not
noticed; delete the folder to start from scratch, for example after you change tests that noticed a mutant.
"""
CAUGHT = ("killed", "timeout", "segfault", "suspicious")
COPIED = ("README.md", "docs", "lessons", "plugins", "schemas", "tests", "tools")


@dataclass(frozen=True, slots=True)
class Area:
    """Modules of ``lesson_runner``, and the tests that should notice faults in them."""

    modules: Sequence[str]
    tests: Sequence[str]


AREAS: Mapping[str, Area] = {
    "directives": Area(
        (
            "document/directives",
            "document/parser",
            "document/frontmatter",
            "document/yaml_errors",
            "document/yaml_text",
            "document/steps",
        ),
        tuple(
            f"document/test_{name}.py"
            for name in ("directives", "document_parts", "frontmatter", "yaml_text", "steps")
        ),
    ),
    "matchers": Area(
        ("run/judge", "run/time_limit"),
        tuple(f"run/test_{name}.py" for name in ("judge", "time_limit", "verdicts")),
    ),
    "policy": Area(
        (
            "certify/policy",
            "certify/rejudge",
            "certify/policy_input",
            "certify/classes",
            "certify/requirements",
        ),
        tuple(f"certify/test_{name}.py" for name in ("rejudge", "classes", "policy", "requirements")),
    ),
    "statements": Area(
        ("files/canonical", "certify/envelope", "certify/statement"),
        ("files/test_canonical.py", "certify/test_envelope.py", "certify/test_statement.py"),
    ),
    "verification": Area(
        ("certify/subjects", "certify/verify"),
        tuple(f"certify/test_{name}.py" for name in ("subjects", "verified", "verify")),
    ),
}


def undecorated(source: str) -> str:
    """Return an equivalent module whose properties and context managers mutmut mutates too."""
    rows = source.split("\n")
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(found, key=lambda item: -item.lineno):
        names = [ast.unparse(item) for item in node.decorator_list]
        if names in (["property"], ["contextmanager"]):
            rows.insert(node.end_lineno or 0, f"{' ' * node.col_offset}{node.name} = {names[0]}({node.name})")
            del rows[node.decorator_list[0].lineno - 1]
    return "\n".join(rows)


def prepare(name: str) -> Path:
    """Return a folder as mutmut expects it: the code in ``src``, and what tests need next to it."""
    folder, area = WORK / name, AREAS[name]
    modules = [f"src/lesson_runner/{module}.py" for module in area.modules]
    for item in ("runner", *COPIED):
        target = folder / item.replace("runner", "src")
        if (ROOT / item).is_file():
            shutil.copy2(ROOT / item, target)
            continue
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ROOT / item, target, ignore=shutil.ignore_patterns("__pycache__"))
    for module in modules:
        path = folder / module
        facts = path.stat()
        path.write_text(undecorated(path.read_text("utf-8")), "utf-8")
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # mutmut makes mutants of newer files again
    settings = {
        "source_paths": ["src"],
        "only_mutate": modules,
        "also_copy": COPIED,
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-m", "not slow"],
        "pytest_add_cli_args_test_selection": [f"tests/lesson_runner/{test}" for test in area.tests],
        "timeout_multiplier": 3.0,
        "timeout_constant": 10.0,
    }
    rows = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text("\n".join([project, "[tool.mutmut]", *rows, ""]), "utf-8")
    return folder


def mutmut(folder: Path, *arguments: str) -> str:
    """
    Run mutmut in a folder and return what it printed.

    Raises:
        SystemExit: mutmut failed; the message is what it printed.
    """
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-3000:])
    return done.stdout


def results(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every mutant of an area, and its result."""
    for row in mutmut(folder, "results", "--all", "true").splitlines():
        name, _, status = row.strip().rpartition(": ")
        yield name, status


def report(name: str, folder: Path) -> None:
    """Print an area's numbers by module, and each mutant that survived."""
    found = list(results(folder))
    every, caught = Counter[str](), Counter[str]()
    for mutant, status in found:
        for part in (mutant.rpartition(".")[0].removeprefix("lesson_runner."), name):
            every[part] += 1
            caught[part] += status in CAUGHT
    for mutant, status in found:
        if status not in CAUGHT:
            print(mutmut(folder, "show", mutant))
    print(
        "\n".join(
            f"| {part} | {every[part]} | {caught[part]} | {caught[part] / every[part]:.1%} |"
            for part in every
        )
    )


def main(names: Sequence[str]) -> None:
    """Test the areas that are named, or all of them."""
    if shutil.which("mutmut", path=os.fspath(Path(sys.executable).parent)) is None:
        raise SystemExit('mutmut is not installed: pip install -e ".[mutation]"')
    for name in names or AREAS:
        is_new = not (WORK / name).exists()
        folder = prepare(name)
        mutmut(folder, "run", "--max-children", "1")
        again = [mutant for mutant, status in results(folder) if status != "killed"]
        if again and not is_new:
            mutmut(folder, "run", "--max-children", "1", *again)
        report(name, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
