"""
Guides whose examples are run, from top to bottom, in one folder.

What a fenced block is, its language and the paragraph above it say:

- ``console`` and ``bash`` with ``$ `` prompts: the commands are run, and print what is shown. A line ``...``
  matches any lines, ``...`` within a line matches any text. Where nothing is shown, they must succeed.
- below a paragraph that begins "Write `file`" or "Add to `file`": the block becomes that file, or is added to
  it; below one that begins "In `file`": the file has these lines already.
- ``markdown`` that begins with ``---``: a lesson. It has no finding, unless ``broken`` stands behind
  ``markdown``; if the paragraph above names a file, it is written there.
- any other ``python``: run; all such blocks share their names.
- ``json``, ``toml``, ``yaml``: can be read.

The blocks are found by the parser of lessons: it knows the paragraph above a block, which Sybil does not, and
what Sybil has besides (running Python under the right line numbers) is two lines here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from lesson_runner.document.frontmatter import Parts
from lesson_runner.document.parser import parse
from lesson_runner.model import Block

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_FILE = re.compile(r"`([\w./-]+\.\w+)`")
_PIP = """#!/bin/sh
# What `pip install -e .` does, without the network: dependencies are there, the folder is on the path.
exec "{python}" -m pip install --quiet --upgrade --no-deps --no-index --no-build-isolation --target "{site}" .
"""


class Guide:
    """A document, and the folder in which its examples are run."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.text = path.read_text("utf-8")
        self.here = self.folder = folder / "guide"
        self.names: dict[str, Any] = {"__name__": "guide"}
        self._site = folder / "site"
        self._programs = folder / "bin"
        self.folder.mkdir()
        self._programs.mkdir()
        pip = self._programs / "pip"
        pip.write_text(_PIP.format(python=sys.executable, site=self._site))
        pip.chmod(0o755)

    def check(self) -> None:
        """Run every example; the first that is not as the guide says raises with its place."""
        end = 0
        for block in parse(Parts(None, self.text, 3), self.path).blocks:
            line = block.location.line - 2
            alone = not "".join(self.text.split("\n")[end : line - 2]).strip()  # directly below another one
            end = line + block.text.count("\n")
            try:
                self._check(replace(block, lead="") if alone else block, line)
            except Exception as error:
                raise AssertionError(f"{self.path.name}:{line}: {type(error).__name__}: {error}") from error

    def _check(self, block: Block, line: int) -> None:
        file = _FILE.findall(block.lead)[-1:]
        target = self.here / file[0] if file else None
        lesson = block.language in ("markdown", "md") and block.text.startswith("---\n")
        if target and block.lead.startswith("In "):
            assert block.text in target.read_text("utf-8"), f"{file[0]} does not have these lines"
        elif target and (lesson or block.lead.startswith(("Write ", "Add to "))):
            before = target.read_text("utf-8") + "\n\n" if block.lead.startswith("Add to ") else ""
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(before + block.text, "utf-8")
        elif block.language in ("console", "bash") and block.text.startswith("$ "):
            self._console(block.text)
        elif block.language == "python":
            program = "\n" * (line - 1) + block.text
            exec(compile(program, str(self.path), "exec"), self.names)
        elif block.language in ("json", "toml", "yaml"):
            readers: dict[str, Callable[[str], object]] = {"json": json.loads, "toml": tomllib.loads}
            readers.get(block.language, yaml.safe_load)(block.text)
        if lesson:
            self._lesson(block, target, broken=self._info(line).endswith(" broken"))

    def _info(self, line: int) -> str:
        """Return the text on the line of the block's fence."""
        return self.text.split("\n")[line - 2]

    def _lesson(self, block: Block, target: Path | None, *, broken: bool) -> None:
        path = target or self.folder / "lesson-of-the-guide.md"
        path.write_text(block.text, "utf-8")
        said = self._run(f"lesson validate --json '{path}'").stdout
        findings = [f"{item['line']}: {item['message']}" for item in json.loads(said)["findings"]]
        assert bool(findings) == broken, "\n".join(findings) or "nothing is wrong with it"
        if target is None:
            path.unlink()

    def _console(self, text: str) -> None:
        for command, shown in commands(text):
            done = self._run(command)
            if shown:
                assert shows(done.stdout, shown), f"$ {command}\nprints:\n{done.stdout}"
            else:
                assert done.returncode == 0, f"$ {command}\nends with {done.returncode}:\n{done.stdout}"

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        # As if installed in place: what the guide changes in a project counts at once.
        projects = [str(path.parent) for path in sorted(self.folder.glob("*/pyproject.toml"))]
        own = {key: value for key, value in os.environ.items() if not key.startswith("LESSON_")}
        env = {
            **own,
            "PATH": os.pathsep.join(
                [str(self._programs), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([*projects, str(self._site)]),
        }
        done = subprocess.run(
            ["bash", "-c", f'{command}\ncode=$?; pwd > "$0"; exit $code', str(self._programs / "here")],
            check=False,
            cwd=self.here,
            env=env,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.here = Path((self._programs / "here").read_text().strip())
        return done


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of a console block, each with the lines shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        yield command, shown


def shows(output: str, shown: list[str]) -> bool:
    """Return whether ``output`` is what a guide shows."""
    pattern = ""
    for row in shown:
        text = r".*".join(re.escape(part) for part in row.rstrip().split("..."))
        pattern += r"(?:.*\n)*?" if row.strip() == "..." else rf"{text}[ \t]*\n"
    return re.fullmatch(pattern, output.rstrip("\n") + "\n") is not None
