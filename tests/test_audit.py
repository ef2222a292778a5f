"""What `.ci/audit` makes of a report of pip-audit's: only a vulnerability with a fix is a failure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[1] / ".ci" / "audit"


def package(name: str, *vulnerabilities: list[str], **more: Any) -> dict[str, Any]:
    found = [{"id": f"PYSEC-{n}", "fix_versions": fixed} for n, fixed in enumerate(vulnerabilities, 1)]
    return {"name": name, "version": "1.0", "vulns": found, **more}


UNKNOWN = {"name": "one", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        (
            {"dependencies": [UNKNOWN, UNKNOWN]},
            0,
            "skipped: the database of vulnerabilities knows none of the 2",
        ),
        ({"dependencies": []}, 0, "skipped: the database"),
        ({"dependencies": [UNKNOWN, package("two")]}, 0, "1 of 2 packages are known to the database; 0 vuln"),
        ({"dependencies": [package("two", [])]}, 0, "two 1.0: PYSEC-1, not fixed in any version yet"),
        ({"dependencies": [package("two", [], ["1.1", "2.0"])]}, 1, "two 1.0: PYSEC-2, fixed in 1.1, 2.0"),
        ({}, 0, "skipped: pip-audit has no answer"),
        (None, 0, "skipped: pip-audit has no answer"),
    ],
)
def test_what_a_report_means(tmp_path: Path, report: Any, code: int, said: str) -> None:
    path = tmp_path / "report.json"
    if report is not None:
        path.write_text(json.dumps(report))
    done = subprocess.run(
        [sys.executable, str(AUDIT), str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, said in done.stdout, done.stderr) == (code, True, ""), done
