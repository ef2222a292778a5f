from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.execute import lines as module
from lesson_runner.execute.lines import OutputCollector


def collect(*chunks: bytes, keep: int = 2_000_000) -> tuple[str, list[str]]:
    shown: list[str] = []
    lines = OutputCollector(lambda text: shown.extend(text.split("\n")), keep)
    for chunk in chunks:
        lines.feed(chunk)
    lines.feed(b"", final=True)
    return lines.text(), shown


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), max_size=8), st.data())
def test_lines_do_not_depend_on_how_the_bytes_arrive(parts: list[str], data: st.DataObject) -> None:
    text = "\n".join(parts)
    encoded = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(encoded)), max_size=5)))
    chunks = [encoded[a:b] for a, b in zip([0, *cuts], [*cuts, len(encoded)], strict=True)]
    # A last line without a line ending counts; an empty one does not.
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
def test_bytes_that_are_not_plain_lines(chunks: list[bytes], expected: list[str]) -> None:
    assert collect(*chunks) == ("\n".join(expected), expected)


def test_progress_is_shown_while_it_changes_but_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS_EVERY", 0.0)
    kept, shown = collect(b"step 1\r", b"step 2\r", b"step 3\r", b"step 4\n")
    assert shown == ["step 1", "step 2", "step 4"]
    assert kept == "step 4"


def test_progress_is_shown_no_more_than_once_a_second() -> None:
    assert collect(*[b"step %d\r" % step for step in range(1000)])[1] == ["step 999"]


def test_kept_output_is_bounded_and_has_both_ends() -> None:
    kept, shown = collect(b"".join(b"line %d\n" % number for number in range(1000)), keep=200)
    assert len(shown) == 1000
    assert len(kept) < 250
    assert kept.startswith("line 0\nline 1\n")
    assert kept.endswith("\nline 998\nline 999")
    dropped = 1000 - (len(kept.split("\n")) - 1)
    assert f"[{dropped:,} lines are left out here]" in kept


def test_an_endless_line_is_split() -> None:
    kept, shown = collect(*[b"x" * 50_000] * 5)
    assert [len(line) for line in shown] == [65_536, 65_536, 65_536, 250_000 - 3 * 65_536]
    assert kept.count("x") == 250_000


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (b"a\x1b[01;31m\x1b[Kb\x1b[m\x1b[Kc", "abc"),
        (b"a\x1b]8;;http://x\x1b\\b\x1b]8;;\x07c", "abc"),
        (b"a\x1bPq#0;2\x1b\\b\x1b_x\x1b\\c", "abc"),
        (b"a\x1b(0b\x1b)Bc\x1b7\x1b=", "abc"),
        (b"a\x9b31mb\xc2\x9b0mc\x9dtitle\x9c", "abc"),
        (b"a\x00b\x07\x0e\x0fc\x7f", "abc"),
        (b"a\x1b\x00[3\x001mb\x1b[0mc", "abc"),
        (b"a\x08ab\x08bc\x08c", "abc"),
        (b"abx\x08c", "abc"),
        (b"\x08\x08abc", "abc"),
        (b"a\x1b]no end", "ano end"),
        (b"a\tb", "a\tb"),
    ],
)
def test_output_is_kept_as_a_terminal_displays_it(printed: bytes, seen: str) -> None:
    whole = collect(printed)
    assert whole == (seen, [seen])
    assert collect(*[printed[n : n + 1] for n in range(len(printed))]) == whole


def test_lines_that_arrive_together_are_shown_together() -> None:
    shown: list[str] = []
    lines = OutputCollector(shown.append)
    lines.feed(b"one\ntwo\nthr")
    lines.feed(b"ee\n", final=True)
    assert shown == ["one\ntwo", "three"]


@pytest.mark.parametrize("line", [b"\n", b"y\n"])
def test_millions_of_short_lines_take_seconds(line: bytes) -> None:
    shown: list[str] = []
    lines = OutputCollector(shown.append)
    began = time.process_time()
    for _ in range(40):
        lines.feed(line * 50_000)
    lines.feed(b"", final=True)
    assert time.process_time() - began < 4
    assert len(shown) == 40


def test_an_endless_line_is_not_split_inside_an_escape() -> None:
    for place in range(65_524, 65_540, 3):
        kept, _ = collect(b"x " * (place // 2) + b"\x1b[38;5;12mx")
        assert kept.replace("\n", "") == "x " * (place // 2) + "x"


@pytest.mark.parametrize(
    "printed", [b"\x08", b"x\x08", b"\x1b", b"\x1b[", b"\x1b]", b"\x9d", b"\x90\x01", b"\x1b[\x01"]
)
def test_hostile_output_takes_no_time(printed: bytes) -> None:
    data = (printed * 2_000_000)[:2_000_000]
    began = time.process_time()
    collect(*(data[start : start + 65_536] for start in range(0, len(data), 65_536)))
    assert time.process_time() - began < 5
