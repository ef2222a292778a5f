"""
The terminal of a run: one bash that evaluates the blocks of a lesson one after another.

So whatever a terminal keeps is kept: the working folder and the folder stack, variables, functions, aliases,
options, traps, limits, jobs, ``$!`` and ``$?``. After each block the terminal's state is saved: variables,
functions, aliases, folders, options, the umask and limits. A new bash begins from a saved state: for another
attempt at a step and for a resumed run, from the state before the step; after a block has ended its bash
(``exit``, ``exec``, a command that fails, a time limit, a signal), from the last state. Background processes
survive the bash that has started them.

``set -e`` and ``pipefail`` hold for one block; each begins with those of its ``strict``. A trap on ``DEBUG``
holds for one command.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import signal
import subprocess
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lesson_runner.document.statements import Statement, statements
from lesson_runner.execute.child import signal_name, start, wait
from lesson_runner.execute.evaluation import CommandResult, Evaluation, by_pid, status_of, text_of
from lesson_runner.execute.exchange import Exchange
from lesson_runner.execute.family import TICK, TOKEN, Family, Member, adopt_orphans, ticks
from lesson_runner.execute.lines import OutputCollector
from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.execute.sandbox import OUTSIDE, Sandbox
from lesson_runner.execute.saved_state import SavedStates, check_complete
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import with_fix

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
END = "\n{ __lesson_status=$? __lesson_last=$_ __lesson_pending=; } 2>/dev/null\n"
"""The line after a statement that others follow: ``a && b`` may fail there, and ``eval`` must not."""
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""
REAPED = 1.0
"""Seconds to wait for an exit code; a process that hangs in a driver survives even SIGKILL."""


class Terminal:
    """
    The terminal of a run. Close it at the end: this ends its background processes.

    Args:
        folder: where states are saved. Only the user can read it: blocks may export secrets.
        home: the folder in which the terminal starts.
        env: its environment.
        sandbox: the sandbox that bash runs in. Blocks can then write only below ``home``; and when bash ends,
            so do all background processes.
        readable: what blocks in the sandbox may read, wherever it is.
        writable: further folders that they may change; ``HOME`` of ``env`` is one of them, or the sandbox's.
        steps: the ids of the lesson's steps, in order, in a run that continues another.

    Raises:
        LessonError: the file system has no named pipes.
        OSError: the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        home: Path,
        env: Mapping[str, str],
        sandbox: Sandbox | None = None,
        readable: Iterable[Path] = (),
        writable: Iterable[Path] = (),
        steps: Sequence[str] = (),
    ) -> None:
        self.folder, self.home = folder, home
        self._token = uuid.uuid4().hex
        self._env = {**env, TOKEN: self._token}
        self._sandbox, self._readable, self._writable = sandbox, tuple(readable), tuple(writable)
        self._states = SavedStates(folder, steps)
        self._exchange = Exchange(folder.absolute() / "exchange")
        self._bash: subprocess.Popen[bytes] | None = None
        self._own: set[Member] = set()  # the processes that bash consists of
        self._after: set[Member] = set()  # all processes after the last block
        self._known: set[Member] = set()  # all processes before the first attempt at the step
        self._began: int | None = None  # when the first attempt at the step began, in ticks
        self._family = Family(-1, self._token)
        self._unused = True

    @property
    def sandbox_files(self) -> Path:
        """Holds the home folder and ``/tmp`` of the sandbox."""
        return self.folder / "sandbox"

    @property
    def exchange(self) -> Path:
        """The folder with the pipes ``out`` and ``err`` of the block that is being evaluated."""
        return self._exchange.folder

    def run(
        self,
        script: str,
        line: int = 1,
        *,
        step: str,
        attempt: int = 1,
        on_line: Callable[[str], None],
        extra: Mapping[str, str] | None = None,
        strict: bool = True,
        apart: bool = False,
        deadline: float | None = None,
        redactor: Redactor | None = None,
    ) -> CommandResult:
        """
        Evaluate a block, and save the state of the terminal.

        At the deadline, and on any exception (including Ctrl-C), bash and all processes that the block has
        started are ended.

        Args:
            line: the line of the lesson on which the block begins; bash numbers its lines from there.
            step: the step's id. The first block of a continued run begins from the state before its step.
            attempt: from 2 on, a new bash begins from the state before the step.
            on_line: called with output as it arrives: one or more lines, without the last line ending.
            extra: variables exported for this block only; they override those of the terminal.
            strict: stop at the first statement that fails (``set -e -o pipefail``). Without it, the exit code
                is that of the last statement.
            apart: also return standard output alone; then the order of output and errors is approximate.
            deadline: when to stop, on the clock of :func:`time.monotonic`.
            redactor: removes secrets from the output.

        Raises:
            LessonError: bash cannot be started, or the saved state is damaged.
            OSError: the folder of the states cannot be written.
        """
        block = Evaluation(on_line, redactor, "strict" if strict else "plain", apart=apart, deadline=deadline)
        reader = block.reader
        killed: tuple[Member, ...] = ()
        adopt_orphans(enabled=True)
        # Ctrl-C can come at any moment, even while bash is being started.
        try:
            self._exchange.attach(reader)
            try:
                self._begin(step, attempt, block)
                self._exchange.write_variables(extra or {})
                self._evaluate(script, line, block)
                if self._alive() and extra:
                    self._ask("restore", block)
                if self._alive():
                    self._save(block)
            except TimeoutError:
                block.timed_out = True
                killed = self._stop_block(reader.read)
                block.status = self._exit_status()
            if not self._exchange.folder.exists():
                block.state_error = "its folder was removed"
            self._exchange.detach(reader)
            left = self._new()
            block.finish(left)
        except BaseException:
            self._stop_block()
            raise
        finally:
            self._family.reap()
            self._exchange.detach(reader)
            reader.close()
        return CommandResult(
            exit_code=block.status if block.status >= 0 else 128 - block.status,
            output=block.together.text(),
            stdout=block.lines.text() if apart else None,
            gaps=block.gaps,
            not_evaluated=block.not_evaluated,
            failed=block.statement if block.status and not block.timed_out else None,
            last_words=block.last_words,
            timed_out=block.timed_out,
            killed=killed,
            still_running=by_pid(left),
            signal=signal_name(-block.status),
            state_error=block.state_error,
        )

    def close(self) -> None:
        """End bash and all background processes."""
        try:
            self._close_pipes()  # bash exits, with its trap on EXIT
            if self._bash is not None:
                wait(self._bash, GRACE)
            if self._family.since or self._bash is not None:
                self._family.stop(GRACE)
        finally:
            self._exchange.close()
            adopt_orphans(enabled=False)

    def _close_pipes(self) -> None:
        """Close the pipes to bash."""
        for pipe in (self._bash.stdin, self._bash.stdout) if self._bash is not None else ():
            if pipe is not None:
                pipe.close()

    def _alive(self) -> bool:
        return self._bash is not None and self._bash.poll() is None

    def _begin(self, step: str, attempt: int, block: Evaluation) -> None:
        """Make sure that bash runs, in the state in which the step begins."""
        state = self._states.before(step)
        if attempt > 1:
            self._stop_block()
            self._states.restore(step)
        else:
            self._states.begin(step, first=self._unused)
        self._unused = False
        if not self._alive():
            if not self._exchange.folder.exists():  # a block has removed it
                self._exchange.detach(block.reader)
                self._exchange.close()
                self._exchange = Exchange(self._exchange.folder)
                self._exchange.attach(block.reader)
            self._start(state, block)
        if attempt == 1:
            self._began, self._known = ticks(), self._after
            if self._began is None:
                self._known = self._family.members()

    def _start(self, state: Path, block: Evaluation) -> None:
        """Start bash from a saved state."""
        program = shutil.which("bash", path=self._env.get("PATH"))
        if program is None:
            raise LessonError("bash is not on PATH, and shell steps need it", fix="install bash")
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
            self._bash = start(command, env=env, folder=folder, requests=True)
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

    def _evaluate(self, script: str, line: int, block: Evaluation) -> None:
        """Evaluate the statements of a block, until one ends bash."""
        self._open(block)
        waiting = deque(self._statements(script, line, block))
        while waiting:
            block.statement = statement = waiting.popleft()
            if not statement.text.startswith("exit"):  # a script prints its reason before it exits
                block.last_words = ""
            if statement.starts_shell:
                self._save(block)
            text = "\n" * (statement.line - 1) + text_of(statement)
            more = waiting or block.mode == "plain"  # or `eval` would set off a trap on ERR again
            text += END if more and not statement.sets_options else "\n"
            self._exchange.write("text", text)
            answer = self._ask("run", block)
            block.read_all()
            if answer is not None:
                block.status = status_of(answer)
                continue
            block.status = self._exit_status()
            if block.status or not (statement.starts_shell and waiting):
                block.not_evaluated = tuple(waiting)
                return
            self._start(self._states.last, block)
            self._open(block)

    def _exit_status(self) -> int:
        """Return the exit status of bash, negative if a signal has ended it."""
        if self._bash is None or not wait(self._bash, REAPED):
            return -signal.SIGKILL
        if self._family.since:  # the system may use its number again; the token and adoption suffice
            self._family = dataclasses.replace(self._family, root=-1)
        status: int = self._bash.returncode
        return status or self._exchange.ended()

    def _open(self, block: Evaluation) -> None:
        """Connect bash with new pipes for the output of a block."""
        pipes = self._exchange.connect(apart=block.errors is not None)
        answer = self._ask(f"open {block.mode} {'merged' if block.errors is None else 'apart'}", block)
        if answer is None:
            raise LessonError("bash ended before the block began", fix="run the lesson again")
        for pipe, feed in zip(pipes, block.feeds, strict=True):
            block.reader.add(pipe, feed)

    def _statements(self, script: str, line: int, block: Evaluation) -> Sequence[Statement]:
        """Return the statements of a script, or all of it as one if bash would divide it differently."""
        script = script.replace("\0", "")  # bash ignores them
        found = statements(script, line)
        if [statement.text for statement in found] != [script]:
            self._exchange.write("text", "".join(f"{statement.text}\0" for statement in found))
            if self._ask("check", block) != "complete":
                return [Statement(line, script)]
        return found

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

    def _save(self, block: Evaluation) -> None:
        """Save the state of the terminal; if that fails, the block's result says why."""
        self._ask("save", block)
        block.read_all()
        try:
            self._states.store(self._exchange.take_state())
        except OSError as error:
            block.state_error = with_fix((error.strerror or str(error)).lower(), error)

    def _new(self) -> set[Member]:
        """Return the processes, without bash, that were started since the first attempt at the step."""
        self._after = self._family.members()
        began = self._began or 0
        return {
            member
            for member in self._after - self._own - self._known
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
