"""
Commands answer mutated documents, and the search reports it if they do not.

``python -m tools.fuzz`` is the long form; see CONTRIBUTING.md.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom

import pytest
from tools.fuzz.doors import Doors
from tools.fuzz.oddities import LARGEST
from tools.fuzz.search import MUTATIONS, Harm, Tally, minimise, mutated, search
from tools.fuzz.seeds import make_world, seeds

from lesson_runner.plugins import hookimpl
from lesson_runner.report import text
from lesson_runner.run import stored


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LESSON_HOME", str(folder / "home"))
        patch.setattr(tempfile, "tempdir", str(folder))  # reports on bugs are found there
        for name in ("LESSON_WORKSPACE", "FORCE_COLOR", "NO_COLOR"):
            patch.delenv(name, raising=False)
        yield Doors(make_world(folder))


def look(doors: Doors, documents: int) -> Tally:
    """Search from a seed that is new every time, and say which one if something is found."""
    start = int(os.environ.get("LESSON_TEST_SEED", SystemRandom().randrange(2**32)))
    print(f"seed {start}: LESSON_TEST_SEED={start} makes the same documents")
    doors.restore()
    tally = search(doors, seeds(doors.world), documents, start)
    for sign, harm in list(tally.harms.items())[:3]:
        small = minimise(harm, doors)
        pytest.fail(f"seed {start}: {sign}: {small.answer.problem}\n{small.data!r}\n{small.answer.trace}")
    assert tally.total == documents
    return tally


@pytest.mark.slow
def test_some_documents(doors: Doors) -> None:
    look(doors, 60)


@pytest.mark.slow
def test_two_thousand_documents(doors: Doors) -> None:
    tally = look(doors, 2_000)
    assert len(tally.distinct) > 1_800
    for kind in tally.tried:
        assert tally.codes[f"{kind} 0"] < tally.tried[kind], f"no {kind} was found to be wrong"


@pytest.mark.slow
def test_the_originals_are_good(doors: Doors) -> None:
    """Else the mutated ones would be refused for what was wrong before, and never get any further."""
    doors.restore()
    for kind, documents in seeds(doors.world).items():
        answers = [doors.try_document(kind, documents[0], choice) for choice in (1, 2)]
        assert [answer.problem for answer in answers] == ["", ""], kind
        assert 0 in [answer.code for answer in answers], (kind, answers)


@pytest.mark.slow
def test_a_bug_is_found_and_made_small(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    read = stored.read_run

    def careless(folder: Path) -> object:
        record = read(folder)
        if record["lesson"]["title"] != "Sample":
            raise IndexError("a bug that a test has put here")
        return record

    monkeypatch.setattr(stored, "read_run", careless)
    doors.restore()
    record = json.loads((doors.world.run / "record.json").read_text())
    record["lesson"]["title"] = "Other"
    data = json.dumps(record, indent=0).encode()
    answer = doors.try_document("record", data, 1)
    assert answer.problem.startswith("exit code 3")
    harm = Harm("record", data, 1, answer)
    assert "test_fuzz.py" in harm.sign
    small = minimise(harm, doors)
    assert "a bug that a test has put here" in small.answer.trace
    assert len(small.data) < len(data)


@pytest.mark.slow
def test_a_plugin_that_raises_a_document_that_lasts_and_an_escape_are_found(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.fuzz import doors as module

    import lesson_ct4.plugin

    @hookimpl
    def broken(block: object, lesson: object) -> None:
        raise KeyError("a bug that a test has put here")

    with monkeypatch.context() as patch:
        patch.setattr(lesson_ct4.plugin, "lesson_interpret_block", broken)
        fresh = Doors(doors.world)
        assert (
            "a plugin raised KeyError"
            in fresh.try_document("lesson", seeds(doors.world)["lesson"][0], 1).problem
        )

    def last(*_: object) -> None:
        while time.process_time():
            pass

    with monkeypatch.context() as patch:
        patch.setattr(module, "SECONDS", 0.2)
        patch.setattr(stored, "read_run", last)
        doors.restore()
        record = (doors.world.run / "record.json").read_bytes()
        assert "more than 0.2 s of a processor" in doors.try_document("record", record, 1).problem
    with monkeypatch.context() as patch:
        patch.setattr(text, "_CONTROL", re.compile("(?!)"))
        record = record.replace(b'"Sample"', b'"\\u202eSample"')
        answers = [doors.try_document("record", record, choice).problem for choice in range(12)]
        assert any("printed '\\u202e'" in answer for answer in answers)


def test_mutations_are_the_same_again_and_bounded(doors: Doors) -> None:
    for kind, documents in seeds(doors.world).items():
        for chance in range(20):
            one, other = (mutated(documents, MUTATIONS[kind], Random(chance)) for _ in range(2))
            assert one == other
            assert len(one) <= LARGEST
