"""``docs/rules.md`` is what the table of rules says."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from lesson_runner import resources
from lesson_runner.rules import document
from lesson_runner.rules.table import RULES


def test_the_document_is_up_to_date() -> None:
    again = f"write it again: {Path(sys.executable).name} -m {document.__name__}"
    assert document.DOCUMENT.read_text("utf-8") == document.document(), again


def test_every_rule_is_in_it_once() -> None:
    found = re.findall(r"^\| \[`([\w.-]+)`\]\(.*?\) \| (\w+) \| (.*) \|$", document.document(), re.MULTILINE)
    assert sorted(found) == sorted((rule.id, rule.severity, rule.summary) for rule in RULES)


def test_running_the_module_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[Path, str] = {}
    monkeypatch.setattr(resources, "write_aside", written.__setitem__)
    runpy.run_path(document.__file__, run_name="__main__")
    assert written == {document.DOCUMENT: document.document()}
