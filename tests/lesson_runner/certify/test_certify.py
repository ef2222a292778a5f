"""From runs to a certificate: what a policy asks, what is missing, and how to fix it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.certify.garden import LESSON, Bench, garden

from lesson_runner.model import Hardware

HOST = "a machine without a board"


def unmet(said: Any) -> dict[str, str]:
    """Return the unmet requirements with what was found."""
    assert said.code == 5, said
    assert said.json["certificate"] is None
    missing = [item for item in said.json["findings"] if not item["met"]]
    assert missing
    assert all(item["fix"] for item in missing)
    return {item["requirement"]: item["found"] for item in missing}


def test_two_fresh_passes_on_a_board_are_certified(certified: Bench) -> None:
    answer = certified.verify()
    said = answer["certificate"]
    assert (said["class"], said["target"], said["policy"]["name"]) == ("silicon", "n150", "board")
    assert said["hardware"] == {
        "name": "n150",
        "detectedBy": "a test says so",
        "chipsPresent": 1,
        "chipsUsed": 0,
    }
    assert len({item["runId"] for item in said["passes"]}) == 2
    assert answer["judged_again"] == 8  # twice: a metric, text, a file; a pattern
    assert answer["signer"]["name"] == "me"


def test_a_certificate_from_earlier_runs(bench: Bench) -> None:
    for _ in range(2):
        assert bench.lesson("run", "growing.md", "--allow", "shell", "--fresh").code == 0
    runs = sorted(path.name for path in (bench.folder / ".lesson" / "runs").iterdir())
    assert bench.certify("--from-run", runs[0], "--from-run", runs[1]).code == 0
    assert bench.verify()["holds"]


def test_a_run_named_twice_counts_once(bench: Bench) -> None:
    bench.lesson("run", "growing.md", "--allow", "shell", "--fresh")
    said = bench.certify("--from-run", "latest", "--from-run", "latest")
    assert unmet(said) == {"passes": "1"}


def test_runs_that_could_reuse_earlier_results(bench: Bench) -> None:
    for _ in range(2):
        bench.lesson("run", "growing.md", "--allow", "shell")
    runs = sorted(path.name for path in (bench.folder / ".lesson" / "runs").iterdir())
    said = bench.certify("--from-run", runs[0], "--from-run", runs[1])
    assert list(unmet(said)) == ["fresh"]


def test_a_failed_step_ends_certification(bench: Bench) -> None:
    bench.write(LESSON.replace("min: 3", "min: 30"))
    missing = unmet(bench.certify())
    assert missing["passes"] == "1"  # the second pass was not started
    assert missing["steps"].startswith("grow failed in ")


@pytest.mark.parametrize(
    ("hardware", "labels", "wanted"),
    [
        (
            Hardware("n150", "a test", 1),
            ("emulated",),
            {"class": "the emulation", "hardware": "n150 (a test)"},
        ),
        (
            Hardware("none", "a test", 0, "none"),
            (),
            {"class": "a machine without a board", "hardware": "none (a test)"},
        ),
        (
            Hardware("n150", "a test", 1, "simulator"),
            (),
            {"class": "a simulator", "hardware": "n150 (a test)"},
        ),
        (
            Hardware("n150", "a test", 0, "mock"),
            (),
            {"class": "a machine without a board", "hardware": "n150 (a test)"},
        ),
        (Hardware("p150", "a", 1), (), {"hardware": "p150 (a)"}),
    ],
    ids=["emulated", "nothing", "simulator", "description", "not supported"],
)
def test_only_a_board_counts_as_a_board(
    bench: Bench, hardware: Hardware, labels: tuple[str, ...], wanted: dict[str, str]
) -> None:
    garden.hardware, garden.labels = hardware, labels
    for _ in range(2):
        bench.lesson("run", "growing.md", "--allow", "shell", "--fresh")
    runs = [path.name for path in (bench.folder / ".lesson" / "runs").iterdir()]
    assert unmet(bench.certify("--from-run", runs[0], "--from-run", runs[1])) == wanted


@pytest.mark.parametrize(
    ("front", "facts", "wanted"),
    [
        ({"minTTMetalVersion": "v0.67.0"}, {}, {"version metal.version": "unknown"}),
        (
            {"minTTMetalVersion": "v0.67.0"},
            {"metal": {"version": "v0.66.0-rc7"}},
            {"version metal.version": "v0.66.0-rc7"},
        ),
        ({"minTTMetalVersion": "v0.67.0"}, {"metal": {"version": "v0.67.0-dev20260203"}}, {}),
        ({"minTTMetalVersion": "v0.67.0"}, {"metal": {"version": "v0.73.1"}}, {}),
    ],
)
def test_versions(bench: Bench, front: dict[str, Any], facts: dict[str, Any], wanted: dict[str, str]) -> None:
    bench.write(**front)
    garden.facts = facts
    said = bench.certify()
    assert (unmet(said) if said.code else {}) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "facts", "wanted"),
    [
        ("ct4.train", {}, {"fact backend.name": "unknown", "fact backend.kind": "unknown"}),
        (
            "ct4.train",
            {"backend": {"name": "ttml", "kind": "simulator"}},
            {"class": "a simulator", "hardware": "n150 (a test says so)", "fact backend.kind": "simulator"},
        ),
        ("ct4.train", {"backend": {"name": "ttml", "kind": "silicon", "mesh": [1, 1]}}, {}),
        ("ct4.fetch-dataset", {"dataset": {"pinned": False}}, {"fact dataset.pinned": "false"}),
        ("ct4.fetch-dataset", {"dataset": {"pinned": 1}}, {"fact dataset.pinned": "1"}),
        ("ct4.fetch-dataset", {"dataset": {"pinned": True}}, {}),
    ],
)
def test_facts(bench: Bench, action: str, facts: dict[str, Any], wanted: dict[str, str]) -> None:
    bench.write(LESSON.replace("garden.grow", action))
    garden.facts = facts
    said = bench.certify()
    assert (unmet(said) if said.code else {}) == wanted


def test_chips_used_and_chips_present(bench: Bench) -> None:
    bench.write(LESSON.replace("garden.grow", "ct4.train"))
    garden.hardware = Hardware("n300", "a test says so", 2)
    garden.facts = {"backend": {"name": "ttml", "kind": "silicon", "mesh": [1, 1]}}
    assert bench.certify().code == 0
    hardware = bench.verify()["certificate"]["hardware"]
    assert (hardware["chipsPresent"], hardware["chipsUsed"]) == (2, 1)


def test_parts_of_a_lesson_and_other_parameters_do_not_count(bench: Bench) -> None:
    for extra in (["--only", "grow"], ["--param", "beans=4"]):
        for _ in range(2):
            bench.lesson("run", "growing.md", "--allow", "shell", "--fresh", *extra)
    runs = sorted(path.name for path in (bench.folder / ".lesson" / "runs").iterdir())
    assert list(unmet(bench.certify("--from-run", runs[0], "--from-run", runs[1]))) == ["whole", "steps"]
    assert unmet(bench.certify("--from-run", runs[2], "--from-run", runs[3])) == {"parameters": "beans"}
    said = bench.certify("--from-run", runs[0], "--from-run", runs[2])
    assert said.code == 2
    assert "the runs followed 2 different plans" in said.err


def test_a_step_needs_a_judgement_other_than_its_exit_code(bench: Bench) -> None:
    bench.write(LESSON.replace('[{regex: "^beans: \\\\d+$"}]', "[{exit: 0}]"))
    assert unmet(bench.certify()) == {"judgements": "too few for tell"}


@pytest.mark.parametrize(
    ("expect", "tells"),
    [
        ("{not_contains: error}", False),
        ('{regex: ".*"}', False),
        ('{regex: "^$|beans"}', False),
        ('{lines: ["..."]}', False),
        ("{json: {}}", True),
        ("{contains: e}", True),
        ("{file: {path: beans.txt, min_bytes: 0}}", True),  # it must exist
    ],
)
def test_an_expectation_that_an_empty_step_meets_does_not_count(
    bench: Bench, expect: str, tells: bool
) -> None:
    text = LESSON.replace('[{regex: "^beans: \\\\d+$"}]', f"[{expect}, {expect}]")
    bench.write(text.replace("echo beans: 5", "echo 5e5"))
    said = bench.certify()
    assert (unmet(said) if said.code else {}) == ({} if tells else {"judgements": "too few for tell"})
    (bench.folder / "two.yaml").write_text(json.dumps({**POLICY, "judgements": 2}))
    assert unmet(bench.certify("--policy", "two.yaml"))["judgements"] == "too few for tell"


def test_optional_steps_alone_are_not_enough(bench: Bench) -> None:
    optional = LESSON.replace("id: grow", "id: grow\noptional: true").replace("min: 3", "min: 30")
    bench.write(optional.replace("needs: [grow]", ""))
    assert bench.certify().code == 0
    assert bench.verify()["notes"] == ["optional steps: grow failed"]
    bench.write(optional.replace("id: tell", "id: tell\noptional: true"))
    assert unmet(bench.certify()) == {"steps": "all steps are optional"}


def test_a_persons_confirmation_counts_and_is_noted(bench: Bench) -> None:
    bench.write(LESSON + "\n<!-- manual\nid: look\ninstruction: Is it green?\n-->\n")
    assert unmet(bench.certify())["steps"].startswith("look skipped in ")  # no user at the terminal
    for path in (bench.folder / ".lesson" / "runs").iterdir():  # as if a user had confirmed it
        record = json.loads((path / "record.json").read_text())
        record["steps"][2] |= {"status": "passed", "artifacts": {}}
        (path / "record.json").write_text(json.dumps(record))
        (path / "evidence" / "look").mkdir(exist_ok=True)
        (path / "evidence" / "look" / "output.txt").write_text("confirmed: Is it green?")
    runs = [("--from-run", path.name) for path in (bench.folder / ".lesson" / "runs").iterdir()]
    assert bench.certify(*runs[0], *runs[1]).code == 0
    assert bench.verify()["notes"] == ["a person confirmed look; that cannot be rejudged"]


def test_retried_steps_are_noted(bench: Bench) -> None:
    flaky = "if [ -e tried ]; then echo beans: 5; else touch tried; fi"
    bench.write(LESSON.replace("needs: [grow]", "needs: [grow]\nretries: 1").replace("echo beans: 5", flaky))
    assert bench.certify().code == 0
    assert bench.verify()["notes"] == ["needed more than one attempt: tell"]


def test_a_copy_of_a_run_does_not_count(bench: Bench) -> None:
    bench.lesson("run", "growing.md", "--allow", "shell", "--fresh")
    (run,) = (bench.folder / ".lesson" / "runs").iterdir()
    shutil.copytree(run, bench.folder / "copy")
    both = ("--from-run", "latest", "--from-run", "copy")
    said = bench.certify(*both)
    assert (said.code, "have the same run id" in said.err) == (2, True)
    record = json.loads((run / "record.json").read_text())
    (bench.folder / "copy" / "record.json").write_text(json.dumps({**record, "run_id": "another"}))
    assert list(unmet(bench.certify(*both))) == ["distinct"]


def test_a_run_with_the_emulation_has_no_board(bench: Bench) -> None:
    for _ in range(2):
        bench.lesson("run", "growing.md", "--allow", "shell", "--fresh", "--backend", "emulated")
    runs = [("--from-run", path.name) for path in (bench.folder / ".lesson" / "runs").iterdir()]
    assert unmet(bench.certify(*runs[0], *runs[1]))["class"] == "the emulation"


def test_a_metric_that_only_the_action_reports_does_not_count(bench: Bench) -> None:
    bench.write(LESSON.replace("name: beans, min: 3", "name: reported, min: 1"))
    found = unmet(bench.certify())
    assert "no installed plugin measures 'reported' from the evidence" in found["evidence"]


def test_a_profile_that_does_not_count(bench: Bench) -> None:
    runner = {"profiles": {"quick": {"summary": "q"}, "full": {"summary": "f"}}}
    bench.write(runner=runner)
    assert unmet(bench.certify("--profile", "quick")) == {"profile": "quick"}
    assert bench.certify().code == 0  # by default it uses the profile that counts
    assert bench.verify()["certificate"]["plan"]["profile"] == "full"


def test_impossible_requirements_are_refused_before_the_run(bench: Bench) -> None:
    garden.hardware = Hardware("none", "a test", 0, "none")
    said = bench.certify()
    assert said.code == 5
    assert "the policy 'board' requires a board, but this machine has none (a test)" in said.err
    assert not (bench.folder / ".lesson" / "runs").exists()
    garden.hardware = Hardware("n150", "a test", 1)
    (bench.folder / "home" / "config" / "keys" / "me.json").unlink()
    said = bench.certify()
    assert (said.code, "create one: lesson cert keys new NAME" in said.err) == (2, True)
    assert not (bench.folder / ".lesson" / "runs").exists()


@pytest.mark.parametrize(
    ("change", "more", "wanted"),
    [
        (
            {"runner": {"profiles": {"a": {"summary": "a"}, "full": {"summary": "f"}}}},
            ["--profile", "a"],
            "profile",
        ),
        ({}, ["--param", "beans=4"], "parameters"),
        ({"supportedHardware": ["p150"]}, [], "hardware"),
        ({"text": LESSON.replace("{regex:", "{not_contains:")}, [], "judgements"),
        ({"text": LESSON.replace("id: tell", "id: tell\nprofiles: {default: {skip: why not}}")}, [], "steps"),
    ],
)
def test_unmet_requirements_are_shown_before_the_run(
    bench: Bench, change: dict[str, Any], more: list[str], wanted: str
) -> None:
    bench.write(**change)
    assert list(unmet(bench.certify(*more))) == [wanted]
    assert not (bench.folder / ".lesson" / "runs").exists()


def test_a_policy_without_boards_does_not_certify_a_board(bench: Bench) -> None:
    said = bench.certify("--policy", "emulated")
    assert (said.code, "--backend emulated" in said.err) == (5, True)
    assert not (bench.folder / ".lesson" / "runs").exists()
    assert bench.certify("--policy", "emulated", "--backend", "emulated").code == 0
    assert bench.verify()["certificate"]["target"] == "emulated"


def test_a_folder_that_cannot_be_written_is_noticed_first(bench: Bench) -> None:
    (bench.folder / ".lesson").mkdir()
    (bench.folder / ".lesson" / "certificates").write_text("a file")
    said = bench.certify()
    assert (said.code, "certificates: cannot be written" in said.err) == (2, True)
    assert not (bench.folder / ".lesson" / "runs").exists()


def test_runs_are_not_lost_when_signing_fails(bench: Bench) -> None:
    keys = bench.folder / "home" / "config" / "keys"
    bench.write(LESSON.replace("echo beans: 5", f"echo beans: 5; rm -f {keys}/me.json"))
    said = bench.lesson("certify", "growing.md", "--allow", "shell")
    assert said.code == 2
    command = said.err.rpartition("without running them again: lesson ")[2].split()
    assert bench.lesson("cert", "keys", "new", "you").code == 0
    assert bench.lesson(*command).code == 0
    assert bench.lesson(*command, "--profile", "default").code == 2  # the option would be ignored


def test_a_lesson_that_was_changed_after_its_run(bench: Bench) -> None:
    bench.lesson("run", "growing.md", "--allow", "shell", "--fresh")
    bench.write(LESSON.replace("# Growing", "# Growing up"))
    said = bench.certify("--from-run", "latest")
    assert (said.code, "the lesson has changed since then" in said.err) == (2, True)
    bench.write(status="validated", validatedOn=["n150"], validationDate="2026-01-01", validationNotes="seen")
    assert unmet(bench.certify("--from-run", "latest")) == {"passes": "1"}  # this does not change the content


def test_the_run_of_another_lesson(bench: Bench) -> None:
    bench.write(name="other.md")
    bench.lesson("run", "other.md", "--allow", "shell", "--fresh")
    said = bench.certify("--from-run", "latest")
    assert (said.code, "is of the lesson 'other', not of 'growing'" in said.err) == (2, True)


def test_an_emulated_certificate_has_a_separate_class(bench: Bench) -> None:
    garden.hardware, garden.labels = Hardware("none", "a test", 0, "none"), ("emulated",)
    said = bench.certify("--policy", "emulated")
    assert said.code == 0, said
    assert Path(said.json["certificate"]).name.startswith("growing.emulated.")
    answer = bench.verify()
    assert answer["certificate"]["class"] == "emulated"
    refused = bench.verify("--policy", "board")
    assert (refused["check"], refused["message"].startswith("the policy 'board' is not met")) == (
        "policy",
        True,
    )


def test_unfinished_certificates_are_removed(bench: Bench) -> None:
    bench.write(LESSON.replace("min: 3", "min: 30"))
    bench.certify()
    assert list((bench.folder / ".lesson" / "certificates").iterdir()) == []


POLICY = {"policy_version": 1, "name": "mine", "summary": "s", "classes": ["silicon"], "passes": 1}


def test_a_custom_policy(bench: Bench) -> None:
    (bench.folder / "mine.yaml").write_text(json.dumps(POLICY))
    assert bench.certify("--policy", "mine.yaml").code == 0
    assert bench.verify()["certificate"]["policy"]["name"] == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("passes: [", "mine.yaml:1:"),
        ("{}", "mine.yaml:1:1: error: policy: 'classes' is missing"),
        (json.dumps({**POLICY, "classes": ["silicone"]}), "did you mean 'silicon'?"),
        (json.dumps({**POLICY, "pases": 2}), "did you mean 'passes'?"),
        (json.dumps({**POLICY, "passes": 0}), "policy: passes: 0 "),
        ("!!python/object:os.system {}", "mine.yaml:1:"),
    ],
)
def test_an_invalid_policy(bench: Bench, text: str, message: str) -> None:
    (bench.folder / "mine.yaml").write_text(text)
    said = bench.certify("--policy", "mine.yaml")
    assert said.code == 2
    assert message in said.err
    assert bench.certify("--policy", "bord").err.count("did you mean 'board'") == 1
    assert bench.certify("--policy", "none.yaml").code == 2


def test_text_output(bench: Bench) -> None:
    said = bench.lesson("certify", "growing.md", "--allow", "shell")
    assert "Certified under the policy 'board':" in said.out
    said = bench.lesson("cert", "verify", bench.certificate)
    assert "✓ the certificate is valid" in said.out
    assert "n150 (a test says so), chips used: an unknown number of 1" in said.out
    garden.labels = ("emulated",)
    said = bench.lesson("certify", "growing.md", "--allow", "shell")
    assert "Not certified under the policy 'board': 2 requirements not met" in said.out
    assert "→ run it on a board" in said.out
