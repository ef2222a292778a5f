"""Lesson, plan and evidence are the signed ones and belong together; errors say which one does not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.certify.garden import LESSON, garden

from lesson_runner import __version__
from lesson_runner.certify.evidence import list_files
from lesson_runner.certify.statement import Certificate, Digests
from lesson_runner.certify.store import StoredCertificate
from lesson_runner.certify.subjects import (
    INSTALL,
    NOT_REEVALUABLE,
    check_files,
    check_plan,
    versions_that_differ,
)
from lesson_runner.certify.trust import RefusedError
from lesson_runner.document.lessons import load_lesson
from lesson_runner.files.canonical import canonical
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.digests import content_digest, plan_content
from lesson_runner.run.plan import make_plan
from lesson_runner.testing import ModuleEntryPoint, lesson_text


@dataclass
class Case:
    """A certificate, its files, and the installed plugins."""

    certificate: Certificate
    stored: StoredCertificate
    plugins: Plugins

    def refused(self) -> tuple[str, str, str]:
        """Return the check that refuses the files or the plan, the reason, and the fix."""
        with pytest.raises(RefusedError) as caught:
            check_plan(self.certificate, *check_files(self.certificate, self.stored), self.plugins)
        return caught.value.check, str(caught.value), caught.value.fix

    def sign(self, kind: str, path: Path, data: bytes) -> None:
        """Write a file and put its digest into the certificate."""
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        self.certificate = replace(
            self.certificate, digests=replace(self.certificate.digests, **{kind: digest})
        )


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return made(tmp_path, lesson_text(LESSON))


def made(tmp_path: Path, text: str, profile: str = "default") -> Case:
    """Return a lesson as if it had been certified."""
    plugins = Plugins(points=[ModuleEntryPoint(garden)])
    stored = StoredCertificate(tmp_path / "certificate.intoto.jsonl", tmp_path / "evidence")
    (stored.run("run-1") / "evidence").mkdir(parents=True)
    (stored.run("run-1") / "record.json").write_text("{}")
    stored.lesson.write_text(text)
    lesson, _ = load_lesson(stored.lesson)
    plan = make_plan(lesson, (), plugins, profile, [])
    predicate: dict[str, Any] = {
        "plan": {"profile": plan.profile, "params": {}},
        "toolchain": {
            "versions": {"lesson-runner": __version__},
            "plugins": {name: info.version for name, info in plugins.infos.items()},
        },
    }
    case = Case(Certificate(predicate, Digests(content_digest(lesson), "", "")), stored, plugins)
    case.sign("plan", stored.plan, canonical(plan_content(plan.steps)))
    case.sign("evidence", stored.manifest, canonical(list_files(stored.evidence)))
    return case


def test_unchanged_files(case: Case) -> None:
    ran, steps = check_files(case.certificate, case.stored)
    assert (ran.title, [step["id"] for step in steps]) == ("Sample", ["grow", "tell"])
    check_plan(case.certificate, ran, steps, case.plugins)
    assert versions_that_differ(case.certificate, case.plugins) == ""


def test_without_evidence(case: Case, tmp_path: Path) -> None:
    case.stored = replace(case.stored, evidence=tmp_path / "none")
    why = f"there is no evidence: {tmp_path / 'none'} is not a folder"
    assert case.refused() == ("evidence", why, "name its folder: --evidence DIR")


@pytest.mark.parametrize(
    ("name", "check", "what"),
    [
        ("plan", "plan", "the plan was changed after it was certified"),
        ("manifest", "evidence", "the evidence manifest was changed after it was signed"),
        ("lesson", "lesson", "the lesson was changed after it was certified"),
    ],
)
def test_changed_files(case: Case, name: str, check: str, what: str) -> None:
    path: Path = getattr(case.stored, name)
    whole = path.read_bytes()
    path.write_bytes(whole + (b"\nmore" if name == "lesson" else b" "))
    assert case.refused() == (check, f"{what}: {path}", "")
    path.unlink()
    cannot = f"{path}: the lesson cannot be read" if name == "lesson" else f"{path}: cannot be read"
    assert case.refused() == (check, f"{cannot}: No such file or directory", "")
    path.symlink_to("/dev/zero")
    assert case.refused() == (check, f"{cannot}: it is not a plain file", "")


def test_a_lesson_that_is_not_text(case: Case) -> None:
    case.stored.lesson.write_bytes(b"\xff")
    why = f"{case.stored.lesson}: the lesson cannot be read: the lesson does not validate: 1 error"
    assert case.refused() == ("lesson", why, "")


def test_a_lesson_that_does_not_validate(case: Case) -> None:
    text = lesson_text(LESSON).replace("id: tell", "id: TELL")
    case.stored.lesson.write_text(text)
    lesson, _ = load_lesson(case.stored.lesson)
    case.certificate = replace(
        case.certificate, digests=replace(case.certificate.digests, lesson=content_digest(lesson))
    )
    check, why, fix = case.refused()
    assert (check, fix) == ("lesson", "")
    assert why.startswith("the signed lesson does not validate: ")
    assert '"TELL" is not written like first-step' in why


def test_signed_files_with_other_content(case: Case) -> None:
    case.sign("plan", case.stored.plan, b"{")
    check, why, _ = case.refused()
    assert (check, why.startswith(f"what was signed is not JSON: {case.stored.plan}: Expecting")) == (
        "plan",
        True,
    )
    for plan in (b"[1]", b'[{"id": "a"}]', b"3"):
        case.sign("plan", case.stored.plan, plan)
        assert case.refused() == ("plan", "what was signed is not a plan", "")
    why = f"what was signed is not an evidence manifest: {case.stored.manifest}"
    for listed in (b"1", b'{"run-1/record.json": {}}', b'{"run-1/record.json": 2}'):
        case.sign("evidence", case.stored.manifest, listed)
        assert case.refused() == ("evidence", why, "")


@pytest.mark.parametrize(("change", "what"), [("{ }", "was changed"), (None, "is missing")])
def test_changed_evidence(case: Case, change: str | None, what: str) -> None:
    path = case.stored.run("run-1") / "record.json"
    if change is None:
        path.unlink()
    else:
        path.write_text(change)
    assert case.refused() == ("evidence", f"the evidence {what} after it was signed: {path}", "")


def test_unreadable_evidence(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("lesson_runner.certify.evidence.file_digest", fails)
    check, why, fix = case.refused()
    assert (check, fix) == ("evidence", "")
    assert why.startswith("the evidence cannot be read: [Errno 13] Permission denied: ")


def test_without_the_plugin(case: Case) -> None:
    case.plugins = Plugins(points=[])
    assert case.refused() == (NOT_REEVALUABLE, "no installed plugin has the action 'garden.grow'", INSTALL)


def test_the_recorded_profile(tmp_path: Path) -> None:
    step = "uses: garden.grow\nprofiles: {quick: {with: {beans: 4}}}"
    profiles = {"quick": {"summary": "q"}, "full": {"summary": "f"}}
    text = lesson_text(LESSON.replace("uses: garden.grow", step), runner={"profiles": profiles})
    for number, profile in enumerate(profiles):
        folder = tmp_path / str(number)
        folder.mkdir()
        case = made(folder, text, profile)
        check_plan(case.certificate, *check_files(case.certificate, case.stored), case.plugins)
        case.certificate.predicate["plan"]["profile"] = list(profiles)[1 - number]
        assert case.refused()[0] == "plan"


def test_a_plan_with_other_parameters(case: Case) -> None:
    case.certificate.predicate["plan"]["params"] = {"beans": "7"}
    why = "the signed plan is not the lesson's plan"
    assert case.refused() == ("plan", why, "")
    case.certificate.predicate["toolchain"]["versions"]["lesson-runner"] = "0.0.1"
    differ = f"versions that differ: lesson-runner (then 0.0.1, here {__version__})"
    assert case.refused() == (NOT_REEVALUABLE, f"the lesson is planned differently here; {differ}", INSTALL)
    case.certificate.predicate["plan"]["params"] = {"peas": "7"}
    check, why, fix = case.refused()
    assert (check, fix) == (NOT_REEVALUABLE, INSTALL)
    assert why.startswith("the lesson cannot be planned here: ")
    assert why.endswith(f"; {differ}")
    case.certificate.predicate["toolchain"]["versions"]["lesson-runner"] = __version__
    assert case.refused()[0] == "plan"


def test_versions_that_differ(case: Case) -> None:
    said = case.certificate.predicate["toolchain"]
    said["plugins"] = {"gone": "1.0"}
    said["versions"] = {"python": "2.7"}
    both = f"gone (then 1.0, here None), lesson-runner (then None, here {__version__})"
    assert versions_that_differ(case.certificate, case.plugins) == both
