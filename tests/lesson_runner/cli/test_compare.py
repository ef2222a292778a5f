"""``lesson compare`` and ``lesson runs``: compare, find, list and remove runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.model.sections import Line, Passage, Section, Series, Table, Texts
from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
BODY = """\
<!-- step
id: {id}
uses: guess
with: {{tries: 3, seed: 1}}
expect: [{{metric: {{name: error, max: 9}}}}]
-->
```text
x
```

"""


def guess(params: Json, context: StepContext) -> Outcome:
    context.say(f"guessed with seed {params['seed']}")
    return Outcome(metrics={"error": params["seed"] * 2.5, "tries": params["tries"]}, labels=("emulated",))


def sections(record: Json) -> list[Section]:
    error = record["steps"][0]["metrics"]["error"]
    reference = Line("published", ((0, 1),), dashed=True)
    return [
        Series("Curve", (Line("error", ((0, error),)), reference)),
        Texts("Said", (Passage("one", f"error {error}"),)),
        Table("All", ("error",), ((error,),)),
    ]


SCHEMA = {"type": "object", "properties": {"tries": {"type": "integer"}, "seed": {"type": "integer"}}}
guessing = fake_plugin(
    "guessing", actions=[Action("guess", "Guess", guess, schema=SCHEMA)], report_sections=sections
)


@pytest.fixture
def run(lesson: Lesson, tmp_path: Path) -> Callable[..., str]:
    """Runs the lesson with parameters, and returns the run's name."""
    path = tmp_path / "a.md"
    path.write_text(lesson_text(BODY.format(id="first") + BODY.format(id="second")))

    def start(*params: str) -> str:
        flags = [word for param in params for word in ("--param", param)]
        said = lesson("run", path, "--json", *flags, plugins=[guessing])
        assert said.code == 0, said
        return str(said.json["run_id"])

    return start


def test_differences_are_shown_once(lesson: Lesson, run: Callable[..., str]) -> None:
    runs = run(), run("seed=2"), run("seed=2", "second.tries=7")

    said = lesson("compare", *runs, "--json", plugins=[guessing])

    compared = [(item["letter"], item["run_id"]) for item in said.json["compared"]]
    assert compared == list(zip("ABC", runs, strict=True))
    differences = said.json["differences"]
    assert differences["runs"] == differences["status"] == []
    assert differences["params"] == [
        {"steps": ["first", "second"], "name": "seed", "values": [1, 2, 2]},
        {"steps": ["second"], "name": "tries", "values": [3, 3, 7]},
    ]
    assert {"steps": ["first", "second"], "name": "error", "values": [2.5, 5, 5]} in differences["metrics"]
    curve, texts, table = said.json["sections"]
    assert [item["name"] for item in curve["data"]["items"]] == [
        "A: error",
        "published",
        "B: error",
        "C: error",
    ]
    assert [item["title"] for item in texts["data"]["items"]] == ["A: one", "B: one", "C: one"]
    assert table["data"] == {"columns": ["Run", "error"], "rows": [["A", 2.5], ["B", 5], ["C", 5]]}


def test_people_see_the_runs_their_labels_and_the_differences(
    lesson: Lesson, run: Callable[..., str]
) -> None:
    first, second = run(), run("seed=3")

    said = lesson("compare", first, "latest", plugins=[guessing])

    assert said.code == 0
    assert f"A  {first}  passed" in said.out
    assert f"B  {second}  passed" in said.out
    assert said.out.count("[emulated]") >= 3  # at each run, and at each section
    lines = [line.split() for line in said.out.splitlines()]
    assert ["first,", "second", "seed", "1", "3"] in lines
    assert ["first,", "second", "error", "2.5", "7.5"] in lines
    assert "tries" not in said.out


def test_a_step_that_only_one_run_has(lesson: Lesson, run: Callable[..., str], tmp_path: Path) -> None:
    before = run()
    (tmp_path / "a.md").write_text(lesson_text(BODY.format(id="first")))
    after = run()

    said = lesson("compare", before, after, "--json", plugins=[guessing])

    differences = said.json["differences"]
    assert {"steps": ["second"], "name": "status", "values": ["passed", "-"]} in differences["status"]
    assert [item["name"] for item in differences["runs"]] == ["lesson's text"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{one}"], "1 run cannot be compared"),
        (["{one}", "{one}"], "1 run cannot be compared"),
        (["{one}", "20"], "matches 2 runs"),
        (["{one}", "nonsense"], "there is no run 'nonsense'"),
    ],
)
def test_runs_that_cannot_be_compared(
    lesson: Lesson, run: Callable[..., str], arguments: list[str], words: str
) -> None:
    one = run()
    run()
    said = lesson("compare", *(item.format(one=one) for item in arguments), plugins=[guessing])
    assert said.code == 2
    assert words in said.err
    assert "fix: " in said.err


