"""``lesson cert``: checking certificates, who signs them, and what they say of lessons."""

from __future__ import annotations

import typer

from lesson_runner.cli.cert import apply, import_certificates, keys, status, verify

cert = typer.Typer(help="Check certificates, and use what they show.", no_args_is_help=True)
cert.command("verify")(verify.verify)
cert.command("status")(status.status)
cert.command("apply")(apply.apply)
cert.command("import")(import_certificates.import_certificates)
cert.add_typer(keys.keys, name="keys")
