"""The action ``ct4.preview``: show the beginning of the text."""

from __future__ import annotations

import hashlib

from lesson_ct4.actions.workspace_files import dataset_labels, find_data
from lesson_ct4.data.fetch import LARGEST
from lesson_ct4.data.text import as_read
from lesson_runner.files.plain import read_plain
from lesson_runner.model import Json, Outcome
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import StepContext


def run(params: Json, context: StepContext) -> Outcome:
    """
    Show the first lines of a data set.

    Raises:
        LessonError: the data set is not in the workspace, or cannot be read.
    """
    path = find_data(context, params["name"])
    try:
        data = read_plain(path, LARGEST)
    except OSError as error:
        raise LessonError(
            f"{path} cannot be read: {error.strerror}", fix="fetch the data set again"
        ) from None
    lines = as_read(data.decode("utf-8", "replace")).splitlines()[: params["lines"]]
    if not any(line.strip() for line in lines):
        return Outcome("failed", f"the first lines of {path} are all empty")
    context.say("\n".join(lines))
    return Outcome(labels=dataset_labels(hashlib.sha256(data).hexdigest()))