def test_a_run_by_its_folder_or_its_record(lesson: Lesson, run: Callable[..., str], tmp_path: Path) -> None:
    first, second = run(), run()
    runs = tmp_path / ".lesson" / "runs"
    said = lesson("compare", runs / first, runs / second / "record.json", "--json", plugins=[guessing])
    assert [item["run_id"] for item in said.json["compared"]] == [first, second]


def test_no_runs_yet(lesson: Lesson) -> None:
    said = lesson("compare", "latest", "latest")
    assert said.code == 2
    assert "there are no runs in" in said.err


# --- listing ---


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [1]},
        {"labels": None},
        {"seconds": "long"},
        {"lesson": {}},
        {"status": None},
        {"record_version": 2},
    ],
)
def test_a_damaged_record_is_listed_with_its_error(
    lesson: Lesson, run: Callable[..., str], tmp_path: Path, change: dict[str, Any]
) -> None:
    name, good = run(), run()
    path = tmp_path / ".lesson" / "runs" / name / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    damaged, whole = lesson("runs", "--json").json
    assert (damaged["run_id"], damaged["status"]) == (name, "unfinished")
    assert f"{name}/record.json: " in damaged["error"]
    assert (whole["run_id"], whole["status"], whole["labels"]) == (good, "passed", ["emulated"])
    assert lesson("runs").code == 0


# --- removing ---


def test_runs_are_removed_only_after_a_yes(lesson: Lesson, run: Callable[..., str], tmp_path: Path) -> None:
    first, second, third = run(), run(), run()
    refused = lesson("runs", "rm", first)
    assert refused.code == 2
    assert "nothing was removed" in refused.err
    assert len(lesson("runs", "--json").json) == 3

    said = lesson("runs", "rm", first, "latest", "--yes")

    assert said.code == 0
    assert [line.split(" (")[0] for line in said.out.splitlines()] == [f"removed {first}", f"removed {third}"]
    assert [item["run_id"] for item in lesson("runs", "--json").json] == [second]
    assert [path.name for path in (tmp_path / ".lesson" / "runs").iterdir()] == [second]


def test_nothing_is_removed_if_one_name_is_wrong(lesson: Lesson, run: Callable[..., str]) -> None:
    name = run()
    said = lesson("runs", "rm", name, "nothing", "--yes")
    assert said.code == 2
    assert len(lesson("runs", "--json").json) == 1


def test_a_run_of_another_workspace_stays(lesson: Lesson, run: Callable[..., str], tmp_path: Path) -> None:
    name = run()
    path = tmp_path / ".lesson" / "runs" / name
    said = lesson("runs", "--workspace", tmp_path / "other", "rm", path, "--yes")
    assert said.code == 2
    assert f"--workspace {tmp_path / '.lesson'}" in said.err
    assert path.is_dir()


def test_the_workspace_option_works_before_and_after_rm(
    lesson: Lesson, run: Callable[..., str], tmp_path: Path
) -> None:
    first, second = run(), run()
    (tmp_path / ".lesson").rename(tmp_path / "space")
    assert lesson("runs", "rm", first, "--yes", "--workspace", tmp_path / "space").code == 0
    assert lesson("runs", "--workspace", tmp_path / "space", "rm", second, "--yes").code == 0
    assert lesson("runs", "--workspace", tmp_path / "space", "--json").json == []


def test_the_run_in_the_current_folder(
    lesson: Lesson, run: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".lesson" / "runs" / run()
    monkeypatch.chdir(path)

    elsewhere = lesson("runs", "rm", ".", "--yes", "--workspace", tmp_path / "other")
    assert elsewhere.code == 2
    assert f"--workspace {tmp_path / '.lesson'}" in elsewhere.err

    assert lesson("runs", "rm", ".", "--yes", "--workspace", "../..").code == 0
    assert not path.exists()


def test_a_name_too_long_for_a_path(lesson: Lesson, run: Callable[..., str]) -> None:
    said = lesson("compare", run(), "a" * 300)
    assert said.code == 2
    assert "there is no run" in said.err


def test_a_damaged_record_is_an_error_without_a_crash(
    lesson: Lesson, run: Callable[..., str], tmp_path: Path
) -> None:
    good, bad = run(), run()
    (tmp_path / ".lesson" / "runs" / bad / "record.json").write_text('{"record_version": 1, "lesson": {}}')

    compared = lesson("compare", good, bad)
    assert compared.code == 2
    assert "it does not follow the schema" in compared.err
    first, second = lesson("runs", "--json").json
    assert (first["status"], second["status"]) == ("passed", "unfinished")
    assert "it does not follow the schema" in second["error"]


def test_a_half_removed_run_does_not_count(lesson: Lesson, run: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / ".lesson" / "runs" / run()
    path.rename(path.with_name(f".{path.name}.removed"))
    assert "there are no runs" in lesson("compare", "latest", "latest").err
