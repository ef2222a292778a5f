"""The results of a fleet run: one for each cell, in a file that is rewritten after each result."""

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
        workspace: receives the runs, and the results below ``fleet/``.
        documents: the lessons.
        hardware: the kinds of boards.
        options: how each cell is run.
        address: the cluster's address; ``None`` if Ray was started for this run.
        certify: called for each cell that passed, with the lesson's path and the names of the run folders.

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
        """The contents of the results file, as ``schemas/fleet.schema.json`` describes them."""
        return self._data

    @property
    def path(self) -> Path:
        """The results file."""
        return self.folder / RESULTS

    def waiting(self) -> list[Cell]:
        """Return the cells that have no result yet."""
        return [cell for cell, result in self._cells.items() if result["status"] == "waiting"]

    def result(self, cell: Cell) -> Mapping[str, Any]:
        """Return the result of a cell so far."""
        return self._cells[cell]

    def started(self, cell: Cell) -> int:
        """Count an attempt at a cell, and return the number of attempts so far."""
        self._cells[cell]["attempts"] += 1
        return int(self._cells[cell]["attempts"])

    def worker_lost(self, cell: Cell, reason: str) -> None:
        """Record that a worker was lost while it ran a cell."""
        self._cells[cell]["losses"].append(reason)
        self._write()

    def take(self, cell: Cell, answer: Mapping[str, Any]) -> bool:
        """
        Record a worker's answer, and import its runs into the workspace.

        Returns:
            False if the cell already had a result: the first one is kept, this one is dropped.
        """
        result = self._cells[cell]
        if result["status"] != "waiting":
            return False
        passes = [self._import_pass(cell, item) for item in answer["passes"]]
        failed = next((item for item in passes if item["status"] != "passed"), None)
        missing = len(passes) < self._options.passes
        message = answer["refused"] or (failed["message"] if failed else "")
        bad = bool(answer["refused"] or failed or missing)
        result.update(
            status="failed" if bad else "passed",
            message=message or ("a pass returned no result" if bad else ""),
            host=answer["host"],
            board=answer["board"],
            seconds=round(sum(item["seconds"] for item in passes), 3),
            passes=passes,
        )
        runs = [item["run"] for item in passes if item["run"]]
        if runs and not bad:
            certification = self._certify(self._documents[cell.lesson].path, runs)
            result["certificate"] = {"issued": certification.issued, "message": certification.message}
        self._write()
        return True

    def give_up(self, cell: Cell, status: Literal["failed", "lost"], message: str) -> bool:
        """Record that a cell ended without an answer; return False if it already had a result."""
        result = self._cells[cell]
        if result["status"] != "waiting":
            return False
        result.update(status=status, message=message)
        self._write()
        return True

    def finish(self, status: Ending) -> None:
        """Record that the fleet run is over."""
        self._data.update(status=status, finished=now())
        self._write()

    def _import_pass(self, cell: Cell, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of one pass, after importing its run into the workspace if there is one."""
        result = {
            "status": "failed",
            "exit_code": item["exit_code"],
            "seconds": item["seconds"],
            "message": item["message"] or f"exit code {item['exit_code']}, and no run was returned",
            "run": None,
            "labels": [],
        }
        if item["archive"] is None:
            return result
        try:
            folder = self._store_run(cell, item["archive"])
        except LessonError as error:
            return {**result, "message": str(error)}
        record = read_run(folder)
        passed = record["status"] == "passed" and item["exit_code"] == 0
        return {
            **result,
            "status": "passed" if passed else "failed",
            "message": "" if passed else _why(record, item["exit_code"]),
            "run": folder.name,
            "labels": record["labels"],
        }

    def _store_run(self, cell: Cell, archive: bytes) -> Path:
        """
        Unpack a run into a new folder of the workspace, and return the folder.

        Raises:
            LessonError: the archive is damaged, or the run is of another lesson.
        """
        arriving = self.folder / ".arriving"
        unpack(archive, arriving)
        try:
            record = read_run(arriving)
            document = self._documents[cell.lesson]
            if record["lesson"]["id"] != document.id or record["lesson"]["sha256"] != document.sha256:
                raise LessonError("the returned run is of another lesson")
            if self._options.pretended and f"{PRETENDED} {cell.hardware}" not in record["labels"]:
                raise LessonError("the returned run is not labelled as run on a pretended board")
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
    """Return a run's name in this workspace; two workers may have started runs within the same second."""
    kind = f"{PRETENDED}-{cell.hardware}" if pretended else cell.hardware
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in run_id)
    return f"{plain.lstrip('.')[:150]}-{kind}"


def _move(folder: Path, runs: Path, name: str) -> Path:
    """Move a folder into ``runs``, under the first free name."""
    runs.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        target = runs / (name if number == 1 else f"{name}-{number}")
        try:
            target.mkdir()  # reserves the name, even if other processes do the same now
        except FileExistsError:
            continue
        return folder.rename(target)
    raise LessonError(f"{runs}: a thousand runs are already called {name}")


def _why(record: Mapping[str, Any], exit_code: int) -> str:
    """Return the first failure of a run, in words."""
    for step in record["steps"]:
        if step["status"] in ("failed", "error") and not step.get("optional"):
            return mask(f"step '{step['id']}': {step['message']}")
    return f"its record says {record['status']}, but its exit code was {exit_code}"


def _new_folder(fleet: Path) -> Path:
    """Create and return an empty folder, named by the time."""
    name = f"{datetime.now():%Y%m%d-%H%M%S}"  # local time, for people
    try:
        return new_folder(fleet, name)
    except OSError as error:
        fix = "name a folder you can write with --workspace"
        raise LessonError(f"{fleet / name}: cannot be created: {error.strerror or error}", fix=fix) from None
