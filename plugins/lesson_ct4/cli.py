"""The commands ``lesson ct4 train``, ``generate``, ``sweep`` and ``import``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Optional

import typer
from typer.core import TyperCommand

from lesson_ct4.actions.table import ACTIONS
from lesson_ct4.blocks.arguments import parse
from lesson_ct4.command_line import OWN, context_for, echo, expanded, own_options
from lesson_ct4.flags import Command, Flag, flags_of
from lesson_ct4.import_command import import_checkpoint
from lesson_ct4.sweep import sweep
from lesson_ct4.training.callbacks import ignore
from lesson_runner.cli.common import print_json
from lesson_runner.cli.output import say
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Outcome
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import StepContext, merge

RAW = "lesson_ct4.blocks.arguments"
ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}
"""Typer settings of a command that parses its flags itself."""


class FlagCommand(TyperCommand):
    """Shows all flags in its help, but does not parse them: the command line uses the parser of lessons."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Store the raw arguments, unless help is wanted."""
        if "--help" in args or "-h" in args:
            return super().parse_args(ctx, ["--help"])
        ctx.meta[RAW] = list(args)
        return super().parse_args(ctx, [])


def _command(command: Command) -> Callable[..., None]:
    """Return a function whose signature has every flag, because typer builds its help from the signature."""

    def run(context: typer.Context, **_: Any) -> None:
        run_command(command, context.meta.get(RAW, []))

    parameters = [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    ]
    parameters += [_option(flag) for flag in (*flags_of(command), *OWN)]
    # typer calls inspect.signature(), which looks for this attribute first.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions have it, typeshed does not
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
    Run a command as a step of a lesson would, and print its output.

    Raises:
        LessonError: a flag is wrong, or the action failed.
    """
    own, rest = own_options(args)
    parsed = parse(rest, command)
    for problem in parsed.problems:
        if problem.severity == "error":
            raise LessonError(problem.message, fix=problem.fix)
        say(problem.message, err=True)
    action = next(action for action in ACTIONS if action.name == f"ct4.{command}")
    given = {"recipe": action.defaults.get("recipe"), **parsed.params}
    preset = action.presets.get("recipe", {}).get(str(given["recipe"]), {})
    params = merge(action.defaults, preset, parsed.params)
    context = context_for(command, params, own)
    quiet = bool(own.get("json"))
    context.emit = ignore if quiet else echo
    outcome = _run(command, params, context)
    if quiet:
        _print_result(context, outcome)
    elif command == "generate" and outcome.labels:
        # To standard error, because the text may be piped.
        say(f"[{', '.join(outcome.labels)}]", err=True)
    return outcome


def _run(command: Command, params: dict[str, Any], context: StepContext) -> Outcome:
    from lesson_ct4.actions import generate as act_generate
    from lesson_ct4.actions import train as act_train
    from lesson_ct4.actions.workspace_files import close_session, find_checkpoint

    # On the command line, an existing file takes precedence over a name in the workspace.
    path = expanded(str(params["data_path" if command == "train" else "model_path"]))
    here = path if path.is_file() else None
    try:
        if command == "train":
            # There is no run with stages: repeating a command trains again.
            return act_train.run(params, context, here, share_steps=False)
        if here is None:
            here = find_checkpoint(context, str(params["model_path"])).path
            say(f"Checkpoint: {here}", err=True)  # to standard error, because the text may be piped
        return act_generate.run(params, context, here)
    finally:
        close_session(context.run)


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
    print_json(result)


ct4 = typer.Typer(help="Train and sample the lesson's model outside a lesson.", no_args_is_help=True)
ct4.command("train", cls=FlagCommand, help="Train a NanoGPT on a text.")(_command("train"))
ct4.command("generate", cls=FlagCommand, help="Continue a prompt with a trained NanoGPT.")(
    _command("generate")
)
ct4.command("sweep", context_settings=ANYTHING)(sweep)
ct4.command("import")(import_checkpoint)
