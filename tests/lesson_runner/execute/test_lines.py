from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.execute import lines as module
from lesson_runner.execute.lines import Lines


def collect(*chunks: bytes, keep: int = 2_000_000) -> tuple[str, list[str]]:
    shown: list[str] = []
    lines = Lines(lambda text: shown.extend(text.split("\n")), keep)
    for chunk in chunks:
        lines.feed(chunk)
    lines.feed(b"", final=True)
    return lines.text(), shown


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r")), max_size=8), st.data())
def test_lines_do_not_depend_on_how_the_bytes_arrive(parts: list[str], data: st.DataObject) -> None:
    text = "\n".join(parts)
    encoded = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(encoded)), max_size=5)))
    chunks = [encoded[a:b] for a, b in zip([0, *cuts], [*cuts, len(encoded)], strict=True)]
    # A last line without an end counts; an empty one is none.
    expected = text.split("\n")
    if not expected[-1]:
        expected.pop()
    kept, shown = collect(*chunks)
    assert shown == expected
    assert kept == "\n".join(expected)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"a\xff\xfeb\n"], ["a\ufffd\ufffdb"]),
        ([b"cut \xe2\x82"], ["cut \ufffd"]),
        ([b"one\r\ntwo\r", b"\nthree\r\n"], ["one", "two", "three"]),
        ([b" 10%\r 50%", b"\r 100%\ndone\n"], [" 100%", "done"]),
        ([b" 10%\r", b" 20%\r"], [" 20%"]),
    ],
)
def test_bytes_that_are_no_plain_lines(chunks: list[bytes], expected: list[str]) -> None:
    assert collect(*chunks) == ("\n".join(expected), expected)


def test_progress_is_shown_while_it_changes_but_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS_EVERY", 0.0)
    kept, shown = collect(b"step 1\r", b"step 2\r", b"step 3\r", b"step 4\n")
    assert shown == ["step 1", "step 2", "step 4"]
    assert kept == "step 4"


def test_progress_is_shown_no_more_than_once_a_second() -> None:
    assert collect(*[b"step %d\r" % step for step in range(1000)])[1] == ["step 999"]


def test_what_is_kept_is_bounded_and_has_both_ends() -> None:
    kept, shown = collect(b"".join(b"line %d\n" % number for number in range(1000)), keep=200)
    assert len(shown) == 1000
    assert len(kept) < 250
    assert kept.startswith("line 0\nline 1\n")
    assert kept.endswith("\nline 998\nline 999")
    dropped = 1000 - (len(kept.split("\n")) - 1)
    assert f"[{dropped:,} lines are left out here]" in kept


def test_an_endless_line_is_cut_in_pieces() -> None:
    kept, shown = collect(*[b"\0" * 50_000] * 5)
    assert [len(line) for line in shown] == [65_536, 65_536, 65_536, 250_000 - 3 * 65_536]
    assert kept.count("\0") == 250_000


def test_lines_that_come_together_are_shown_together() -> None:
    shown: list[str] = []
    lines = Lines(shown.append)
    lines.feed(b"one\ntwo\nthr")
    lines.feed(b"ee\n", final=True)
    assert shown == ["one\ntwo", "three"]


@pytest.mark.parametrize("line", [b"\n", b"y\n"])
def test_millions_of_short_lines_take_seconds(line: bytes) -> None:
    shown: list[str] = []
    lines = Lines(shown.append)
    began = time.process_time()
    for _ in range(40):
        lines.feed(line * 50_000)
    lines.feed(b"", final=True)
    assert time.process_time() - began < 4
    assert len(shown) == 40
