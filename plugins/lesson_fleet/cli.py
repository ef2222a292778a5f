"""``lesson fleet run``: many lessons on many boards, and one table of what came of it."""

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
    from lesson_fleet.certificate import Wish
    from lesson_fleet.engine import RayEngine
    from lesson_runner.plugins.manager import Plugins

MOST_PASSES = 20
RAY_LOG = "ray.log"
"""What Ray printed, beside the results; there only if it printed something."""


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
            help="A Ray cluster's, such as head:6379; without it, a Ray of this machine alone is started.",
        ),
    ] = None,
    passes: Annotated[
        int, typer.Option(min=1, max=MOST_PASSES, help="How often each lesson is run, each time afresh.")
    ] = 2,
    profile: ProfileOption = None,
    backend: BackendOption = "auto",
    param: ParamOption = None,
    allow: AllowOption = None,
    pretend: Annotated[
        bool,
        typer.Option("--pretend", help="Pretend the boards: lessons run on the emulation, and say so."),
    ] = False,
    certify: Annotated[
        bool, typer.Option("--certify", help="Ask for a certificate from the runs of each result.")
    ] = False,
    policy: Annotated[
        str | None, typer.Option(metavar="POLICY", help="With --certify: the policy; board without it.")
    ] = None,
    key: KeyOption = None,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for hardware that has left the cluster.")
    ] = 60.0,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> int:
    """Run lessons on every kind of hardware given, one lesson a board at a time."""
    from lesson_fleet.cells import CellOptions
    from lesson_fleet.request import checked_backend, kinds_of, read_documents, wish_for
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
    wish = wish_for(policy, key, options, certify=certify)
    documents = read_documents(lessons, kinds, options, allow, plugins, json=json)
    place = workspace_folder(workspace).resolve()
    Workspace(place).check_links()
    order = _Order(documents, kinds, options, address, place, wish, patience)
    if json:
        with stdout_to_stderr():  # Ray's own lines belong to no answer
            data, code = _run(order, plugins, quiet=True)
        print_json(data)
        return code
    return _run(order, plugins, quiet=False)[1]


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for."""

    documents: Sequence[Document]
    kinds: Sequence[str]
    options: CellOptions
    address: str | None
    workspace: Path
    wish: Wish | None
    patience: float


def _run(order: _Order, plugins: Plugins, *, quiet: bool) -> tuple[Mapping[str, Any], int]:
    """Run every cell, and return the results and the exit code."""
    from lesson_fleet.cells import cells_of, order_for
    from lesson_fleet.certificate import certify
    from lesson_fleet.collect import Collector
    from lesson_fleet.drive import drive
    from lesson_fleet.engine import RayEngine
    from lesson_fleet.table import print_results
    from lesson_runner.files.plain import write_aside

    console = make_console()
    console.file = sys.stdout  # also while what Ray prints goes elsewhere
    noise = _Noise()

    def tell(line: str) -> None:
        if not quiet:
            console.print(line)

    by_id = {document.id: document for document in order.documents}
    cells = cells_of(order.documents, order.kinds)
    orders = {cell: order_for(cell, by_id[cell.lesson], order.options) for cell in cells}
    boards = {} if order.address else _local_boards(order, plugins)
    collector = None
    try:
        with (
            redirect_stdout(noise),
            RayEngine(
                orders, pretended=order.options.pretended, address=order.address, boards=boards
            ) as engine,
        ):
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ray has put its own there
            _check_offered(order, engine)
            collector = Collector(
                order.workspace,
                order.documents,
                order.kinds,
                order.options,
                order.address,
                lambda lesson, runs: certify(order.wish, order.workspace, lesson, runs),
            )
            tell(_heading(order, engine.offered()))
            drive(engine, collector, tell, patience=order.patience)
        collector.finish("finished")
    except KeyboardInterrupt:
        if collector is None:
            raise
        collector.finish("interrupted")
        tell("Interrupted: what came back is kept, and the lessons that were running are ended")
    finally:
        if collector is not None and noise.getvalue():
            write_aside(collector.folder / RAY_LOG, noise.getvalue())
    if not quiet:
        print_results(console, collector.data, collector.path, certify=order.wish is not None)
    return collector.data, _exit_code(collector.data, certify=order.wish is not None)


class _Noise(io.StringIO):
    """
    What Ray prints to standard output while a fleet runs, such as the last lines of a lost machine's log.

    It is kept beside the results. The descriptor is the real one, for whoever must close it.
    """

    def fileno(self) -> int:
        return 1


def _local_boards(order: _Order, plugins: Plugins) -> dict[str, int]:
    """Return the boards of a Ray on this machine: one pretended one of each kind, or what is in it."""
    if order.options.pretended:
        return dict.fromkeys(order.kinds, 1)
    found = plugins.detect_hardware()
    return {item.name: 1 for item in found if item.usable}


def _check_offered(order: _Order, engine: RayEngine) -> None:
    """
    Make sure that there is hardware of every kind.

    Raises:
        HardwareError: no worker has one.
    """
    from lesson_fleet.cells import resource_of
    from lesson_fleet.request import known_hardware

    everything = engine.everything()
    names = {kind: resource_of(kind, pretended=order.options.pretended) for kind in order.kinds}
    missing = [kind for kind, name in names.items() if not everything.get(name)]
    if not missing:
        return
    boards = [resource_of(kind, pretended=told) for told in (False, True) for kind in known_hardware()]
    has = ", ".join(f"{everything[name]:g} {name}" for name in boards if everything.get(name))
    where = "the cluster" if order.address else "this machine"
    what = f"{','.join(missing)}: {where} has {'no pretended one' if order.options.pretended else 'none'}"
    start = f"ray start --address={order.address or 'HEAD:6379'} --resources='{{\"{names[missing[0]]}\": 1}}'"
    pretend = "" if order.options.pretended else "; or --pretend, which runs on the emulation"
    raise HardwareError(
        f"--hardware {what}; it has {has or 'no board'}", fix=f"start a worker there: {start}{pretend}"
    )


def _heading(order: _Order, offered: Mapping[str, float]) -> str:
    count, label = len(order.documents), "  [pretended]" if order.options.pretended else ""
    boards = ", ".join(f"{offered[kind]:g} {kind}" for kind in order.kinds)
    passes = f"{order.options.passes} pass{'' if order.options.passes == 1 else 'es'} each"
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
