"""``lesson ct4 sweep``: train with every combination of flag values, and compare the results."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from lesson_ct4.command_line import context_for, own_options
from lesson_ct4.flags import FLAGS
from lesson_runner.cli.common import make_console, print_json
from lesson_runner.cli.output import say
from lesson_runner.files.evidence import Evidence
from lesson_runner.model.errors import ExitCode, HardwareError, LessonError
from lesson_runner.plugins.context import StepContext, merge

MOST = 100
"""Maximum number of runs in a sweep; more than this is probably a mistake."""
COLUMNS = {
    "final_loss": "final loss",
    "validation_loss": "validation loss",
    "seconds": "seconds",
    "tokens_per_second": "tokens/s",
}
"""Metric and column heading."""


def sweep(context: typer.Context) -> int:
    """
    Train with every combination of flag values, one after another on one device, and compare the results.

    Takes the flags of 'lesson ct4 train'. A flag with comma-separated values is varied:
    --learning_rate 1e-4,5e-4,1e-3 --batch_size 2,4,8 --max_steps 300. Each run trains from scratch. Its
    checkpoint is named --model_save_path plus its number. --json prints the results as JSON.
    """
    own, rest = own_options(context.args)
    fixed, varied = _varied(rest)
    combinations = [dict(zip(varied, values, strict=True)) for values in itertools.product(*varied.values())]
    if not varied or len(combinations) > MOST:
        raise LessonError(
            f"these flags make {len(combinations)} runs" if varied else "no flag has several values",
            fix=f"use 2 to {MOST} combinations of values, such as --learning_rate 1e-4,5e-4,1e-3",
        )
    # Check all combinations before training the first one, so that errors appear at once.
    planned = [_params(fixed, chosen, number) for number, chosen in enumerate(combinations, 1)]
    quiet = bool(own.get("json"))
    results = _train_all(planned, combinations, own, quiet=quiet)
    if quiet:
        print_json(results)
    else:
        _print(results, list(varied))
    return ExitCode.GOOD if any(item["status"] == "passed" for item in results) else ExitCode.FAILED


def _varied(args: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the arguments that all runs share, and the values of the varied flags."""
    numeric = {flag.name for flag in FLAGS if flag.kind in ("integer", "number") or flag.choices}
    fixed: list[str] = []
    varied: dict[str, list[str]] = {}
    index = 0
    while index < len(args):
        name, equals, value = args[index].partition("=")
        if not equals and index + 1 < len(args):
            value = args[index + 1]
        key = name.lstrip("-").replace("-", "_")
        if key in numeric and "," in value:
            varied[key] = list(dict.fromkeys(part.strip() for part in value.split(",")))
            index += 1 if equals else 2
        else:
            fixed.append(args[index])
            index += 1
    return fixed, varied


def _params(fixed: Sequence[str], chosen: Mapping[str, str], number: int) -> dict[str, Any]:
    from lesson_ct4.actions.table import ACTIONS
    from lesson_ct4.blocks.arguments import parse

    parsed = parse(
        [*fixed, *(word for name, text in chosen.items() for word in (f"--{name}", text))], "train"
    )
    for problem in parsed.problems:
        if problem.severity == "error":
            raise LessonError(problem.message, fix=problem.fix)
    action = next(action for action in ACTIONS if action.name == "ct4.train")
    recipe = str(parsed.params.get("recipe", action.defaults.get("recipe")))
    params = merge(action.defaults, action.presets.get("recipe", {}).get(recipe, {}), parsed.params)
    if action.inspect and (problem_text := action.inspect(params).problem):
        raise LessonError(problem_text)
    return {**params, "model_save_path": f"{params['model_save_path']}-{number}"}


def _train_all(
    planned: Sequence[dict[str, Any]],
    combinations: Sequence[Mapping[str, str]],
    own: Mapping[str, Any],
    *,
    quiet: bool,
) -> list[dict[str, Any]]:
    from lesson_ct4.actions.workspace_files import close_session

    results: list[dict[str, Any]] = []
    first: StepContext | None = None
    try:
        for number, (params, chosen) in enumerate(zip(planned, combinations, strict=True), 1):
            step = context_for("train", params, own, f"sweep-{number}")
            if first is not None:
                step.run = first.run  # one device, opened once
            first = first or step
            settings = ", ".join(f"{name} {value}" for name, value in chosen.items())
            if not quiet:
                say(f"{number}/{len(planned)} {settings}")
            results.append({**_train(params, step), "settings": {name: params[name] for name in chosen}})
            if not quiet:
                say(f"  {_outcome(results[-1])}")
    finally:
        if first is not None:
            close_session(first.run)
    return results


def _train(params: Mapping[str, Any], step: StepContext) -> dict[str, Any]:
    from lesson_ct4.actions.train import run
    from lesson_ct4.command_line import expanded
    from lesson_ct4.measuring.evidence import measure_action

    step.emit = lambda _: None
    path = expanded(str(params["data_path"]))
    try:
        outcome = run(params, step, path if path.is_file() else None, share_steps=False)
        status, message, labels = outcome.status, outcome.message, list(outcome.labels)
    except HardwareError:  # the other runs need the same board
        raise
    except LessonError as error:  # such as a loss that is NaN: the other runs may succeed
        status, message, labels = "failed", str(error), []
    metrics = measure_action("ct4.train", Evidence(step.evidence, step.run.shared_evidence))
    return {
        "status": status,
        "message": message,
        "labels": labels,
        "metrics": metrics,
        "evidence": str(step.evidence),
    }


def _outcome(result: Mapping[str, Any]) -> str:
    if result["status"] != "passed":
        return f"{result['status']}: {result['message']}"
    shown = [f"{name} {result['metrics'][name]:.4g}" for name in COLUMNS if name in result["metrics"]]
    return ", ".join(shown) + (f"  [{', '.join(result['labels'])}]" if result["labels"] else "")


def _print(results: Sequence[Mapping[str, Any]], varied: Sequence[str]) -> None:
    from lesson_runner.report.tables import PlainTable

    numbers = (*varied, *COLUMNS.values())
    table = PlainTable(*numbers, "", right=numbers)
    best = min((_quality(item) for item in results), default=math.inf)
    for item in results:
        note = "" if item["status"] == "passed" else "failed"
        if _quality(item) == best < math.inf:
            note = "lowest"
        cells = [_cell(item["settings"].get(name)) for name in varied]
        cells += [_cell(item["metrics"].get(name)) for name in COLUMNS]
        table.add(*cells, note)
    labels = list(dict.fromkeys(label for item in results for label in item["labels"]))
    console = make_console()
    console.print()
    if labels:
        console.print(f"[{', '.join(labels)}]")
    console.print(table)


def _quality(result: Mapping[str, Any]) -> float:
    """Return the loss to compare: the validation loss if there is one, else the training loss."""
    if result["status"] != "passed":
        return math.inf
    metrics = result["metrics"]
    return float(metrics.get("validation_loss", metrics.get("final_loss", math.inf)))


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "-" if value is None else str(value)
