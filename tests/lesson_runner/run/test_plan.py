"""Plans: sources of parameters, needs of steps, and when two plans are the same."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.plugins import Action, ActionCall, Block, Hardware, Inspection, Outcome
from lesson_runner.testing import lesson_text, plan_lesson

BOARD = Hardware("n150", "a test", devices=1)


def interpret(block: Block) -> list[ActionCall] | None:
    """Read one set of parameters per line."""
    if block.language != "cook":
        return None
    rows = [row for row in block.text.split("\n") if row]
    pairs = [dict(pair.split("=") for pair in row.split()) for row in rows]
    return [ActionCall("cook", pair, block.location, row) for pair, row in zip(pairs, rows, strict=True)]


COOK = Action(
    "cook",
    "Make a dish",
    lambda params, context: Outcome(),
    schema={
        "type": "object",
        "properties": {
            "dish": {"enum": ["soup", "stew"]},
            "minutes": {"type": "integer", "minimum": 1},
            "heat": {"$ref": "#/$defs/level"},
            "salt": {"type": "number"},
            "cover": {"type": "boolean"},
            "words": {"type": ["array", "null"]},
            "reads": {"type": "string"},
            "writes": {"type": "string"},
        },
        "$defs": {"level": {"type": "string"}},
        "additionalProperties": False,
    },
    defaults={"dish": "soup", "heat": "defaults", "minutes": 1},
    presets={"dish": {"stew": {"minutes": 60, "heat": "preset"}}},
    profiles={"hasty": {"minutes": 2}},
    self_judging=True,
    inspect=lambda params: Inspection(
        tuple(params.get("reads", "").split()),
        tuple(params.get("writes", "").split()),
        "soup is not cooked for a day" if params["minutes"] == 1440 else None,
    ),
    command=lambda params: f"cook {params['dish']} --minutes {params['minutes']}",
)
cook = fake_plugin("cook", actions=[COOK], interpret_block=interpret)


def plan(folder: Path, body: str, *params: str, profile: str | None = None, **front: Any) -> Any:
    return plan_lesson(
        lesson_text(dedent(body), **front), folder, plugins=[cook], params=params, profile=profile
    )


def step(name: str, block: str = "", **keys: str) -> str:
    rows = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return f"<!-- step\nid: {name}\n{rows}-->\n```cook\n{block or 'heat=block'}\n```\n\n"


PROFILES = {
    "quick": {"summary": "Q", "with": {"cook": {"heat": "profile", "salt": 1}}},
    "full": {"summary": "F"},
}


def test_an_action_reports_conflicting_values(tmp_path: Path) -> None:
    """Reported while planning; values of the wrong type are reported first, without asking the action."""
    for value, message in (
        ("1440", "step 'a': soup is not cooked for a day"),
        ("long", "not a whole number"),
    ):
        with pytest.raises(InvalidLessonError) as caught:
            plan(tmp_path, step("a"), f"minutes={value}")
        (found,) = caught.value.diagnostics
        assert message in found.message
        assert (found.rule, found.location.line) == ("wrong-value", 14)


def test_layers_from_weakest_to_strongest(tmp_path: Path) -> None:
    """Each layer sets the heat; without the strongest layer, the next one counts."""
    runner: dict[str, Any] = {"with": {"cook": {"heat": "lesson"}}, "profiles": PROFILES}
    own = {"with": "{heat: step}", "profiles": "{quick: {with: {heat: own profile}}}"}
    body = step("one", "dish=stew heat=block", **own)
    seen = []

    def heat(*params: str, body: str = body, profile: str = "quick", **runner: Any) -> None:
        planned = plan(tmp_path, body, *params, profile=profile, runner=runner).steps[0]
        seen.append((planned.params["heat"], [layer.name for layer in planned.layers]))

    heat("heat=param", **runner)
    heat(**runner)
    heat(body=step("one", "dish=stew heat=block", **{"with": "{heat: step}"}), **runner)
    heat(body=body, profile="full", **runner)
    heat(body=step("one", "dish=stew heat=block"), profile="full", **runner)
    heat(body=step("one", "dish=stew"), profile="full", **runner)
    heat(body=step("one", "dish=stew"), profile="full", profiles=PROFILES)
    heat(body=step("one", "dish=soup"), profile="full", profiles=PROFILES)

    assert seen == [
        ("param", ["defaults", "dish=stew", "lesson", "block", "step", "profile quick", "--param"]),
        ("own profile", ["defaults", "dish=stew", "lesson", "block", "step", "profile quick"]),
        ("profile", ["defaults", "dish=stew", "lesson", "block", "step", "profile quick"]),
        ("step", ["defaults", "dish=stew", "lesson", "block", "step"]),
        ("block", ["defaults", "dish=stew", "lesson", "block"]),
        ("lesson", ["defaults", "dish=stew", "lesson", "block"]),
        ("preset", ["defaults", "dish=stew", "block"]),
        ("defaults", ["defaults", "block"]),
    ]


def test_a_preset_chosen_on_the_command_line_is_weaker_than_the_block(tmp_path: Path) -> None:
    made = plan(tmp_path, step("one", "heat=block"), "dish=stew").steps[0]
    assert made.params == {"dish": "stew", "minutes": 60, "heat": "block"}


def test_the_effective_command(tmp_path: Path) -> None:
    made = plan(tmp_path, step("one", "dish=stew"), "minutes=7").steps[0]
    assert (made.source, made.command) == ("dish=stew", "cook stew --minutes 7")


def test_profiles_of_actions_count_where_the_lesson_has_none(tmp_path: Path) -> None:
    assert plan(tmp_path, step("one")).profile == "default"
    assert plan(tmp_path, step("one"), profile="hasty").steps[0].params["minutes"] == 2
    assert (
        plan(tmp_path, step("one"), profile="hasty", runner={"profiles": {}}).steps[0].params["minutes"] == 2
    )
    with pytest.raises(LessonError, match="--profile hasty: the lesson has no such profile"):
        plan(tmp_path, step("one"), profile="hasty", runner={"profiles": PROFILES})


def test_the_default_profile_depends_on_the_machine(tmp_path: Path) -> None:
    text = lesson_text(
        step("one"), runner={"profiles": PROFILES, "defaultProfile": {"board": "full", "none": "quick"}}
    )

    def profile(hardware: list[Hardware], backend: str = "auto") -> str:
        return plan_lesson(text, tmp_path, plugins=[cook], hardware=hardware, backend=backend).profile

    assert profile([]) == "quick"
    assert profile([BOARD]) == "full"
    assert profile([BOARD], "emulated") == "quick"


def test_a_profile_replaces_expectations_and_timeout_or_skips(tmp_path: Path) -> None:
    body = step(
        "one",
        expect="[{contains: much}]",
        timeout="2h",
        profiles="{quick: {expect: [{contains: little}], timeout: 90s}, full: {skip: takes a day}}",
    ) + step("two", expect="[{contains: much}]")

    def seen(name: str) -> list[tuple[Any, float | None, str | None]]:
        made = plan(tmp_path, body, profile=name, runner={"profiles": PROFILES, "timeout": "3m"})
        return [(item.expect[0].argument, item.timeout, item.skip) for item in made.steps]

    assert seen("quick") == [("little", 90, None), ("much", 180, None)]
    assert seen("full") == [("much", 7200, "takes a day"), ("much", 180, None)]


def test_needs_follow_from_what_steps_read_and_write(tmp_path: Path) -> None:
    body = (
        step("use", "reads=data")
        + step("make", "writes=data")
        + step("use-again", "reads=data\nreads=other")
        + step("make-again", "writes=data", needs="[use-again]")
        + step("last", "reads=data", needs="[make]")
    )
    needs = {item.id: item.needs for item in plan(tmp_path, body).steps}
    assert needs == {
        "use": (),
        "make": (),
        "use-again.1": ("make",),
        "use-again.2": (),
        "make-again": ("use-again.1", "use-again.2"),
        "last": ("make", "make-again"),
    }


def test_steps_run_after_their_needs_and_otherwise_in_document_order(tmp_path: Path) -> None:
    body = step("c", needs="[e]") + step("a") + step("b", needs="[c]") + step("e") + step("d")
    assert [item.id for item in plan(tmp_path, body).steps] == ["a", "e", "c", "b", "d"]


@pytest.mark.parametrize(
    ("param", "message", "fix"),
    [
        ("minute=3", "no step of this lesson has a parameter 'minute'", "did you mean 'minutes'?"),
        ("on.minutes=3", "there is no step 'on'", "did you mean 'one'?"),
        ("one.minute=3", "no step of this lesson has a parameter 'minute'", "did you mean 'minutes'?"),
        ("shell.strict=3", "there is no step 'shell'", "one of: one"),
        ("minutes", "expected NAME=VALUE", None),
        ("=3", "expected NAME=VALUE", None),
        ("one.=3", "expected NAME=VALUE", None),
    ],
)
def test_a_param_that_matches_no_step(tmp_path: Path, param: str, message: str, fix: str | None) -> None:
    with pytest.raises(LessonError) as caught:
        plan(tmp_path, step("one"), param)
    assert message in str(caught.value)
    assert caught.value.fix == fix


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("minutes=3", 3),
        ("minutes=3.0", 3),
        ("minutes=1e3", 1000),
        ("salt=0.5", 0.5),
        ("salt=-2", -2),
        ("cover=true", True),
        ("cover=false", False),
        ("words=null", None),
        ('words=["a=b"]', ["a=b"]),
        ("one.reads=1", "1"),
        ("reads=a=b", "a=b"),
        ("reads=", ""),
        ("dish=stew", "stew"),
    ],
)
def test_a_param_has_the_type_that_its_action_asks_for(tmp_path: Path, param: str, value: object) -> None:
    name = param.split("=")[0].rpartition(".")[2]
    found = plan(tmp_path, step("one"), param).steps[0].params[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ("minutes=soon", 'minutes (from --param): "soon" is not a whole number'),
        ("minutes=2.5", "minutes (from --param): 2.5 is not a whole number"),
        ("minutes=true", "minutes (from --param): true is not a whole number"),
        ("minutes=0", "minutes (from --param): 0 is less than 1"),
        ("salt=NaN", 'salt (from --param): "NaN" is not a number'),
        ("salt=-Infinity", 'salt (from --param): "-Infinity" is not a number'),
        ("cover=1", 'cover (from --param): "1" is not true or false'),
        ("cover=yes", 'cover (from --param): "yes" is not true or false'),
        ("words=a", 'words (from --param): "a" is not a list or a null'),
        ("dish=sop", "dish (from --param): 'sop' is not allowed; expected one of soup, stew"),
    ],
)
def test_a_param_of_the_wrong_type(tmp_path: Path, param: str, message: str) -> None:
    with pytest.raises(InvalidLessonError) as caught:
        plan(tmp_path, step("one"), param)
    assert [item.message for item in caught.value.diagnostics] == [f"step 'one': {message}"]
    assert caught.value.diagnostics[0].location.line == 14


def test_wrong_values_of_a_layer_are_reported_with_their_layer(tmp_path: Path) -> None:
    """Even if the action's own functions raise on these values."""
    body = step("one", "minutes=many", **{"with": "{reads: 3, spice: 1}"})
    with pytest.raises(InvalidLessonError) as caught:
        plan(tmp_path, body)
    assert {(item.location.line, item.message) for item in caught.value.diagnostics} == {
        (15, "step 'one': minutes (from block): \"many\" is not a whole number"),
        (12, "step 'one': reads (from step): 3 is not text"),
        (12, "step 'one': unknown key 'spice'"),
    }


