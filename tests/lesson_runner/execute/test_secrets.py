"""Which texts are secrets, which only look like them, and that no secret is shown."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.execute.redaction import secrets
from lesson_runner.testing import lesson_text

RANDOM = random.Random(7)


def made_up(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Return a secret that is in no file, so that repository scanners do not report it."""
    return "".join(RANDOM.choice(alphabet) for _ in range(length - 2)) + "7q"


HEX = string.hexdigits.lower()[:16]
PART = string.ascii_letters + string.digits
SECRETS = {
    "GitHub": "ghp_" + made_up(36),
    "GitHub, fine": "github_pat_" + made_up(60),
    "Hugging Face": "hf_" + made_up(34, string.ascii_letters),
    "AWS": "AKIA" + "".join(RANDOM.sample(string.ascii_uppercase, 16)),
    "OpenAI": "sk-proj-" + made_up(48),
    "Slack": "xoxb-" + made_up(30),
    "Google": "AIza" + made_up(35),
    "GitLab": "glpat-" + made_up(20),
    "JWT": f"eyJ{made_up(20)}.eyJ{made_up(30)}.{made_up(43)}",
}
NAMED = {
    "assigned": ("export UPLOAD_TOKEN={}", made_up(24)),
    "in JSON": ('{{"api_key": "{}"}}', made_up(24)),
    "W&B": ("WANDB_API_KEY='{}'", "3f9c1b7e" + made_up(32, HEX)[:-2] + "a1"),
    "option": ("hf download a/b --token {}", made_up(24)),
    "option with =": ("x --api-key={} y", made_up(24)),
    "header": ("curl -H 'Authorization: Bearer {}'", made_up(24)),
    "wandb login": ("wandb login {}", "3f9c1b7e" + made_up(32, HEX)[:-2] + "a1"),
    "PEM": (
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
        f"{made_up(64)}\n{made_up(40)}",
    ),
}


@pytest.mark.parametrize("value", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("around", ["{}", "export X={}", "a: '{}',", "see ({})", "\n{}\n"])
def test_shapes(value: str, around: str) -> None:
    assert secrets.mask(around.format(value)) == around.format(f"{value[:4]}…")


@pytest.mark.parametrize(("around", "value"), NAMED.values(), ids=NAMED)
def test_names(around: str, value: str) -> None:
    assert secrets.mask(f"a\n{around.format(value)}\nb") == f"a\n{around.format(value[:4] + '…')}\nb"


def test_masking_can_keep_places() -> None:
    around, value = NAMED["PEM"]
    text = f"a\n{around.format(value)}\nb"
    kept = secrets.mask(text, keep_places=True)
    assert list(map(len, kept.split("\n"))) == list(map(len, text.split("\n")))
    assert kept.split("\n")[0::5] == ["a", "b"]
    assert value[4:] not in kept


@pytest.mark.parametrize(
    "text",
    [
        "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "hf_your_token_here",
        "hf_YourTokenGoesHereAbcdefghijklmnopqr",
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "sk-...",
        "sk-estimator-doc-link-fitted-12",
        "task-sk-1",
        "export OPENAI_API_KEY=your_openai_api_key_1",
        "export HF_TOKEN=$HF_TOKEN_OF_THE_TEAM_12345",
        "export HF_TOKEN=<your-token>",
        "token = os.environ['HF_TOKEN_1234567890']",
        "api_key=settings.API_KEY_FROM_ENVIRONMENT_1",
        "token: meta-llama/Llama-3.1-8B-Instruct",
        "tokenizer = Qwen2TokenizerFast0123456789ab",
        "max_token = 100000000000000000000",
        "git checkout 9fd21364ed6c1c6677a250972c5e19a931171974",
        "sha256:9fd21364ed6c1c6677a250972c5e19a9311719749fd21364ed6c1c66",
        "--tokens-per-batch 9fd21364ed6c1c6677a25097",
        "password: correct-horse-battery-staple-2026",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\n" + "Qw3rTzUiOp" * 6,
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
        "https://hooks.slack.com/services/T000/B000/XXXXXXXXXXXXXXXXXXXXXXXX",
    ],
)
def test_texts_that_are_not_secrets(text: str) -> None:
    assert secrets.find(text) == []


@given(st.text())
def test_any_text(text: str) -> None:
    masked = secrets.mask(text, keep_places=True)
    assert len(masked) == len(text)
    spans = [(item.start, item.end) for item in secrets.find(text)]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "eyJ" * 600_000,
        " eyJ" * 400_000,
        "TOKEN=" * 300_000,
        "--" * 900_000,
        "ghp_" * 400_000,
        "-----BEGIN PRIVATE KEY-----\n" * 60_000,
        "-----BEGIN PRIVATE KEY-----\n" + "A" * 1_800_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_takes_no_time(text: str) -> None:
    began = time.process_time()
    secrets.find(text)
    assert time.process_time() - began < 5


def test_no_output_shows_it(lesson: Callable[..., Any], tmp_path: Path) -> None:
    step = "<!-- step\nid: one\nexpect: [{contains: a}]\n-->\n```bash\n"
    value = SECRETS["GitHub"]
    (tmp_path / "a.md").write_text(lesson_text(f"{step}echo a # {value}\n```\n\nAnd `{value}`, {value}.\n"))
    for form in ("json", "text", "github", "sarif"):
        said = lesson("validate", "a.md", "--format", form)
        assert said.code == 1
        assert value[:4] in said.out
        assert value not in said.out
        assert value[6:30] not in said.out
    found = lesson("validate", "a.md", "--json").json["findings"]
    assert [item["rule"] for item in found] == ["secret"] * 3
