"""Rejudging a run step by step: the evidence decides, not the record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin
from tests.lesson_runner.certify.garden import garden

from lesson_runner.certify.rejudge import (
    RejudgedStep,
    count_meaningful,
    needs_confirmation,
    planned_step,
    rejudge,
)
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Expectation, PlannedStep, Verdict
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint

CONTAINS = {"matcher": "contains", "argument": "beans", "when": {}}
METRIC = {"matcher": "metric", "argument": {"name": "beans", "min": 3}, "when": {}}
GOOD = {"matcher": "contains", "expected": "beans", "passed": True}

Again = Callable[..., RejudgedStep]


def step(name: str = "grow", **more: Any) -> dict[str, Any]:
    """Return a planned step as it is signed."""
    plain = {"action": "garden.grow", "params": {}, "needs": [], "capture": {}, "optional": False}
    return {"id": name, **plain, "expect": [CONTAINS], **more}


def entry(name: str = "grow", **more: Any) -> dict[str, Any]:
    """Return a step of a record."""
    return {"id": name, "status": "passed", "exit_code": None, "metrics": {}, "verdicts": [GOOD], **more}


@pytest.fixture
def again(tmp_path: Path) -> Again:
    """A function that rejudges a run of one step."""

    def judge(
        planned: dict[str, Any], recorded: dict[str, Any], plugins: Any = None, **facts: Any
    ) -> RejudgedStep:
        record = {"steps": [recorded], "facts": facts}
        (judged,) = rejudge(
            [planned], record, tmp_path, plugins or Plugins(points=[ModuleEntryPoint(garden)])
        )
        return judged

    return judge


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The evidence of the step ``grow``; it printed ``5 beans``."""
    folder = tmp_path / "evidence" / "grow"
    folder.mkdir(parents=True)
    (folder / "output.txt").write_text("5 beans")
    return folder


def verdict(passed: bool = True, actual: str = "found") -> Verdict:
    return Verdict("contains", "beans", actual, passed)


@pytest.mark.usefixtures("own")
def test_a_step_that_passed(again: Again) -> None:
    assert again(step(), entry()) == RejudgedStep("grow", "passed", (verdict(),), meaningful=1)
    assert again(step(optional=True), entry()).optional


def test_a_verdict_that_contradicts_the_evidence(again: Again, own: Path) -> None:
    (own / "output.txt").write_text("peas")
    why = "contains beans: recorded as passed, but the evidence shows failed (peas)"
    assert again(step(), entry()) == RejudgedStep(
        "grow", "failed", (verdict(False, "peas"),), (why,), meaningful=1
    )
    said = again(step(), entry(status="failed", verdicts=[{**GOOD, "passed": False}]))
    assert (said.status, said.problems) == ("failed", ())
    (own / "output.txt").write_text("beans")
    said = again(step(), entry(status="failed", verdicts=[{**GOOD, "passed": False}]))
    why = "contains beans: recorded as failed, but the evidence shows passed"
    assert (said.status, said.problems) == ("failed", (why,))


@pytest.mark.usefixtures("own")
def test_missing_and_unexpected_verdicts(again: Again) -> None:
    said = again(step(), entry(verdicts=[{"matcher": "regex", "expected": "x", "passed": True}]))
    assert said.problems == (
        "contains beans: nothing is recorded, but the evidence shows passed",
        "regex x: it is recorded, but it is not in the plan",
    )


def test_steps_missing_from_plan_or_record(tmp_path: Path) -> None:
    record = {"steps": [entry("b"), entry("c"), entry("c")], "facts": {}}
    said = rejudge([step("a"), step("c")], record, tmp_path, Plugins(points=[]))
    assert [(item.id, item.status, item.problems) for item in said] == [
        ("a", "not-reached", ("the record does not have this step",)),
        ("c", "error", ()),
        ("b", "error", ("it is not in the plan",)),
        ("c", "error", ("it is recorded twice",)),
    ]


@pytest.mark.parametrize("status", ["skipped", "error", "not-reached"])
@pytest.mark.parametrize("optional", [True, False])
def test_steps_that_were_not_judged_stay_so(again: Again, status: str, optional: bool) -> None:
    assert again(step(optional=optional), entry(status=status)) == RejudgedStep(
        "grow", status, optional=optional
    )


@pytest.mark.parametrize("optional", [True, False])
def test_without_its_output(again: Again, optional: bool) -> None:
    why = "its output (output.txt) is missing from the evidence"
    said = again(step(optional=optional), entry())
    assert said == RejudgedStep("grow", "error", not_judged=(why,), optional=optional)


