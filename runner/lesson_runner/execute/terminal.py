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

import shlex
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lesson_runner.document.statements import Statement, statements
from lesson_runner.execute.bash_process import GRACE, Bash
from lesson_runner.execute.child import signal_name, wait
from lesson_runner.execute.evaluation import END, CommandResult, Evaluation, by_pid, status_of, text_of
from lesson_runner.execute.exchange import Exchange
from lesson_runner.execute.family import Member, adopt_orphans, ticks
from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.execute.sandbox import Sandbox
from lesson_runner.execute.saved_state import SavedStates, check_complete
from lesson_runner.execute.typist import Typist
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import with_fix


class Terminal(Bash):
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
        super().__init__(folder, home, env, sandbox, readable, writable)
        self._states = SavedStates(folder, steps)
        self._unused = True
        self._elsewhere = False  # the state of bash is that after a block which was run again

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
        rest: Callable[[bytes], None] | None = None,
        again: bool = False,
        typist: Typist | None = None,
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
            rest: called, in a thread, with what processes in the background print after the block.
            again: the step ran before, in a part of the run that is not repeated. The block begins in the
                state before its step, and the next block in the state in which it would begin without it.
            typist: types at a terminal device, which the block gets. The block has a bash of its own, which
                begins in the state of the terminal, and ends with the block.

        Raises:
            LessonError: bash cannot be started, or the saved state is damaged.
            OSError: the folder of the states cannot be written.
        """
        block = Evaluation(
            on_line,
            redactor,
            "strict" if strict else "plain",
            apart=apart,
            deadline=deadline,
            rest=rest,
            typist=typist,
        )
        reader = block.reader
        killed: tuple[Member, ...] = ()
        adopt_orphans(enabled=True)
        # Ctrl-C can come at any moment, even while bash is being started.
        try:
            self._exchange.attach(reader)
            try:
                self._begin(step, attempt, block, again=again)
                self._exchange.write_variables(extra or {})
                self._evaluate(script, line, block)
                if self._alive() and extra:
                    self._ask("restore", block)
                if self._alive() and not again:
                    self._save(block)
                if typist is not None:
                    self._end_bash()
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
            block.close()
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

    def ask(self, script: str, *, step: str, deadline: float) -> str:
        """
        Return the line that a script prints in a copy of the terminal; empty if bash has ended.

        Raises what :meth:`run` raises, and TimeoutError at the deadline.
        """
        block = Evaluation(lambda _: None, None, "plain", apart=False, deadline=deadline)
        adopt_orphans(enabled=True)
        try:
            self._exchange.attach(block.reader)
            self._begin(step, 1, block)
            self._exchange.write("text", script)
            return (self._ask("ask", block) or "").removeprefix("asked ")
        except BaseException:
            self._stop_block()
            raise
        finally:
            self._family.reap()
            self._exchange.detach(block.reader)
            block.reader.close()

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

    def _begin(self, step: str, attempt: int, block: Evaluation, *, again: bool = False) -> None:
        """Make sure that bash runs, in the state in which the step begins."""
        if attempt > 1:
            self._stop_block()
        if attempt > 1 and not again:
            self._states.restore(step)
        elif not again:
            self._states.begin(step, first=self._unused)
        state = self._states.before(step)
        if again and not state.exists():
            state = self._states.last
        self._unused = self._unused and again
        if block.typist is not None:
            self._end_bash()
        elif self._alive() and (again or self._elsewhere):
            self._load(state, block)
        self._elsewhere = again
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

    def _load(self, state: Path, block: Evaluation) -> None:
        """Give bash a saved state, and leave its jobs as they are."""
        check_complete(state)
        options = '[[ -z $__lesson_flags ]] || builtin set "-$__lesson_flags"'
        self._exchange.write(
            "text", f"builtin source {shlex.quote(str(state.absolute()))} 2>/dev/null; {options}\n"
        )
        self._ask("run", block)

    def holds(self, command: Sequence[str], seconds: float) -> bool:
        """
        Return whether a program that bash starts ends with status 0; its output is discarded.

        Args:
            seconds: how long it may take.

        Raises:
            LessonError: bash cannot be started, or the saved state is damaged.
        """
        return self._quietly(f"({shlex.join(command)}) </dev/null", seconds) == 0

    def job_status(self, seconds: float) -> int:
        """
        Return the exit status of the last job in the background, for which bash waits.

        Args:
            seconds: how long it may take.

        Raises:
            LessonError: bash cannot be started, or the saved state is damaged.
        """
        return self._quietly('builtin wait "$!"', seconds)

    def _quietly(self, text: str, seconds: float) -> int:
        """Let bash evaluate a text that is not of the lesson; return its status, 124 if it takes longer."""
        block = Evaluation(lambda _: None, None, "plain", apart=False, deadline=time.monotonic() + seconds)
        try:
            self._exchange.attach(block.reader)
            if not self._alive():
                self._start(self._states.last, block)
                self._elsewhere = True
            # In a list with `&&`, `set -e` does not end bash.
            self._exchange.write("text", f"{{ {text} && :; }} >/dev/null 2>&1{END}")
            return status_of(self._ask("run", block) or "1")
        except TimeoutError:
            self._end_bash()
            return 124
        except BaseException:
            self._stop_block()
            raise
        finally:
            self._exchange.detach(block.reader)
            block.close()

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

    def _open(self, block: Evaluation) -> None:
        """Connect bash with new pipes for the output of a block."""
        pipes = self._exchange.connect(apart=block.errors is not None)
        kind = "merged" if block.errors is None else "apart"
        if block.typist is not None:
            kind = str(block.typist.device)
            block.typist.attach(block.reader, block.lines.feed)
        answer = self._ask(f"open {block.mode} {kind}", block)
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

    def _save(self, block: Evaluation) -> None:
        """Save the state of the terminal; if that fails, the block's result says why."""
        self._ask("save", block)
        block.read_all()
        try:
            self._states.store(self._exchange.take_state())
        except OSError as error:
            block.state_error = with_fix((error.strerror or str(error)).lower(), error)
