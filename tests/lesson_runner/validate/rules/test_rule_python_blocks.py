"""Python blocks that do not parse, and fragments that need not parse."""

from __future__ import annotations

import re
import time
import warnings

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.lesson_runner.validate.rules.code_lessons import FIRST, found, lesson_with

from lesson_runner.model import Scope
from lesson_runner.validate.rules import downloads, python_blocks

RULES = python_blocks.RULES


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("device = open_device(device_id=0\nprint(device)", "1:21"),
        ("a = 1\nprint('hello)", "2:7"),
        ("if x == 1\n    y = 2", "1:10"),
        ("x = [1, 2)", "1:10"),
        ("def f():\nreturn 1", "2:1"),
        ("for i in range(3):\n    a = 1\n  b = 2", "3:3"),
        ("print(“hello”)", "1:7"),
        ("f(x) = 1", "1:1"),
        (">>> x = (1\n>>> y", "1:9"),
        (">>> a = 'ü' + )", "1:15"),
    ],
)
def test_blocks_that_do_not_parse(script: str, place: str) -> None:
    assert found(RULES, lesson_with(script, "python")) == [f"{place} python-syntax"]


@pytest.mark.parametrize(
    "script",
    [
        "    x = x + 1\n    return x",
        "        x = 1\n    y = 2",
        "return x",
        "await session.get(url)",
        "async with session.get(url) as answer:\n    await answer.json()",
        "n_layer = 4   # … up to 12",
        "tokens = [1, 234, 567, …]",
        "train(steps=1000, batch_size=4, ...)",
        "def forward(self, ...):\n    …",
        "def forward(self, x):\n    # attention\n\ndef loss(self, x):\n    # cross entropy",
        "class Model:\n    def f(self):  # not yet",
        "if ready:\n...\nelse:\n...",
        "else:\n    x = 1",
        "@ttnn.register",
        "try:\n    device = open_device()",
        "def open_device(device_id: int, *, mesh: bool = False) -> Device",
        "# first:\n    self.x = 1\n# later:\n        self.y = 2",
        "token = <your-token>\nmodel = load(<path to the model>)",
        "model = {model}\nname = [source]",
        ">>> x = 1\n>>> for i in x:\n...     print(i)\n1 2 3\n>>> f(\n    x)\nwhat it's worth (",
        "In [1]: x = 1\nOut[1]: a b c\nIn [2]: for i in x:\n   ...:     i",
        "%timeit f(x)\n!pip install ttnn\nfiles = !ls\nx = %who_ls\nf?\nf??",
        "%%bash\nls (",
        "batch → model → loss",
        "for each batch in the data:\n    update the weights",
        "Epoch 1: loss 2.31 (it's falling)",
        "2026-02-01 10:00:00 step 100",
        "model = 7B",
        "- x = 1\n+ x = 2 y",
        "export HF_MODEL=$HOME",
        "x = f(\n    1,\n    ...",
        "def f[T](x: T) -> T: ...",
        "x = f'{a!r:>{width}} {d['key']}'",
        "",
        "# only a remark (",
    ],
)
def test_fragments(script: str) -> None:
    assert found(RULES, lesson_with(script, "python")) == []


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("    x = 1", "1:5"),
        ("return 1", "1:1"),
        (">>> x = 1\n>>> return x", "2:5"),
        ("x = <your-token>", "1:5"),
        ("%timeit f()", "1:1"),
        ("batch → model", "1:7"),
    ],
)
def test_a_step_s_block_must_be_a_program(script: str, place: str) -> None:
    assert found(RULES, lesson_with(script, "python", run=True)) == [f"{place} python-syntax"]
    assert found(RULES, lesson_with(script, "python")) == []


def test_other_line_numbers_are_those_of_the_document() -> None:
    assert RULES[0].check is not None
    [item] = RULES[0].check(lesson_with("x = [\n1, 2\n)", "python"), Scope())
    assert f"on line {FIRST}" in item.message


def test_warnings_of_python_are_not_shown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for run in (False, True):
            assert found(RULES, lesson_with("x = '\\d'\nassert (x, 1)\nx is 1", "python", run=run)) == []


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "[1,[2," * 8_000,
        "(" * 150 + ")" * 150,
        "-" * 60_000,
        "a+" * 30_000,
        "a." * 30_000,
        "lambda:" * 9_000,
        "if a:\n" * 9_000,
        "@a\n" * 20_000,
        "def f():\n# a\n" * 4_500,
        "if " + ":#" * 30_000,
        ">>> f(\n" * 7_000,
        "\0" * 20_000,
        "\ud800" * 20_000,
        "x = f(1, 'a')\n" * 140_000,
        "<a " * 20_000,
    ],
    ids=lambda text: f"{text[:12]!r}*",
)
@pytest.mark.parametrize("run", [False, True])
def test_hostile_text_is_fast(text: str, run: bool) -> None:
    began = time.process_time()
    found((*RULES, *downloads.RULES), lesson_with(text, "python", run=run))
    assert time.process_time() - began < 3


WORDS = re.findall(
    r"\S+ ", "def class if else try except return await lambda f(x): x=1 match <your-token> f' "
)
PIECES = st.sampled_from(
    [*"()[]{}<>=:,.\n\t #'\"\\%!?@…→", "    ", ">>> ", "... ", '"""', "In [1]: ", "\n    ", *WORDS]
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=40).map("".join), st.booleans())
@example("\ud800(", True)
@example("x\x0c(", False)
@example("try :\nx", False)
def test_any_text(text: str, run: bool) -> None:
    for item in found((*RULES, *downloads.RULES), lesson_with(text, "python", run=run)):
        line, column = map(int, item.split()[0].split(":"))
        lines = text.split("\n")
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
