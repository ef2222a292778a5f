"""The action ``ct4.preview``: show how the text begins."""

from __future__ import annotations

import hashlib

from lesson_ct4.actions.workbench import dataset_labels, find_data
from lesson_runner.context import StepContext
from lesson_runner.model import Json, Outcome


def run(params: Json, context: StepContext) -> Outcome:
    """
    Show the first lines of a data set.

    Raises:
        LessonError: it is not in the workspace.
    """
    path = find_data(context, params["name"])
    data = path.read_bytes()
    lines = data.decode("utf-8", "replace").splitlines()[: params["lines"]]
    if not any(line.strip() for line in lines):
        return Outcome("failed", f"{path} begins with nothing but empty lines")
    context.say("\n".join(lines))
    return Outcome(labels=dataset_labels(hashlib.sha256(data).hexdigest()))
