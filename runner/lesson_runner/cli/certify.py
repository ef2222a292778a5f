"""``lesson certify``: check runs against a policy, and sign a certificate if they meet it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.certify_answer import print_answer
from lesson_runner.cli.common import (
    AllowOption,
    BackendOption,
    EnvOption,
    JsonOption,
    KeyOption,
    LessonArgument,
    OverlayOption,
    ParamOption,
    PolicyOption,
    ProfileOption,
    SandboxOption,
    WorkspaceOption,
    ask,
    is_interactive,
    note,
    open_valid_lesson,
    plan_to_run,
    stdout_to_stderr,
    workspace_folder,
)
from lesson_runner.cli.hardware import HardwareOption, detect_hardware
from lesson_runner.cli.isolation import make_sandbox
from lesson_runner.cli.output import say
from lesson_runner.cli.permissions import allowed_permissions
from lesson_runner.cli.run_session import run_session
from lesson_runner.model.errors import CertificateError, LessonError

if TYPE_CHECKING:
    from lesson_runner.certify.policy import Policy
    from lesson_runner.model import Hardware, Lesson
    from lesson_runner.plugins.manager import Plugins
    from lesson_runner.run.prepare import PreparedRun


def certify(
    context: typer.Context,
    lesson: LessonArgument,
    from_run: Annotated[
        list[str] | None,
        typer.Option("--from-run", metavar="RUN", help="Use this run instead of a new one; repeatable."),
    ] = None,
    policy: PolicyOption = "board",
    key: KeyOption = None,
    profile: ProfileOption = None,
    backend: BackendOption = "auto",
    expected: HardwareOption = None,
    workspace: WorkspaceOption = None,
    param: ParamOption = None,
    overlay: OverlayOption = None,
    allow: AllowOption = None,
    sandbox: SandboxOption = False,
    env: EnvOption = None,
    json: JsonOption = False,
) -> int:
    """
    Run a lesson as a policy requires, and sign a certificate.

    The policy says how many runs must pass. Nothing is signed unless the runs meet every requirement.
    """
    from lesson_runner.certify.forecast import forecast
    from lesson_runner.certify.issue import Issued, issue
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.policy import check_name, load_policy
    from lesson_runner.execute.environment import check_passed
    from lesson_runner.plugins.context import Workspace
    from lesson_runner.run.find import find_run
    from lesson_runner.run.options import RunOptions, check_backend
    from lesson_runner.run.params import parse_param
    from lesson_runner.run.prepare import prepare_run

    plugins: Plugins = context.obj
    loaded_policy = load_policy(policy)
    check_name(loaded_policy)
    store = KeyStore()
    place = workspace_folder(workspace).resolve()
    Workspace(place).check_links()
    document, problems, installed = open_valid_lesson(lesson, plugins, overlay)
    if from_run:
        if profile or param or expected or backend != "auto" or sandbox or env:
            others = "--profile, --backend, --hardware, --param, --sandbox and --env"
            message = f"--from-run uses runs as they are; {others} apply to new runs only"
            raise LessonError(message, fix="leave those options out, or leave out --from-run")
        runs = list(dict.fromkeys(find_run(name, place / "runs") for name in from_run))
    else:
        hardware = detect_hardware(plugins, expected)
        _check_possible(loaded_policy, hardware, check_backend(backend))
        store.own(key)  # fail before hours of running if there is no key
        _check_writable(place / "certificates")
        options = RunOptions(
            hardware=hardware,
            workspace=Workspace(place),
            profile=profile or _accepted_profile(document, loaded_policy, plugins),
            backend=backend,
            params=tuple(map(parse_param, param or ())),
            fresh=True,
            allowed=allowed_permissions(allow),
            passed=check_passed(env or ()),
            sandbox=make_sandbox(hardware, wanted=sandbox),
            ask=ask if is_interactive(json=json) else None,
            note=note,
        )
        plan = plan_to_run(document, problems, plugins, options)
        if missing := forecast(plan, options.params, hardware, backend, loaded_policy):
            return print_answer(Issued(tuple(missing), None), loaded_policy, json=json)
        runs = _run(prepare_run(plan, plugins, options, installed=installed), loaded_policy.passes, json=json)
    try:
        with stdout_to_stderr():  # what a plugin prints is not part of the answer
            issued = issue(
                document,
                problems,
                runs,
                loaded_policy,
                lambda: store.own(key),
                plugins,
                place / "certificates",
            )
    except LessonError as error:
        if not from_run:
            kept = " ".join(f"--from-run {path.name}" for path in runs)
            reuse = f"certify these runs without running them again: lesson certify {lesson} {kept}"
            error.fix = f"{error.fix}; then {reuse}" if error.fix else reuse
        raise
    return print_answer(issued, loaded_policy, json=json)


def _check_writable(folder: Path) -> None:
    from lesson_runner.certify.store import staging_folder

    try:
        with staging_folder(folder):
            pass
    except OSError as error:
        fix = "use --workspace to name a folder that you can write"
        raise LessonError(f"{folder}: cannot be written: {error.strerror or error}", fix=fix) from None


def _check_possible(policy: Policy, hardware: Sequence[Hardware], backend: str) -> None:
    """
    Refuse a policy that no run on this machine can meet.

    Raises:
        CertificateError: the policy requires a board and there is none, or excludes boards and there is one.
    """
    board = any(item.is_board for item in hardware) and backend != "emulated"
    if board and "silicon" not in policy.classes:
        message = f"the policy '{policy.name}' excludes boards, but this machine has one"
        raise CertificateError(
            message, fix="to certify on the board: --policy board; without it: --backend emulated"
        )
    if set(policy.classes) == {"silicon"} and not board:
        found = "; ".join(f"{item.name} ({item.detected_by})" for item in hardware) or "nothing"
        reason = "--backend emulated uses none" if backend == "emulated" else f"this machine has {found}"
        message = f"the policy '{policy.name}' requires a board, but {reason}"
        raise CertificateError(
            message, fix="run it on a machine with a board, or certify the emulation: --policy emulated"
        )


def _accepted_profile(lesson: Lesson, policy: Policy, plugins: Plugins) -> str | None:
    """Return the first of the policy's profiles that the lesson has, if any."""
    from lesson_runner.run.resolve_blocks import known_profiles

    known = known_profiles(lesson, plugins)
    return next((name for name in policy.content.get("profiles", ()) if name in known), None)


def _run(prepared: PreparedRun, passes: int, *, json: bool) -> list[Path]:
    """Run a plan several times, stopping when a run fails; return the run folders."""
    folders: list[Path] = []
    for number in range(1, passes + 1):
        if not json:
            say("", f"Pass {number} of {passes}")
        record, folder = run_session(prepared, json=json)
        folders.append(folder)
        if record["status"] == "interrupted":
            raise KeyboardInterrupt
        if record["status"] != "passed":
            break
    return folders
