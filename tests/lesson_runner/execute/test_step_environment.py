"""Which environment variables the commands of a lesson get."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files

from lesson_runner.execute.environment import command_environment, redactor_for
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]

KEPT = [
    *("PATH", "HOME", "PWD", "OLDPWD", "LANG", "LC_ALL", "SHELL", "TERM", "USER", "TMPDIR", "EDITOR"),
    *("VIRTUAL_ENV", "PYTHONPATH", "TT_METAL_HOME", "TT_METAL_CACHE", "ARCH_NAME", "LESSON_WORKSPACE"),
    *("TOKENIZERS_PARALLELISM", "KEYBOARD_LAYOUT", "XAUTHORITY", "AWS_REGION", "AWS_CA_BUNDLE", "CI"),
    *("GITHUB_ACTIONS", "GITHUB_WORKSPACE", "RUNNER_TEMP", "HF_HOME", "WANDB_MODE", "PIP_INDEX_URL"),
    *("http_proxy", "LESSON_STEP_TOKEN", "PATIENCE", "PASSAGE", "MONKEY"),
]
WITHHELD = [
    *("GITHUB_TOKEN", "GH_TOKEN", "HF_TOKEN", "hf_token", "WANDB_API_KEY", "OPENAI_API_KEY", "SECRET"),
    *("MY_SECRETS", "DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD", "AWS_ACCESS_KEY_ID"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_URL"),
    *("ACTIONS_ID_TOKEN_REQUEST_URL", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GIT_ASKPASS"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "NPM_CONFIG__AUTH", "GH_PAT", "CI_JOB_JWT", "SENTRY_DSN"),
    *("DATABASE_URL", "TWINE_PASSWORD", "PRIVATE_KEY", "GPG_PASSPHRASE", "GITHUB_ENV", "GITHUB_PATH"),
    "DOCKER_AUTH",
]
TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3
STEP = "<!-- step\nid: one\n-->\n```{}\n{}\n```\n"


@pytest.mark.parametrize(("names", "kept"), [(KEPT, True), (WITHHELD, False)], ids=["kept", "withheld"])
def test_names(names: list[str], kept: bool) -> None:
    environ = dict.fromkeys(names, "a value")
    assert command_environment(environ) == (environ if kept else {})
    assert command_environment(environ, names) == environ


def test_a_token_is_recognised_under_any_name() -> None:
    assert command_environment({"INNOCENT": TOKEN, "NOTE": "none"}) == {"NOTE": "none"}


def test_which_values_are_secrets(tmp_path: Path) -> None:
    environ = {
        "A_TOKEN": "kumquat-kumquat",
        "B_TOKEN": "short",
        "SSH_AUTH_SOCK": str(tmp_path),  # a path, not a secret
        "C_KEY": "/looks/like/a/path",
        "PIP_INDEX_URL": "https://me:pomelo-pomelo@index.example/simple",
        "HOME": "clementine",
        "PASSED_ON": "fig1",
    }
    text = " ".join(environ.values())
    url = "https://me:[redacted]@index.example/simple"
    shown = f"[redacted] short {tmp_path} [redacted] {url} clementine [redacted]"
    assert redactor_for(environ, ["PASSED_ON"]).text(text) == shown


@pytest.mark.parametrize(
    ("language", "code"),
    [("bash", "env | sort"), ("python", "import os\nfor name in os.environ: print(f'{name}=')")],
)
def test_a_step_gets_credentials_only_by_name(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, code: str
) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP.format(language, code)))
    monkeypatch.setenv("HF_TOKEN", "kumquat-kumquat")
    monkeypatch.setenv("WANDB_API_KEY", "pomelo-pomelo")
    monkeypatch.setenv("TT_METAL_HOME", "/somewhere")

    def names(*arguments: str) -> set[str]:
        said = lesson("run", "a.md", "--allow", "shell", *arguments)
        assert said.code == 0, said
        (output,) = sorted((tmp_path / ".lesson").glob("runs/*/evidence/one/output.txt"))[-1:]
        return {row.partition("=")[0] for row in output.read_text().split("\n")}

    first = names()
    assert {"PATH", "HOME", "TT_METAL_HOME", "LESSON_WORKSPACE"} <= first
    assert not {"HF_TOKEN", "WANDB_API_KEY"} & first
    second = names("--env", "HF_TOKEN")
    assert ("HF_TOKEN" in second, "WANDB_API_KEY" in second) == (True, False)


def test_a_failed_step_names_withheld_variables(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = STEP.format("bash", 'test -n "$HF_TOKEN"') + STEP.format("bash", "true").replace("one", "two")
    (tmp_path / "a.md").write_text(lesson_text(body))
    monkeypatch.setenv("HF_TOKEN", "kumquat-kumquat")
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == 1
    (note,) = [row for row in said.out.split("\n") if "withheld from this step" in row]
    assert "HF_TOKEN" in note
    (output,) = (tmp_path / ".lesson").glob("runs/*/evidence/one/output.txt")
    assert output.read_text() == ""  # the note is not output of the step
    assert lesson("run", "a.md", "--allow", "shell", "--env", "HF_TOKEN").code == 0


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("NOT_THERE", "--env NOT_THERE: this variable is not set"),
        ("HF_TOKEN=x", "--env HF_TOKEN=…: give only the name"),
        ("FEW", "--env FEW: its value has fewer than 4 characters"),
    ],
)
def test_variables_that_cannot_be_passed_on(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str, message: str
) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP.format("bash", "true")))
    monkeypatch.setenv("FEW", "abc")
    said = lesson("run", "a.md", "--allow", "shell", "--env", argument)
    assert said.code == 2
    assert message in said.err
    assert not (tmp_path / ".lesson").exists()


def test_the_record_names_no_values(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP.format("bash", "echo $HF_TOKEN")))
    monkeypatch.setenv("HF_TOKEN", "kumquat-kumquat")
    said = lesson("run", "a.md", "--allow", "shell", "--env", "HF_TOKEN", "--json")
    assert "kumquat" not in json.dumps(said.json)


def test_a_resumed_run_passes_no_secret_because_of_its_record(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record may come from someone else, but it names variables of this user."""
    (tmp_path / "a.md").write_text(lesson_text(STEP.format("bash", 'test -e go && test -n "$HF_TOKEN"')))
    monkeypatch.setenv("HF_TOKEN", "kumquat-kumquat")
    assert lesson("run", "a.md", "--allow", "shell", "--env", "HF_TOKEN").code == 1
    (last_files(tmp_path / ".lesson") / "go").touch()
    said = lesson("resume", "--allow", "shell")
    assert (said.code, "was started with --env HF_TOKEN" in said.err) == (2, True)
    said = lesson("resume", "--allow", "shell", "--env", "HF_TOKEN", "--json")
    assert (said.code, said.json["options"]["env"]) == (0, ["HF_TOKEN"])
