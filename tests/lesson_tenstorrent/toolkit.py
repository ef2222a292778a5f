"""A small checkout of the extension's source."""

from __future__ import annotations

import json
from pathlib import Path

TEMPLATES = {
    "cookbook/game_of_life/game_of_life.py": "from patterns import GLIDER\n\nprint('cells:', len(GLIDER))\n",
    "cookbook/game_of_life/patterns.py": "GLIDER = [(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)]\n",
    "cookbook/a name with $(spaces)/notes.txt": "kept as it is\n",
    "cookbook/__pycache__/old.pyc": "compiled",
    "tt-chat.py": "print('hello')\n",
    "start-vllm-server.py": "print('serving')\n",
}


def make_toolkit(folder: Path, *, templates: str = "content/templates") -> Path:
    """Create a checkout in a folder, and return the folder."""
    for name, text in TEMPLATES.items():
        path = folder / templates / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    package = {"name": "tt-vscode-toolkit", "version": "0.0.1", "contributes": {"commands": []}}
    (folder / "package.json").write_text(json.dumps(package))
    return folder


def button(command: str, name: str = "button", **keys: object) -> str:
    """Return a part of a lesson's text: a button, and the directive that runs its command."""
    fields = "".join(f"{key}: {json.dumps(value)}\n" for key, value in keys.items())
    directive = f"<!-- run\nid: {name}\n{fields}```command-link\n{command}\n```\n-->\n"
    return f"{directive}[A button](command:{command})\n\n"
