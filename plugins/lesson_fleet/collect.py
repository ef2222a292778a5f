"""What came back: one result for each cell, kept in a file that is written anew after each of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from lesson_fleet.archive import unpack
from lesson_fleet.cells import PRETENDED, Cell, CellOptions, Document
from lesson_fleet.certificate import Certification
from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.files.plain import new_folder, write_atomically
from lesson_runner.model.errors import LessonError
from lesson_runner.run.record import now
from lesson_runner.run.stored import read_run

RESULTS = "results.json"
Ending = Literal["finished", "interrupted"]


class Collector:
    """
    The results of one fleet run.

    Args:
        workspace: gets the runs, and the results below ``fleet/``.
        documents: the lessons.
        hardware: the kinds of boards.
        options: how each cell is run.
        address: the cluster's, or ``None`` for a Ray that was started for this.
        certify: asked about each cell that has runs: the lesson's path and the names of the runs' folders.

    Raises:
        LessonError: the workspace cannot be written.
    """

    def __init__(
        self,
        workspace: Path,
        documents: Sequence[Document],
        hardware: Sequence[str],
        options: CellOptions,
        address: str | None,
        certify: Callable[[str, Sequence[str]], Certification],
    ) -> None:
        self._runs = workspace / "runs"
        self._documents = {document.id: document for document in documents}
        self._options = options
        self._certify = certify
        cells = [Cell(document.id, kind) for document in documents for kind in hardware]
        self._cells = {cell: self._empty(cell) for cell in cells}
        self._data: dict[str, Any] = {
            "fleet_version": 1,
            "status": "running",
            "pretended": options.pretended,
            "address": address,
            "started": now(),
            "finished": None,
            "lessons": [
                {key: getattr(document, key) for key in ("id", "title", "path", "sha256")}
                for document in documents
            ],
            "hardware": list(hardware),
            "passes": options.passes,
            "profile": options.profile,
            "backend": "emulated" if options.pretended else options.backend,
            "params": list(options.params),
            "results": list(self._cells.values()),
        }
        self.folder = _new_folder(workspace / "fleet")
        self._write()

    def _empty(self, cell: Cell) -> dict[str, Any]:
        supported = self._documents[cell.lesson].supported
        message = "" if cell.hardware in supported else f"the lesson is for {', '.join(supported)}"
        return {
            "lesson": cell.lesson,
            "hardware": cell.hardware,
            "pretended": self._options.pretended,
            "status": "not-supported" if message else "waiting",
            "message": message,
            "attempts": 0,
            "losses": [],
            "host": None,
            "board": None,
            "seconds": 0.0,
            "passes": [],
            "certificate": None,
        }

    @property
    def data(self) -> Mapping[str, Any]:
        """The results as they are in the file, which ``schemas/fleet.schema.json`` describes."""
        return self._data

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / RESULTS

    def waiting(self) -> list[Cell]:
        """Return the cells that have no result yet."""
        return [cell for cell, result in self._cells.items() if result["status"] == "waiting"]

    def result(self, cell: Cell) -> Mapping[str, Any]:
        """Return what is known of a cell."""
        return self._cells[cell]

    def started(self, cell: Cell) -> int:
        """Note that a cell is given to a worker, and return how often it has been."""
        self._cells[cell]["attempts"] += 1
        return int(self._cells[cell]["attempts"])

    def worker_lost(self, cell: Cell, reason: str) -> None:
        """Note that a worker was lost while it ran a cell."""
        self._cells[cell]["losses"].append(reason)
        self._write()

    def take(self, cell: Cell, answer: Mapping[str, Any]) -> bool:
        """
        Keep a worker's answer and bring the runs it holds into the workspace.

        Returns:
            False if the cell had a result already: the first one stays, and nothing of this one is kept.
        """
        result = self._cells[cell]
        if result["status"] != "waiting":
            return False
        passes = [self._bring(cell, item) for item in answer["passes"]]
        failed = next((item for item in passes if item["status"] != "passed"), None)
        missing = len(passes) < self._options.passes
        message = answer["refused"] or (failed["message"] if failed else "")
        bad = bool(answer["refused"] or failed or missing)
        result.update(
            status="failed" if bad else "passed",
            message=message or ("a pass did not come back" if bad else ""),
            host=answer["host"],
            board=answer["board"],
            seconds=round(sum(item["seconds"] for item in passes), 3),
            passes=passes,
        )
        runs = [item["run"] for item in passes if item["run"]]
        if runs and not bad:
            said = self._certify(self._documents[cell.lesson].path, runs)
            result["certificate"] = {"issued": said.issued, "message": said.message}
        self._write()
        return True

    def give_up(self, cell: Cell, status: Literal["failed", "lost"], message: str) -> bool:
        """Note that a cell ends without an answer; return False if it had a result already."""
        result = self._cells[cell]
        if result["status"] != "waiting":
            return False
        result.update(status=status, message=message)
        self._write()
        return True

    def finish(self, status: Ending) -> None:
        """Note that no more will come."""
        self._data.update(status=status, finished=now())
        self._write()

    def _bring(self, cell: Cell, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return one pass as the results have it, with its run in the workspace if one came along."""
        told = {
            "status": "failed",
            "exit_code": item["exit_code"],
            "seconds": item["seconds"],
            "message": item["message"] or f"exit code {item['exit_code']}, and no run came back",
            "run": None,
            "labels": [],
        }
        if item["archive"] is None:
            return told
        try:
            folder = self._place(cell, item["archive"])
        except LessonError as error:
            return {**told, "message": str(error)}
        record = read_run(folder)
        passed = record["status"] == "passed" and item["exit_code"] == 0
        return {
            **told,
            "status": "passed" if passed else "failed",
            "message": "" if passed else _why(record, item["exit_code"]),
            "run": folder.name,
            "labels": record["labels"],
        }

    def _place(self, cell: Cell, archive: bytes) -> Path:
        """
        Put a run into the workspace, and return its folder, which no other run has.

        Raises:
            LessonError: it is damaged, or of another lesson.
        """
        arriving = self.folder / ".arriving"
        unpack(archive, arriving)
        try:
            record = read_run(arriving)
            document = self._documents[cell.lesson]
            if record["lesson"]["id"] != document.id or record["lesson"]["sha256"] != document.sha256:
                raise LessonError("the run that came back is of another lesson")
            if self._options.pretended and f"{PRETENDED} {cell.hardware}" not in record["labels"]:
                raise LessonError("the run that came back does not say that its board was pretended")
            return _move(
                arriving, self._runs, _name(record["run_id"], cell, pretended=self._options.pretended)
            )
        except BaseException:
            shutil.rmtree(arriving, ignore_errors=True)
            raise

    def _write(self) -> None:
        text = json.dumps(self._data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            write_atomically(self.path, text)
        except OSError as error:
            raise LessonError(f"{self.path}: cannot be written: {error.strerror or error}") from None


def _name(run_id: str, cell: Cell, *, pretended: bool) -> str:
    """Return a run's name in this workspace: two workers may have begun one within the same second."""
    kind = f"{PRETENDED}-{cell.hardware}" if pretended else cell.hardware
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in run_id)
    return f"{plain.lstrip('.')[:150]}-{kind}"


def _move(folder: Path, runs: Path, name: str) -> Path:
    """Rename a folder into ``runs``, where it gets a name that is not taken."""
    runs.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        target = runs / (name if number == 1 else f"{name}-{number}")
        try:
            target.mkdir()  # the name is ours, also if others do the same at this moment
        except FileExistsError:
            continue
        return folder.rename(target)
    raise LessonError(f"{runs}: a thousand runs are called {name}")


def _why(record: Mapping[str, Any], exit_code: int) -> str:
    """Return the first thing that went wrong in a run."""
    for step in record["steps"]:
        if step["status"] in ("failed", "error") and not step.get("optional"):
            return mask(f"step '{step['id']}': {step['message']}")
    return f"its record says {record['status']}, and its exit code was {exit_code}"


def _new_folder(fleet: Path) -> Path:
    """Create and return an empty folder, named by the time."""
    name = f"{datetime.now():%Y%m%d-%H%M%S}"  # local time: people look for it
    try:
        return new_folder(fleet, name)
    except OSError as error:
        fix = "name a folder you can write with --workspace"
        raise LessonError(f"{fleet / name}: cannot be created: {error.strerror or error}", fix=fix) from None
