"""``lesson certify``: runs held against a policy, and a signed certificate if they show what it asks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_runner.cli.common import (
    WORKSPACE,
    AllowOption,
    BackendOption,
    JsonOption,
    KeyOption,
    LessonArgument,
    ParamOption,
    PolicyOption,
    ProfileOption,
    WorkspaceOption,
    check_backend,
    expand,
    make_console,
    open_valid_lesson,
    print_json,
    stdout_for_json,
)
from lesson_runner.cli.hardware import HardwareOption, check_hardware
from lesson_runner.cli.perform import Way, perform
from lesson_runner.cli.permissions import allowed_permissions, check_permissions
from lesson_runner.errors import CertificateError, ExitCode

if TYPE_CHECKING:
    from lesson_runner.certify.issue import Issued
    from lesson_runner.certify.policy import Policy
    from lesson_runner.certify.requirements import Finding
    from lesson_runner.model import Diagnostic, Hardware, Lesson
    from lesson_runner.plugins import Plugins


def certify(
    context: typer.Context,
    lesson: LessonArgument,
    from_run: Annotated[
        list[str] | None,
        typer.Option(
            "--from-run", metavar="RUN", help="Take this run instead of running; give it once for each."
        ),
    ] = None,
    policy: PolicyOption = "board",
    key: KeyOption = None,
    profile: ProfileOption = None,
    backend: BackendOption = "auto",
    expected: HardwareOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    param: ParamOption = None,
    allow: AllowOption = None,
    json: JsonOption = False,
) -> int:
    """Run a lesson as often as a policy asks, and sign a certificate if it shows what that wants."""
    from lesson_runner.certify.issue import issue
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.policy import load_policy
    from lesson_runner.run.find import find_run

    plugins: Plugins = context.obj
    asked = load_policy(policy)
    store = KeyStore()
    place = expand(workspace).resolve()
    document, problems, installed = open_valid_lesson(lesson, plugins)
    if from_run:
        runs = list(dict.fromkeys(find_run(name, place / "runs") for name in from_run))
    else:
        hardware = plugins.detect_hardware()
        check_hardware(expected, hardware)
        _check_possible(asked, hardware, check_backend(backend))
        store.own(key)  # that there is one is found out before hours of running, not after
        allowed = allowed_permissions(allow)
        options = _Options(profile, backend, hardware, place, param or [], allowed, installed, json)
        runs = _run(document, problems, asked, plugins, options)
    with stdout_for_json():  # what a plugin prints belongs to no answer
        issued = issue(
            document, problems, runs, asked, lambda: store.own(key), plugins, place / "certificates"
        )
    if json:
        print_json(_as_json(issued, asked))
    else:
        _print(issued, asked)
    return ExitCode.GOOD if issued.folder else ExitCode.CERTIFICATE


def _check_possible(policy: Policy, hardware: Sequence[Hardware], backend: str) -> None:
    """
    Refuse at once what no run could show here.

    Raises:
        CertificateError: the policy wants a board, and there is none.
    """
    board = any(item.usable and item.kind == "silicon" for item in hardware) and backend != "emulated"
    if set(policy.classes) == {"silicon"} and not board:
        found = "; ".join(f"{item.name} ({item.detected_by})" for item in hardware) or "nothing"
        reason = "--backend emulated uses none" if backend == "emulated" else f"this machine has {found}"
        message = f"the policy '{policy.name}' wants a board, and {reason}"
        raise CertificateError(
            message, fix="run it where there is one; or, for what it is, --policy emulated"
        )


class _Options:
    """How the passes are run."""

    def __init__(
        self,
        profile: str | None,
        backend: str,
        hardware: tuple[Hardware, ...],
        place: Path,
        params: Sequence[str],
        allowed: set[str],
        installed: bool,
        json: bool,
    ) -> None:
        self.profile, self.backend, self.hardware, self.place = profile, backend, hardware, place
        self.params, self.allowed, self.installed, self.json = params, allowed, installed, json


def _run(
    lesson: Lesson, problems: list[Diagnostic], policy: Policy, plugins: Plugins, options: _Options
) -> list[Path]:
    """Run a lesson as often as a policy asks, until a run fails; return the runs' folders."""
    from lesson_runner.context import Workspace
    from lesson_runner.run.claims import known_profiles
    from lesson_runner.run.params import parse_param
    from lesson_runner.run.plan import choose_profile, make_plan
    from lesson_runner.run.runner import Selection

    params = [parse_param(text) for text in options.params]
    wanted = [name for name in policy.content.get("profiles", ()) if name in known_profiles(lesson, plugins)]
    asked = options.profile or (wanted[0] if wanted else None)
    profile = choose_profile(lesson, plugins, asked, options.hardware, options.backend)
    plan = make_plan(lesson, problems, plugins, profile, params)
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not options.json
    if not options.installed:
        check_permissions(lesson, plan.steps, plugins, options.allowed, interactive)
    way = Way(
        options.backend,
        options.hardware,
        Workspace(options.place),
        fresh=True,
        interactive=interactive,
        json=options.json,
    )
    folders: list[Path] = []
    for number in range(1, policy.passes + 1):
        if not options.json:
            typer.echo(f"\nPass {number} of {policy.passes}")
        record, folder = perform(plan, plugins, way, Selection(), params)
        folders.append(folder)
        if record["status"] == "interrupted":
            raise KeyboardInterrupt
        if record["status"] != "passed":
            break
    return folders


def _as_json(issued: Issued, policy: Policy) -> dict[str, Any]:
    return {
        "certificate": str(issued.folder) if issued.folder else None,
        "policy": policy.name,
        "findings": [
            {
                "requirement": item.requirement,
                "met": item.met,
                "asked": item.asked,
                "found": item.found,
                "fix": item.fix,
            }
            for item in issued.findings
        ],
    }


def _print(issued: Issued, policy: Policy) -> None:
    from rich.text import Text

    from lesson_runner.report.text import safe

    console = make_console()
    console.print()
    if issued.folder:
        console.print(Text(f"Certified under the policy '{policy.name}':", "bold green"))
        _print_findings(issued.findings)
        console.print(Text(safe(f"Certificate: {issued.folder}")), soft_wrap=True)
        return
    missing = issued.missing
    things = "one thing is" if len(missing) == 1 else f"{len(missing)} things are"
    console.print(Text(f"Not certified under the policy '{policy.name}': {things} missing", "bold red"))
    _print_findings(missing)


def _print_findings(findings: Sequence[Finding]) -> None:
    from rich.text import Text

    from lesson_runner.report.text import safe

    console = make_console()
    for item in findings:
        sign, style = ("✓", "green") if item.met else ("✗", "red")
        console.print(Text.assemble((f"{sign} ", style), safe(f"{item.asked}: {item.found}")), soft_wrap=True)
        if item.fix:
            console.print(Text(safe(f"  → {item.fix}"), "dim"), soft_wrap=True)
