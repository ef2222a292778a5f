"""
Compare the table of commands of Tenstorrent's VS Code extension with a checkout of its source.

``python -m tools.toolkit_commands FOLDER`` prints the commands and templates that only one of them has, and
exits with 1 if there are any. Then change ``plugins/lesson_tenstorrent/links/commands.yaml``, and the commit
and version at its beginning.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from lesson_tenstorrent.links.table import table
from lesson_tenstorrent.links.toolkit import NAME, templates_of

_REGISTERED = re.compile(r"registerCommand\(\s*['\"]([\w.]+)['\"]")
_LINKED = re.compile(r"command:([A-Za-z]\w*(?:\.\w+)+)")


def differences(folder: Path) -> Iterator[str]:
    """
    Yield a line for each difference between the table and a checkout of the extension's source.

    Raises:
        OSError: the folder cannot be read, or is not such a checkout.
    """
    templates = templates_of(folder)
    if templates is None:
        raise FileNotFoundError(f"{folder} is not the source of {NAME}")
    commands = table().commands
    declared = {
        item["command"] for item in json.loads(_text(folder / "package.json"))["contributes"]["commands"]
    }
    registered = _found(_REGISTERED, folder / "src", "*.ts")
    linked = {name for name in _found(_LINKED, folder / "content", "*.md") if name.startswith("tenstorrent.")}
    for name in sorted((declared | registered | linked) - commands.keys()):
        yield f"{name}: the table does not have it"
    for name in sorted(commands.keys() - declared - registered):
        yield f"{name}: only the table has it"
    for name in sorted(registered & commands.keys()):
        if commands[name].shows_nothing:
            yield f"{name}: the table says that it has no code, but it has"
    for name, command in sorted(commands.items()):
        for template in command.copies:
            if not (templates / template).exists():
                yield f"{name}: there is no template {template}"


def _found(pattern: re.Pattern[str], folder: Path, files: str) -> set[str]:
    return {name for path in sorted(folder.rglob(files)) for name in pattern.findall(_text(path))}


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace")


def main(arguments: list[str] | None = None) -> int:
    """Print the differences; return 1 if there are any, and 2 if the folder is not a checkout."""
    parser = argparse.ArgumentParser(prog="python -m tools.toolkit_commands", description=__doc__)
    parser.add_argument("folder", type=Path, help=f"a checkout of {table().repository}")
    try:
        found = list(differences(parser.parse_args(arguments).folder))
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(found) or f"no differences; the table was made from {table().commit} ({table().version})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
