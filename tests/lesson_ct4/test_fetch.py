"""Getting the text: its sources, and everything that can be wrong with it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.reliability import fault

from lesson_ct4.actions import fetch as act_fetch
from lesson_ct4.actions.table import ACTIONS
from lesson_ct4.data.download import Limits, NoAnswerError, WrongAnswerError, download
from lesson_ct4.data.fetch import ANY, Found, Given, Pin, WrongTextError, find_text
from lesson_ct4.measuring import evidence
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Event
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import RunContext, StepContext

TEXT = (
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n\n" * 40
).encode()
PLAY = b"SOMEBODY:\nA made-up play.\n" * 100
QUICK = Limits(answer=1, silence=1, total=5)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def find(cache: Path) -> Callable[..., Found]:
    def find(url: str, *, text: bytes = TEXT, **more: Any) -> Found:
        pin = more.pop("pin", Pin(url, hashlib.sha256(text).hexdigest(), len(text)))
        return find_text(pin, cache=cache, limits=QUICK, synthetic=lambda: PLAY, **more)

    return find


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/input.txt"


# --- sources -----------------------------------------------------------------------------------


def test_downloads_then_uses_the_cache(server: Any, find: Callable[..., Found], cache: Path) -> None:
    server.serve_bytes(TEXT)

    first, second = find(server.url), find(server.url)

    assert (first.source, first.data, first.pinned) == ("download", TEXT, False)
    assert (second.source, second.data, second.pinned) == ("cache", TEXT, False)
    assert server.requests == 1
    assert [path.read_bytes() for path in cache.iterdir()] == [TEXT]


def test_reports_progress(server: Any, find: Callable[..., Found]) -> None:
    big = TEXT * 400

    def slowly(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(big)))
        handler.end_headers()
        for start in range(0, len(big), 200_000):
            handler.wfile.write(big[start : start + 200_000])
            time.sleep(0.06)

    server.answer = slowly
    seen: list[int] = []

    assert find(server.url, text=big, progress=seen.append).data == big
    assert seen == sorted(seen)
    assert 0 < seen[0] < len(big)


@fault(
    "downloads",
    "the copy in the cache is damaged",
    how="its last byte is removed",
    seen="`was damaged; downloading again`",
    survives="the step; the copy is replaced",
)
def test_a_damaged_cache_is_replaced(server: Any, find: Callable[..., Found], cache: Path) -> None:
    server.serve_bytes(TEXT)
    find(server.url)
    kept = next(cache.iterdir())
    kept.write_bytes(TEXT[:-1])

    found = find(server.url)

    assert found.source == "download"
    assert "damaged" in found.notes[0]
    assert kept.read_bytes() == TEXT


def test_a_cache_that_cannot_be_written_does_no_harm(
    server: Any, find: Callable[..., Found], cache: Path
) -> None:
    cache.write_text("a file where the folder should be")
    server.serve_bytes(TEXT)

    found = find(server.url)

    assert found.data == TEXT
    assert "not cached" in found.notes[0]


def test_the_users_own_file_comes_first(server: Any, find: Callable[..., Found], tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_bytes(TEXT)

    found = find(server.url, given=Given(str(own), own.read_bytes()))

    assert (found.source, found.pinned, found.origin) == ("user", False, str(own))
    assert server.requests == 0


def test_the_lessons_text_is_pinned_no_matter_how_it_was_requested(
    find: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.txt"
    own.write_bytes(TEXT)
    asked, any_text = (
        find("", given=Given(str(own), own.read_bytes())),
        find("", given=Given(str(own), own.read_bytes()), pin=Pin("", ANY)),
    )
    assert not asked.pinned
    assert not any_text.pinned

    monkeypatch.setattr("lesson_ct4.data.fetch.SHA256", hashlib.sha256(TEXT).hexdigest())

    assert asked.pinned
    assert any_text.pinned


# --- wrong texts -------------------------------------------------------------------------------


def test_one_byte_short_says_expected_and_actual(find: Callable[..., Found], tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_bytes(TEXT[:-1])

    with pytest.raises(WrongTextError) as caught:
        find("http://127.0.0.1:1/", given=Given(str(own), own.read_bytes()))

    message = str(caught.value)
    assert f"expected {len(TEXT)} bytes, sha256 {hashlib.sha256(TEXT).hexdigest()}" in message
    assert f"actual   {len(TEXT) - 1} bytes, sha256 {hashlib.sha256(TEXT[:-1]).hexdigest()}" in message
    assert "1 byte short" in message


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (TEXT.replace(b"\n", b"\r\n"), "CRLF"),
        (b"\xef\xbb\xbf" + TEXT, "byte order mark"),
        (b"<!DOCTYPE html><html>sign in</html>", "web page"),
        (TEXT[:-1] + b"!", "actual"),
        (b"", "actual   0 bytes"),
    ],
)
def test_wrong_texts_are_named(find: Callable[..., Found], tmp_path: Path, data: bytes, hint: str) -> None:
    own = tmp_path / "own.txt"
    own.write_bytes(data)

    with pytest.raises(WrongTextError, match=hint):
        find("http://127.0.0.1:1/", given=Given(str(own), own.read_bytes()))


def test_any_text_is_a_choice(find: Callable[..., Found], tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_bytes(b"Something else.\n")

    found = find("", given=Given(str(own), own.read_bytes()), pin=Pin("", ANY))

    assert (found.data, found.pinned) == (b"Something else.\n", False)


@pytest.mark.parametrize(("data", "what"), [(b" \n", "empty"), (b"caf\xe9\n", "not UTF-8")])
def test_any_text_must_be_text(find: Callable[..., Found], tmp_path: Path, data: bytes, what: str) -> None:
    own = tmp_path / "own.txt"
    own.write_bytes(data)

    with pytest.raises(WrongTextError, match=what):
        find("", given=Given(str(own), own.read_bytes()), pin=Pin("", ANY))


@pytest.mark.parametrize(
    ("prepare", "what"),
    [
        (lambda server: server.serve_bytes(TEXT[:-1]), "not the pinned text"),
        (lambda server: server.serve_bytes(TEXT + b"\n"), "not the pinned text"),
        (lambda server: server.serve_bytes(b"<html>sign in</html>"), "web page"),
        (lambda server: server.serve_bytes(TEXT, length=len(TEXT) + 5000), "broke off"),
        (lambda server: server.serve_bytes(b"", status=404), "HTTP 404"),
        (lambda server: server.serve_bytes(b"", status=500), "HTTP 500"),
        (lambda server: server.serve_bytes(b"", status=302, Location="file:///etc/hosts"), "redirect"),
        (lambda server: server.serve_bytes(b"", status=302, Location="/input.txt"), "redirect"),
        (lambda server: server.serve_bytes(b"x" * 3_000_000), "longer than"),
    ],
)
def test_a_wrong_answer_is_never_replaced(
    server: Any, find: Callable[..., Found], cache: Path, prepare: Callable[[Any], None], what: str
) -> None:
    prepare(server)

    with pytest.raises(WrongTextError, match=what) as caught:
        find(server.url)

    assert f"expected {len(TEXT)} bytes" in str(caught.value)
    assert "actual" in str(caught.value)
    assert not cache.exists()


@fault(
    "downloads",
    "the server fails once",
    how="a server on this machine that answers 500, then the text",
    seen="nothing: the request is repeated",
    survives="the step",
)
def test_a_server_that_fails_once_is_asked_again(server: Any, find: Callable[..., Found]) -> None:
    def once(handler: Any) -> None:
        server.serve_bytes(TEXT)
        handler.send_error(500)

    server.answer = once

    assert find(server.url).data == TEXT


def test_a_redirect_over_http_is_followed(server: Any, find: Callable[..., Found]) -> None:
    def redirect(handler: Any) -> None:
        server.serve_bytes(TEXT)
        handler.send_response(301)
        handler.send_header("Location", "/moved.txt")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = redirect

    assert find(server.url).data == TEXT


def test_no_password_is_taken_from_netrc(
    server: Any, find: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password p\ndefault login me password p\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    sent = []

    def redirect(handler: Any) -> None:
        sent.append(handler.headers["Authorization"])
        server.answer = serve
        handler.send_response(302)
        handler.send_header("Location", server.url.replace("127.0.0.1", "localhost"))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def serve(handler: Any) -> None:
        sent.append(handler.headers["Authorization"])
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(TEXT)))
        handler.end_headers()
        handler.wfile.write(TEXT)

    server.answer = redirect
    assert find(server.url).data == TEXT
    assert sent == [None, None]
    server.answer = redirect  # credentials in the address are sent, but only to its own host
    assert (
        find(
            server.url.replace("://", "://you:own@"), pin=Pin(server.url.replace("://", "://you:own@"), ANY)
        ).data
        == TEXT
    )
    assert sent[2:] == ["Basic eW91Om93bg==", None]


def test_a_redirect_whose_body_does_not_end_is_followed(server: Any, find: Callable[..., Found]) -> None:
    def redirect(handler: Any) -> None:
        server.serve_bytes(TEXT)
        handler.send_response(302)
        handler.send_header("Location", "/moved.txt")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not server.ended.is_set():
                handler.wfile.write(b"x" * 65536)

    server.answer = redirect
    assert find(server.url).data == TEXT


def test_other_protocols_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongAnswerError, match="not an http"):
        download("file:///etc/hosts", tmp_path / "x", limit=10)


# --- no network --------------------------------------------------------------------------------


@fault(
    "downloads",
    "the server stalls, before the first byte or in the middle, or is overloaded",
    how="a server on this machine that sends nothing, half of the text, or 503",
    seen="if the lesson allows it, the synthetic play and the reason, within seconds; "
    "otherwise `cannot be reached`",
    survives="the run; nothing half-written",
)
@pytest.mark.parametrize(
    "prepare",
    [
        lambda server: server.stall(),
        lambda server: server.stall(TEXT[:2048]),
        lambda server: server.serve_bytes(b"", status=503),
    ],
)
def test_silence_gives_the_play_in_time(
    server: Any, find: Callable[..., Found], prepare: Callable[[Any], None]
) -> None:
    prepare(server)
    began = time.monotonic()

    found = find(server.url)

    assert (found.source, found.data, found.pinned) == ("synthetic", PLAY, False)
    assert "cannot be reached" in found.origin
    assert time.monotonic() - began < 4


def test_a_refused_connection_gives_the_play(server: Any, find: Callable[..., Found]) -> None:
    assert find(closed_port()).source == "synthetic"


def test_a_name_that_does_not_exist_gives_the_play(server: Any, find: Callable[..., Found]) -> None:
    assert find("http://nowhere.invalid/input.txt").source == "synthetic"


def test_a_name_server_that_hangs_gives_the_play(
    server: Any, find: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_: Any, **__: Any) -> Any:
        server.ended.wait(5)
        raise socket.gaierror("nothing")

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    found = find("http://nowhere.invalid/input.txt")

    assert "no answer within 1 s" in found.origin
    server.ended.set()
    time.sleep(0.1)


def test_a_proxy_that_refuses_gives_the_play(
    server: Any, find: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve_bytes(b"", status=403)
    monkeypatch.setenv("https_proxy", server.url.rsplit("/", 1)[0])

    assert find("https://nowhere.invalid/input.txt").source == "synthetic"


def test_without_a_fallback_it_says_so(server: Any, find: Callable[..., Found]) -> None:
    with pytest.raises(LessonError, match="cannot be reached") as caught:
        find(closed_port(), fallback="never")

    assert "--param dataset=FILE" in str(caught.value.fix)


def test_the_play_can_be_requested(server: Any, find: Callable[..., Found]) -> None:
    assert find(server.url, fallback="only").source == "synthetic"
    assert server.requests == 0


@fault(
    "downloads",
    "the server sends very slowly",
    how="a server on this machine that sends 1 KB now and then",
    seen="`not done within` the limit",
    survives="the same as when it stalls",
)
def test_a_total_limit_holds(server: Any, tmp_path: Path) -> None:
    def drip(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not server.ended.wait(0.05):
            handler.wfile.write(b"x" * 1024)
            handler.wfile.flush()

    server.answer = drip

    with pytest.raises(NoAnswerError, match="not done within"):
        download(server.url, tmp_path / "x", limit=10_000_000, limits=Limits(1, 1, 0.5))
    server.ended.set()
    time.sleep(0.1)


# --- the action --------------------------------------------------------------------------------


@pytest.fixture
def params(server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    monkeypatch.setenv("LESSON_HOME", str(tmp_path / "home"))
    action = next(action for action in ACTIONS if action.name == "ct4.fetch-dataset")
    sha256 = hashlib.sha256(TEXT).hexdigest()
    return {**action.defaults, "url": server.url, "sha256": sha256, "bytes": len(TEXT)}


def test_the_action_leaves_the_text_and_evidence(
    server: Any,
    params: dict[str, Any],
    step: Callable[..., StepContext],
    run: RunContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lesson_ct4.data.fetch.SHA256", hashlib.sha256(TEXT).hexdigest())
    server.serve_bytes(TEXT)
    context = step("dataset", "ct4.fetch-dataset")

    outcome = act_fetch.run(params, context)

    sha256 = hashlib.sha256(TEXT).hexdigest()
    fact = {
        "name": "shakespeare.txt",
        "source": "download",
        "url": server.url,
        "sha256": sha256,
        "bytes": len(TEXT),
        "pinned": True,
        "text": "shakespeare",
    }
    assert (outcome.status, outcome.facts, outcome.labels) == ("passed", {"dataset": fact}, ())
    assert (run.workspace.files / "data" / "shakespeare.txt").read_bytes() == TEXT
    assert (run.shared_evidence / f"corpus-{sha256[:16]}.txt").read_bytes() == TEXT
    assert "First Citizen:" in context.lines
    assert f"{len(TEXT)} bytes, {len(TEXT)} characters" in "\n".join(context.lines)
    stored = Evidence(context.evidence, run.shared_evidence)
    assert evidence.measure_action("ct4.fetch-dataset", stored) == {
        "bytes": len(TEXT),
        "characters": len(TEXT),
        "unique_characters": len(set(TEXT)),
        "lines": TEXT.count(b"\n"),
    }


def test_a_digest_on_the_command_line_makes_no_text_the_lessons(
    server: Any, params: dict[str, Any], step: Callable[..., StepContext]
) -> None:
    server.serve_bytes(TEXT)

    outcome = act_fetch.run(params, step())

    assert outcome.facts["dataset"]["pinned"] is False
    assert outcome.labels == ("other dataset",)


def test_the_action_fails_on_a_truncated_file(
    params: dict[str, Any], step: Callable[..., StepContext], run: RunContext, tmp_path: Path
) -> None:
    own = tmp_path / "own.txt"
    own.write_bytes(TEXT[:-1])

    outcome = act_fetch.run({**params, "dataset": str(own)}, step(dataset=str(own)))

    assert outcome.status == "failed"
    assert f"expected {len(TEXT)} bytes" in outcome.message
    assert f"actual   {len(TEXT) - 1} bytes" in outcome.message
    assert "sha256=any" in outcome.message
    assert not (run.workspace.files / "data").exists()


def test_the_action_announces_the_play(
    params: dict[str, Any],
    step: Callable[..., StepContext],
    run: RunContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lesson_ct4.synthetic_play.generate", lambda: PLAY)
    monkeypatch.setattr("lesson_ct4.synthetic_play.SHA256", hashlib.sha256(PLAY).hexdigest())
    context = step()

    outcome = act_fetch.run({**params, "fallback": "only"}, context)

    assert outcome.labels == ("synthetic dataset",)
    assert (outcome.facts["dataset"]["source"], outcome.facts["dataset"]["pinned"]) == ("synthetic", False)
    assert any("NOT Shakespeare" in line for line in context.lines)
    written = json.loads((run.workspace.files / "data" / "shakespeare.json").read_text())
    assert written == outcome.facts["dataset"]


def test_the_action_reports_progress_to_the_end(
    server: Any, params: dict[str, Any], step: Callable[..., StepContext], events: list[Event]
) -> None:
    server.serve_bytes(TEXT)

    act_fetch.run(params, step())

    assert all(event.data["done"] <= event.data["total"] for event in events if event.kind == "progress")
