"""What the stages of ct4-finetuning-basics must show, on whichever text."""

from __future__ import annotations

import re
from typing import Any

from tests.lessons.running import by_id


def check_phases(record: dict[str, Any], said: str) -> None:
    """Check that every step passed, and that the stages show, and the run says, what the lesson promises."""
    steps = by_id(record)
    assert {name: step["message"] for name, step in steps.items() if step["status"] != "passed"} == {}
    assert "emulated" in record["labels"]
    stages = [steps[f"stage-{number}"]["metrics"] for number in (1, 2, 3, 4)]
    losses = [stage["validation_loss"] for stage in stages]
    assert losses == sorted(losses, reverse=True)
    texts = [steps[f"text-{number}"]["metrics"] for number in (1, 2, 3, 4)]
    words = [text["real_word_ratio"] for text in texts]
    assert words[1] < words[2] < words[3]
    assert texts[0]["format_score"] < texts[2]["format_score"]
    # Which of the two first stages shows structure is a matter of chance; the second does.
    assert re.search(r"^Learned: .*\bstructure by stage [12], vocabulary by stage 3\b", said, re.M)
    # Lines of the form `Xyz:` come by chance from the start; names of the play do not.
    assert texts[0]["known_speakers"] == 0 < texts[3]["known_speakers"]
