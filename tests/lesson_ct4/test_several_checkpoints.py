"""Checkpoints and data sets keep the folders of their names; commands typed by hand find those of runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Said, last_files

import lesson_ct4.plugin as ct4
from lesson_ct4.actions.paths import PATHS
from lesson_ct4.names import loaded_stems, matching, saved_stem
from lesson_runner.testing import lesson_text

TINY = (
    "--n_layer 1 --n_embd 32 --n_head 1 --sequence_length 32 --batch_size 2 --max_steps 2 --backend emulated"
)
FIRST, SECOND = "To be, or not to be\n" * 60, "0123456789 xyz\n" * 60
Lesson = Callable[..., Said]


@pytest.mark.parametrize(
    ("path", "known", "found"),
    [
        ("exp1/final", ["exp1/final", "exp2/final"], ["exp1/final"]),
        ("exp2/final.pkl_final.pkl", ["exp1/final", "exp2/final"], ["exp2/final"]),
        ("exp3/final", ["exp1/final", "exp2/final", "final"], []),
        ("final", ["exp1/final", "exp2/final", "final"], ["final"]),
        ("final", ["exp1/final", "exp2/final"], ["exp1/final", "exp2/final"]),
        ("final", ["exp1/final", "semifinal"], ["exp1/final"]),
        ("~/exp3/final", ["exp1/final", "exp2/final"], []),
        ("~/work/exp1/final", ["exp1/final", "final"], ["exp1/final"]),
        ("$OUT/final", ["final"], ["final"]),
        ("/tmp/exp1/final", ["tmp/exp1/final", "tmp/exp2/final"], ["tmp/exp1/final"]),
        ("checkpoints/final", ["final"], ["final"]),
        ("exp1\\final", ["exp1/final", "exp2/final"], ["exp1/final"]),
        ("x_final.pkl", ["a/x", "x"], ["x"]),
    ],
)
def test_which_checkpoint_a_path_names(path: str, known: list[str], found: list[str]) -> None:
    assert matching(path, loaded_stems(path), known) == found


NAME = st.lists(st.sampled_from(["a", "b", "exp1", "final", "x.y", "checkpoints"]), min_size=1, max_size=4)


@given(
    st.lists(NAME, unique_by=tuple, max_size=5), st.data(), st.sampled_from(["", "~/", "/", "./", "$HOME/"])
)
def test_what_was_saved_is_found_by_the_same_path(
    paths: list[list[str]], data: st.DataObject, root: str
) -> None:
    saved = {f"{root}{'/'.join(path)}" for path in paths}
    names = {saved_stem(path) for path in saved}
    for path in saved:
        assert matching(path, loaded_stems(path), names) == [saved_stem(path)]
        (read, *_) = PATHS["ct4.generate"]({"model_path": path}).reads
        assert read in PATHS["ct4.train"]({"model_save_path": path}).writes


@pytest.fixture
def texts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(FIRST)
    (tmp_path / "b.txt").write_text(SECOND)


@pytest.fixture
def by_hand(lesson: Lesson, texts: None) -> Callable[[str], Said]:
    return lambda line: lesson(*line.split(), plugins=[ct4])


TRAIN = f"ct4 train {TINY} --data_path {{}} --model_save_path {{}}"
GENERATE = "ct4 generate --backend emulated --max_new_tokens 5 --prompt {} --model_path {}"


@pytest.mark.torch
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exp1/final", "exp2/final"),
        ("~/exp1/final.pkl", "~/exp2/final.pkl"),
        ("/tmp/a/x", "/tmp/b/x"),
        ("a\\x", "b\\x"),
        ("$A/x", "$B/x"),
    ],
)
def test_two_checkpoints_with_the_same_last_name(
    by_hand: Callable[[str], Said], one: str, other: str
) -> None:
    assert by_hand(TRAIN.format("a.txt", one)).code == 0
    assert by_hand(TRAIN.format("b.txt", other)).code == 0
    for path, prompt, unknown in ((one, "To", "7"), (other, "7", "To")):
        assert by_hand(GENERATE.format(prompt, path)).code == 0
        assert "is not in the training text" in by_hand(GENERATE.format(unknown, path)).err


@pytest.mark.torch
def test_a_name_that_can_mean_several(by_hand: Callable[[str], Said]) -> None:
    for name in ("exp1/final", "exp2/final"):
        by_hand(TRAIN.format("a.txt", name))
    said = by_hand(GENERATE.format("To", "final"))
    assert (said.code, "exp1/final, exp2/final" in said.err) == (2, True)


STEPS = """
<!-- step
id: text
uses: ct4.fetch-dataset
with: {{name: first.txt, sha256: any, fallback: never, dataset: a.txt}}
-->
```text
the text
```

