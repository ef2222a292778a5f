"""The exact messages about certificates that verify, and about those that do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin
from tests.lesson_runner.certify.forgery import edit_records, resign
from tests.lesson_runner.certify.garden import LESSON, Bench, garden

from lesson_runner import __version__
from lesson_runner.certify.keys import KeyStore
from lesson_runner.certify.policy import load_policy
from lesson_runner.certify.store import StoredCertificate, stored_at
from lesson_runner.certify.trust import RefusedError
from lesson_runner.certify.verify import Verified, verify
from lesson_runner.files.canonical import canonical, digest_of
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint

Predicate = dict[str, Any]


def checked(bench: Bench, **more: Any) -> Verified:
    trusted, plugins = (
        KeyStore().trusted(),
        Plugins(points=[ModuleEntryPoint(item) for item in bench.plugins]),
    )
    return verify(stored_at(bench.certificate), trusted, plugins, **more)


def refused(bench: Bench, **more: Any) -> tuple[str, str, str]:
    """Return the check that refuses a certificate, the reason, and the fix."""
    with pytest.raises(RefusedError) as caught:
        checked(bench, **more)
    return caught.value.check, str(caught.value), caught.value.fix


def runs(bench: Bench) -> list[str]:
    return sorted(path.parent.name for path in bench.certificate.glob("evidence/*/record.json"))


def test_a_valid_certificate(certified: Bench) -> None:
    said = checked(certified)
    assert (said.judged, said.notes, said.recorded) == (8, (), ("grow: reported",))
    assert [item.requirement for item in said.requirements][:2] == ["passes", "distinct"]
    assert all(item.met for item in said.requirements)
    assert said.signed.certificate.lesson_id == "growing"


def test_another_lesson(certified: Bench) -> None:
    lesson = certified.folder / "growing.md"
    assert checked(certified, lesson=lesson).judged == 8
    lesson.write_text(lesson.read_text() + "more\n")
    why = f"{lesson} is not the certified lesson: its text differs"
    assert refused(certified, lesson=lesson) == ("lesson", why, "certify its current text: lesson certify")


@pytest.mark.parametrize(
    ("key", "value", "check"),
    [
        ("lesson", {"id": "growing", "title": "Other"}, "statement"),
        ("target", "n300", "hardware"),
        ("hardware", {"name": "n150"}, "hardware"),
        ("plan", {"steps": ["grow"]}, "statement"),
        ("toolchain", {"facts": {"a": "b"}}, "statement"),
    ],
)
def test_a_predicate_that_contradicts_its_runs(certified: Bench, key: str, value: Any, check: str) -> None:
    said: list[Predicate] = []

    def change(stored: StoredCertificate, predicate: Predicate) -> None:
        was = json.loads(json.dumps(predicate[key]))
        new = {**was, **value} if isinstance(was, dict) else value
        if key == "hardware":
            new["chipsUsed"] = 2
        predicate[key] = new
        said.extend((new, was))

    resign(certified, change)
    shown = [
        text if len(text) <= 200 else f"{text[:200]}…" for text in (canonical(item).decode() for item in said)
    ]
    why = f"its {key} does not match its runs: {shown[0]}, expected {shown[1]}"
    assert refused(certified) == (check, why, "")


@pytest.mark.parametrize(("length", "cut"), [(200, False), (201, True)])
def test_long_values_are_cut(certified: Bench, length: int, cut: bool) -> None:
    def change(stored: StoredCertificate, predicate: Predicate) -> None:
        title = predicate["lesson"]["title"]
        more = length - len(canonical(predicate["lesson"]).decode())
        predicate["lesson"]["title"] = title + "x" * more
        whole.append(canonical(predicate["lesson"]).decode())

    whole: list[str] = []
    resign(certified, change)
    shown = f"{whole[0][:200]}…" if cut else whole[0]
    assert (len(whole[0]), f": {shown}, expected " in refused(certified)[1]) == (length, True)


def test_a_contradictory_statement_for_other_tools(certified: Bench) -> None:
    def change(both: list[bytes]) -> list[bytes]:
        theirs = json.loads(both[0])
        theirs["predicate"]["passedTests"].append("flying")
        return [canonical(theirs), both[1]]

    resign(certified, lambda stored, predicate: None, change)
    why = "its statement for other tools contradicts its certification"
    assert refused(certified) == ("statement", why, "")


def test_its_own_policy(certified: Bench) -> None:
    resign(certified, lambda stored, predicate: predicate["passes"].pop())
    why = "its own policy is not met: 2 runs; found: 1"
    assert refused(certified) == ("policy", why, "run the lesson 1 more time")


def test_facts_that_some_actions_must_show(bench: Bench) -> None:
    bench.write(LESSON.replace("garden.grow", "ct4.train"))
    garden.facts = {"backend": {"name": "ttml", "kind": "silicon", "mesh": [1, 1]}}
    assert bench.certify().code == 0

    def change(stored: StoredCertificate, predicate: Predicate) -> None:
        edit_records(stored, lambda record: record["facts"]["backend"].update(name="mine"))
        predicate["toolchain"]["facts"]["backend"]["name"] = "mine"

    assert checked(bench).judged == 8
    resign(bench, change)
    check, why, _ = refused(bench)
    assert (check, why) == ("policy", "its own policy is not met: backend.name is ttml; found: mine")


def test_an_additional_policy(certified: Bench) -> None:
    (certified.folder / "more.yaml").write_text(
        json.dumps({"policy_version": 1, "name": "more", "summary": "s", "classes": ["host"], "passes": 4})
    )
    why = "the policy 'more' is not met (and 1 more): 4 runs; found: 2"
    said = refused(certified, policy=load_policy(str(certified.folder / "more.yaml")))
    assert said == ("policy", why, "run the lesson 2 more times")
    assert checked(certified, policy=load_policy("board")).judged == 8
    only = {"policy_version": 1, "name": "more", "summary": "s", "classes": ["host"], "passes": 1}
    (certified.folder / "more.yaml").write_text(json.dumps(only))
    said = refused(certified, policy=load_policy(str(certified.folder / "more.yaml")))
    why = "the policy 'more' is not met: made on a machine without a board; found: a board"
    assert said == ("policy", why, "run it on a machine without a board")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda record: record.update(run_id="other"), "RUN/record.json is of another run or another plan"),
        (
            lambda record: record.update(plan_digest="0" * 64),
            "RUN/record.json is of another run or another plan",
        ),
        (
            lambda record: record["lesson"].update(content_sha256="0" * 64),
            "RUN/record.json is of another lesson",
        ),
        (lambda record: record["lesson"].pop("content_sha256"), "RUN/record.json is of another lesson"),
    ],
)
def test_records_of_other_runs(certified: Bench, change: Callable[[Predicate], Any], why: str) -> None:
    first = runs(certified)[0]
    resign(certified, lambda stored, predicate: edit_records(stored, change))
    assert refused(certified) == ("evidence", why.replace("RUN", first), "")


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "{", "[]", "{}", '{"steps": []}'])
def test_invalid_records(certified: Bench, text: str) -> None:
    first = runs(certified)[0]
    record = certified.certificate / "evidence" / first / "record.json"
    resign(certified, lambda stored, predicate: record.write_text(text))
    check, why, fix = refused(certified)
    assert (check, fix) == ("evidence", "")
    assert why.startswith(f"the record of run {first} is invalid: ")


elsewhere = fake_plugin("elsewhere", actions=garden.lesson_actions)
"""The garden, on a machine where nothing is measured."""


def test_steps_that_cannot_be_rejudged_come_first(certified: Bench) -> None:
    """They say nothing about the signer, unlike a wrong verdict."""
    resign(
        certified,
        lambda stored, predicate: edit_records(stored, lambda record: record["steps"][1].update(verdicts=[])),
    )
    first = runs(certified)[0]
    wrong = "exit 0: nothing is recorded, but the evidence shows passed"
    why = f"step tell of {first} was recorded wrongly: {wrong}"
    assert refused(certified) == ("re-evaluation", why, "")
    certified.plugins = [elsewhere]
    check, why, fix = refused(certified)
    assert check == "not re-evaluable"
    assert why.startswith(
        f"step grow of {first} is not re-evaluable: no installed plugin measures 'beans' from the evidence"
    )
    assert fix.startswith("install the plugins that the lesson uses")


def test_wrong_verdicts_from_another_version(certified: Bench) -> None:
    def change(stored: StoredCertificate, predicate: Predicate) -> None:
        edit_records(stored, lambda record: record["steps"][1].update(verdicts=[]))
        predicate["toolchain"]["versions"]["lesson-runner"] = "0.0.1"

    resign(certified, change)
    differ = f"lesson-runner (then 0.0.1, here {__version__})"
    fix = f"these versions differ, which may be why; verify with the recorded ones: {differ}"
    assert refused(certified)[::2] == ("re-evaluation", fix)


def change_policy(predicate: Predicate, **more: Any) -> None:
    content = {**predicate["policy"]["content"], **more}
    predicate["policy"] = {"name": content["name"], "sha256": digest_of(content), "content": content}


def test_a_policy_of_the_same_name(certified: Bench) -> None:
    resign(certified, lambda stored, predicate: change_policy(predicate, summary="weaker"))
    note = "its policy 'board' differs from the built-in one of that name; to use that: --policy board"
    assert checked(certified).notes == (note,)
    resign(certified, lambda stored, predicate: change_policy(predicate, name="other"))
    assert checked(certified).notes == ()


@pytest.mark.parametrize(("days", "expired"), [(2, True), (3, False), (None, False)])
def test_expired_runs(certified: Bench, days: int | None, expired: bool) -> None:
    began = datetime.now(timezone.utc) - timedelta(days=3, hours=2)

    def change(stored: StoredCertificate, predicate: Predicate) -> None:
        for number, said in enumerate(predicate["passes"]):
            record = stored.run(said["runId"]) / "record.json"
            times = [began + timedelta(hours=number, minutes=minutes) for minutes in (0, 1)]
            texts = [time.isoformat(timespec="milliseconds").replace("+00:00", "Z") for time in times]
            said["started"], said["finished"] = texts
            data = json.loads(record.read_text())
            record.write_text(json.dumps({**data, "started": texts[0], "finished": texts[1]}))
        content = {key: value for key, value in predicate["policy"]["content"].items() if key != "valid_days"}
        predicate["policy"]["content"] = content
        change_policy(predicate, name="mine", **({"valid_days": days} if days else {}))

    resign(certified, change)
    if not expired:
        assert checked(certified).notes == ()
        return
    why = f"it has expired: its runs are 3 days old; under its policy it is valid for {days}"
    assert refused(certified) == ("time", why, "run the lesson again: lesson certify")


@pytest.mark.parametrize(("first", "second", "note"), [(2, 1, "grow"), (1, 3, "grow"), (1, 1, "")])
def test_retried_steps(certified: Bench, first: int, second: int, note: str) -> None:
    def change(stored: StoredCertificate, predicate: Predicate) -> None:
        for attempts, said in zip((first, second), predicate["passes"], strict=True):
            record = stored.run(said["runId"]) / "record.json"
            data = json.loads(record.read_text())
            data["steps"][0]["attempts"] = attempts
            data["steps"][1].pop("attempts", None)
            record.write_text(json.dumps(data))

    resign(certified, change)
    assert checked(certified).notes == ((f"needed more than one attempt: {note}",) if note else ())


def test_notes_with_several_steps(bench: Bench) -> None:
    """Optional steps of the last run, confirmed steps and retried steps each get one note."""
    optional = "<!-- step\nid: NAME\noptional: true\nexpect: [{contains: x}]\n-->\n```bash\nLINE\n```\n\n"
    once = f"if [ -e {bench.folder}/tried ]; then echo x; else touch {bench.folder}/tried; fi"
    steps = [("a", "echo y"), ("b", "echo z"), ("c", once)]
    text = "".join(optional.replace("NAME", name).replace("LINE", line) for name, line in steps)
    manual = "".join(f"<!-- manual\nid: {name}\ninstruction: Is it?\n-->\n\n" for name in ("look", "smell"))
    bench.write(LESSON + "\n" + text + manual)
    for _ in range(2):  # no user confirms
        bench.lesson("run", "growing.md", "--allow", "shell", "--fresh")
    folders = sorted((bench.folder / ".lesson" / "runs").iterdir())
    for folder in folders:
        confirm(folder)
    said = bench.certify(*(item for folder in folders for item in ("--from-run", folder.name)))
    assert said.code == 0, said
    assert checked(bench).notes == (
        "a person confirmed look, smell; that cannot be rejudged",
        "needed more than one attempt: grow, tell",
        "optional steps: a failed, b failed",
    )


def confirm(folder: Path) -> None:
    """Make a run look as if a user had confirmed a step, and two steps had been retried."""
    path = folder / "record.json"
    record = json.loads(path.read_text())
    for step in record["steps"]:
        step["attempts"] = 2 if step["id"] in ("grow", "tell") else 1
        if step["id"] in ("look", "smell"):
            step |= {"status": "passed", "artifacts": {}}
            own = folder / "evidence" / step["id"]
            own.mkdir(exist_ok=True)
            (own / "output.txt").write_text("confirmed: Is it?")
    path.write_text(json.dumps(record))
