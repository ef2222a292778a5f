"""The public commands that read mutated documents, and what makes their result a good one."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from random import Random
from resource import RUSAGE_SELF, getrusage
from threading import Timer
from types import FrameType
from typing import Any

import pytest
import typer
from tools.fuzz import folders
from tools.fuzz.oddities import LARGEST
from tools.fuzz.seeds import LESSON, World, evidence

from lesson_runner.certify.envelope import read_bundle, sign, write_bundle
from lesson_runner.certify.evidence import list_files
from lesson_runner.certify.keys import KeyStore
from lesson_runner.cli import app, invoke
from lesson_runner.files.canonical import canonical
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.plugins.plugin_errors import PluginError

GOOD = (0, 1, 2, 5)
"""The good exit codes: all is well, something was found, the input must be fixed, it does not count."""
SECONDS = 5.0
"""Processor time for one document."""
PATIENCE = 60.0
"""Wall-clock seconds for one document: a command that waits needs no processor time."""
MEGABYTES = 300
"""The memory that one document may add to the process."""
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that would deceive a terminal, or a reader."""


class TooLongError(BaseException):
    """A document took more than :data:`SECONDS`; no handler of errors catches this."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a document."""

    code: int
    problem: str = ""
    """What is wrong with the result; empty for a good one."""
    trace: str = ""


