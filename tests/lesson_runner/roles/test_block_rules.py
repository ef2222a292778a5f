"""Each rule about blocks holds for its example, and not for its counterexample."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesson_runner.document.lessons import load_lesson
from lesson_runner.roles import RULES, BlockRule, roles_of

SHOWN = [rule for rule in RULES if rule.example]


def spoke(text: str, path: Path) -> list[str]:
    """Return the names of the rules that spoke about the last block of a document."""
    path.write_text(text, "utf-8")
    return [opinion.rule for opinion in roles_of(load_lesson(path)[0])[-1].opinions]


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.name)
def test_a_rule_holds_for_its_example_and_not_for_its_counterexample(rule: BlockRule, tmp_path: Path) -> None:
    assert rule.name in spoke(rule.example, tmp_path / "a.md")
    assert rule.name not in spoke(rule.counterexample, tmp_path / "a.md")


def test_rules_have_names_of_their_own_and_explain_themselves() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.about.endswith(".") for rule in RULES)
    assert [rule.name for rule in RULES if not rule.example] == ["unknown-link", "used-later"]
