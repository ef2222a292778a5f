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


@pytest.mark.slow
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
    assert shown == ["step 2", "step 3", "step 4"]
    assert kept == "step 4"


def test_progress_is_shown_no_more_than_once_a_second() -> None:
    assert collect(*[b"step %d\r" % step for step in range(1000)])[1] == ["step 999"]


def test_kept_output_is_bounded_and_has_both_ends() -> None:
    kept, shown = collect(b"".join(b"line %d\n" % number for number in range(1000)), keep=200)
    assert len(shown) == 1000
    assert len(kept) < 250
    assert kept.startswith("line 0\nline 1\n")
    assert kept.endswith("\nline 998\nline 999")


def test_what_is_missing_in_the_middle_is_known() -> None:
    lines = OutputCollector(lambda _: None, keep=200)
    lines.feed(b"".join(b"line %d\n" % number for number in range(1000)), final=True)
    rows, gap = lines.text().split("\n"), lines.gap()
    assert gap is not None
    assert rows == [f"line {n}" for n in [*range(gap.after), *range(gap.after + gap.lines, 1000)]]


@given(st.lists(st.integers(0, 60), max_size=12))
def test_no_line_is_dropped_while_all_of_them_fit(sizes: list[int]) -> None:
    lines = OutputCollector(lambda _: None, keep=200)
    rows = ["x" * size for size in sizes]
    for row in rows:
        lines.feed(row.encode() + b"\n")
    lines.feed(b"", final=True)
    if sum(sizes) + len(sizes) <= 200:
        assert (lines.text(), lines.gap()) == ("\n".join(rows), None)
    else:
        assert lines.gap() is not None
    assert len(lines.text()) <= 200


def test_a_long_line_is_kept_whole() -> None:
    size = 1_900_000
    kept, shown = collect(b"head\n", *[b"x" * 50_000] * (size // 50_000), b"\nfoot")
    assert kept == f"head\n{'x' * size}\nfoot"
    assert shown == kept.split("\n")


def test_a_line_without_end_is_shown_in_pieces_and_kept_in_part() -> None:
    shown: list[str] = []
    lines = OutputCollector(shown.append)
    for _ in range(100):
        lines.feed(b"x" * 50_000)
    assert len("".join(shown).replace("\n", "")) > 2_900_000
    lines.feed(b"end", final=True)
    assert 1_900_000 < len(lines.text()) < 2_100_000
    assert lines.text().endswith("xend")
    assert lines.gap() is not None


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
        (b"long line\rshort", "shortline"),
        (b"Working...\r          \rDone", "Done"),
        (b"wait, wait\r\x1b[Ktail", "tail"),
        (b"wait\x1b[2K\rtail", "tail"),
        (b"wait\x1b[2Ktail", "    tail"),
        (b"left|right\x1b[5D\x1b[1K\x1b[5D", "      ight"),
        (b"abcdef\x1b[3D\x1b[1P", "abcef"),
        (b"abcdef\x1b[2G\x1b[2@--", "a--bcdef"),
        (b"abcdef\x1b[2G\x1b[2X", "a  def"),
        (b"a\x1b[3Cb", "a   b"),
        (b"|\x08/\x08-\x08done", "done"),
        (b"a\tb\rxyz", "xyz     b"),
        (b"a\tb\r12345678", "12345678b"),
        (b"12\t4\x1b[4D-", "12   -  4"),
        ("\u6f22\u5b57\rab".encode(), "ab\u5b57"),
        ("\u6f22\u5b57\ra".encode(), "a \u5b57"),
        ("e\u0301t\u00e9\x08x".encode(), "e\u0301tx"),
        ("\x08\U0001f600\x08\x08ab".encode(), "ab"),
        ("\ufeffhello".encode(), "hello"),
        ("hello".encode("utf-16-le"), "hello"),
        (b" 37%|###7      | 3/8\r100%|##########| 8/8", "100%|##########| 8/8"),
        (b"\x1b]0;a title\x07\x1b[?25lbusy\r\x1b[2K\x1b[32mdone\x1b[0m\x1b[?25h", "done"),
        (b"a\x1b[99999999Cb", "a" + " " * 999 + "b"),
    ],
)
def test_output_is_kept_as_a_terminal_displays_it(printed: bytes, seen: str) -> None:
    whole = collect(printed)
    assert whole == (seen, [seen])
    assert collect(*[printed[n : n + 1] for n in range(len(printed))]) == whole


@pytest.mark.parametrize(
    ("printed", "rows"),
    [
        (b"a\x0cb\x0bc", ["a", "b", "c"]),
        (b"one\r\ntwo\r\r\nthree", ["one", "two", "three"]),
        (b"before\x1b[H\x1b[2J\x1b[3Jafter", ["before", "after"]),
        (b"before\n\x1bcafter", ["before", "after"]),
        (b"before\x1b[?1049hinside\x1b[?1049lafter", ["before", "inside", "after"]),
        (b"outer 0\ninner 0\x1b[A\router 1\ninner 1\n", ["outer 1", "inner 1"]),
        (b"a: 0\nb: 0\nc: 0\n\x1b[2Ab: 1\x1b[B\r\x1b[Kc: 1\nend", ["a: 0", "b: 1", "c: 1", "end"]),
        (b"a\nb\nc\x1b[2F\x1b[Jx\ny", ["x", "y"]),
        (b"top\x1b[9A\rTop\nend", ["Top", "end"]),
        (b"one\n\n\ntwo", ["one", "", "", "two"]),
    ],
)
def test_codes_that_concern_several_rows(printed: bytes, rows: list[str]) -> None:
    assert collect(printed)[0].split("\n") == rows
    assert collect(*[printed[n : n + 1] for n in range(len(printed))])[0].split("\n") == rows


CODES = st.sampled_from(
    [b"\r", b"\x08", b"\n", b"\t", b"\x1b[K", b"\x1b[A", b"\x1b[2C", b"\x1b[1m", b"\x1b[P"]
)
WORDS = st.sampled_from([b"abc", b"x", "\u6f22".encode(), "e\u0301".encode(), b"\x1b[", b"\xff"])


@given(st.lists(CODES | WORDS, max_size=25), st.data())
def test_what_is_kept_does_not_depend_on_how_codes_arrive(parts: list[bytes], data: st.DataObject) -> None:
    printed = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(printed)), max_size=4)))
    chunks = [printed[a:b] for a, b in zip([0, *cuts], [*cuts, len(printed)], strict=True)]
    kept = collect(printed)[0]
    assert collect(*chunks)[0] == kept
    assert collect(kept.encode())[0] in (kept, kept.removesuffix("\n")), "carried out once and for all"


def test_redrawn_rows_are_shown_once_a_second_and_at_the_end() -> None:
    bars = [b"bar %d\nbaz %d\n\x1b[2A" % (n, n) for n in range(50)]
    kept, shown = collect(*bars, b"\n\nend\n")
    assert kept == "bar 49\nbaz 49\nend"
    assert shown[-3:] == kept.split("\n")
    assert len(shown) < 15


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


@pytest.mark.slow
@pytest.mark.parametrize(
    "printed", [b"\x08", b"x\x08", b"\x1b", b"\x1b[", b"\x1b]", b"\x9d", b"\x90\x01", b"\x1b[\x01"]
)
def test_hostile_output_takes_no_time(printed: bytes) -> None:
    data = (printed * 1_000_000)[:1_000_000]
    began = time.process_time()
    collect(*(data[start : start + 65_536] for start in range(0, len(data), 65_536)))
    assert time.process_time() - began < 5
