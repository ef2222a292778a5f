"""``python -m tools.docs`` writes the pages that are generated from the code."""

from __future__ import annotations

from lesson_runner.resources import write_aside
from tools.docs import doctor, emulation, reliability, rules

if __name__ == "__main__":
    for page in (rules, doctor, emulation, reliability):
        write_aside(page.PAGE, page.text())
