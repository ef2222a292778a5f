"""What the holder of a trusted key can forge: change files and the predicate, and recompute every digest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.lesson_runner.certify.garden import Bench

from lesson_runner.certify.envelope import read_bundle, sign, write_bundle
from lesson_runner.certify.evidence import list_files
from lesson_runner.certify.keys import KeyStore
from lesson_runner.certify.statement import Digests, payloads
from lesson_runner.certify.store import StoredCertificate, stored_at
from lesson_runner.files.canonical import canonical
from lesson_runner.run.hashing import file_digest


def resign(
    bench: Bench,
    change: Callable[[StoredCertificate, dict[str, Any]], Any],
    after: Callable[[list[bytes]], list[bytes]] = lambda both: both,
) -> None:
    """
    Sign a certificate again.

    Args:
        change: what to change in the files or the predicate.
        after: what to change in the two payloads.
    """
    stored = stored_at(bench.certificate)
    statement = json.loads(read_bundle(stored.bundle.read_bytes())[1].payload)
    predicate = statement["predicate"]
    change(stored, predicate)
    stored.manifest.write_bytes(canonical(list_files(stored.evidence)))
    predicate["plan"]["sha256"] = file_digest(stored.plan)
    digests = Digests(
        predicate["lesson"]["sha256"], predicate["plan"]["sha256"], file_digest(stored.manifest)
    )
    both = after(list(payloads(predicate, digests, ())))
    key = KeyStore().own(None)
    stored.bundle.write_bytes(write_bundle(sign(payload, key) for payload in both))


def edit_records(stored: StoredCertificate, change: Callable[[dict[str, Any]], Any]) -> None:
    for path in stored.evidence.glob("*/record.json"):
        record = json.loads(path.read_text())
        change(record)
        path.write_text(json.dumps(record))
