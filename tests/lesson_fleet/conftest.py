"""Worker answers, made by running lessons in this process, and collectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_fleet.toys import toy

from lesson_fleet.archive import pack
from lesson_fleet.cells import CellOptions, Document
from lesson_fleet.certificate import Certification
from lesson_fleet.collect import Collector
from lesson_runner.testing import run_lesson

Answer = Callable[..., dict[str, Any]]
Start = Callable[..., Collector]


def document(name: str, *, supported: Sequence[str] = ("n150", "n300")) -> Document:
    text = toy(name, "echo done").encode()
    return Document(name, name, f"{name}.md", text, hashlib.sha256(text).hexdigest(), tuple(supported))


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """A function that returns a worker's answer; another ``script`` makes it the run of another lesson."""

    def make(
        name: str = "toy",
        *,
        passes: int = 1,
        script: str = "echo done",
        labels: str = "emulated,pretended n150",
        host: str = "lab1",
    ) -> dict[str, Any]:
        monkeypatch.setenv("LESSON_LABELS", labels)
        there = tmp_path / f"worker-{len(list(tmp_path.glob('worker-*')))}"
        there.mkdir()
        items = []
        for _ in range(passes):
            record = run_lesson(toy(name, script), there, fresh=True)
            archive = pack(there / ".lesson" / "runs" / record["run_id"])
            items.append(
                {"exit_code": record["exit_code"], "seconds": 1.5, "message": "", "archive": archive}
            )
        return {"host": host, "board": "pretended 1", "refused": None, "passes": items}

    return make


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """A function that returns an empty collector for pretended boards, in the workspace ``workspace``."""

    def make(
        *documents: Document,
        hardware: Sequence[str] = ("n150",),
        passes: int = 1,
        certified: list[tuple[str, list[str]]] | None = None,
    ) -> Collector:
        def certify(lesson: str, runs: Sequence[str]) -> Certification:
            if certified is not None:
                certified.append((lesson, list(runs)))
            return Certification(certified is not None, "certified" if certified is not None else "not asked")

        options = CellOptions(passes, pretended=True)
        return Collector(
            tmp_path / "workspace", documents or [document("toy")], hardware, options, None, certify
        )

    return make
