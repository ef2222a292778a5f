"""What a step printed, as it is judged and as it is stored, so that it can be judged again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lesson_runner.execute.lines import BoundedLines, without_middle
from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.files.evidence import GAPS, OUTPUT, STDOUT, Evidence
from lesson_runner.model import Gap, Outcome


@dataclass(frozen=True, slots=True)
class Printed:
    """What a step printed."""

    output: str = ""
    """Everything, as far as it was kept."""
    stdout: str | None = None
    """Standard output alone; ``None`` if it was not read separately."""
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    """The lines that were not kept of ``output`` and ``stdout``, by that name."""

    @classmethod
    def by(cls, outcome: Outcome, said: BoundedLines, redactor: Redactor) -> Printed:
        """Return what an action printed, without secrets; ``said`` is what it passed to ``context.say``."""
        output, gap = without_middle(outcome.output)
        gaps = {**({"output": gap} if gap else {}), **outcome.gaps}
        if not output:
            output, gap = said.text(), said.gap()
            gaps = {"output": gap} if gap else {}
        stdout = None
        if outcome.stdout is not None:
            text, gap = without_middle(outcome.stdout)
            gaps = {**({"stdout": gap} if gap else {}), **gaps}
            stdout = redactor.text(text)
        return cls(redactor.text(output), stdout, gaps)

    @classmethod
    def stored(cls, evidence: Evidence) -> Printed:
        """
        Return what is stored in the evidence of a step.

        Raises:
            OSError: a file cannot be read; FileNotFoundError if it is the output that is missing.
            ValueError: the file about gaps is damaged.
        """
        output = evidence.read_bytes(OUTPUT).decode("utf-8", "backslashreplace")
        stdout = None
        if evidence.has(STDOUT):
            stdout = evidence.read_bytes(STDOUT).decode("utf-8", "backslashreplace")
        return cls(output, stdout, stored_gaps(evidence))

    def save(self, folder: Path) -> None:
        """
        Store it in the folder of a step's evidence.

        Raises:
            OSError: a file cannot be written.
        """
        texts = {OUTPUT: self.output, STDOUT: self.stdout}
        if self.gaps:
            texts[GAPS] = json.dumps({name: asdict(gap) for name, gap in self.gaps.items()}) + "\n"
        for name, text in texts.items():
            if text is not None:
                (folder / name).write_text(text, "utf-8", "backslashreplace")


def stored_gaps(evidence: Evidence) -> dict[str, Gap]:
    """
    Return the gaps in what a step printed, by ``output`` and ``stdout``.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is damaged.
    """
    if not evidence.has(GAPS):
        return {}
    data = evidence.read_json(GAPS)
    try:
        return {str(name): Gap(int(gap["lines"]), int(gap["after"])) for name, gap in data.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{GAPS}: {error}") from None
