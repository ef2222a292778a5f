"""``python -m tools.docs`` writes the pages that are generated from the code."""

from __future__ import annotations

from lesson_runner.files.plain import write_atomically
from tools.docs import doctor, emulation, reference, reliability, rules

if __name__ == "__main__":
    for page in (rules, doctor, emulation, reference, reliability):
        write_atomically(page.PAGE, page.text())
