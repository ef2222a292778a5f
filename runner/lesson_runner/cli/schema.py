"""``lesson schema``: the JSON Schemas, for editors and other tools."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from lesson_runner.cli.common import JsonOption, print_json
from lesson_runner.cli.output import say


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A schema's name, such as lesson. Default: list all schemas."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """
    List the JSON Schemas, or print one for an editor.

    A schema is printed in one piece, without references to other files.
    """
    from lesson_runner.document.schema.bundle import bundle, schema_names
    from lesson_runner.document.schema.validator import load_schema
    from lesson_runner.files.plain import write_output
    from lesson_runner.model.errors import LessonError

    if name is None:
        if output:
            raise LessonError("-o needs the name of a schema", fix=f"one of: {', '.join(schema_names())}")
        found = [{"name": item, "title": load_schema(item)["title"]} for item in schema_names()]
        if json:
            print_json(found)
            return
        width = max(len(item["name"]) for item in found)
        for item in found:
            say(f"{item['name']:{width}}  {item['title']}")
    elif output is None:
        print_json(bundle(name))
    else:
        try:
            write_output(output, json_format.dumps(bundle(name), indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            raise LessonError(
                f"-o {output}: cannot be written: {error.strerror or error}", fix="name another file"
            ) from None
        say(f"wrote {output}")
