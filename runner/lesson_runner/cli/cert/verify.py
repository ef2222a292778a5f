"""``lesson cert verify``: verify a certificate down to its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_runner.cli.common import JsonOption, make_console, print_json, stdout_to_stderr
from lesson_runner.model.errors import CertificateError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lesson_runner.certify.keys import KnownKey
    from lesson_runner.certify.verify import Verified
    from lesson_runner.plugins.manager import Plugins


def verify(
    context: typer.Context,
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="A certificate's folder, or its .intoto.jsonl file.")
    ],
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Accept only this public key, in PEM. Default: the keys you trust."
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the evidence, if it is not next to the bundle."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="Check it against this policy too: a name, or a .yaml file."),
    ] = None,
    lesson: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The lesson that the certificate must be for.")
    ] = None,
    json: JsonOption = False,
) -> int:
    """
    Verify a certificate down to its evidence.

    Checks the signature and the digests, judges every expectation again on the evidence, and then checks the
    policy.
    """
    from lesson_runner.certify import verify as library
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.policy import load_policy
    from lesson_runner.certify.store import stored_at
    from lesson_runner.certify.trust import RefusedError

    plugins: Plugins = context.obj
    loaded_policy = load_policy(policy) if policy else None
    trusted = KeyStore().trusted() if key is None else _only(key)
    stored = stored_at(bundle, evidence)
    try:
        with stdout_to_stderr():  # what a plugin prints is not part of the answer
            verified = library.verify(stored, trusted, plugins, policy=loaded_policy, lesson=lesson)
    except RefusedError as error:
        if json:
            print_json({"holds": False, "check": error.check, "message": str(error), "fix": error.fix})
            return ExitCode.CERTIFICATE
        raise CertificateError(f"{bundle}: {error} [{error.check}]", fix=error.fix or None) from None
    if json:
        print_json(_as_json(verified))
    else:
        _print(verified)
    return ExitCode.GOOD


def _only(file: Path) -> Mapping[str, KnownKey]:
    from lesson_runner.certify.keys import KeyStore, KnownKey, check_owner, read_public_file

    check_owner(file)
    public = read_public_file(file, f"--key {file}")
    known = KeyStore().trusted().get(public.keyid)  # a revoked key stays revoked even if it is named
    return {public.keyid: known or KnownKey(file.name, public.keyid, public.pem)}


def _as_json(verified: Verified) -> dict[str, Any]:
    certificate = verified.signed.certificate
    return {
        "holds": True,
        "signer": {"name": verified.signed.signer.name, "keyid": verified.signed.signer.keyid},
        "judged_again": verified.judged,
        "notes": list(verified.notes),
        "recorded_not_recomputed": list(verified.recorded),
        "certificate": certificate.predicate,
    }


def _print(verified: Verified) -> None:
    from rich.text import Text

    from lesson_runner.report.text import line

    predicate, signer = verified.signed.certificate.predicate, verified.signed.signer
    console = make_console()
    hardware = predicate["hardware"]
    chips = f"{hardware['chipsUsed'] or 'an unknown number'} of {hardware['chipsPresent']}"
    where = {
        "silicon": f"{predicate['target']} ({hardware['detectedBy']}), chips used: {chips}",
        "simulator": "a simulator; this says nothing about a board",
        "emulated": "the emulation; this says nothing about a board",
        "host": "a machine without a board; this says nothing about a board",
    }[predicate["class"]]
    labels = sorted({label for item in predicate["passes"] for label in item["labels"]})
    lines = [
        ("lesson", f"{predicate['lesson']['id']}, profile {predicate['plan']['profile']}"),
        ("on", where),
        ("policy", f"{predicate['policy']['name']}, met: {len(verified.requirements)} requirements"),
        ("signed", f"{predicate['issued']} by '{signer.name}' ({signer.keyid[:16]})"),
        ("runs", ", ".join(item["runId"] for item in predicate["passes"])),
        ("labels", ", ".join(labels) or "none"),
        ("judged again", f"{verified.judged} expectations, all as recorded"),
    ]
    if verified.recorded:
        lines.append(("recorded", f"not recomputed: {'; '.join(verified.recorded)}"))
    console.print(Text("✓ the certificate is valid", "bold green"))
    for name, text in lines:
        console.print(Text.assemble((f"{name:>13}  ", "dim"), line(text)))
    for note in verified.notes:
        console.print(Text(line(f"note: {note}"), "yellow"))
