"""What a step printed, as far as a report shows it: the beginning and the end, without escapes or tokens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lesson_runner.report.runs.phrases import public

OUTPUT = "output.txt"
BEGINNING = 48 * 1024
"""Bytes shown of the beginning of an output that is too long."""
END = 16 * 1024
"""Bytes shown of its end, where a failure usually is."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The output of a step; ``end`` is empty unless something between the two was left out."""

    beginning: str
    end: str = ""
    left_out: int = 0
    """Bytes."""
    path: str = ""
    """Where all of it is, from the run's folder."""

    @property
    def note(self) -> str:
        """What stands between the beginning and the end."""
        return f"… {self.left_out:,} bytes left out; all of it: {self.path} …"

    @property
    def text(self) -> str:
        """Beginning, note and end as one text."""
        return f"{self.beginning}\n{self.note}\n{self.end}" if self.left_out else self.beginning


def read_output(folder: Path, step: str) -> Excerpt | None:
    """
    Return what a step printed.

    Returns:
        ``None`` if it printed nothing, or its evidence is not beside the record. A record may come from
        anywhere, so a step's id that leads out of the run's folder finds nothing either.
    """
    path = folder / "evidence" / step / OUTPUT
    try:
        if not path.resolve().is_relative_to((folder / "evidence").resolve()) or not path.is_file():
            return None
        size = path.stat().st_size
        with path.open("rb") as file:
            if size <= BEGINNING + END:
                head, tail = file.read(BEGINNING + END), b""
            else:
                head = file.read(BEGINNING)
                file.seek(size - END)
                tail = file.read(END)
    except (OSError, ValueError, RuntimeError):  # a name with a null byte, or a circle of links
        return None
    if tail:  # whole lines, where there are any
        head = head[: head.rfind(b"\n") + 1] or head
        tail = tail[tail.find(b"\n") + 1 :] or tail
    if not head.strip():
        return None
    beginning, end = (public(part.decode("utf-8", "replace")).rstrip() for part in (head, tail))
    hidden = size - len(head) - len(tail)
    return Excerpt(beginning, end, hidden, path.relative_to(folder).as_posix())