<!-- step
id: train
expect: [{{metric: {{name: steps, min: 1}}}}]
-->
```bash
lesson {train}
```
"""


@pytest.mark.slow
@pytest.mark.torch
def test_what_is_typed_by_hand_finds_what_the_last_run_made(
    lesson: Lesson, by_hand: Callable[[str], Said], tmp_path: Path
) -> None:
    for name in ("exp0/final", "exp1/final"):
        body = STEPS.format(train=TRAIN.format("data/first.txt", name))
        (tmp_path / "l.md").write_text(lesson_text(body))
        assert lesson("run", "l.md", "--backend", "emulated", plugins=[ct4]).code == 0
    made = last_files(tmp_path / ".lesson") / "checkpoints" / "exp1" / "final.safetensors"

    said = by_hand(GENERATE.format("To", "exp1/final"))
    assert (said.code, f"Checkpoint: {made}\n" in said.err) == (0, True), said

    # Its own files come first.
    assert by_hand(TRAIN.format("data/first.txt", "exp1/final")).code == 0
    own = tmp_path / ".lesson" / "files" / "checkpoints" / "exp1" / "final.safetensors"
    assert f"Checkpoint: {own}\n" in by_hand(GENERATE.format("To", "exp1/final")).err
    assert by_hand(GENERATE.format("To", "exp0/final")).code == 0
    assert by_hand(GENERATE.format("To", "exp2/final")).code == 2


@pytest.mark.torch
def test_a_run_does_not_find_what_others_made(
    lesson: Lesson, by_hand: Callable[[str], Said], tmp_path: Path
) -> None:
    assert by_hand(TRAIN.format("a.txt", "mine")).code == 0
    body = (
        "<!-- step\nid: a\nexpect: [{contains: To}]\n-->\n```bash\nlesson "
        + GENERATE.format("To", "mine")
        + "\n```\n"
    )
    (tmp_path / "l.md").write_text(lesson_text(body))
    for words in ((), ("--fresh",)):
        said = lesson("run", "l.md", "--backend", "emulated", *words, plugins=[ct4])
        assert (said.code, "there is no checkpoint for 'mine'" in said.out) == (1, True), said


@pytest.mark.torch
def test_two_data_sets_with_the_same_last_name(by_hand: Callable[[str], Said], tmp_path: Path) -> None:
    for folder, text in {"a": FIRST, "b": SECOND}.items():
        path = tmp_path / ".lesson" / "files" / "data" / folder / "text.txt"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    for name in ("a/text.txt", "data/a/text.txt", "~/data/a/text.txt", "data\\a\\text.txt"):
        said = by_hand(TRAIN.format(name, "m"))
        assert f"Data path: {Path('.lesson/files/data/a/text.txt').resolve()}" in said.out, said
    said = by_hand(TRAIN.format("text.txt", "m"))
    assert (said.code, "a/text.txt, b/text.txt" in said.err) == (2, True)


# --- what counts as text ---

SAVED = {
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
    "mark": lambda text: text.encode("utf-8-sig"),
    "mark and CRLF": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
}


@pytest.mark.torch
@pytest.mark.parametrize("how", SAVED)
def test_how_a_text_was_saved_is_not_learned(
    lesson: Lesson, by_hand: Callable[[str], Said], tmp_path: Path, how: str
) -> None:
    (tmp_path / "windows.txt").write_bytes(SAVED[how](FIRST))
    for name in ("a", "windows"):
        said = by_hand(TRAIN.format(f"{name}.txt", name))
        assert "Vocabulary size: 10 unique characters" in said.out, said.out
    fix = by_hand(GENERATE.format("Z", "windows")).err
    assert "use only these characters: '\\n ,Tbenort'" in fix
    texts = [by_hand(GENERATE.format("To", name)).out for name in ("a", "windows")]
    assert texts[0] == texts[1]
    prompt = ("ct4", "generate", "--backend", "emulated", "--max_new_tokens", "5", "--model_path", "a")
    said = lesson(*prompt, "--prompt", "\ufeffTo be\r\nTo", plugins=[ct4])
    assert (said.code, said.out.startswith("To be\nTo")) == (0, True), said


@pytest.mark.parametrize("how", SAVED)
def test_a_text_is_shown_and_measured_as_it_is_learned(lesson: Lesson, tmp_path: Path, how: str) -> None:
    (tmp_path / "windows.txt").write_bytes(SAVED[how](FIRST))
    params = "{name: t.txt, dataset: windows.txt, sha256: any}"
    body = f"<!-- step\nid: get\nuses: ct4.fetch-dataset\nwith: {params}\n-->\n"
    (tmp_path / "l.md").write_text(lesson_text(f"{body}```text\nx\n```\n"))
    record: Any = lesson("run", "l.md", "--json", plugins=[ct4]).json
    metrics = record["steps"][0]["metrics"]
    assert (metrics["lines"], metrics["unique_characters"]) == (60, 10)
    output = next(tmp_path.glob(".lesson/runs/*/evidence/get/output.txt")).read_bytes().decode()
    assert "\r" not in output
    assert "\ufeff" not in output
    assert json.dumps(record).count("\\r") == 0
