"""``lesson doctor``: check this machine, and show how to fix what is wrong."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    BackendOption,
    JsonOption,
    ParamOption,
    WorkspaceOption,
    print_json,
    stdout_to_stderr,
    workspace_folder,
)
from lesson_runner.cli.output import say
from lesson_runner.model.errors import ExitCode, LessonError

if TYPE_CHECKING:
    from lesson_runner.model import Hardware, Json, Lesson
    from lesson_runner.plugins.checks import Check, Finding, Machine
    from lesson_runner.plugins.installed import PluginInfo
    from lesson_runner.plugins.manager import Plugins
    from lesson_runner.run.params import Param

    Results = Sequence[tuple[Check, Finding]]


def doctor(
    context: typer.Context,
    lesson: Annotated[
        str | None,
        typer.Argument(metavar="LESSON", help="Run only the checks that this lesson and its steps need."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--check", metavar="ID,…", help="Run only these checks. 'lesson plugins' lists all of them."
        ),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Run the fixes that are safe to run, with a prompt before each.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: run all of them without prompts.")] = False,
    backend: BackendOption = "auto",
    workspace: WorkspaceOption = None,
    param: ParamOption = None,
    json: JsonOption = False,
) -> int:
    """
    Check this machine, and show how to fix what is wrong.

    Exit code 0: no check failed (a warning is not a failure). 1: a check failed. 2: the checks could not run.
    """
    from lesson_runner.cli.apply_fixes import apply_fixes, check_can_prompt
    from lesson_runner.plugins.checks import Machine
    from lesson_runner.run.options import check_backend
    from lesson_runner.run.params import parse_param

    params = [parse_param(text) for text in param or ()]
    if params and lesson is None:
        raise LessonError(
            "--param sets a parameter of a lesson's steps, but no lesson is given", fix="give the LESSON too"
        )
    check_can_prompt(fix=fix, yes=yes, json=json)
    plugins: Plugins = context.obj
    with stdout_to_stderr() if json else nullcontext():
        hardware = plugins.detect_hardware()
        checks = list(plugins.checks().values())
        machine = Machine(
            backend=check_backend(backend), hardware=hardware, workspace=workspace_folder(workspace)
        )
        if lesson is not None:
            document, checks = _lesson_checks(lesson, plugins, hardware, backend, params)
            machine = dataclasses.replace(machine, lesson=document.frontmatter)
        results = _run(_select(checks, only, plugins), machine, quiet=json)
        fixes = apply_fixes(results, machine, yes=yes) if fix else []
        if fixes:
            results = _rerun(results, machine, quiet=json)
    if json:
        print_json({**_data(results, machine), **({"fixes": fixes} if fix else {})})
    else:
        say(*_summary(results, lesson, fixing=fix), *([] if only else _readiness(results, machine)))
    failed = _has_failed(results)
    return ExitCode.FAILED if failed else ExitCode.GOOD


def _select(checks: Sequence[Check], wanted: Iterable[str] | None, plugins: Plugins) -> list[Check]:
    """
    Return the checks with the given ids, in their usual order; all checks if no id is given.

    All checks begin with a failed one for each plugin that does not work, because its checks may be missing.

    Raises:
        LessonError: there is no check with one of the ids.
    """
    from lesson_runner.model.hints import suggest_names

    ids = [name.strip() for text in wanted or () for name in text.split(",")]
    known = [check.id for check in checks]
    for name in ids:
        if name not in known:
            fix = plugins.hint(suggest_names(name, known), "lesson_checks")
            raise LessonError(f"--check {name}: there is no such check", fix=fix)
    if ids:
        return [check for check in checks if check.id in ids]
    plugins.unreported.clear()
    return [*map(_broken, filter(lambda info: info.error, plugins.infos.values())), *checks]


def _broken(info: PluginInfo) -> Check:
    """Return a check that fails because a plugin does not work."""
    from lesson_runner.plugins.checks import Check, Finding
    from lesson_runner.plugins.plugin_errors import FIX

    state = "it does not work" if info.loaded else "it was not loaded"
    finding = Finding("failed", f"{state}: {info.error}", fix=FIX)
    why = "the checks, actions and lessons of this plugin may be missing"
    return Check(f"plugin-{info.name}", f"plugin {info.name}", why, lambda _: finding)


def _lesson_checks(
    name: str, plugins: Plugins, hardware: Sequence[Hardware], backend: str, params: Sequence[Param]
) -> tuple[Lesson, list[Check]]:
    """
    Return a lesson, and the checks that its frontmatter needs or its steps run under its default profile.

    Raises:
        LessonError: there is no such lesson, it is not valid, or it has no such parameter.
    """
    from lesson_runner.cli.common import open_valid_lesson
    from lesson_runner.plugins.action_errors import load
    from lesson_runner.run.plan import choose_profile, make_plan

    document, problems, _ = open_valid_lesson(name, plugins)
    profile = choose_profile(document, plugins, None, hardware, backend)
    actions, known = plugins.actions(), plugins.checks()
    found = {check.id: check for check in known.values() if check.asked_by in document.frontmatter}
    for step in make_plan(document, problems, plugins, profile, params).steps:
        ask = actions[step.action].checks
        for check in load(ask)(step.params) if ask and not step.skip else ():
            found.setdefault(check.id, check)
    # One fault can cause the next in the order of the plugins' tables, not in that of the lesson's steps.
    order = {identity: place for place, identity in enumerate(known)}
    return document, sorted(found.values(), key=lambda check: order.get(check.id, len(order)))


def _run(checks: Sequence[Check], machine: Machine, *, quiet: bool) -> Results:
    """Run the checks, and print each finding at once: importing a library may take a minute."""
    from lesson_runner.plugins.checks import finding_lines, run_check

    width = max((len(check.title) for check in checks), default=0)
    results = []
    for check in checks:
        finding = run_check(check, machine)
        results.append((check, finding))
        if not quiet:
            say(*finding_lines(check, finding, width))
    return results


def _rerun(before: Results, machine: Machine, *, quiet: bool) -> Results:
    """Run the same checks again, and print what changed."""
    from lesson_runner.plugins.checks import run_checks

    after = run_checks([check for check, _ in before], machine)
    changed = [
        f"{check.title}: {old.status} -> {new.status} ({new.found})"
        for (check, old), (_, new) in zip(before, after, strict=True)
        if old != new
    ]
    if not quiet:
        say("", "checked again:", *(f"  {line}" for line in changed or ["nothing changed"]))
    return after


def _data(results: Results, machine: Machine) -> Json:
    from lesson_runner.plugins.checks import finding_data

    return {
        "checks": [finding_data(check, finding) for check, finding in results],
        "hardware": [item.found for item in machine.hardware],
        "ready": not _has_failed(results),
        "runs_on": "board" if machine.wants_board else "emulation",
    }


def _has_failed(results: Results) -> bool:
    return any(finding.status == "failed" for _, finding in results)


def _summary(results: Results, lesson: str | None, *, fixing: bool) -> list[str]:
    """Return the number of checks by status, and the fixes that can be run."""
    if not results and lesson is not None:
        return [f"no step of {lesson} runs a check; `lesson doctor` runs all checks"]
    if not results:
        return ["nothing was checked: no plugin provides a check (`lesson plugins` lists the plugins)"]
    counts = Counter(finding.status for _, finding in results)
    numbers = [f"{counts[status]} {status}" for status in ("ok", "warning", "failed", "skipped")]
    lines = ["", f"{len(results)} check{'s' if len(results) != 1 else ''}: {', '.join(numbers)}"]
    if not fixing and any(finding.command for _, finding in results):
        lines.append(f"`lesson doctor{f' {lesson}' if lesson else ''} --fix` can run:")
        lines += [f"  {finding.fix}" for _, finding in results if finding.command]
    return lines


def _readiness(results: Results, machine: Machine) -> list[str]:
    """Return whether lessons can run here, and on what."""
    if not results:
        return []
    if not _has_failed(results):
        where = "on the board" if machine.wants_board else f"emulated: {machine.why_no_board}"
        return [f"Ready. Lessons run {where}"]
    lines = ["Not ready. Fix what failed, starting at the top: one fault can cause the next"]
    if machine.wants_board:
        lines.append(
            "`lesson doctor --backend emulated` checks whether lessons run without the board until then"
        )
    return lines
