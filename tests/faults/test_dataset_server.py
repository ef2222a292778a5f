"""A server that does not give the text it should: a real one on this machine, through ``lesson run``."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faults.disks import Disk
from tests.faults.running import Ran, leftovers, messages, only_run, record_of, told, tree, typed
from tests.lesson_ct4.conftest import Server, server
from tests.reliability import fault

import lesson_ct4.plugin
from lesson_runner.testing import lesson_text

__all__ = ["server"]

AREA = "downloads"
Lesson = Callable[..., Any]
TEXT = b"First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n\n" * 40
WRONG = b"Second Citizen:\nOne word, good citizens.\n\n" * 80
HTML = b"<!DOCTYPE html><html><body>Please sign in to the network.</body></html>"


def endless(server: Server) -> None:
    """Answer without a length, and without an end."""

    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not server.ended.is_set():
                handler.wfile.write(b"x" * 65_536)

    server.answer = answer


WAYS: dict[str, tuple[Callable[[Server], None], str]] = {
    "answers HTML with 200": (lambda server: server.serve_bytes(HTML), "it is a web page"),
    "sends other bytes": (lambda server: server.serve_bytes(WRONG), "is not the pinned text"),
    "says a larger length": (
        lambda server: server.serve_bytes(TEXT, length=len(TEXT) + 999),
        "the transfer broke off after",
    ),
    "says a smaller length": (lambda server: server.serve_bytes(TEXT, length=len(TEXT) - 9), "9 bytes short"),
    "redirects to a file": (
        lambda server: server.serve_bytes(b"", status=302, Location="file:///etc/hosts"),
        "a redirect that is not followed",
    ),
    "redirects in a circle": (
        lambda server: server.serve_bytes(b"", status=302, Location="/input.txt"),
        "a redirect that is not followed: Exceeded 30 redirects",
    ),
    "does not end": (endless, "it is longer than"),
    "fails": (lambda server: server.serve_bytes(b"", status=500), "HTTP 500"),
}


def lesson_of(url: str, folder: Path) -> Path:
    about = f"name: text.txt, url: '{url}', sha256: {hashlib.sha256(TEXT).hexdigest()}, bytes: {len(TEXT)}"
    path = folder / "a.md"
    path.write_text(lesson_text(typed("text", "ct4.fetch-dataset", **{"with": f"{{{about}}}"})))
    return path


@fault(
    AREA,
    "the server sends HTML, other bytes, a wrong length, an error, a bad redirect, or data without end",
    how="a server on this machine; lengths too short and too long, redirects to `file:` and in a circle",
    seen="the address, what is wrong, expected and actual size and digest; exit code 1",
    survives="the text of an earlier run, byte for byte; nothing half-written, nothing in the cache",
)
@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_gives_something_else(
    lesson: Lesson, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("LESSON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = lesson_of(server.url, tmp_path)
    earlier = tmp_path / "work" / "data"
    earlier.mkdir(parents=True)
    (earlier / "text.txt").write_bytes(TEXT)
    (earlier / "text.json").write_text("{}")
    before = tree(earlier)
    prepare, words = WAYS[way]
    prepare(server)
    options = ("--in", earlier.parent, "--allow", "network", "--json")
    said = lesson("run", path, *options, plugins=[lesson_ct4.plugin])
    assert (said.code, told(said.json)) == (1, {"text": "failed"})
    message = messages(said.json)["text"]
    assert server.url in message
    assert words in message
    assert f"expected {len(TEXT)} bytes, sha256 {hashlib.sha256(TEXT).hexdigest()}" in message
    record_of(only_run(tmp_path / ".lesson"))
    assert tree(earlier) == before
    assert not (tmp_path / "home" / "cache").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.slow
@fault(
    AREA,
    "no room for the text",
    how="a text of 1 MB, the folder for temporary files on a full file system",
    seen="the file, `No space left on device`, the fix; exit code 1",
    survives="the record; no part of the text",
)
def test_no_room_for_the_download(
    command: Callable[..., Ran], disk: Disk, server: Server, tmp_path: Path
) -> None:
    large = TEXT * 300
    server.serve_bytes(large)
    path = lesson_of(server.url, tmp_path)
    path.write_text(path.read_text().replace(f"bytes: {len(TEXT)}", f"bytes: {len(large)}"))
    (tmp_path / "space").mkdir()
    said = command(
        *("run", path, "--allow", "network", "--json", "--workspace", tmp_path / "space"),
        plugins="ct4",
        before=disk.of("256k"),
        env={"TMPDIR": str(disk.place)},
    )
    assert (said.code, told(said.json)) == (1, {"text": "failed"})
    message = messages(said.json)["text"]
    assert message.startswith(str(disk.place))
    assert message.endswith("No space left on device (make room on the disk)")
    record_of(only_run(tmp_path / "space"))
    assert tree(disk.content) == {}


@pytest.mark.slow
@fault(
    AREA,
    "no room for the text in the workspace",
    how="a text of 1 MB, the workspace on a file system of 600 KB",
    seen="the file, `No space left on device`, the fix; exit code 1",
    survives="the record; no part of the text",
)
def test_no_room_in_the_workspace(
    command: Callable[..., Ran], disk: Disk, server: Server, tmp_path: Path
) -> None:
    large = TEXT * 300
    server.serve_bytes(large)
    path = lesson_of(server.url, tmp_path)
    about = path.read_text().replace(f"bytes: {len(TEXT)}", f"bytes: {len(large)}")
    path.write_text(about.replace(hashlib.sha256(TEXT).hexdigest(), hashlib.sha256(large).hexdigest()))
    said = command("run", path, "--allow", "network", "--json", plugins="ct4", before=disk.of("600k"))
    assert (said.code, told(said.json)) == (1, {"text": "error"})
    message = messages(said.json)["text"]
    folder = only_run(disk.content / ".lesson")
    place = f"{disk.place}/.lesson/runs/{folder.name}/files/data/text.txt"
    assert message.startswith(f"{place}: cannot be written: ")
    assert message.endswith("No space left on device (make room on the disk)")
    record_of(folder)
    assert leftovers(folder / "files") == []
    assert tree(folder / "files") == {}
