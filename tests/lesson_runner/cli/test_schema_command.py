"""``lesson schema``: a bundled schema accepts the same as the original."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lesson_runner.document import parser
from lesson_runner.document.frontmatter import read_frontmatter, split
from lesson_runner.document.schema import bundle as module
from lesson_runner.document.schema.bundle import bundle, schema_names
from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.model.errors import LessonError
from lesson_runner.testing import lesson_text, run_lesson

SAMPLES = sorted((Path(__file__).parents[2] / "samples").rglob("*.md"))
Lesson = Callable[..., Any]


def verdict(validator: Draft202012Validator, data: Any) -> list[tuple[list[Any], str]]:
    return sorted((list(error.absolute_path), error.message) for error in validator.iter_errors(data))


def alone(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator that can read no schema but this one."""
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def references(schema: Any) -> Iterator[str]:
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from references(value)
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        yield schema["$ref"]


def data_of(name: str) -> list[Any]:
    """The data in the samples that the schema describes."""
    # Read like this, every kind of line end becomes LF.
    texts = [(path, path.read_text("utf-8-sig", "replace")) for path in SAMPLES]
    if name == "lesson":
        return [read_frontmatter(split(text, path), path).data for path, text in texts]
    return [item.data for path, text in texts for item in parser.parse(split(text, path), path).directives]


@pytest.mark.parametrize("name", ["lesson", "step"])
def test_a_bundled_schema_accepts_and_refuses_the_same(name: str) -> None:
    original, bundled = validator_for(load_schema(name)), alone(bundle(name))
    verdicts = [(verdict(original, data), verdict(bundled, data)) for data in data_of(name)]
    assert [one for one, other in verdicts if one != other] == []
    assert sum(one == [] for one, _ in verdicts) > 5
    assert sum(one != [] for one, _ in verdicts) > 5


def test_references_to_other_files_are_resolved() -> None:
    """The samples could miss a reference to another file; these two are in the schemas."""
    front = read_frontmatter(split(lesson_text("# x", runner={"timeout": "soon"}), Path("x")), Path("x")).data
    assert [path for path, _ in verdict(alone(bundle("lesson")), front)] == [["runner", "timeout"]]
    claim = {"metric": {"name": "n", "max": 1}, "source": "us", "hardware": ["n15O"]}
    found = verdict(alone(bundle("step")), {"id": "one", "claims": [claim]})
    assert [path for path, _ in found] == [["claims", 0, "hardware", 0]]


def test_a_record_fits_the_bundled_schema(tmp_path: Path) -> None:
    body = "<!-- step\nid: one\nexpect: [{contains: hello}]\n-->\n```bash\necho hello\n```"
    record = run_lesson(lesson_text(body), tmp_path)
    assert verdict(alone(bundle("record")), record) == []
    assert verdict(alone(bundle("record")), {**record, "status": "fine"}) != []


@pytest.mark.parametrize("name", schema_names())
def test_every_schema_stands_alone(name: str) -> None:
    schema = bundle(name)
    assert schema["$schema"] == load_schema(name)["$schema"]
    assert "$id" not in schema
    for reference in references(schema):
        assert reference.startswith("#/$defs/")
        here = schema
        for part in reference.split("/")[1:]:
            here = here[part]
    assert "$id" in load_schema(name), "the original is unchanged"


def test_names_that_two_files_use(monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, Any] = {
        "one": {
            "$id": "one.schema.json",
            "$schema": "s",
            "properties": {"a": {"$ref": "two.schema.json#/$defs/x"}, "b": {"$ref": "#/$defs/x"},
                           "c": {"$ref": "two.schema.json"}, "$ref": {"$ref": "two.schema.json#/$defs/y"}},
            "$defs": {"x": {"type": "string"}},
        },
        "two": {
            "$id": "two.schema.json",
            "type": "object",
            "properties": {"again": {"$ref": "#"}, "back": {"$ref": "one.schema.json#/$defs/x"}},
            "$defs": {"x": {"type": "integer"}, "y": {"items": {"$ref": "#/$defs/y"}}},
        },
    }  # fmt: skip
    monkeypatch.setattr(module, "load_schema", files.__getitem__)
    assert bundle("one") == {
        "$schema": "s",
        "properties": {"a": {"$ref": "#/$defs/two-x"}, "b": {"$ref": "#/$defs/x"},
                       "c": {"$ref": "#/$defs/two"}, "$ref": {"$ref": "#/$defs/y"}},
        "$defs": {
            "x": {"type": "string"},
            "two-x": {"type": "integer"},
            "two": {"type": "object", "properties": {"again": {"$ref": "#/$defs/two"},
                                                     "back": {"$ref": "#/$defs/x"}}},
            "y": {"items": {"$ref": "#/$defs/y"}},
        },
    }  # fmt: skip


def test_the_command(lesson: Lesson, tmp_path: Path) -> None:
    listed = lesson("schema").out
    assert "lesson       Lesson frontmatter\n" in listed
    assert [item["name"] for item in lesson("schema", "--json").json] == schema_names()
    assert len(listed.splitlines()) == len(schema_names())
    assert lesson("schema", "lesson").json == bundle("lesson")
    assert lesson("schema", "step", "-o", "out/step.json").out == "wrote out/step.json\n"
    assert json.loads((tmp_path / "out" / "step.json").read_text()) == bundle("step")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["lessen"], "error: there is no schema 'lessen'\nfix: one of: "),
        (["-o", "x"], "error: -o needs the name of a schema\nfix: one of: "),
        (["lesson", "-o", "."], "error: -o .: cannot be written: "),
    ],
)
def test_errors(lesson: Lesson, arguments: list[str], error: str) -> None:
    said = lesson("schema", *arguments)
    assert said.code == 2
    assert said.err.startswith(error)


def test_no_such_schema() -> None:
    with pytest.raises(LessonError, match="no schema 'nothing'"):
        bundle("nothing")


def test_the_comment_for_editors_does_no_harm(lesson: Lesson, tmp_path: Path) -> None:
    text = lesson_text(
        "<!-- step\nid: one\nexpect: [{contains: a}]\n-->\n```bash\necho a\n```", status="draft"
    )
    header = "# yaml-language-server: $schema=lesson.schema.json\n"
    (tmp_path / "sample.md").write_text(text.replace("---\n", f"---\n{header}", 1))
    assert lesson("validate", "sample.md", "--json").json["findings"] == []
    (tmp_path / "sample.md").write_text(
        text.replace("---\n", f"---\n{header}", 1).replace("simulator", "simulater")
    )
    (finding,) = lesson("validate", "sample.md", "--json").json["findings"]
    assert (finding["line"], finding["rule"]) == (8, "wrong-value")
