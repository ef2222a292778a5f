"""Sections of a report hold no secret, whether it is a text or a number."""

from __future__ import annotations

from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.model import Line, Passage, Series, Table, Texts
from lesson_runner.run.stored import without_secrets

SECRET = "83920571"


def test_a_secret_number_is_an_empty_cell() -> None:
    table = Table("t", ("a", "b"), ((83920571, 83920572), (83920571.0, f"={SECRET}"), (True, None)))
    (found,) = without_secrets([table], Redactor([SECRET]))
    assert isinstance(found, Table)
    assert found.rows == ((None, 83920572), (None, "=[redacted]"), (True, None))


def test_a_secret_number_is_not_drawn() -> None:
    line = Line("l", ((1.0, 83920571.0), (2.0, 3.0)))
    series = Series("s", (line,), stages=((83920571.0, "here"), (2.0, f"at {SECRET}")))
    (found,) = without_secrets([series], Redactor([SECRET]))
    assert found == Series("s", (Line("l", ((2.0, 3.0),)),), stages=((2.0, "at [redacted]"),))


def test_texts_are_redacted() -> None:
    texts = Texts(SECRET, (Passage(f"p {SECRET}", f"{SECRET}\nx", ((0, 2, "prompt"),)),), SECRET, SECRET)
    (found,) = without_secrets([texts], Redactor([SECRET]))
    assert SECRET not in repr(found)
    assert "'[redacted]\\nx'" in repr(found)
