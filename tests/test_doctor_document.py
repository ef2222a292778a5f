"""``docs/doctor.md`` is what the table of checks says."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from lesson_runner import resources
from lesson_tenstorrent import document
from lesson_tenstorrent.table import CHECKS, KNOWN


def test_the_document_is_up_to_date() -> None:
    again = f"write it again: {Path(sys.executable).name} -m {document.__name__}"
    assert document.DOCUMENT.read_text("utf-8") == document.document(), again


def test_every_check_is_in_it_once_with_all_that_is_to_be_said() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+) \| (.+) \| (.+) \|$", document.document(), re.MULTILINE)
    assert [row[0] for row in rows] == [check.id for check in CHECKS]
    assert all(
        len(about) > 10 and why == check.why for (_, about, why, _), check in zip(rows, CHECKS, strict=True)
    )


def test_symptoms_lead_to_checks_that_exist() -> None:
    assert {name for _, ids in document.SYMPTOMS for name in ids} <= set(KNOWN)


def test_running_the_module_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[Path, str] = {}
    monkeypatch.setattr(resources, "write_aside", written.__setitem__)
    runpy.run_path(document.__file__, run_name="__main__")
    assert written == {document.DOCUMENT: document.document()}
