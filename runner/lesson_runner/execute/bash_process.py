"""The bash of a terminal, and the processes that blocks start with it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lesson_runner.execute.child import start, wait
from lesson_runner.execute.evaluation import Evaluation
from lesson_runner.execute.exchange import Exchange
from lesson_runner.execute.family import TICK, TOKEN, Family, Member
from lesson_runner.execute.lines import OutputCollector
from lesson_runner.execute.sandbox import OUTSIDE, Sandbox
from lesson_runner.execute.saved_state import LAST, check_complete
from lesson_runner.model.errors import LessonError

DRIVER = Path(__file__).with_name("driver.sh")
LOOP = (
    'builtin source "$1" "$2" "$3" "$4"; builtin set --; until __lesson_closed; do for __lesson_once in 1; do'
    ' if builtin eval "$__lesson_set"; builtin : "$__lesson_last"; [[ $__lesson_status == 0 ]];'
    ' then builtin eval "$__lesson_text";'
    ' else __lesson_return "$__lesson_last" || builtin eval "$__lesson_text"; fi 53<&-; done;'
    ' { __lesson_result=$?; builtin trap - DEBUG; __lesson_done "$__lesson_result"; } 2>/dev/null; done;'
    " builtin exit 125"
)
"""
What bash runs: one line, and no function, so that line numbers and ``declare`` are as in a terminal.

The loop around the text is for ``break`` and ``continue`` outside of a loop, which would end ours.
"""
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""
REAPED = 1.0
"""Seconds to wait for an exit code; a process that hangs in a driver survives even SIGKILL."""


class Bash:
    """A bash that evaluates texts, and is started again if it has ended; see :class:`.terminal.Terminal`."""

    def __init__(
        self,
        folder: Path,
        home: Path,
        env: Mapping[str, str],
        sandbox: Sandbox | None = None,
        readable: Iterable[Path] = (),
        writable: Iterable[Path] = (),
    ) -> None:
        self.folder, self.home = folder, home
        self._token = uuid.uuid4().hex
        self._env = {**env, TOKEN: self._token}
        self._sandbox, self._readable, self._writable = sandbox, tuple(readable), tuple(writable)
        self._exchange = Exchange(folder.absolute() / "exchange")
        self._bash: subprocess.Popen[bytes] | None = None
        self._own: set[Member] = set()  # the processes that bash consists of
        self._after: set[Member] = set()  # all processes after the last block
        self._known: set[Member] = set()  # all processes before the first attempt at the step
        self._began: int | None = None  # when the first attempt at the step began, in ticks
        self._family = Family(-1, self._token)
        self._spared: list[Callable[[], set[Member]]] = []

    @property
    def sandbox_files(self) -> Path:
        """Holds the home folder and ``/tmp`` of the sandbox."""
        return self.folder / "sandbox"

    @property
    def exchange(self) -> Path:
        """The folder with the pipes ``out`` and ``err`` of the block that is being evaluated."""
        return self._exchange.folder

    def _close_pipes(self) -> None:
        """Close the pipes to bash."""
        for pipe in (self._bash.stdin, self._bash.stdout) if self._bash is not None else ():
            if pipe is not None:
                pipe.close()

    def _alive(self) -> bool:
        return self._bash is not None and self._bash.poll() is None

    def _start(self, state: Path, block: Evaluation) -> None:
        """Start bash from a saved state."""
        program = shutil.which("bash", path=self._env.get("PATH"))
        if program is None:
            raise LessonError("bash is not on PATH, and shell steps need it", fix="install bash")
        if os.path.lexists(state) or state.name != LAST:  # before the first block there is none
            check_complete(state)
        self._close_pipes()
        self.home.mkdir(parents=True, exist_ok=True)
        self._exchange.reset(processes=self._sandbox is not None)
        places = (DRIVER, self._exchange.folder, state.absolute(), self.home.absolute())
        command = [program, "--noprofile", "--norc", "-c", LOOP, "bash", *map(str, places)]
        env, folder = self._env, self.home
        if self._sandbox is not None:
            home = {"HOME": env["HOME"]} if Path(env.get("HOME", "")) in self._writable else {}
            env, folder = {**self._sandbox.environment(env), **home}, OUTSIDE
            readable = (DRIVER.parent, self.folder, *self._readable)
            command = self._sandbox.command(
                command,
                env,
                self.sandbox_files,
                self.home,
                writable=(self.home, self._exchange.own, *self._writable),
                readable=readable,
            )
        known = self._family.members() if self._bash is not None else set()
        try:
            device = None if block.typist is None else block.typist.device
            self._bash = start(command, env=env, folder=folder, requests=True, device=device)
        except OSError as error:
            raise LessonError(f"{command[0]} cannot be started in {folder}: {error.strerror}") from error
        since = self._family.since  # daemons that an earlier bash has started belong to the terminal too
        self._family = Family.of(self._bash.pid, self._token)
        self._family = dataclasses.replace(self._family, since=since or self._family.since)
        said = OutputCollector(lambda _: None)
        assert self._bash.stdout is not None
        block.reader.add(self._bash.stdout, said.feed)
        block.watch(self._bash.pid)
        ready = self._exchange.answer(self._alive, block.reader, block.deadline)
        block.read_all()
        said.feed(b"", final=True)
        if ready is None:
            raise LessonError(f"bash ended before the first command: {said.text() or 'it printed nothing'}")
        block.reader.release(self._bash.stdout)
        self._own = self._family.members() - known
        if text := said.text():
            block.lines.note(text)

    def _end_bash(self) -> None:
        """End bash without its traps; what it has started continues."""
        if self._bash is not None:
            self._bash.kill()
            self._exit_status()

    def _exit_status(self) -> int:
        """Return the exit status of bash, negative if a signal has ended it."""
        if self._bash is None or not wait(self._bash, REAPED):
            return -signal.SIGKILL
        if self._family.since:  # the system may use its number again; the token and adoption suffice
            self._family = dataclasses.replace(self._family, root=-1)
        status: int = self._bash.returncode
        return status or self._exchange.ended()

    def _ask(self, request: str, block: Evaluation) -> str | None:
        """
        Send a request to bash, and return its answer; ``None`` if bash has ended.

        Raises:
            TimeoutError: the block's deadline has passed.
        """
        assert self._bash is not None
        assert self._bash.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended
            self._bash.stdin.write(request.encode() + b"\n")
        return self._exchange.answer(self._alive, block.reader, block.deadline)

    def spare(self, members: Callable[[], set[Member]]) -> None:
        """Let some processes, which ``members`` returns, outlive the blocks in which they are started."""
        self._spared.append(members)

    def _new(self) -> set[Member]:
        """Return the processes, without bash, that were started since the first attempt at the step."""
        self._after = self._family.members()
        began = self._began or 0
        spared: set[Member] = set().union(*(members() for members in self._spared))
        return {
            member
            for member in self._after - self._own - self._known - spared
            if not began or int(member.started) >= began
        }

    def _stop_block(self, read: Callable[[float], object] = time.sleep) -> tuple[Member, ...]:
        """End bash, and all processes that were not there when the first attempt at the step began."""
        if self._bash is None:
            time.sleep(TICK)  # a forked child may not have run exec yet, so it does not carry the token
        elif not self._family.since and self._family.root != self._bash.pid:  # it has just been started
            self._family = Family(self._bash.pid, self._token)
        spared = self._known - self._own
        try:
            new = self._new()
            spared = self._after - self._own - new
        finally:  # a second Ctrl-C
            killed = self._family.stop(GRACE, read, spared)
        if self._bash is not None:
            wait(self._bash, REAPED)
        return killed
