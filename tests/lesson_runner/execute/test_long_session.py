"""Follow one long lesson in a real terminal and in the runner, and compare what a person sees."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lesson_runner.execute.evaluation import CommandResult

PROMPT = "<ready>"
BLOCKS = [
    "mkdir -p site/pages && cd site\necho hello > index.html\npwd | sed 's#.*/##'",
    "greet() {\n  local who=${1:-you}\n  echo \"hello $who\"\n}\nalias ll='ls -1'\nexport TOPIC=jobs COUNT=2",
    "ll\ngreet $TOPIC\ngreet",
    "PYTHON -m http.server PORT >server.log 2>&1 &\nserver=$!",
    "until (exec 3<>/dev/tcp/127.0.0.1/PORT) 2>/dev/null; do sleep 0.05; done; echo up",
    "sleep 300 &\njobs | sed 's/ *$//'",
    "kill %2; wait %2 2>/dev/null || echo stopped $?\nkill -0 $server && echo serving",
    "pushd pages >/dev/null; pushd /tmp >/dev/null\ndirs -p | sed 's#.*/##'",
    "popd >/dev/null\npwd | sed 's#.*/##'; popd >/dev/null; pwd | sed 's#.*/##'",
    "cat > notes.txt <<EOF\n$TOPIC: $((1 << 3))\nEOF\ncat notes.txt <<< unused",
    "trap 'echo caught' USR1\nkill -USR1 $$; sleep 0.1",
    "umask 027; ulimit -n 200; set -o noclobber; shopt -s nullglob",
    "umask; ulimit -n; echo *.none end\necho again > notes.txt || echo refused",
    "no-such-program || echo status $?\nls no-such-file 2>&1 || true\ncd no-such-folder || true",
    "PYTHON -m venv --without-pip env && . env/bin/activate\npython -c 'import sys; print(sys.prefix[-3:])'",
    "for n in 1 2 3; do\n  if [ $n -gt $COUNT ]; then break; fi\n  echo item $n\ndone",
    "numbers=(3 1 2); printf '%s\\n' \"${numbers[@]}\" | sort | tr '\\n' ' '; echo",
    "exec 3> log; echo logged >&3; exec 3>&-; cat log",
    "(exit 0); echo $?",
    "printf 'no line end'",
    "kill %1; wait $server 2>/dev/null || echo server stopped; deactivate; unalias ll; unset -f greet",
    "type ll greet 2>/dev/null || echo gone",
    "export AFTER=1\nexec bash --norc",
    "echo $AFTER $TOPIC; pwd | sed 's#.*/##'",
]
NOTICE = re.compile(r"^\[\d+\](?:[+-]? +(?:Done|Terminated|Exit)\b.*| \d+)$")
"""What only an interactive bash says about jobs."""


def seen(text: str) -> list[str]:
    """Return the lines that a person sees, without the notices of an interactive bash."""
    lines = re.sub(r"bash: line \d+: ", "bash: ", text.replace("\r", "")).split("\n")
    return [line for line in lines if line and not NOTICE.match(line)]


class RealTerminal:
    """An interactive bash in a pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        self._own, theirs = pty.openpty()
        env = {**os.environ, "PS1": PROMPT, "PS2": "", "TERM": "dumb", "INPUTRC": "/dev/null"}
        bash = ["bash", "--noprofile", "--norc", "--noediting", "-i"]
        self._bash = subprocess.Popen(
            bash, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.type("stty -echo; PS1='<ready>' PS2=''; shopt -s expand_aliases")
        self.type("bind 'set enable-bracketed-paste off' 2>/dev/null")

    def type(self, block: str) -> str:
        """Type a block, and return what it shows until the prompt after its last line."""
        mark = f"<end {time.monotonic_ns()}>"
        os.write(self._own, f"{block}\necho; echo '{mark[:4]}''{mark[4:]}'\n".encode())
        shown = b""
        end = time.monotonic() + 60
        while f"{mark}\r\n".encode() not in shown and time.monotonic() < end:
            if select.select([self._own], [], [], 0.1)[0]:
                shown += os.read(self._own, 65_536)
        return re.sub(rf"(?:\(\w+\) )?{PROMPT}", "", shown.decode()).partition(mark)[0]

    def close(self) -> None:
        self._bash.kill()
        self._bash.wait()
        os.close(self._own)


@pytest.fixture
def port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        found: int = server.getsockname()[1]
        return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="jobs and limits differ on other systems")
def test_a_long_session_shows_what_a_terminal_shows(
    bash: Callable[..., CommandResult], tmp_path: Path, port: int
) -> None:
    (tmp_path / "real").mkdir()
    real = RealTerminal(tmp_path / "real")
    blocks = [block.replace("PORT", str(port)).replace("PYTHON", sys.executable) for block in BLOCKS]
    try:
        shown = [seen(real.type(block)) for block in blocks]
    finally:
        real.close()
    shutil.rmtree(tmp_path / "real")
    assert [(block, seen(bash(block).output)) for block in blocks] == list(zip(blocks, shown, strict=True))
    assert bash("exit 3").exit_code == 3
    assert bash("echo $AFTER").output == "1"
