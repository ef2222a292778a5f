"""``lesson cert keys``: keys to sign with, and whose signatures count."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lesson_runner.cli.common import JsonOption, make_console, print_json
from lesson_runner.errors import LessonError

keys = typer.Typer(help="Keys to sign with, and whose signatures count.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What you call the key.")]


@keys.command("new")
def new(name: NameArgument) -> None:
    """Make an Ed25519 key; its private half stays in a file that only you can read."""
    from lesson_runner.certify.keys import KeyStore

    store = KeyStore()
    key = store.new(name)
    typer.echo(f"{key.name}: {key.keyid}")
    typer.echo(f"private half: {store.folder / f'{name}.pem'} (mode 600; whoever has it can sign as you)")
    typer.echo(f"for others:   lesson cert keys list {name} > {name}.pub")


@keys.command("list")
def list_keys(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Print this key's public half, as PEM.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the keys known here, or print the public half of one."""
    from rich.table import Table
    from rich.text import Text

    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.report.text import safe

    store = KeyStore()
    if name is not None:
        typer.echo(store.find(name).public, nl=False)
        return
    found = store.known()
    if json:
        print_json([asdict(key) for key in found])
        return
    if not found:
        typer.echo(f"No keys in {store.folder}; make one: lesson cert keys new NAME")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("key", "id", "state"):
        table.add_column(column, overflow="fold")
    for key in found:
        state = f"revoked: {key.revoked}" if key.revoked else "yours" if key.own else "trusted"
        table.add_row(key.name, key.keyid, Text(safe(state), "red" if key.revoked else ""))
    make_console().print(table)


@keys.command("trust")
def trust(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Their public key, in PEM.")],
) -> None:
    """Let somebody's signatures count here. Make sure that the key is theirs: compare its id with them."""
    from lesson_runner.certify.keys import KeyStore

    try:
        pem = file.read_text("utf-8", "replace")
    except OSError as error:
        raise LessonError(f"{file}: cannot be read: {error.strerror or error}") from None
    key = KeyStore().trust(name, pem, str(file))
    typer.echo(f"{key.name}: {key.keyid} is trusted")


@keys.command("revoke")
def revoke(
    name: NameArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; whoever verifies is told.")],
) -> None:
    """Let a key's signatures count no more, those that it made before included."""
    from lesson_runner.certify.keys import KeyStore

    key = KeyStore().revoke(name, reason)
    typer.echo(f"{key.name}: {key.keyid} is revoked: {key.revoked}")
