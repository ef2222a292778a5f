"""``lesson cert``: verify and use certificates, and manage signing keys."""

from __future__ import annotations

import typer

from lesson_runner.cli.cert import apply, import_certificates, keys, status, verify

cert = typer.Typer(help="Verify and use certificates, and manage signing keys.", no_args_is_help=True)
cert.command("verify")(verify.verify)
cert.command("status")(status.status)
cert.command("apply")(apply.apply)
cert.command("import")(import_certificates.import_certificates)
cert.add_typer(keys.keys, name="keys")
