"""``lesson cert keys``: keys to sign with, and whose signatures count."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lesson_runner.cli.common import JsonOption, make_console, print_json
from lesson_runner.cli.output import say

keys = typer.Typer(help="Keys to sign with, and whose signatures count.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What you call the key.")]


@keys.command("new")
def new(name: NameArgument) -> None:
    """Make an Ed25519 key; its private half stays in a file that only you can read."""
    from lesson_runner.certify.keys import KeyStore

    store = KeyStore()
    key = store.new(name)
    say(f"{key.name}: {key.keyid}")
    say(f"private half: {store.folder / f'{name}.pem'} (mode 600; whoever has it can sign as you)")
    say(f"for others:   lesson cert keys list {name} > {name}.pub")


@keys.command("list")
def list_keys(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Print this key's public half, as PEM.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the keys known here, or print the public half of one."""
    from rich.text import Text

    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.report.tables import PlainTable
    from lesson_runner.report.text import line

    store = KeyStore()
    if name is not None:
        say(*store.find(name).public.splitlines())
        return
    found = store.known()
    if json:
        print_json([asdict(key) for key in found])
        return
    if not found:
        say(f"No keys in {store.folder}; make one: lesson cert keys new NAME")
        return
    table = PlainTable("key", "id", "state")
    for key in found:
        state = f"revoked: {key.revoked}" if key.revoked else "yours" if key.own else "trusted"
        table.add(key.name, key.keyid, Text(line(state), "red" if key.revoked else ""))
    make_console().print(table)


@keys.command("trust")
def trust(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Their public key, in PEM.")],
) -> None:
    """Let somebody's signatures count here. Make sure that the key is theirs: compare its id with them."""
    from lesson_runner.certify.keys import KeyStore, read_public_file

    key = KeyStore().trust(name, read_public_file(file, str(file)), str(file))
    say(f"{key.name}: {key.keyid} is trusted")


@keys.command("revoke")
def revoke(
    name: NameArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; whoever verifies is told.")],
) -> None:
    """Let a key's signatures count no more, those that it made before included."""
    from lesson_runner.certify.keys import KeyStore

    key = KeyStore().revoke(name, reason)
    say(f"{key.name}: {key.keyid} is revoked: {key.revoked}")