class Doors:
    """Puts documents where commands find them, and checks what the commands print."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bundle = next(world.certificate.glob("*.jsonl"))
        self.signed = {
            path: path.read_bytes() for path in sorted(world.certificate.rglob("*")) if path.is_file()
        }
        self.key = KeyStore().own(None)
        self.touched: dict[Path, bytes] = {}
        # Building the commands takes as long as running most of them, and always gives the same result.
        self.plugins = app.load_plugins()
        command = typer.main.get_command(app.build_app(self.plugins))
        self.built: Callable[[Plugins], Any] = lambda _: command

    def try_document(self, kind: str, data: bytes, choice: int) -> Answer:
        """
        Return the result of a document.

        Args:
            kind: one of those that :func:`tools.fuzz.seeds.seeds` returns.
            choice: decides which command is run, and how.
        """
        data = data[:LARGEST]
        if kind == "checkpoint":
            return _watched(lambda: _load_checkpoint(self.world.folder, data, Random(choice)))
        commands = getattr(self, f"_{kind}")(data, Random(choice))
        secrets = self.world.secrets()
        for arguments in commands:
            answer = _watched(partial(self._ask, arguments))
            if answer.problem:
                break
        if not answer.problem and self.world.secrets() != secrets:
            return Answer(answer.code, "it changed what lies outside")
        return answer

    def _lesson(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        self._write("mutated.md", data)
        asked: tuple[Sequence[str], ...] = (
            *(("validate", "mutated.md", "--format", form) for form in ("text", "json", "github", "sarif")),
            *(("plan", "mutated.md"), ("plan", "mutated.md", "--json"), ("show", "mutated.md")),
            *(("annotate", "mutated.md"), ("matrix", "mutated.md", "--format", "markdown")),
            *(("survey", "mutated.md", "--format", form) for form in ("text", "html", "json")),
        )
        yield random.choice(asked)

    def _directive(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        return self._lesson(LESSON.encode() + b"\n" + data, random)

    def _frontmatter(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        return self._lesson(data + LESSON.encode().partition(b"---\n\n")[2], random)

    def _record(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        return self._run({"record.json": data}, random)

    def _events(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        self.restore()
        path = self.world.run / "record.json"
        record = json.loads(path.read_bytes())
        self._change(path, json.dumps({**record, "status": "unfinished"}).encode())
        self._change(self.world.run / "events.jsonl", data)
        yield ("resume", self.world.run.name)

    def _evidence(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        return self._run({f"evidence/{random.choice(list(evidence()))}": data}, random)

    def _run(self, files: Mapping[str, bytes], random: Random) -> Iterator[Sequence[str]]:
        self.restore()
        for name, content in files.items():
            self._change(self.world.run / name, content)
        run = self.world.run.name
        other = ".lesson/runs/01-whole"
        asked: tuple[Sequence[str], ...] = (
            *(("report", run, "--format", form) for form in ("html", "markdown", "junit", "ctrf", "json")),
            *(("runs",), ("runs", "--json"), ("compare", other, run), ("cert", "status", "growing.md")),
            *(("certify", "growing.md", "--policy", "policy.yaml", "--from-run", run), ("resume", run)),
        )
        yield random.choice(asked)

    def _folder(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        """Change a copy of a run folder, or of a certificate's folder."""
        self.restore()
        outside = self.world.outside
        changed = Path("changed")
        shutil.rmtree(changed, ignore_errors=True)
        shutil.rmtree(outside / "like", ignore_errors=True)
        if random.random() < 0.25:
            shutil.copytree(self.world.certificate, changed)
            folders.apply(data, changed, outside)
            yield random.choice(
                (
                    *(("cert", "verify", "changed"), ("cert", "import", "changed", "--workspace", "other")),
                    *(("cert", "status", "growing.md", "--certs", "changed"),),
                    ("matrix", "growing.md", "--certs", "changed"),
                    ("cert", "apply", "growing.md", "--certs", "changed", "--dry-run"),
                )
            )
            return
        run = changed / "runs" / self.world.run.name
        shutil.copytree(self.world.run, run)
        (changed / "lock").write_text("{}")
        if random.random() < 0.5:
            text = (run / "record.json").read_text()
            (run / "record.json").write_text(text.replace('"status": "passed"', '"status": "failed"', 1))
        folders.apply(data, changed if random.random() < 0.2 else run, outside)
        place = ("--workspace", "changed")
        asked: tuple[Sequence[str], ...] = (
            *(("report", run.name, "--format", form, *place) for form in ("html", "markdown", "junit")),
            *(("report", run.name, "--format", form, *place) for form in ("ctrf", "json")),
            *(("runs", *place), ("runs", "--json", *place), ("compare", ".lesson/runs/01-whole", str(run))),
            *(("resume", run.name, "--allow", "shell", *place), ("resume", str(run), "--allow", "shell")),
            ("certify", "growing.md", "--policy", "policy.yaml", "--from-run", run.name, *place),
            ("runs", "rm", run.name, "--yes", *place),
        )
        yield random.choice(asked)

    def _bundle(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        self.restore()
        self._change(self.bundle, data)
        return self._certificate(random)

    def _signed(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        """Sign a changed statement, or changed evidence, with a trusted key."""
        self.restore()
        both = [item.payload for item in read_bundle(self.signed[self.bundle])]
        try:
            both[1] = base64.b64decode(json.loads(data.splitlines()[1])["payload"], validate=True)
        except (ValueError, LookupError, TypeError, RecursionError):
            files = [path for path in self.signed if path.suffix == ".json"]
            self._change(random.choice(files), data)
            folder = self.world.certificate / "evidence"
            self._change(folder / "manifest.json", canonical(list_files(folder)))
            statement = json.loads(both[1])
            digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
            plan = hashlib.sha256((folder / "plan.json").read_bytes()).hexdigest()
            statement["predicate"]["plan"]["sha256"] = plan
            for item in statement["subject"]:
                name = str(item["name"]).partition("/")[0]
                item["digest"]["sha256"] = {"evidence": digest, "plan": plan}.get(
                    name, item["digest"]["sha256"]
                )
            both[1] = canonical(statement)
        first = json.loads(both[0])
        first["predicate"]["configuration"][0]["digest"]["sha256"] = hashlib.sha256(both[1]).hexdigest()
        both[0] = canonical(first)
        self._change(self.bundle, write_bundle(sign(payload, self.key) for payload in both))
        return self._certificate(random)

    def _certificate(self, random: Random) -> Iterator[Sequence[str]]:
        place = str(self.world.certificate)
        asked: tuple[Sequence[str], ...] = (
            *(("cert", "verify", place), ("cert", "verify", place, "--json"), ("cert", "verify", place)),
            *(("cert", "status", "growing.md"), ("cert", "status", "growing.md", "--json")),
            *(("matrix", "growing.md", "--format", form) for form in ("text", "html", "markdown")),
            ("cert", "apply", "growing.md", "--dry-run"),
        )
        yield random.choice(asked)

    def _change(self, path: Path, data: bytes) -> None:
        self.touched.setdefault(path, path.read_bytes())
        path.write_bytes(data)

    def restore(self) -> None:
        """Undo the changes of earlier documents."""
        for path, content in self.touched.items():
            path.write_bytes(content)
        self.touched.clear()
        for folder in self.world.certificate.parent.iterdir():
            if folder != self.world.certificate:  # a document was good enough to be signed
                shutil.rmtree(folder)

    def _policy(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        self.restore()
        self._write("mutated.yaml", data)
        place = str(self.world.certificate)
        yield random.choice(
            (
                ("cert", "status", "growing.md", "--policy", "mutated.yaml"),
                ("cert", "verify", place, "--policy", "mutated.yaml"),
                ("certify", "growing.md", "--policy", "mutated.yaml", "--from-run", self.world.run.name),
            )
        )

    def _settings(self, data: bytes, random: Random) -> Iterator[Sequence[str]]:
        self._write("mutated.toml", data)
        yield ("validate", "growing.md", "--config", "mutated.toml")

    def _write(self, name: str, data: bytes) -> None:
        (self.world.folder / name).write_bytes(data)

    def _ask(self, arguments: Sequence[str]) -> Answer:
        """Run a command in this process, and check what it prints."""
        out, err = StringIO(), StringIO()
        blamed: list[BaseException] = []
        with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
            record = Plugins.record_error

            def blame(
                plugins: Plugins, name: str, hook: str, error: BaseException, function: object
            ) -> PluginError:
                blamed.append(error)
                return record(plugins, name, hook, error, function)

            patch.setattr(Plugins, "record_error", blame)
            patch.setattr(app, "load_plugins", lambda: self.plugins)
            patch.setattr(app, "build_app", self.built)
            code = invoke(list(arguments))
        if blamed:
            return Answer(code, f"a plugin raised {type(blamed[0]).__name__}: {blamed[0]}", _trace(blamed[0]))
        if code not in GOOD:
            return Answer(code, f"exit code {code}: {err.getvalue()[:300]}", _bug())
        said = out.getvalue() + err.getvalue()
        if code and not said.strip():
            return Answer(code, f"exit code {code} without a word")
        if folders.SECRET in said:
            return Answer(code, f"{arguments[0]} has read what lies outside")
        unsafe = _UNSAFE.search(said)
        if unsafe:
            around = said[max(0, unsafe.start() - 40) : unsafe.end() + 40]
            return Answer(code, f"{arguments[0]} printed {unsafe[0]!r}", repr(around))
        return Answer(code)


def _trace(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))


def _bug() -> str:
    """Return the bug report that a command has written, and remove it."""
    text = ""
    for path in Path(tempfile.gettempdir()).glob("lesson-bug-*.txt"):
        text = path.read_text("utf-8", "replace")
        path.unlink()
    return text


def _load_checkpoint(folder: Path, data: bytes, random: Random) -> Answer:
    from lesson_ct4.training.checkpoint import load_checkpoint

    path = folder / "mutated.safetensors"
    path.write_bytes(_with_good_checksum(data) if random.random() < 0.5 else data)
    try:
        load_checkpoint(path)
    except LessonError as error:
        return Answer(2, "" if str(error) else "refused without a word")
    except Exception as error:
        return Answer(3, f"{type(error).__name__}: {error}", _trace(error))
    return Answer(0)


def _with_good_checksum(data: bytes) -> bytes:
    """Return a checkpoint as anyone who can write files could make it, with the right length and sha256."""
    import numpy as np
    import safetensors

    try:
        length = int.from_bytes(data[:8], "little")
        end = 8 + length if length < len(data) else data.rfind(b"}") + 1
        header = json.loads(data[8:end])
        deserialize: Callable[[bytes], Any] = safetensors.deserialize
        plain = deserialize(_file(header, data[end:]))
        about = header["__metadata__"]["about"]
        digest = hashlib.sha256(about.encode())
        kinds = {"BF16": "bfloat16", "F32": "float32"}
        for name, entry in sorted(plain):
            shape = tuple(np.zeros(entry["shape"]).shape)
            digest.update(f"\0{name}\0{kinds[entry['dtype']]}\0{shape}\0".encode() + bytes(entry["data"]))
        header["__metadata__"]["sha256"] = digest.hexdigest()
        return _file(header, data[end:])
    except Exception:  # it is too broken to be repaired
        return data


def _file(header: Any, rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + rest


def _watched(look: Callable[[], Answer]) -> Answer:
    """Return the result, or that it took too much time or memory."""
    memory, began = _most_memory(), time.process_time()
    try:
        with _at_most(SECONDS):
            answer = look()
    except TooLongError as error:
        return Answer(-1, f"more than {SECONDS:g} s of a processor", _trace(error))
    grown = _most_memory() - memory
    if grown > MEGABYTES:
        return Answer(answer.code, f"{grown:.0f} MB more memory", f"{time.process_time() - began:.1f} s")
    return answer


def _most_memory() -> float:
    """Return the peak memory of this process, in MB."""
    return getrusage(RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End a call that takes more processor time than that; a busy machine makes no difference."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    waiting = Timer(PATIENCE, os.kill, (os.getpid(), signal.SIGPROF))
    waiting.start()
    try:
        yield
    finally:
        waiting.cancel()
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