def test_the_digest_covers_what_the_steps_do(tmp_path: Path) -> None:
    body = "# Kitchen\n\n" + step("one", "dish=stew", expect="[{exit: 0}]")

    def digest(text: str, *params: str, **front: Any) -> str:
        return str(plan(tmp_path, text, *params, **front).digest)

    first = digest(body)
    assert first == digest(body)
    for same in (
        body.replace("# Kitchen", "# Another title\n\n**Why:** hunger.\n\nMore prose.") + "\nThe end.\n",
        body.replace("id: one", "id: one\ntitle: Words"),
        body.replace("id: one", "id: one\nclaims: [{metric: {name: a, min: 1}, source: me}]"),
    ):
        assert digest(same) == first
    assert digest(body, title="Other", tags=["more"]) == first
    changed = [
        digest(body, "minutes=61"),
        digest(body.replace("dish=stew", "dish=soup")),
        digest(body.replace("exit: 0", "exit: 1")),
        digest(body.replace("id: one", "id: one\ntimeout: 5")),
        digest(body.replace("id: one", "id: one\noptional: true")),
        digest(body + step("two")),
    ]
    assert len({first, *changed}) == len(changed) + 1


def test_blocks_that_do_not_run_are_listed(tmp_path: Path) -> None:
    body = (
        step("one")
        + "```bash\necho\n```\n\n```text\nno\n```\n\n<!-- skip\nreason: too big\n-->\n```bash\nx\n```\n"
    )
    made = plan(tmp_path, body)
    assert [(item.block.location.line, item.reason) for item in made.not_run] == [(18, ""), (29, "too big")]
    assert [item.id for item in made.steps] == ["one"]


def test_why_and_look_for_come_from_the_step_s_section(tmp_path: Path) -> None:
    body = (
        "## A\n\n**Why:** because\nof this.\n\n"
        + step("a")
        + "**Look for:** steam.\n\n**Look for:** more steam.\n\n## B\n\n**Look for:** nothing yet.\n\n"
        + step("b")
        + "Words.\n"
    )
    made = plan(tmp_path, body)
    assert [(item.title, item.why, item.look_for) for item in made.steps] == [
        ("A", "because of this.", "steam."),
        ("B", "", ""),
    ]
