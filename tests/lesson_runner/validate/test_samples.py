"""
``tests/samples/good`` validate without a finding; ``tests/samples/bad`` say at their end what is found.

A bad sample ends with a comment that lists every finding as ``line:column severity rule``. To add a case, add
a file, or a folder of files that are validated together. Every rule has a bad sample, and a good one that is
called like the rule and comes as near to it as can be: ``rule.md``, ``rule--variant.md``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

import lesson_runner
from lesson_runner.document.lessons import MAX_LESSON_BYTES
from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.document.yaml_text import MAX_BYTES
from lesson_runner.plugins import Action, Outcome
from lesson_runner.testing import lesson_text
from lesson_runner.validate.rules.table import RULES

SAMPLES = Path(__file__).parents[2] / "samples"


def samples(kind: str) -> list[Path]:
    """Return the samples: files, and folders whose files are validated together."""
    folder = SAMPLES / kind
    return sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix == ".md")


GOOD, BAD = samples("good"), samples("bad")
EXPECTED = re.compile(rb"<!-- expected\n(.*?)(?:-->|\Z)", re.DOTALL)
GENERATED = {
    "plugin-failed",
    "too-large",
    "unparsed-block",
    "unreadable",
    "validated-without-certificate",
}
"""Rules whose bad sample cannot be a file in the repository; other tests create it."""
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```"

Lesson = Callable[..., Any]


quiet_plugin = fake_plugin(
    "quiet_plugin", actions=[Action("sample.quiet", "Do something", lambda params, context: Outcome())]
)
"""Has an action that does not judge itself."""


def files(path: Path) -> list[Path]:
    return sorted(path.glob("*.md")) if path.is_dir() else [path]


def expected(path: Path) -> list[str]:
    found: list[str] = []
    for file in files(path):
        match = EXPECTED.search(file.read_bytes())
        assert match is not None, f"{file.name} does not say what is expected"
        found += match[1].decode().splitlines()
    return found


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_samples(path: Path, lesson: Lesson) -> None:
    said = lesson("validate", path, "--json")
    assert said.json["findings"] == []
    assert said.code == 0


@pytest.mark.slow
@pytest.mark.parametrize("path", [file for path in GOOD for file in files(path)], ids=lambda path: path.stem)
def test_good_samples_run(path: Path, lesson: Lesson) -> None:
    said = lesson("run", path, "--allow", "shell", "--json")
    assert said.code == 0, said
    assert [error.message for error in validator_for(load_schema("record")).iter_errors(said.json)] == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_samples(path: Path, lesson: Lesson) -> None:
    said = lesson("validate", path, "--json", plugins=[quiet_plugin])
    found = [f"{f['line']}:{f['column']} {f['severity']} {f['rule']}" for f in said.json["findings"]]
    assert found == expected(path)
    assert said.code == (1 if any(" error " in item for item in found) else 0)


def rules_in_source() -> Iterator[str]:
    """Yield the rule ids in the source: constants among the arguments of calls that create diagnostics."""
    place = {"Diagnostic": 0, "failed": 0, "_problem": 1, "_RefusedError": 0}
    for path in Path(lesson_runner.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in place:
                rule = node.args[place[node.func.id]]
                if isinstance(rule, ast.Constant):
                    yield str(rule.value)


@pytest.mark.slow
def test_every_rule_is_in_the_table() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids)) > 40
    assert set(rules_in_source()) <= set(ids)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_samples(rule: Any) -> None:
    bad = {line.split()[2] for path in BAD for line in expected(path)} | GENERATED
    assert rule.id in bad
    assert [path.name for path in GOOD if path.stem.split("--")[0] == rule.id]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_diagnostic_has_the_severity_in_the_table(rule: Any) -> None:
    said = {line.split()[1] for path in BAD for line in expected(path) if line.split()[2] == rule.id}
    # What is unknown in the frontmatter may be another tool's.
    assert said <= {rule.severity} | ({"warning"} if rule.id == "unknown-key" else set())


@pytest.mark.parametrize("step", ["<!-- step\nid: long\nexpect: [{contains: a}]\n-->\n", ""])
@pytest.mark.parametrize("language", ["bash", "python"])
def test_a_block_that_is_too_long_to_be_checked(
    lesson: Lesson, tmp_path: Path, step: str, language: str
) -> None:
    comments = "# a comment\n" * 6000
    text = lesson_text(f"{STEP}\n\n{step}```{language}\n{comments}```\n")
    (tmp_path / "a.md").write_text(text)
    said = lesson("validate", "a.md")
    assert "this block is not checked: it has 72,000 characters; at most 64,000 are allowed" in said.out
    assert said.out.count("unparsed-block") == 1


def test_unreadable(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP))
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self.md").symlink_to(tmp_path / "self.md")
    said = lesson("validate", ".", "--json")
    assert said.code == 1
    assert [(f["rule"], f["path"]) for f in said.json["findings"]] == [
        ("unreadable", "gone.md"),
        ("unreadable", "self.md"),
    ]


@pytest.mark.slow
def test_too_large(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "large.md").write_text(lesson_text(STEP) + "x" * MAX_LESSON_BYTES)
    (tmp_path / "small.md").write_text("x")
    said = lesson("validate", ".", "--json")
    rules = [(finding["rule"], finding["path"]) for finding in said.json["findings"]]
    assert rules == [("too-large", "large.md"), ("no-frontmatter", "small.md"), ("no-steps", "small.md")]
    assert lesson("run", "large.md").code == 2


def test_yaml_too_large(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP, note="x" * MAX_BYTES))
    (tmp_path / "b.md").write_text(lesson_text(STEP.replace("id: one", f"id: one\n# {'x' * MAX_BYTES}")))
    said = lesson("validate", ".", "--json")
    assert [(f["rule"], f["path"], f["line"]) for f in said.json["findings"]] == [
        ("yaml-too-large", "a.md", 2),
        ("yaml-too-large", "b.md", 10),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "supportedHardware: [sim]",
            "frontmatter: supportedHardware[1]: 'sim' is not allowed; expected one of",
        ),
        ("supportedHardware: [sim]", "(did you mean 'simulator'?)"),
        (
            "estimatedMinute: 3",
            "warning: frontmatter: unknown key 'estimatedMinute' (did you mean 'estimatedMin",
        ),
        ("estimatedMinutes: soon", 'frontmatter: estimatedMinutes: "soon" is not a number'),
        ("title: [a]", 'frontmatter: title: ["a"] is not text'),
        ("validationDate: 2026-1", '"2026-1" is not a date (expected here: The date of validation'),
    ],
)
def test_messages_say_what_was_expected(lesson: Lesson, tmp_path: Path, text: str, message: str) -> None:
    key = text.split(":")[0]
    rows = [row for row in lesson_text(STEP).split("\n") if not row.startswith(f"{key}:")]
    (tmp_path / "a.md").write_text("\n".join([rows[0], text, *rows[1:]]))
    assert message in lesson("validate", "a.md").out


@pytest.mark.parametrize(
    "value", ["0.70", "010", "0x1F", "1e3", ".5", "True", "null", "~", "2026-01-02 03:04:05Z"]
)
def test_messages_repeat_a_value_as_it_is_written(lesson: Lesson, tmp_path: Path, value: str) -> None:
    step = STEP.replace("id: one", f"id: one\nneeds: {value}\ncapture: [{value}]", 1)
    (tmp_path / "a.md").write_text(lesson_text(step).replace('tags: ["test"]', f"tags: {value}", 1))
    found = [
        item
        for item in lesson("validate", "a.md", "--json").json["findings"]
        if item["rule"] == "wrong-value"
    ]
    text = value if value.startswith("2026") else f'"{value}"'  # a date is text
    said = [(item["message"].partition(": ")[2], item["fix"]) for item in found]
    assert (f"tags: {value} is not a list", f"write [{text}]") in said
    assert (f"needs: {value} is not a list", f"write [{text}]") in said
    assert f"capture: [{value}] is not a mapping" in [message for message, _ in said]


def test_messages_about_parameters_repeat_the_value_at_its_place(lesson: Lesson, tmp_path: Path) -> None:
    runner = (
        "runner:\n  with: {shell: {strict: 0x1F}}\n"
        "  profiles: {p: {summary: s, with: {shell: {env: 0.70}}}}\n"
    )
    step = STEP.replace("id: one", "id: one\nwith: {script: 010}")
    (tmp_path / "a.md").write_text(lesson_text(step).replace("tags:", f"{runner}tags:", 1))
    rows = (tmp_path / "a.md").read_text().split("\n")
    found = lesson("validate", "a.md", "--json").json["findings"]
    said = [(item["message"].rpartition(": ")[2].split()[0], rows[item["line"] - 1]) for item in found]
    assert {value for value, _ in said} == {"0x1F", "0.70", "010"}
    assert all(value in row for value, row in said)


@pytest.mark.parametrize(("value", "fix"), [("yes", "write true"), ("off", "write false")])
def test_a_truth_value_of_yaml_1_1(lesson: Lesson, tmp_path: Path, value: str, fix: str) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP.replace("id: one", f"id: one\noptional: {value}")))
    assert [item["fix"] for item in lesson("validate", "a.md", "--json").json["findings"]] == [fix]


def test_steps_run_whatever_tools_attach_to_the_language(lesson: Lesson, tmp_path: Path) -> None:
    fences = [
        "bash{1,3}",
        "{.bash .copy}",
        "{bash}",
        "{code-block} bash",
        "bash,ignore",
        "sh:a.sh",
        "Shell script",
    ]
    steps = "\n\n".join(
        STEP.replace("id: one", f"id: s{number}").replace("```bash", f"```{fence}")
        for number, fence in enumerate(fences)
    )
    (tmp_path / "a.md").write_text(lesson_text(steps))
    assert lesson("validate", "a.md").out == "1 lesson, 0 errors, 0 warnings\n"
    said = lesson("run", "a.md", "--allow", "shell", "--json")
    assert [step["status"] for step in said.json["steps"]] == ["passed"] * len(fences)


@pytest.mark.parametrize(
    ("fence", "text", "fix"),
    [
        ("ipython3", "%time", "'python'"),
        ("zsh", "echo", "'bash'"),
        ("fish", "echo", "'bash'"),
        ("{note}", "one", "bash, bash-session"),
    ],
)
def test_a_step_above_a_fence_that_nothing_runs(
    lesson: Lesson, tmp_path: Path, fence: str, text: str, fix: str
) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP.replace("```bash\necho one", f"```{fence}\n{text}")))
    (found,) = [
        item
        for item in lesson("validate", "a.md", "--json").json["findings"]
        if item["rule"] == "unknown-language"
    ]
    assert (tmp_path / "a.md").read_text().split("\n")[found["line"] - 1] == f"```{fence}"
    assert fix in found["fix"]


def test_dates_become_text(lesson: Lesson, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(lesson_text(STEP).replace("id: ", "validationDate: 2025-11-03\nid: ", 1))
    assert lesson("show", "a.md", "--json").json["frontmatter"]["validationDate"] == "2025-11-03"


@pytest.mark.slow
def test_all_samples_at_once(lesson: Lesson) -> None:
    """A broken file does not hide diagnostics of the others."""
    said = lesson("validate", SAMPLES / "good", SAMPLES / "bad", "--json", plugins=[quiet_plugin])
    every = {file.resolve() for path in GOOD + BAD for file in files(path)}
    assert len(said.json["lessons"]) == len(every)
    twins = [f for f in said.json["findings"] if f["rule"] == "duplicate-lesson"]
    others = [line for path in BAD for line in expected(path) if "duplicate-lesson" not in line]
    assert len(said.json["findings"]) - len(twins) == len(others)
