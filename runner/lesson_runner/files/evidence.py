"""The evidence files of a step, and safe ways to read them."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from lesson_runner.files.untrusted import open_sized, parse_json
from lesson_runner.model.document import Json

EVIDENCE = "evidence"
"""The folder in a run folder that contains a folder for each step."""
SHARED = "_shared"
"""The folder in there with files that several steps share."""
OUTPUT = "output.txt"
"""The file in a step's folder with its output."""
STDOUT = "stdout.txt"
"""The file with its standard output alone, if that was read separately."""
GAPS = "gaps.json"
"""The file that says which lines of these two were not kept; missing if all were kept."""
MAX_READ = 32 * 1024 * 1024
"""The default size limit for reading a file, in bytes."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    The files of a step, which may come from a stranger: read them only with the methods.

    The methods open only plain files, follow no links below the run folder, and refuse files whose size
    differs from the record. Names are paths relative to the step's folder, with ``/``.
    """

    folder: Path
    """The step's evidence folder."""
    shared: Path
    """The folder of evidence that the steps of a run share, such as the text a model was trained on."""
    output: str = ""
    """The step's output: the text of ``Outcome.output``, or everything passed to ``context.say``."""
    run: Path | None = None
    """The run folder; ``None`` if the step's folder is not in one."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Sizes from the record, in bytes, by the file's path from the run folder; empty while the step runs."""

    @classmethod
    def of(cls, run: Path, step: Json, output: str = "") -> Evidence:
        """Return the evidence of a step; ``run`` is the run folder, ``step`` its entry in the record."""
        artifacts = step.get("artifacts", {})
        sizes = {str(name): int(facts["bytes"]) for name, facts in artifacts.items()}
        place = run / EVIDENCE
        return cls(place / str(step["id"]), place / SHARED, output, run, sizes)

    def has(self, name: str) -> bool:
        """Return whether the record lists a file; while the step runs, whether the file exists."""
        if self.run is None or not self.sizes:
            return (self.folder / name).exists()
        return (self.folder / name).relative_to(self.run).as_posix() in self.sizes

    def read_bytes(self, name: str, most: int = MAX_READ) -> bytes:
        """
        Return the content of a file.

        Raises:
            OSError: there is no such file, it is not a plain file, its path has a link in it, it is larger
                than ``most`` bytes, or its size differs from the record.
        """
        with self.open(name, most) as file:
            return file.read(most)

    def read_text(self, name: str, most: int = MAX_READ) -> str:
        """
        Return the text in a file.

        Raises:
            OSError: as :meth:`read_bytes`.
            ValueError: it is not UTF-8.
        """
        return self.read_bytes(name, most).decode("utf-8")

    def read_json(self, name: str) -> Any:
        """
        Return the parsed JSON of a file; numbers that are not finite become ``None``.

        Raises:
            OSError: as :meth:`read_bytes`.
            ValueError: it is not JSON, is nested too deeply, or has too many values.
        """
        return parse_json(self.read_bytes(name))

    def read_shared(self, name: str, most: int = MAX_READ) -> bytes:
        """
        Return the content of a file in the shared evidence.

        Raises:
            OSError: as :meth:`read_bytes`.
        """
        with self._open(self.shared, name, most) as file:
            return file.read(most)

    def open(self, name: str, most: int = MAX_READ) -> BinaryIO:
        """
        Open a file, to read it in parts.

        Raises:
            OSError: as :meth:`read_bytes`.
        """
        return self._open(self.folder, name, most)

    def _open(self, folder: Path, name: str, most: int) -> BinaryIO:
        base = self.run or folder
        try:
            name = (folder / name).relative_to(base).as_posix()
        except ValueError:
            raise OSError(errno.EINVAL, "its path leaves the folder", str(folder / name)) from None
        return open_sized(base, name, most, self.sizes.get(name))
