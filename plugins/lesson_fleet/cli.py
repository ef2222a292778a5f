"""``lesson fleet run``: run many lessons on many boards, and print one table of results."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_runner.cli.common import (
    AllowOption,
    BackendOption,
    JsonOption,
    KeyOption,
    ParamOption,
    ProfileOption,
    WorkspaceOption,
    make_console,
    print_json,
    stdout_to_stderr,
    workspace_folder,
)
from lesson_runner.model.errors import ExitCode, HardwareError, LessonError

if TYPE_CHECKING:
    from lesson_fleet.cells import CellOptions, Document
    from lesson_fleet.certificate import CertificateRequest
    from lesson_fleet.engine import RayEngine
    from lesson_runner.plugins.manager import Plugins

MOST_PASSES = 20
RAY_LOG = "ray.log"
"""The file with Ray's output, next to the results; written only if there is any."""


fleet = typer.Typer(no_args_is_help=True)


@fleet.callback()
def _fleet() -> None:
    """Run lessons on many boards at once."""


@fleet.command("run")
def run(
    context: typer.Context,
    lessons: Annotated[
        list[str], typer.Argument(metavar="LESSON…", help="Lessons' ids, or paths of .md files.")
    ],
    hardware: Annotated[
        str, typer.Option(metavar="NAMES", help="The kinds of boards, separated by commas: n150,n300,t3k.")
    ],
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDR",
            help="Address of a Ray cluster, such as head:6379; without it, Ray starts on this machine alone.",
        ),
    ] = None,
    passes: Annotated[
        int,
        typer.Option(min=1, max=MOST_PASSES, help="How often each lesson is run, each time from scratch."),
    ] = 2,
    profile: ProfileOption = None,
    backend: BackendOption = "auto",
    param: ParamOption = None,
    allow: AllowOption = None,
    pretend: Annotated[
        bool,
        typer.Option(
            "--pretend", help="Pretend the boards: lessons run on the emulation, and their results say so."
        ),
    ] = False,
    certify: Annotated[
        bool, typer.Option("--certify", help="Request a certificate for the runs of each result.")
    ] = False,
    policy: Annotated[
        str | None, typer.Option(metavar="POLICY", help="With --certify: the policy; by default board.")
    ] = None,
    key: KeyOption = None,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for hardware that has left the cluster.")
    ] = 60.0,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> int:
    """Run lessons on every given kind of hardware, one lesson per board at a time."""
    from lesson_fleet.cells import CellOptions
    from lesson_fleet.request import certificate_request, checked_backend, kinds_of, read_documents
    from lesson_runner.plugins.context import Workspace

    plugins: Plugins = context.obj
    kinds = kinds_of(hardware)
    options = CellOptions(
        passes, pretend, profile, checked_backend(backend, pretend=pretend), tuple(param or ())
    )
    if address is not None and address.startswith("ray://"):
        raise LessonError(
            f"--address {address}: Ray's client is not supported",
            fix="run this on a machine of the cluster, with --address HEAD:6379",
        )
    certificate = certificate_request(policy, key, options, certify=certify)
    documents = read_documents(lessons, kinds, options, allow, plugins, json=json)
    place = workspace_folder(workspace).resolve()
    Workspace(place).check_links()
    request = _FleetRequest(documents, kinds, options, address, place, certificate, patience)
    if json:
        with stdout_to_stderr():  # keep Ray's output out of the JSON
            data, code = _run(request, plugins, quiet=True)
        print_json(data)
        return code
    return _run(request, plugins, quiet=False)[1]


@dataclass(frozen=True, slots=True)
class _FleetRequest:
    """The request that the command line makes."""

    documents: Sequence[Document]
    kinds: Sequence[str]
    options: CellOptions
    address: str | None
    workspace: Path
    certificate: CertificateRequest | None
    patience: float