JSON = {"matcher": "json", "argument": {"type": "object"}, "when": {}}
ABSENT = {"matcher": "not_contains", "argument": "peas", "when": {}}


def test_json_is_judged_again_on_standard_output(again: Again, own: Path) -> None:
    (own / "stdout.txt").write_text("{}")
    assert [item.passed for item in again(step(expect=[JSON]), entry()).verdicts] == [True]
    listed = {f"evidence/grow/{name}": {"bytes": (own / name).stat().st_size} for name in ("output.txt",)}
    assert [item.passed for item in again(step(expect=[JSON]), entry(artifacts=listed)).verdicts] == [False]
    listed["evidence/grow/stdout.txt"] = {"bytes": 2}
    assert [item.passed for item in again(step(expect=[JSON]), entry(artifacts=listed)).verdicts] == [True]
    (own / "stdout.txt").unlink()
    said = again(step(expect=[JSON]), entry(artifacts=listed))
    assert (said.status, said.not_judged) == (
        "error",
        ("its output (stdout.txt) is missing from the evidence",),
    )


def test_lines_that_were_not_kept_count_when_it_is_judged_again(again: Again, own: Path) -> None:
    (own / "gaps.json").write_text(json.dumps({"output": {"lines": 3, "after": 1}}))
    said = again(step(expect=[ABSENT, CONTAINS], capture={"beans": r"(\d) beans"}), entry())
    assert [item.passed for item in said.verdicts] == [False, True]
    assert said.status == "failed"
    for damaged in ("[]", "{", '{"output": {}}'):
        (own / "gaps.json").write_text(damaged)
        assert again(step(), entry()).not_judged[0].startswith("its output cannot be read: ")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("optional", [True, False])
def test_what_cannot_be_judged(again: Again, optional: bool) -> None:
    said = again(step(expect=[{"matcher": "regex", "argument": "(", "when": {}}], optional=optional), entry())
    assert (said.id, said.status, said.optional, said.verdicts) == ("grow", "error", optional, ())
    kind = re.error.__name__  # of Python 3.13 and later: PatternError
    assert said.not_judged[0].startswith(f"it cannot be judged: {kind}: missing ), unterminated subpattern")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("optional", [True, False])
def test_without_the_plugin(again: Again, optional: bool) -> None:
    said = again(step(optional=optional), entry(), Plugins(points=[]))
    why = "no installed plugin has the action 'garden.grow'"
    assert said == RejudgedStep("grow", "error", not_judged=(why,), optional=optional)


def fail(step: PlannedStep, evidence: Evidence) -> dict[str, float]:
    raise ValueError(f"no scale for {evidence.shared.name}")


broken = fake_plugin("broken", measure=fail)


MISSED = "not measured (measured: none)"


def test_a_metric_that_no_installed_plugin_measures(again: Again, own: Path) -> None:
    recorded = entry(metrics={"beans": 5.0, "other": 1.0}, verdicts=[])
    said = again(step(expect=[METRIC]), recorded)
    assert said.not_judged == ("no installed plugin measures 'beans' from the evidence",)
    said = again(
        step(expect=[METRIC]), recorded, Plugins(points=[ModuleEntryPoint(garden), ModuleEntryPoint(broken)])
    )
    (why,) = said.not_judged
    assert why.startswith("its metrics cannot be measured: plugin 'broken': in lesson_measure: ")
    assert "ValueError: no scale for _shared" in why
    # If it was not recorded either, its expectation is not met.
    verdicts = [{"matcher": "metric", "expected": "3 <= beans", "actual": MISSED, "passed": False}]
    said = again(step(expect=[METRIC]), entry(status="failed", verdicts=verdicts))
    assert (said.status, said.problems, said.not_judged) == ("failed", (), ())
    (own / "beans.json").write_text("5")
    assert (
        again(
            step(expect=[METRIC]), entry(verdicts=[{**verdicts[0], "actual": "beans = 5", "passed": True}])
        ).status
        == "passed"
    )


def read(step: PlannedStep, evidence: Evidence) -> dict[str, float]:
    """Measure what was printed, and how many files all steps share."""
    shared = list(evidence.shared.iterdir())
    return {"beans": float(evidence.output.split()[0]), f"shared by {step.id}": len(shared)}


