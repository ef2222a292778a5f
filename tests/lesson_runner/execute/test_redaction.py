"""No sink shows secrets: terminal, events, evidence, record and reports."""

from __future__ import annotations

import json
import os
import random
import string
from base64 import b64encode
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.fake_plugin import fake_plugin

from lesson_runner.execute.lines import OutputCollector
from lesson_runner.execute.redaction.redactor import REDACTED, Redactor
from lesson_runner.plugins import Action, Json, LessonError, Outcome, StepContext
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
RANDOM = random.Random(11)


def made_up(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Return a text that is in no file."""
    return "".join(RANDOM.choice(alphabet) for _ in range(length - 2)) + "7q"


PASSED = made_up(32)
WITHHELD = made_up(24, string.ascii_letters)  # does not look like a token by itself
GITHUB = "ghp_" + made_up(36)
IN_ADDRESS = made_up(14)
KEY = [made_up(64) for _ in range(3)]
PEM = "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *KEY, "-----END OPENSSH PRIVATE KEY-----"])
SECRETS = (PASSED, WITHHELD, GITHUB, IN_ADDRESS, *KEY)

BODY = """
<!-- step
id: shell
expect: [{contains: "the token is [redacted]"}, {regex: "half: .redacted.$"}, {contains: "end of it"}]
capture: {number: "number (\\\\d+)"}
-->
```bash
echo "the token is $DEPLOY_TOKEN"
echo "from outside: ${HF_TOKEN-nothing}, $(cat ../../../../withheld)"
echo "number 12, $(cat ../../../../github)"
echo -n "half: ${DEPLOY_TOKEN:0:9}"; sleep 0.1; echo "${DEPLOY_TOKEN:9}"
printf 'progress %s\\r' "$DEPLOY_TOKEN"
echo "${DEPLOY_TOKEN}${DEPLOY_TOKEN}" | fold -w 10
cat ../../../../pem
echo '{"deploy_token": "'$DEPLOY_TOKEN'"}'
echo "proxy is $http_proxy"
echo "end of it"
```

<!-- step
id: fails
optional: true
-->
```bash
echo "denied: $DEPLOY_TOKEN"; exit 3
```

<!-- step
id: python
optional: true
-->
```python
import os
raise SystemExit("not with " + os.environ["DEPLOY_TOKEN"])
```

<!-- step
id: typed
uses: leak.all
optional: true
-->
```text
x
```

<!-- step
id: bug
uses: leak.bug
optional: true
-->
```text
x
```

<!-- step
id: error
uses: leak.error
optional: true
-->
```text
x
```
"""


def leak(params: Json, context: StepContext) -> Outcome:
    context.say(f"said {PASSED}\nand {GITHUB}")
    context.progress(1, 2, note=PASSED)
    return Outcome(
        "failed", f"message {PASSED}", facts={"where": {"url": [PASSED]}}, labels=(f"with {PASSED}",)
    )


def bug(params: Json, context: StepContext) -> Outcome:
    raise RuntimeError(f"bug {PASSED} {GITHUB}")


def error(params: Json, context: StepContext) -> Outcome:
    raise LessonError(f"error {PASSED}", fix=f"fix {GITHUB}")


SCHEMA = {"type": "object", "properties": {"key": {"type": "string"}}}
leaking = fake_plugin(
    "leaking",
    actions=[
        Action(f"leak.{name}", name, run, SCHEMA, self_judging=True)
        for name, run in (("all", leak), ("bug", bug), ("error", error))
    ],
)


@pytest.fixture
def leaked(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Any:
    """The output of a run whose steps print secrets in all ways; once as text, once as JSON."""
    (tmp_path / "a.md").write_text(lesson_text(BODY))
    (tmp_path / "github").write_text(GITHUB)
    (tmp_path / "withheld").write_text(WITHHELD)
    (tmp_path / "pem").write_text(PEM + "\n")
    monkeypatch.setenv("DEPLOY_TOKEN", PASSED)
    monkeypatch.setenv("HF_TOKEN", WITHHELD)
    monkeypatch.setenv("http_proxy", f"http://me:{IN_ADDRESS}@proxy.example:3128")
    arguments = ["run", "a.md", "--allow", "shell", "--env", "DEPLOY_TOKEN", "--param", f"typed.key={PASSED}"]
    return lesson(*arguments, *request.param, plugins=[leaking])


def test_a_secret_printed_in_two_parts_is_not_in_events(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(params: Json, context: StepContext) -> Outcome:
        for part in ("first", PASSED[:9], PASSED[9:], "last", PASSED[:6]):
            context.say(part)
        return Outcome("passed")

    plugin = fake_plugin("plugin", actions=[Action("leak.parts", "Parts", said, self_judging=True)])

    monkeypatch.setenv("DEPLOY_TOKEN", PASSED)
    (tmp_path / "a.md").write_text(lesson_text("<!-- step\nid: a\nuses: leak.parts\n-->\n```text\nx\n```\n"))
    assert lesson("run", "a.md", plugins=[plugin]).code == 0
    (events,) = (tmp_path / ".lesson" / "runs").glob("*/events.jsonl")
    rows = [json.loads(row) for row in events.read_text().splitlines()]
    shown = "\n".join(row["text"] for row in rows if row["event"] == "output").split("\n")
    assert shown == ["first", REDACTED, REDACTED, "last", PASSED[:6]]
    assert (events.parent / "evidence/a/output.txt").read_text().split("\n") == shown


def found(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("leaked", [[], ["--json"]], indirect=True, ids=["text", "json"])
def test_no_sink_shows_a_secret(leaked: Any, lesson: Lesson, tmp_path: Path) -> None:
    assert leaked.code == 0, leaked.out
    assert found(leaked.out + leaked.err) == []
    (run,) = (tmp_path / ".lesson" / "runs").iterdir()
    files = [path for path in (tmp_path / ".lesson").rglob("*") if path.is_file()]
    assert {"events.jsonl", "record.json", "output.txt", "error.txt"} <= {path.name for path in files}
    for path in files:
        assert found(path.read_text("utf-8", "replace")) == [], path
    record = json.loads((run / "record.json").read_text())
    steps = {step["id"]: step for step in record["steps"]}
    assert steps["shell"]["status"] == "passed"  # so the stored output was judged
    assert steps["shell"]["metrics"] == {"number": 12}
    assert steps["fails"]["message"].endswith(f": exit code 3: denied: {REDACTED}")
    assert steps["python"]["message"].endswith(f": exit code 1: not with {REDACTED}")
    assert steps["typed"]["message"] == f"message {REDACTED}"
    assert steps["typed"]["params"] == {"key": REDACTED}
    assert steps["error"]["message"] == f"error {REDACTED} (fix {REDACTED})"
    assert f"RuntimeError: bug {REDACTED} {REDACTED}" in steps["bug"]["message"]
    assert record["facts"] == {"where": {"url": [REDACTED]}}
    output = (run / "evidence" / "shell" / "output.txt").read_text().split("\n")
    assert output[:11] == [
        f"the token is {REDACTED}",
        f"from outside: nothing, {REDACTED}",
        f"number 12, {REDACTED}",
        f"half: {REDACTED}",
        f"{REDACTED}redacted]",  # written over "progress [redacted]"
        *[REDACTED] * 2,
        REDACTED * 2,
        *[REDACTED] * 3,
    ]
    assert "-----BEGIN OPENSSH PRIVATE KEY-----" in output
    assert f"proxy is http://me:{REDACTED}@proxy.example:3128" in output
    for form in ("html", "markdown", "junit", "ctrf", "json"):
        said = lesson("report", "latest", "--format", form, "-o", f"report.{form}", plugins=[leaking])
        assert said.code == 0, said
        assert found((tmp_path / f"report.{form}").read_text()) == [], form


def test_a_bug_report_is_passed_on_without_secrets(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError(f"cannot use {PASSED}")

    monkeypatch.setenv("DEPLOY_TOKEN", PASSED)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("lesson_runner.plugins.catalog.find", broken)
    said = lesson("run", GITHUB)
    assert said.code == 3
    (report,) = tmp_path.glob("lesson-bug-*.txt")
    assert (found(said.err), found(report.read_text())) == ([], [])


# --- cut in pieces ---


def shown(chunks: list[bytes], *values: str) -> list[str]:
    rows: list[str] = []
    lines = OutputCollector(lambda text: rows.extend(text.split("\n")), redactor=Redactor(values))
    for chunk in chunks:
        lines.feed(chunk)
    lines.feed(b"", final=True)
    assert lines.text().split("\n") == (rows or [""])
    return rows


WORDS = st.text(st.sampled_from("abz .:\n"), max_size=20)


@given(before=WORDS, after=WORDS, cuts=st.lists(st.integers(0, 80), max_size=6))
def test_a_value_is_found_however_its_bytes_arrive(before: str, after: str, cuts: list[int]) -> None:
    data = f"{before}{PASSED}{after}".encode()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    assert "\n".join(shown(chunks, PASSED)) == f"{before}{REDACTED}{after}".removesuffix("\n")


@given(width=st.integers(4, 40), before=st.text(st.sampled_from("ab z"), max_size=9), times=st.integers(1, 3))
def test_a_value_is_found_over_lines_that_are_wrapped(width: int, before: str, times: int) -> None:
    text = before + f"|{PASSED}" * times
    # Three characters at the end of a line are too few to be recognised; docs/security.md says so.
    starts = [place for place in range(len(text)) if text.startswith(PASSED, place)]
    assume(all(width - place % width >= 4 for place in starts))
    pieces = [text[start : start + width] for start in range(0, len(text), width)]
    join_checks = "".join(shown(["\n".join(pieces).encode()], PASSED))
    assert join_checks.replace(REDACTED, "") == before + "|" * times


def test_a_value_that_is_not_text() -> None:
    value = os.fsdecode(b"\xff\xfe" + PASSED.encode())
    assert Redactor([value]).text(f"<{value}>") == f"<{REDACTED}>"


def test_lines_are_not_held_back_longer_than_needed() -> None:
    rows: list[str] = []
    lines = OutputCollector(lambda text: rows.extend(text.split("\n")), redactor=Redactor([PASSED]))
    lines.feed(f"one\n{PASSED[:8]}\n".encode())
    assert rows == ["one"]
    lines.feed(b"something else\n")
    assert rows == ["one", PASSED[:8], "something else"]


def test_overlapping_values_and_multi_line_values() -> None:
    one, two = "abcdefgh-secret", "secret-ijklmnop"
    assert Redactor([one, two]).text("<abcdefgh-secret-ijklmnop>") == f"<{REDACTED}>"
    redactor = Redactor([f"first line of it\n{one}\nshort"])
    assert redactor.text(f"short {one} line") == f"short {REDACTED} line"
    assert Redactor(['a"quoted"one']).text(json.dumps({"x": 'a"quoted"one'})) == f'{{"x": "{REDACTED}"}}'
    assert Redactor(["p/ss word"]).text("https://x/?p=p%2Fss%20word&y") == f"https://x/?p={REDACTED}&y"
    assert Redactor(["abc", ""]).values == ()


def test_a_secret_equal_to_our_own_words_does_not_damage_the_record(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for word in ("not-reached", "step-finished", "emulated"):
        monkeypatch.setenv(f"{word[0]}_PASSWORD", word)
    (tmp_path / "a.md").write_text(lesson_text("<!-- step\nid: one\n-->\n```bash\necho emulated\n```\n"))
    assert lesson("run", "a.md", "--allow", "shell", "--backend", "emulated").code == 0
    assert lesson("report", "latest", "--format", "json", "-o", "a.json").code == 0
    events = (tmp_path / ".lesson" / "runs").glob("*/events.jsonl")
    kinds = [json.loads(row)["event"] for row in next(events).read_text().splitlines()]
    assert "step-finished" in kinds


@given(before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_base64_of_text_that_contains_a_value(before: bytes, after: bytes) -> None:
    encoded = b64encode(before + PASSED.encode() + after).decode()
    shown = Redactor([PASSED]).text(encoded)
    assert REDACTED in shown
    left = shown.replace(REDACTED, "")
    assert len(left) <= 4 * (len(before) + len(after)) // 3 + 6  # hardly more than the text around the value


def test_example_tokens_in_documents_are_kept() -> None:
    text = "export HF_TOKEN=hf_your_token_here; curl -H 'Authorization: Bearer <token>'"
    assert Redactor().text(text) == text
