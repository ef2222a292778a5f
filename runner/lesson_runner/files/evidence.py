"""The files that a step left behind, and how to read them without harm."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from lesson_runner.files.untrusted import open_sized, parse_json
from lesson_runner.model.document import Json

EVIDENCE = "evidence"
"""The folder of a run that has a folder for each step."""
SHARED = "_shared"
"""The folder in there with what several steps use."""
OUTPUT = "output.txt"
"""The file in a step's folder with what it printed."""
MOST_READ = 32 * 1024 * 1024
"""Bytes of a file of evidence that are read, unless somebody asks for more."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    The files a step left behind, which may be a stranger's: read them with the methods.

    These open plain files only, follow no link below the run's folder, and read no file that has another size
    than the record says. Names are paths from the step's folder.
    """

    folder: Path
    """The step's own evidence folder."""
    shared: Path
    """Evidence that steps of a run share, such as the text a model was trained on."""
    output: str = ""
    run: Path | None = None
    """The run's folder; ``None`` if the step's own folder is not in one."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """What the record says of files: bytes, by their path from the run's folder."""

    @classmethod
    def of(cls, run: Path, step: Json, output: str = "") -> Evidence:
        """Return the evidence of a step, as the record has it, of the run in a folder."""
        artifacts = step.get("artifacts", {})
        sizes = {str(name): int(facts["bytes"]) for name, facts in artifacts.items()}
        place = run / EVIDENCE
        return cls(place / str(step["id"]), place / SHARED, output, run, sizes)

    def read_bytes(self, name: str, most: int = MOST_READ) -> bytes:
        """
        Return what is in a file.

        Raises:
            OSError: there is no such file, it is not a plain file, a link leads to it, it is larger than
                ``most`` bytes, or its size is not the recorded one.
        """
        with self.open(name, most) as file:
            return file.read(most)

    def read_text(self, name: str, most: int = MOST_READ) -> str:
        """
        Return the text in a file.

        Raises:
            OSError: as :meth:`read_bytes`.
            ValueError: it is not UTF-8.
        """
        return self.read_bytes(name, most).decode("utf-8")

    def read_json(self, name: str) -> Any:
        """
        Return the JSON in a file; numbers that are not finite become ``None``.

        Raises:
            OSError: as :meth:`read_bytes`.
            ValueError: it is not JSON, is nested too deeply, or has too many values.
        """
        return parse_json(self.read_bytes(name))

    def read_shared(self, name: str, most: int = MOST_READ) -> bytes:
        """
        Return what is in a file of the evidence that the steps of a run share.

        Raises:
            OSError: as :meth:`read_bytes`.
        """
        with self._open(self.shared, name, most) as file:
            return file.read(most)

    def open(self, name: str, most: int = MOST_READ) -> BinaryIO:
        """
        Open a file, to read it bit by bit.

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