def test_the_input_of_a_plugins_measurement(again: Again, own: Path) -> None:
    (own.parent / "_shared").mkdir()
    (own.parent / "_shared" / "one").touch()
    metrics = {"beans": 5, "shared by grow": 1}
    expect = [{**METRIC, "argument": {"name": name, "min": least}} for name, least in metrics.items()]
    verdicts = [
        {"matcher": "metric", "expected": f"{least} <= {name}", "actual": f"{name} = {least}", "passed": True}
        for name, least in metrics.items()
    ]
    plugins = Plugins(
        points=[ModuleEntryPoint(garden), ModuleEntryPoint(fake_plugin("reading", measure=read))]
    )
    assert again(step(expect=expect), entry(verdicts=verdicts), plugins).status == "passed"


def test_what_a_capture_reads(again: Again, own: Path) -> None:
    capture = {"beans": r"^(\d+) beans$"}
    verdicts = [{"matcher": "metric", "expected": "3 <= beans", "actual": "beans = 5", "passed": True}]
    said = again(step(expect=[METRIC], capture=capture), entry(verdicts=verdicts, metrics={"beans": 5.0}))
    assert said.verdicts == (Verdict("metric", "3 <= beans", "beans = 5", True),)
    (own / "beans.json").write_text("2")  # measured metrics take precedence over printed ones
    said = again(step(expect=[METRIC], capture=capture), entry(verdicts=verdicts))
    assert said.status == "failed"


def test_files_are_judged_by_their_recorded_facts(again: Again, own: Path) -> None:
    expect = [{"matcher": "file", "argument": {"path": "a"}, "when": {}}]
    verdicts = [{"matcher": "file", "expected": '{"path": "a"}', "passed": True}]
    (own / "files.json").write_text(json.dumps({"a": {"bytes": 1, "sha256": "b", "problem": ""}}))
    assert again(step(expect=expect), entry(verdicts=verdicts)).status == "passed"
    (own / "files.json").unlink()
    assert again(step(expect=expect), entry(verdicts=verdicts)).status == "failed"


@pytest.mark.usefixtures("own")
def test_exit_code_and_facts_are_taken_from_the_record(again: Again) -> None:
    verdicts = [{"matcher": "exit", "expected": "0", "passed": True}, GOOD]
    said = again(step(), entry(exit_code=0, verdicts=verdicts))
    assert [item.matcher for item in said.verdicts] == ["exit", "contains"]
    assert (said.status, said.meaningful) == ("passed", 1)
    only = {**CONTAINS, "when": {"data": "real"}}
    assert again(step(expect=[only]), entry(), data="real").status == "passed"
    assert again(step(expect=[only]), entry(), data="other").verdicts[0].matcher == "when"


def test_output_that_is_not_utf_8(again: Again, own: Path) -> None:
    (own / "output.txt").write_bytes(b"beans \xff")
    expect = [{"matcher": "contains", "argument": r"beans \xff", "when": {}}]
    verdicts = [{"matcher": "contains", "expected": r"beans \xff", "passed": True}]
    assert again(step(expect=expect), entry(verdicts=verdicts)).status == "passed"


@pytest.mark.usefixtures("own")
def test_a_persons_confirmation(again: Again) -> None:
    said = again(step(action="manual"), entry())
    assert (said.status, said.confirmed) == ("passed", True)
    assert not again(step(), entry()).confirmed


def test_expectations_that_count() -> None:
    def tells(*expect: Expectation, **facts: Any) -> int:
        return count_meaningful(planned_step(step(expect=[vars_of(item) for item in expect])), facts)

    def vars_of(item: Expectation) -> dict[str, Any]:
        return {"matcher": item.matcher, "argument": item.argument, "when": item.when}

    some, other = Expectation("contains", "a"), Expectation("contains", "b")
    assert tells(some, some, other) == 2
    assert tells(Expectation("exit", 0), Expectation("not_contains", "a"), Expectation("regex", ".*")) == 0
    assert tells(Expectation("contains", "a", {"data": 1}), other, data=2) == 1
    assert tells(*(Expectation("contains", text, {"data": 1}) for text in "ab"), data=1) == 2


def test_a_planned_step() -> None:
    content = step(needs=["a", "b"], params={"x": 1}, capture={"n": "(.)"}, optional=True)
    planned = planned_step(content)
    assert (planned.id, planned.title, planned.action, planned.optional) == ("grow", "", "garden.grow", True)
    assert (planned.params, planned.needs, planned.capture) == ({"x": 1}, ("a", "b"), {"n": "(.)"})
    assert planned.expect == (Expectation("contains", "beans"),)
    assert str(planned.location).startswith("plan:1")
    assert not needs_confirmation(planned)
    for key in content:
        with pytest.raises(KeyError, match=key):
            planned_step({name: value for name, value in content.items() if name != key})
