from __future__ import annotations

from collections.abc import Callable

import pytest

from lesson_runner.plugins.builtin.manual import run_manual
from lesson_runner.plugins.context import RunContext, StepContext

Step = Callable[..., StepContext]


@pytest.mark.parametrize(("answer", "status"), [(True, "passed"), (False, "failed")])
def test_the_answer_decides(step: Step, run: RunContext, answer: bool, status: str) -> None:
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return answer

    run.ask = ask
    outcome = run_manual({"instruction": "Is the fan quiet?"}, step())
    assert asked == ["Is the fan quiet?"]
    assert outcome.status == status
    assert "Is the fan quiet?" in (outcome.message or outcome.output)


def test_a_manual_step_is_skipped_if_nobody_can_answer(step: Step) -> None:
    outcome = run_manual({"instruction": "Is the fan quiet?"}, step())
    assert outcome.status == "skipped"
    assert outcome.message == "there is nobody to confirm: Is the fan quiet?"
