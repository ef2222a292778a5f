"""The YAML between the two ``---`` lines at the top of a lesson."""

from __future__ import annotations

from pathlib import Path

from lesson_runner.markdown.yamltext import Origin, YamlText, load
from lesson_runner.model import Diagnostic, Location


def read_frontmatter(text: str, path: Path) -> YamlText:
    """
    Return the frontmatter of a document; its data is always a mapping.

    Never raises: a document without frontmatter gives an empty mapping and an error.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        late = text.lstrip().startswith("---\n")
        fix = "delete the empty lines above '---'" if late else "begin it with a line '---'"
        return _failed(path, 1, "the document does not begin with frontmatter", fix)
    end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        return _failed(path, 1, "the frontmatter is not closed", "end it with a line '---'")
    parsed = load("\n".join(lines[1:end]), Origin(path, line=2))
    if parsed.diagnostics:
        return YamlText({}, parsed.positions, parsed.diagnostics)
    if not isinstance(parsed.data, dict):
        return _failed(
            path, 2, "the frontmatter is not a mapping of keys to values", "write 'key: value' lines"
        )
    return parsed


def body_of(text: str) -> str:
    """Return a document (with LF line ends) without its frontmatter; all of it if it has none."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return text
    end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    return text if end is None else "\n".join(lines[end + 1 :])


def _failed(path: Path, line: int, message: str, fix: str) -> YamlText:
    return YamlText({}, diagnostics=(Diagnostic("frontmatter", "error", message, Location(path, line), fix),))
