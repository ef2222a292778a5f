"""One process's part of a search."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from pathlib import Path

from tools.fuzz.doors import Doors
from tools.fuzz.search import Tally, minimise, search
from tools.fuzz.seeds import make_world, seeds

MEMORY = 4 * 1024**3
"""The limit of a process's address space, in bytes."""


def work(documents: int, seed: int, kept: Path, kinds: list[str] | None = None) -> Tally:
    """Search in this process's own folder, and keep documents with bad results."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory(prefix="lesson-fuzz-") as folder:
        os.chdir(folder)
        os.environ["LESSON_HOME"] = str(Path(folder, "home"))
        tempfile.tempdir = folder  # bug reports are written there
        world = make_world(Path(folder))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # `lesson certify` has taken it for a Ctrl-C
        doors = Doors(world)
        kept.mkdir(parents=True, exist_ok=True)
        originals = {kind: found for kind, found in seeds(world).items() if not kinds or kind in kinds}
        tally = search(doors, originals, documents, seed, kept / f"last-{seed}")
        for number, sign in enumerate(sorted(tally.harms)):
            harm = tally.harms[sign] = minimise(tally.harms[sign], doors)
            (kept / f"{seed}-{number}.{harm.kind}").write_bytes(harm.data)
            about = f"{sign}\nchoice {harm.choice}\n{harm.answer.problem}\n{harm.answer.trace}"
            (kept / f"{seed}-{number}.txt").write_text(about, "utf-8", "backslashreplace")
        (kept / f"last-{seed}").unlink(missing_ok=True)
        os.chdir("/")
    return tally
