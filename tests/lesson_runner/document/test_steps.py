"""Steps from directives: all keys, their defaults, and the errors of wrong values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lesson_runner.document.frontmatter import split
from lesson_runner.document.parser import parse
from lesson_runner.document.steps import Directives, build, seconds
from lesson_runner.document.yaml_text import KeyPath
from lesson_runner.model import (
    Block,
    Claim,
    Expectation,
    Ignore,
    Location,
    Need,
    NotRun,
    Override,
    Step,
)

HERE = Path("a.md")
BLOCK = "```bash\nls\n```\n"
GROUP = "needs exactly one group ( ) (put ( ) around the number to read)"
MATCHER = "an expectation has exactly one matcher, not"
ITEM = "(write each as its own '- ' item)"
NONE = "any output would match, even none (show at least one line that the step prints)"


def read(text: str) -> Directives:
    document = parse(split(text, HERE), HERE)
    assert document.diagnostics == []
    return build(document.directives)


def good(text: str) -> Directives:
    found = read(text)
    assert found.problems == []
    return found


def step(yaml: str, word: str = "step") -> Step:
    (found,) = good(f"# Part\n<!-- {word}\n{yaml}\n-->\n{BLOCK}").steps
    return found


def wrong(yaml: str, word: str = "step") -> list[str]:
    """Return ``rule line:column message (fix)`` for each diagnostic of a directive that gives no step."""
    found = read(f"<!-- {word}\n{yaml}\n-->\n{BLOCK}")
    assert all(item.severity == "error" for item in found.problems)
    assert (found.steps, found.skipped, found.ignores) == ([], [], [])
    return said(found)


def said(found: Directives) -> list[str]:
    rows = []
    for item in found.problems:
        place = item.location
        assert place.path == HERE
        rows.append(f"{item.rule} {place.line}:{place.column} {item.message} ({item.fix})")
    return rows


def test_a_step_with_only_an_id() -> None:
    found = step("id: one")
    block = Block("bash", "ls\n", Location(HERE, 6, 1), ("Part",), info="bash")
    positions: dict[KeyPath, Location] = {(): Location(HERE, 2, 1), ("id",): Location(HERE, 3, 1)}
    assert found == Step(
        id="one", kind="step", location=Location(HERE, 2, 1), block=block, title="Part", positions=positions
    )
    assert (found.timeout, found.retries, found.optional, found.uses) == (None, 0, False, None)


def test_a_step_with_all_keys() -> None:
    found = step(
        "id: one\ntitle: First\nuses: shell\nwith: {a: 1}\nneeds: [zero]\ntimeout: 2m\nretries: 3\n"
        "requires: [board, network]\ncapture: {n: '(.)'}\nexpect:\n  - contains: x\n    when: {data: real}\n"
        "  - exit: 2\nclaims:\n  - metric: {name: loss, max: 1}\n    source: a page\n    hardware: [n150]\n"
        "    profile: [full]\n    with: {b: 2}\n    facts: {c: 3}\n    better: higher\n"
        "profiles:\n  quick: {with: {a: 2}, expect: [{exit: 3}], timeout: 5, skip: long}\n  full: {}\n"
        "optional: true"
    )
    assert (found.title, found.uses, found.params, found.needs) == ("First", "shell", {"a": 1}, ("zero",))
    assert (found.timeout, found.retries, found.optional) == (120.0, 3, True)
    assert (found.requires, found.capture) == ((Need("board"), Need("network")), {"n": "(.)"})
    assert found.expect == (Expectation("contains", "x", {"data": "real"}), Expectation("exit", 2))
    conditions = {
        "hardware": ["n150"],
        "profile": ["full"],
        "with": {"b": 2},
        "facts": {"c": 3},
        "better": "higher",
    }
    assert found.claims == (Claim("metric", {"name": "loss", "max": 1}, "a page", conditions),)
    assert found.profiles == {
        "quick": Override({"a": 2}, (Expectation("exit", 3),), 5, "long"),
        "full": Override({}, None, None, None),
    }


def test_titles_and_notes() -> None:
    found = good(
        f"**Why:** because\n\n<!-- step\nid: one\n-->\n{BLOCK}\n**Look for:** it\n\n"
        f"# A\n## B\n<!-- step\nid: two\n-->\n{BLOCK}"
    ).steps
    assert [(item.title, item.why, item.look_for) for item in found] == [
        ("one", "because", "it"),
        ("B", "", ""),
    ]


def test_a_manual_step() -> None:
    found = step("id: look\ninstruction: Is it on?\nwith: {a: 1}", "manual")
    assert (found.kind, found.block) == ("manual", None)
    assert found.params == {"a": 1, "instruction": "Is it on?"}


def test_a_hidden_step() -> None:
    (found,) = good("<!-- run\nid: one\n```sh\nls\n```\n-->").steps
    assert (found.kind, found.block and found.block.text) == ("step", "ls\n")


def test_a_skipped_block() -> None:
    found = good(f"<!-- skip\nreason: it is long\n-->\n{BLOCK}")
    assert found.skipped == [NotRun(Block("bash", "ls\n", Location(HERE, 5, 1), info="bash"), "it is long")]
    assert found.steps == []


def test_rules_that_do_not_apply() -> None:
    found = good("<!-- ignore {rules: [a, b], reason: why} -->\n\none\ntwo\n")
    assert found.ignores == [Ignore(("a", "b"), "why", Location(HERE, 1, 1), 1, 4)]


@pytest.mark.parametrize(
    ("text", "number"),
    [(None, None), (90, 90), (1.5, 1.5), ("90s", 90.0), ("30m", 1800.0), ("2h", 7200.0), ("0.5h", 1800.0)],
)
def test_durations(text: Any, number: float | None) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize(
    ("yaml", "word", "problems"),
    [
        (
            "title: x",
            "step",
            [
                (
                    "missing-key 1:1 'step' directive: 'id' is missing (The step's name in the lesson: "
                    "lower-case letters and digits, words joined by - or _)"
                )
            ],
        ),
        (
            "id: one\nneed: [a]",
            "step",
            [("unknown-key 3:1 'step' directive: unknown key 'need' (did you mean 'needs'?)")],
        ),
        (
            "id: look",
            "manual",
            [("missing-key 1:1 'manual' directive: 'instruction' is missing (say what the user has to do)")],
        ),
        (
            "id: one\ninstruction: x",
            "step",
            ["unknown-key 3:1 'step' directive: only 'manual' directives have an 'instruction' (None)"],
        ),
        (
            "reason: ''",
            "skip",
            [
                (
                    "wrong-value 2:1 'skip' directive: reason: must not be empty "
                    "(expected here: Why the block is never run)"
                )
            ],
        ),
        (
            "id: one\ncapture:\n  a: x\n  b: '(.)(.)'\n  c: '(.)'\n  d: 1",
            "step",
            [
                (
                    "wrong-value 7:3 'step' directive: capture.d: 1 is not text or a mapping (expected here: "
                    "A pattern with one group; or a mapping with such a regex, and which match to take)"
                ),
                f"wrong-value 4:3 'step' directive: capture.a: 'x' {GROUP}",
                f"wrong-value 5:3 'step' directive: capture.b: '(.)(.)' {GROUP}",
            ],
        ),
        (
            "id: one\ncapture:\n  a: {regex: x}\n  b: {regex: '(.)', take: frist}\n  c: {take: first}",
            "step",
            [
                (
                    "wrong-value 5:21 'step' directive: capture.b.take: 'frist' is not allowed; "
                    "expected one of last, first, all (did you mean 'first'?)"
                ),
                (
                    "missing-key 6:3 'step' directive: capture.c: 'regex' is missing "
                    "(A regular expression with one group)"
                ),
                f"wrong-value 4:7 'step' directive: capture.a.regex: 'x' {GROUP}",
            ],
        ),
        (
            "id: one\nexpect:\n  - exit: 0\n    contains: x\n  - when: {a: 1}\n  - {exit: 0, when: {a: 1}}",
            "step",
            [
                f"wrong-value 4:5 'step' directive: {MATCHER} exit, contains {ITEM}",
                f"wrong-value 6:5 'step' directive: {MATCHER} none {ITEM}",
            ],
        ),
        (
            "id: one\nprofiles:\n  quick:\n    expect:\n      - exit: 0\n        lines: [a]\n  slow: {}",
            "step",
            [f"wrong-value 6:9 'step' directive: {MATCHER} exit, lines {ITEM}"],
        ),
        (
            "id: one\nexpect:\n  - exit: 0\n  - when: {a: 1}\n    json: {type: things}",
            "step",
            [
                (
                    "wrong-value 6:5 'step' directive: not a JSON Schema: 'things' is not valid "
                    "under any of the given schemas (None)"
                )
            ],
        ),
    ],
)
def test_errors_of_directives(yaml: str, word: str, problems: list[str]) -> None:
    assert wrong(yaml, word) == problems


@pytest.mark.parametrize("expect", ["x", "[x]", "[{}]", "{exit: 0}", "[1, 2]"])
@pytest.mark.parametrize("where", ["expect: {}", "profiles: {{quick: {{expect: {}}}}}"])
def test_invalid_expectations(where: str, expect: str) -> None:
    assert wrong(f"id: one\n{where.format(expect)}") != []


@pytest.mark.parametrize("other", ["profiles: x", "profiles: {quick: x}", "capture: x", "capture: {a: '('}"])
def test_other_invalid_values(other: str) -> None:
    assert len(wrong(f"id: one\n{other}")) == 1


def test_a_warning_keeps_the_step() -> None:
    two = f"<!-- step\nid: one\n-->\n{BLOCK}\n<!-- step\nid: one\ntitle: x\n-->\n{BLOCK}\n"
    found = read(two + two.replace("one", "two"))
    assert [item.id for item in found.steps] == ["one", "one", "two", "two"]
    assert said(found) == [
        "duplicate-step 9:1 there is another step 'one' on line 1 (give one of them another id)",
        "duplicate-step 24:1 there is another step 'two' on line 16 (give one of them another id)",
    ]
    assert {item.severity for item in found.problems} == {"error"}


def test_an_error_in_one_step_keeps_the_others() -> None:
    bad = f"<!-- step\nneeds: [a]\n-->\n{BLOCK}\n"
    skip = f"<!-- skip\nreason: REASON\n-->\n{BLOCK}\n"
    found = read(f"{bad}<!-- step\nid: one\n-->\n{BLOCK}\n{skip}{bad}{skip.replace('REASON', 'another')}")
    assert [item.id for item in found.steps] == ["one"]
    assert [item.reason for item in found.skipped] == ["REASON", "another"]
    assert [item.location.line for item in found.problems] == [1, 22]


def test_all_empty_outputs_are_reported() -> None:
    nothing = "<!-- expect -->\n```\n```\n\n"
    assert [row.split()[0] for row in said(shown("", f"```\n```\n\n{nothing}"))] == ["expect-nothing"] * 2


SHOWN = "```text\none\n\n...\n  two\n```\n"


def shown(yaml: str, block: str = SHOWN) -> Directives:
    steps = f"<!-- step\nid: a\nexpect: [{{exit: 0}}]\n-->\n{BLOCK}\n<!-- step\nid: b\n-->\n{BLOCK}\n"
    return read(f"{steps}<!-- expect {yaml} -->\n{block}")


@pytest.mark.parametrize(
    ("yaml", "block", "step", "added"),
    [
        ("", SHOWN, 1, Expectation("lines", ["one", "", "...", "  two"])),
        ("{step: a}", SHOWN, 0, Expectation("lines", ["one", "", "...", "  two"])),
        ("{step: b, as: contains}", "```\none\ntwo\n\n```", 1, Expectation("contains", "one\ntwo")),
        ("{as: regex}", "```\n^one (.)\n```", 1, Expectation("regex", "^one (.)")),
        ("{as: contains}", "```\nXoneX \n\n```", 1, Expectation("contains", "XoneX ")),
        ("{as: contains}", "```\noneX\n```", 1, Expectation("contains", "oneX")),
        ("", "```\n... ...\n```", 1, Expectation("lines", ["... ..."])),
        ("{as: lines}", "```\none\n```", 1, Expectation("lines", ["one"])),
    ],
)
def test_the_output_that_is_shown(yaml: str, block: str, step: int, added: Expectation) -> None:
    found = shown(yaml, block)
    assert found.problems == []
    before = [(Expectation("exit", 0),), ()]
    before[step] = (*before[step], added)
    assert [item.expect for item in found.steps] == before
    assert [item.id for item in found.steps] == ["a", "b"]


@pytest.mark.parametrize(
    ("yaml", "block", "problem"),
    [
        (
            "{step: c}",
            SHOWN,
            "expect-without-step 16:1 there is no step 'c' above (put it below its step)",
        ),
        (
            "",
            "```\n```",
            f"expect-nothing 16:1 {NONE}",
        ),
        ("", "```\n...\n...\n```", f"expect-nothing 16:1 {NONE}"),
        (
            "",
            "```\n\n ... \n```",
            f"expect-nothing 16:1 {NONE}",
        ),
        (
            "{as: regex}",
            "```\n(one\n```",
            "wrong-value 16:1 not a regular expression: '(one' (correct the block's text)",
        ),
    ],
)
def test_an_invalid_output(yaml: str, block: str, problem: str) -> None:
    found = shown(yaml, block)
    assert said(found) == [problem]
    assert found.problems[0].severity == "error"
    assert [item.expect for item in found.steps] == [(Expectation("exit", 0),), ()]


def test_an_output_with_no_step_above() -> None:
    fix = "put it below its step"
    found = read(f"<!-- expect -->\n{BLOCK}\n<!-- step\nid: one\n-->\n{BLOCK}")
    assert said(found) == [f"expect-without-step 1:1 there is no step above this output ({fix})"]
