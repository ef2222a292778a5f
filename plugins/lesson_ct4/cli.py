"""``lesson ct4 train``, ``generate`` and ``import``: what the lesson prints, typed by hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Optional

import typer
from typer.core import TyperCommand

from lesson_ct4.actions.table import ACTIONS
from lesson_ct4.blocks.arguments import parse
from lesson_ct4.by_hand import OWN, context_for, echo, expanded, own_options
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
"""Of a command that reads its flags itself."""


class FlagCommand(TyperCommand):
    """Shows all flags in its help, but leaves reading them to us: lessons and users get the same messages."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the arguments aside unless help is wanted."""
        if "--help" in args or "-h" in args:
            return super().parse_args(ctx, ["--help"])
        ctx.meta[RAW] = list(args)
        return super().parse_args(ctx, [])


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
        # Beside the text, not in it: the text may be piped on.
        say(f"[{', '.join(outcome.labels)}]", err=True)
    return outcome


def _run(command: Command, params: dict[str, Any], context: StepContext) -> Outcome:
    from lesson_ct4.actions import generate as act_generate
    from lesson_ct4.actions import train as act_train
    from lesson_ct4.actions.workspace_files import close_session

    # By hand a path means that path first, and only then a name in the workspace.
    path = expanded(str(params["data_path" if command == "train" else "model_path"]))
    here = path if path.is_file() else None
    try:
        if command == "train":
            # No run, no stages: the same command again trains again.
            return act_train.run(params, context, here, share_steps=False)
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


ct4 = typer.Typer(help="Train and sample the lesson's model by hand.", no_args_is_help=True)
ct4.command("train", cls=FlagCommand, help="Train a NanoGPT on a text.")(_command("train"))
ct4.command("generate", cls=FlagCommand, help="Continue a prompt with a trained NanoGPT.")(
    _command("generate")
)
ct4.command("sweep", context_settings=ANYTHING)(sweep)
ct4.command("import")(import_checkpoint)