def _run(request: _FleetRequest, plugins: Plugins, *, quiet: bool) -> tuple[Mapping[str, Any], int]:
    """Run every cell, and return the results and the exit code."""
    from lesson_fleet.cells import cells_of, job_for
    from lesson_fleet.certificate import certify
    from lesson_fleet.collect import Collector
    from lesson_fleet.drive import drive
    from lesson_fleet.engine import RayEngine
    from lesson_fleet.table import print_results
    from lesson_runner.files.plain import write_atomically

    console = make_console()
    console.file = sys.stdout  # also while what Ray prints goes elsewhere
    ray_output = _RayOutput()

    def show(line: str) -> None:
        if not quiet:
            console.print(line)

    by_id = {document.id: document for document in request.documents}
    cells = cells_of(request.documents, request.kinds)
    jobs = {cell: job_for(cell, by_id[cell.lesson], request.options) for cell in cells}
    boards = {} if request.address else _local_boards(request, plugins)
    collector = None
    try:
        with (
            redirect_stdout(ray_output),
            RayEngine(
                jobs, pretended=request.options.pretended, address=request.address, boards=boards
            ) as engine,
        ):
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ray has replaced it
            _check_offered(request, engine)
            collector = Collector(
                request.workspace,
                request.documents,
                request.kinds,
                request.options,
                request.address,
                lambda lesson, runs: certify(request.certificate, request.workspace, lesson, runs),
            )
            show(_summary(request, engine.offered()))
            drive(engine, collector, show, patience=request.patience)
        collector.finish("finished")
    except KeyboardInterrupt:
        if collector is None:
            raise
        collector.finish("interrupted")
        show("Interrupted: received results are kept, running lessons are stopped")
    finally:
        if collector is not None and ray_output.getvalue():
            write_atomically(collector.folder / RAY_LOG, ray_output.getvalue())
    if not quiet:
        print_results(console, collector.data, collector.path, certify=request.certificate is not None)
    return collector.data, _exit_code(collector.data, certify=request.certificate is not None)


class _RayOutput(io.StringIO):
    """
    Collects what Ray prints to standard output during a fleet run, such as the log of a lost machine.

    It has the descriptor of the real standard output, because some code needs one.
    """

    def fileno(self) -> int:
        return 1


def _local_boards(request: _FleetRequest, plugins: Plugins) -> dict[str, int]:
    """Return the boards for Ray on this machine: one pretended board of each kind, or the real ones."""
    if request.options.pretended:
        return dict.fromkeys(request.kinds, 1)
    found = plugins.detect_hardware()
    return {item.name: 1 for item in found if item.usable}


def _check_offered(request: _FleetRequest, engine: RayEngine) -> None:
    """
    Make sure that some worker has each kind of board.

    Raises:
        HardwareError: no worker has one of a kind.
    """
    from lesson_fleet.cells import resource_of
    from lesson_fleet.request import known_hardware

    everything = engine.everything()
    names = {kind: resource_of(kind, pretended=request.options.pretended) for kind in request.kinds}
    missing = [kind for kind, name in names.items() if not everything.get(name)]
    if not missing:
        return
    boards = [resource_of(kind, pretended=told) for told in (False, True) for kind in known_hardware()]
    has = ", ".join(f"{everything[name]:g} {name}" for name in boards if everything.get(name))
    where = "the cluster" if request.address else "this machine"
    what = f"{','.join(missing)}: {where} has {'no pretended one' if request.options.pretended else 'none'}"
    start = (
        f"ray start --address={request.address or 'HEAD:6379'} --resources='{{\"{names[missing[0]]}\": 1}}'"
    )
    pretend = "" if request.options.pretended else "; or use --pretend, which runs on the emulation"
    raise HardwareError(
        f"--hardware {what}; it has {has or 'no board'}", fix=f"start a worker with one: {start}{pretend}"
    )


def _summary(request: _FleetRequest, offered: Mapping[str, float]) -> str:
    count, label = len(request.documents), "  [pretended]" if request.options.pretended else ""
    boards = ", ".join(f"{offered[kind]:g} {kind}" for kind in request.kinds)
    passes = f"{request.options.passes} pass{'' if request.options.passes == 1 else 'es'} each"
    return f"{count} lesson{'' if count == 1 else 's'} on {boards}, {passes}{label}"


def _exit_code(data: Mapping[str, Any], *, certify: bool) -> int:
    if data["status"] == "interrupted":
        return ExitCode.INTERRUPTED
    run = [item for item in data["results"] if item["status"] != "not-supported"]
    if any(item["status"] != "passed" for item in run):
        return ExitCode.FAILED
    if certify and not all(item["certificate"]["issued"] for item in run):
        return ExitCode.CERTIFICATE
    return ExitCode.GOOD
