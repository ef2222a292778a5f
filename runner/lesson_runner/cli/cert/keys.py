"""``lesson cert keys``: manage your signing keys, and the keys you trust."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lesson_runner.cli.common import JsonOption, make_console, print_json
from lesson_runner.cli.output import say

keys = typer.Typer(help="Manage your signing keys, and the keys you trust.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Your name for the key.")]


@keys.command("new")
def new(name: NameArgument) -> None:
    """
    Create an Ed25519 key to sign with.

    The private key is in a file that only you can read.
    """
    from lesson_runner.certify.keys import KeyStore

    store = KeyStore()
    key = store.new(name)
    say(f"{key.name}: {key.keyid}")
    say(f"private key: {store.folder / f'{name}.pem'} (mode 600; anyone who has it can sign as you)")
    say(f"to share the public key: lesson cert keys list {name} > {name}.pub")


@keys.command("list")
def list_keys(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Print the public key of this name, in PEM. Default: list all keys."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the known keys, or print a public key."""
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
        say(f"No keys in {store.folder}; create one: lesson cert keys new NAME")
        return
    table = PlainTable("key", "id", "state")
    for key in found:
        state = f"revoked: {key.revoked}" if key.revoked else "yours" if key.own else "trusted"
        table.add(key.name, key.keyid, Text(line(state), "red" if key.revoked else ""))
    make_console().print(table)


@keys.command("trust")
def trust(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The public key, in PEM.")],
) -> None:
    """
    Trust a public key: accept the signatures made with it.

    First make sure that the key is its owner's: compare the id with them.
    """
    from lesson_runner.certify.keys import KeyStore, read_public_file

    key = KeyStore().trust(name, read_public_file(file, str(file)), str(file))
    say(f"{key.name}: {key.keyid} is trusted")


@keys.command("revoke")
def revoke(
    name: NameArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="The reason; 'verify' shows it.")],
) -> None:
    """Revoke a key: reject all its signatures, including earlier ones."""
    from lesson_runner.certify.keys import KeyStore

    key = KeyStore().revoke(name, reason)
    say(f"{key.name}: {key.keyid} is revoked: {key.revoked}")
