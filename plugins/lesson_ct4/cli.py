"""``lesson ct4 train`` and ``lesson ct4 generate``: what the lesson prints, typed by hand."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Optional

import typer
from typer.core import TyperCommand

from lesson_ct4.actions.table import ACTIONS
from lesson_ct4.blocks.arguments import parse
from lesson_ct4.flags import FLAGS, Command, Flag, flags_of
from lesson_ct4.training.callbacks import ignore
from lesson_runner.context import RunContext, StepContext, Workspace, merge
from lesson_runner.errors import LessonError
from lesson_runner.model import Event, Evidence, Lesson, Location, Outcome, PlannedStep

HERE = Path("the command line")
RAW = "lesson_ct4.blocks.arguments"
OWN = [flag for flag in FLAGS if flag.name in ("workspace", "backend", "json")]
"""Flags of the command itself; in a lesson they mean nothing."""


class FlagCommand(TyperCommand):
    """Shows all flags in its help, but leaves reading them to us: lessons and users get the same messages."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the arguments aside unless help is wanted."""
        if "--help" in args or "-h" in args:
            return super().parse_args(ctx, ["--help"])
        ctx.meta[RAW] = list(args)
        return super().parse_args(ctx, [])


def add_commands(app: typer.Typer) -> None:
    """Add ``ct4`` with its two commands."""
    group = typer.Typer(help="Train and sample the lesson's model by hand.", no_args_is_help=True)
    group.command("train", cls=FlagCommand, help="Train a NanoGPT on a text.")(_command("train"))
    group.command("generate", cls=FlagCommand, help="Continue a prompt with a trained NanoGPT.")(
        _command("generate")
    )
    app.add_typer(group, name="ct4")


def _command(command: Command) -> Callable[..., None]:
    """Return a function whose signature has every flag, which is where typer takes its help from."""

    def run(context: typer.Context, **_: Any) -> None:
        run_command(command, context.meta.get(RAW, []))

    parameters = [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    ]
    parameters += [_option(flag) for flag in (*flags_of(command), *OWN)]
    # mypy knows no __signature__ of functions; inspect.signature(), which typer calls, looks for it first.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # see above
    run.__annotations__ = {item.name: item.annotation for item in parameters}
    return run


def _option(flag: Flag) -> inspect.Parameter:
    text = flag.help
    if flag.choices:
        text += f" One of {', '.join(flag.choices)}."
    if flag.default is not None:
        text += f" Default: {flag.default}."
    annotation: Any = bool
    if flag.switch:
        default = typer.Option(False, f"--{flag.name}", help=text)
    else:
        default = typer.Option(
            None, f"--{flag.name}", help=text, metavar=flag.kind.upper(), show_default=False
        )
        annotation = Optional[str]  # noqa: UP045  # typer evaluates it on Python 3.10 too
    return inspect.Parameter(
        flag.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def run_command(command: Command, args: list[str]) -> Outcome:
    """
    Run a command as a lesson's step would, and print what it says.

    Raises:
        LessonError: a flag is wrong, or the action could not do its work.
    """
    own, rest = _own(args)
    parsed = parse(rest, command)
    for problem in parsed.problems:
        if problem.severity == "error":
            raise LessonError(problem.message, fix=problem.fix)
        typer.echo(problem.message, err=True)
    action = next(action for action in ACTIONS if action.name == f"ct4.{command}")
    given = {"recipe": action.defaults.get("recipe"), **parsed.params}
    preset = action.presets.get("recipe", {}).get(str(given["recipe"]), {})
    params = merge(action.defaults, preset, parsed.params)
    context = _context(command, params, own)
    quiet = bool(own.get("json"))
    context.emit = ignore if quiet else _echo
    outcome = _run(command, params, context)
    if quiet:
        _print_result(context, outcome)
    elif command == "generate" and outcome.labels:
        # Beside the text, not in it: the text may be piped on.
        typer.echo(f"[{', '.join(outcome.labels)}]", err=True)
    return outcome


def _own(args: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the command's own options, and the flags of training or generating."""
    own: dict[str, Any] = {}
    rest: list[str] = []
    known = {f"--{flag.name}": flag for flag in OWN}
    index = 0
    while index < len(args):
        name, equals, text = args[index].partition("=")
        flag = known.get(name)
        index += 1
        if flag is None:
            rest.append(args[index - 1])
        elif flag.switch:
            own[flag.name] = True
        else:
            if not equals:
                if index == len(args):
                    raise LessonError(f"{name} needs a value")
                text = args[index]
                index += 1
            try:
                own[flag.name] = flag.value(text)
            except ValueError as error:
                raise LessonError(f"{name} is {text!r}: {error}") from None
    return own, rest


def _context(command: Command, params: dict[str, Any], own: Mapping[str, Any]) -> StepContext:
    workspace = Workspace(_expanded(own.get("workspace") or os.environ.get("LESSON_WORKSPACE") or ".lesson"))
    folder = workspace.root / "by-hand"
    lesson = Lesson(
        path=HERE, text="", frontmatter={}, positions={}, blocks=(), steps=(), skipped=(), digest=""
    )
    run = RunContext(lesson, "", own.get("backend", "auto"), workspace, folder)
    step = PlannedStep(command, command, Location(HERE, 1), f"ct4.{command}", params)
    evidence = folder / "evidence" / command
    try:
        evidence.mkdir(parents=True, exist_ok=True)
        for path in evidence.iterdir():
            path.unlink()
    except OSError as error:
        raise LessonError(
            f"the workspace {workspace.root} cannot be used: {error.filename}: {error.strerror}",
            fix="name a folder that can be written: --workspace FOLDER",
        ) from None
    return StepContext(run, step, evidence, _echo)


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~name, and there is no such user
        return Path(path)


def _run(command: Command, params: dict[str, Any], context: StepContext) -> Outcome:
    from lesson_ct4.actions import generate as act_generate
    from lesson_ct4.actions import train as act_train
    from lesson_ct4.actions.workbench import close_session

    # By hand a path means that path first, and only then a name in the workspace.
    path = _expanded(str(params["data_path" if command == "train" else "model_path"]))
    here = path if path.is_file() else None
    try:
        if command == "train":
            # No run, no stages: the same command again trains again.
            return act_train.run(params, context, here, share_steps=False)
        return act_generate.run(params, context, here)
    finally:
        close_session(context.run)


def _echo(event: Event) -> None:
    if event.kind == "output":
        typer.echo(event.data["text"])


def _print_result(context: StepContext, outcome: Outcome) -> None:
    from lesson_ct4.measuring.evidence import measure_action

    evidence = Evidence(context.evidence, context.run.shared_evidence)
    result = {
        "status": outcome.status,
        "action": context.step.action,
        "params": dict(context.step.params),
        "metrics": measure_action(context.step.action, evidence),
        "labels": list(outcome.labels),
        "facts": dict(outcome.facts),
        "output": "\n".join(context.lines),
        "evidence": str(context.evidence),
    }
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
