"""Each requirement of a policy by itself: the exact words of what is asked, found, and the fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import Pass, PolicyInput, RequirementResult, parse_time
from lesson_runner.certify.rejudge import RejudgedStep
from lesson_runner.certify.requirements import examine
from lesson_runner.run.judge import fact_of

BASE = {"policy_version": 1, "name": "mine", "summary": "s", "classes": ["silicon"], "passes": 1}
BOARD = {"name": "n150", "detected_by": "a test", "devices": 1, "kind": "silicon"}


def run(
    number: int = 1,
    steps: tuple[RejudgedStep, ...] = (RejudgedStep("one", "passed", meaningful=1),),
    **more: Any,
) -> Pass:
    """Return a run of one minute that started ``number`` hours after midnight."""
    record: dict[str, Any] = {
        "run_id": f"run-{number}",
        "status": "passed",
        "started": f"2026-01-01T{number:02}:00:00Z",
        "finished": f"2026-01-01T{number:02}:01:00.5Z",
        "hardware": [BOARD],
        "labels": [],
        "backend": "auto",
        "facts": {},
        "options": {"fresh": True},
        "profile": "full",
        "params": {},
        **more,
    }
    return Pass(record, steps)


def found(
    *passes: Pass, frontmatter: Mapping[str, Any] | None = None, actions: tuple[str, ...] = (), **asked: Any
) -> dict[str, tuple[str, str, str]]:
    """Return every result by its requirement: asked, found, fix."""
    case = PolicyInput(frontmatter or {}, frozenset(actions), passes or (run(),))
    requirements = examine(case, Policy({**BASE, **asked}))
    assert len({item.requirement for item in requirements}) == len(requirements)
    return {item.requirement: (item.asked, item.found, item.fix) for item in requirements}


def test_the_order_of_all_requirements() -> None:
    asked: dict[str, Any] = {
        "supported_hardware": True,
        "fresh": True,
        "profiles": ["full"],
        "parameters": [],
        "judgements": 1,
        "facts": [{"fact": "a", "values": [1], "otherwise": "do"}],
        "versions": [{"fact": "v", "at_least": "minimum", "otherwise": "do"}],
    }
    front = {"supportedHardware": ["n150"], "minimum": "1.0"}
    names = list(found(run(1), run(2), frontmatter=front, **asked))
    assert names == [
        *("passes", "distinct", "same-place", "class", "hardware", "profile", "whole", "parameters", "fresh"),
        *("steps", "evidence", "judgements", "fact a", "version v"),
    ]
    assert list(found()) == ["passes", "same-place", "class", "whole", "steps", "evidence"]


@pytest.mark.parametrize(
    ("wanted", "runs", "result"),
    [
        (1, [1], ("1 run", "1", "")),
        (2, [1, 2], ("2 runs", "2", "")),
        (2, [1, 2, 3], ("2 runs", "3", "")),
        (2, [1], ("2 runs", "1", "run the lesson 1 more time")),
        (3, [1], ("3 runs", "1", "run the lesson 2 more times")),
        (3, [1, 1, 1], ("3 runs", "1", "run the lesson 2 more times")),
    ],
)
def test_passes(wanted: int, runs: list[int], result: tuple[str, str, str]) -> None:
    assert found(*(run(number) for number in runs), passes=wanted)["passes"] == result


ONE_BY_ONE = "each run started after the previous one had finished"
AGAIN = "run the lesson again for each pass"


def times(number: int, started: str, finished: str) -> Pass:
    return run(number, started=f"2026-01-01T{started}Z", finished=f"2026-01-01T{finished}Z")


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        ([run(1), run(2)], "yes"),
        ([run(2), run(1)], "yes"),
        ([times(1, "01:00:00", "02:00:00"), times(2, "02:00:00", "03:00:00")], "yes"),
        ([times(1, "01:00:00", "01:00:00"), run(2)], "yes"),
        (
            [times(1, "01:00:00", "02:00:01"), times(2, "02:00:00", "03:00:00")],
            "run-2 started before run-1 had finished",
        ),
        ([times(2, "01:00:00", "00:59:59"), run(3)], "run-2 finished before it started"),
    ],
)
def test_runs_must_not_overlap(passes: list[Pass], said: str) -> None:
    assert found(*passes)["distinct"] == (ONE_BY_ONE, said, "" if said == "yes" else AGAIN)


def test_an_invalid_time() -> None:
    asked, said, fix = found(run(1), run(2, started="2026-02-30T00:00:00Z"))["distinct"]
    assert (asked, fix) == (ONE_BY_ONE, AGAIN)
    assert said.startswith("invalid time: day is out of range")


def test_lists_show_at_most_four() -> None:
    left = [run(number, options={"fresh": True, "only": ["one"]}) for number in range(1, 7)]
    said = ", ".join(f"run-{number} left steps out" for number in range(1, 5))
    assert found(*left[:4])["whole"][1] == said
    assert found(*left)["whole"][1] == f"{said} and 2 more"


def test_all_runs_on_the_same_hardware() -> None:
    what = "all runs on the same hardware"
    assert found(run(1), run(2))["same-place"] == (what, "n150", "")
    other = run(2, hardware=[{**BOARD, "name": "p150"}])
    fix = "use runs that were made on the same hardware"
    assert found(other, run(1))["same-place"] == (what, "n150 and p150", fix)


PASSED = "every step passed, none skipped, except optional ones"
WHOLE = "run the whole lesson on a machine where every step can pass, without skipping a step"
GOOD = RejudgedStep("one", "passed")


@pytest.mark.parametrize(
    ("steps", "more", "said", "fix"),
    [
        ((GOOD,), {}, "all passed", ""),
        ((GOOD, RejudgedStep("two", "skipped")), {}, "two skipped in run-1", WHOLE),
        (
            (GOOD, RejudgedStep("two", "failed", optional=True)),
            {},
            "all passed, except two failed in run-1",
            "",
        ),
        ((GOOD,), {"status": "failed"}, "run-1 failed", WHOLE),
        (
            (GOOD, RejudgedStep("two", "failed"), RejudgedStep("three", "error", optional=True)),
            {"status": "failed"},
            "two failed in run-1, run-1 failed",
            WHOLE,
        ),
        (
            (RejudgedStep("two", "passed", optional=True),),
            {},
            "all steps are optional",
            "make at least one step non-optional",
        ),
        ((), {}, "all steps are optional", "make at least one step non-optional"),
    ],
)
def test_steps(steps: tuple[RejudgedStep, ...], more: dict[str, Any], said: str, fix: str) -> None:
    assert found(run(1, steps, **more))["steps"] == (PASSED, said, fix)


def test_evidence() -> None:
    what = "every expectation rejudged on the evidence"
    assert found()["evidence"] == (what, "yes, with the same results", "")
    bad = run(
        1,
        (RejudgedStep("one", "passed", problems=("p", "q")), RejudgedStep("two", "error", not_judged=("n",))),
    )
    asked, said, fix = found(run(2), bad)["evidence"]
    assert (asked, said) == (what, "one in run-1: p, one in run-1: q, two in run-1: n")
    assert fix == (
        "install the plugins that the lesson uses; if they are, the evidence was changed: run it again"
    )


@pytest.mark.parametrize(
    ("steps", "wanted", "plural", "said"),
    [
        ((RejudgedStep("one", "passed", meaningful=1),), 1, "", "yes"),
        ((RejudgedStep("one", "passed", meaningful=2),), 2, "s", "yes"),
        (
            (RejudgedStep("b", "passed", meaningful=1), RejudgedStep("a", "passed")),
            2,
            "s",
            "too few for a, too few for b",
        ),
        ((RejudgedStep("one", "failed"),), 1, "", "yes"),  # another requirement reports that it failed
        ((RejudgedStep("one", "passed", confirmed=True),), 1, "", "yes"),
    ],
)
def test_judgements(steps: tuple[RejudgedStep, ...], wanted: int, plural: str, said: str) -> None:
    what = f"each step judged by at least {wanted} expectation{plural} other than its exit code"
    fix = "give these steps an 'expect' that a step which produces nothing would not meet"
    result = found(run(1, steps), judgements=wanted)["judgements"]
    assert result == (what, said, "" if said == "yes" else fix)
    assert "judgements" not in found(run(1, steps), judgements=0)


@pytest.mark.parametrize(
    ("classes", "labels", "result"),
    [
        (["silicon"], [], ("made on a board", "a board", "")),
        (["silicon"], ["emulated"], ("made on a board", "the emulation", "run it on a board")),
        (
            ["silicon", "host"],
            ["simulator"],
            (
                "made on a board or a machine without a board",
                "a simulator",
                "run it on a board or a machine without a board",
            ),
        ),
        (
            ["simulator", "emulated"],
            ["emulated"],
            ("made on a simulator or the emulation", "the emulation", ""),
        ),
    ],
)
def test_classes(classes: list[str], labels: list[str], result: tuple[str, str, str]) -> None:
    assert found(run(1, labels=labels), classes=classes)["class"] == result


def test_classes_of_several_runs() -> None:
    both = found(run(1), run(2, labels=["emulated"]))["class"]
    assert both == ("made on a board", "the emulation and a board", "run it on a board")


HARDWARE = "detected hardware that the lesson supports"


@pytest.mark.parametrize(
    ("supported", "entries", "said", "good"),
    [
        (["n150"], [BOARD], "n150 (a test)", True),
        (["p100", "p150"], [BOARD], "n150 (a test)", False),
        (["n150"], [], "none", False),
        (["simulator"], [{**BOARD, "kind": "simulator"}], "n150 (a test)", False),
        ([], [BOARD], "n150 (a test)", False),
        (["n150"], [BOARD, {**BOARD, "name": "a300"}], "a300 (a test) and n150 (a test)", True),
    ],
)
def test_hardware(supported: list[str], entries: list[Any], said: str, good: bool) -> None:
    made = run(1, hardware=entries)
    result = found(made, frontmatter={"supportedHardware": supported}, supported_hardware=True)["hardware"]
    fix = f"run it on one of {', '.join(supported)}; 'lesson hw' says what a machine has"
    assert result == (HARDWARE, said, "" if good else fix)
    assert found(supported_hardware=True)["hardware"][2].startswith("run it on one of ;")
    assert "hardware" not in found(supported_hardware=False)


@pytest.mark.parametrize("options", [{}, {"fresh": False}, {"fresh": "yes"}])
def test_fresh(options: dict[str, Any]) -> None:
    what = "each run started from scratch"
    assert found(fresh=True)["fresh"] == (what, "yes", "")
    stale = found(run(1), run(2, options=options), fresh=True)["fresh"]
    assert stale == (
        what,
        "run-2 could reuse results of earlier runs",
        "run the whole lesson again with --fresh, without --in, --continue and interruption",
    )
    resumed = run(2, resumed=[{"at": "2026-01-01T00:00:00Z", "carried": 1}])
    gone_on = found(run(1), resumed, fresh=True)["fresh"]
    assert gone_on == (
        what,
        "run-2 was resumed",
        "run the whole lesson again with --fresh, without --in, --continue and interruption",
    )
    assert "fresh" not in found(run(1, options=options), fresh=False)


@pytest.mark.parametrize("option", ["start", "until", "only"])
def test_whole(option: str) -> None:
    what, fix = "the whole lesson was run", "run without --from, --until and --only"
    assert found(run(1, options={option: None}))["whole"] == (what, "yes", "")
    assert found(run(1, options={option: "one"}))["whole"] == (what, "run-1 left steps out", fix)


def test_profile() -> None:
    asked = ["full", "default"]
    assert found(profiles=asked)["profile"] == ("profile full or default", "full", "")
    two = found(run(1, profile="quick"), run(2), profiles=asked)["profile"]
    assert two == ("profile full or default", "full and quick", "run with --profile full")


@pytest.mark.parametrize(
    ("allowed", "given", "result"),
    [
        ([], [], ("no --param", "none", "")),
        ([], ["b", "a"], ("no --param", "a, b", "run without --param a, b")),
        (["data", "sha256"], ["data"], ("no --param except data, sha256", "data", "")),
        (
            ["data"],
            ["fetch.data", "data.x"],
            ("no --param except data", "data.x, fetch.data", "run without --param data.x"),
        ),
    ],
)
def test_parameters(allowed: list[str], given: list[str], result: tuple[str, str, str]) -> None:
    made = run(1, params=dict.fromkeys(given, "1"))
    assert found(made, parameters=allowed)["parameters"] == result


VERSIONS = [{"fact": "metal.version", "at_least": "minimum", "otherwise": "update"}]


@pytest.mark.parametrize(
    ("facts", "said", "fix"),
    [
        ([{"metal": {"version": "1.2"}}], "1.2", ""),
        ([{"metal": {"version": "1.10"}}], "1.10", ""),
        ([{"metal": {"version": "1.1"}}], "1.1", "update"),
        ([{"metal": {"version": 2}}], "2", "update"),
        ([{}], "unknown", "update"),
        ([{"metal": "1.2"}], "unknown", "update"),
        ([{"metal": {"version": "1.2"}}, {}], "1.2 and unknown", "update"),
    ],
)
def test_versions(facts: list[Any], said: str, fix: str) -> None:
    passes = [run(number, facts=item) for number, item in enumerate(facts, 1)]
    result = found(*passes, frontmatter={"minimum": "1.2"}, versions=VERSIONS)["version metal.version"]
    assert result == ("metal.version at least 1.2 (minimum)", said, fix)


def test_a_version_that_the_lesson_does_not_ask_for() -> None:
    later = {"fact": "other", "at_least": "other", "otherwise": "do"}
    said = found(frontmatter={"minimum": 3, "other": "1"}, versions=[*VERSIONS, later])
    assert "version metal.version" not in said
    assert said["version other"] == ("other at least 1 (other)", "unknown", "do")


@pytest.mark.parametrize(
    ("values", "fact", "asked", "said", "fix"),
    [
        (["ttml"], "ttml", "ttml", "ttml", ""),
        (["ttml", "other"], "mine", "ttml or other", "mine", "do"),
        ([True], True, "true", "true", ""),
        ([True], 1, "true", "1", "do"),
        ([1], True, "1", "true", "do"),
        ([0], False, "0", "false", "do"),
        ([None], None, "None", "unknown", ""),
    ],
)
def test_facts(values: list[Any], fact: Any, asked: str, said: str, fix: str) -> None:
    rule = {"fact": "a.b", "values": values, "otherwise": "do"}
    result = found(run(1, facts={"a": {"b": fact}}), facts=[rule])["fact a.b"]
    assert result == (f"a.b is {asked}", said, fix)


def test_facts_of_all_runs_and_of_some_actions() -> None:
    rule = {"fact": "a", "values": ["x"], "actions": ["train"], "otherwise": "do"}
    other = {**rule, "fact": "b", "actions": ["fetch", "train"]}
    assert "fact a" not in found(actions=("read",), facts=[rule])
    both = found(run(1, facts={"a": "x"}), run(2), actions=("train",), facts=[rule])["fact a"]
    assert both == ("a is x", "unknown and x", "do")
    assert list(found(actions=("fetch",), facts=[rule, other]))[-1] == "fact b"


def test_a_fact_below_a_value_without_facts() -> None:
    assert fact_of({"a": {"b": {"c": 1}}}, "a.b.c") == 1
    assert fact_of({"a": [1]}, "a.b.c") is None


def test_a_met_requirement_has_no_fix() -> None:
    assert RequirementResult("a", "b", "c").met
    assert not RequirementResult("a", "b", "c", "d").met


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000+00:00"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456+00:00"),
    ],
)
def test_parse_time(text: str, iso: str) -> None:
    assert parse_time(text).isoformat() == iso
