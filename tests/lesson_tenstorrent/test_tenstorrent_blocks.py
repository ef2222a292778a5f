"""Which set-up commands are recognised, which checks replace them, and that nothing is changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.model import Block, Location
from lesson_runner.model.errors import InvalidLessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint, lesson_text, plan_lesson, run_lesson
from lesson_tenstorrent import plugin
from lesson_tenstorrent.action import checks_for
from lesson_tenstorrent.blocks import interpret_block
from lesson_tenstorrent.table import CHECKS_BY_ID

ENVIRONMENT = """
# Activate Python environment
source ~/tt-metal/python_env/bin/activate

export TT_METAL_HOME=~/tt-metal
export PYTHONPATH=$TT_METAL_HOME/build_Release:$PYTHONPATH
"""


Lesson = Callable[..., Any]


def plugins() -> Plugins:
    return Plugins(points=[ModuleEntryPoint(plugin, "tenstorrent")])


def checks(folder: Path, *blocks: str, heading: str = "1. Set up", language: str = "bash") -> Any:
    """Return the parameters of the steps that blocks in one section become."""
    fences = "".join(f"```{language}\n{block}\n```\n\n" for block in blocks)
    text = lesson_text(f"## Prerequisites\n\n### {heading}\n\n{fences}")
    return [step.params for step in plan_lesson(text, folder, plugins=plugins()).steps]


# --- recognised blocks ---


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            "cd $TT_METAL_HOME\ngit submodule update --init --recursive --force",
            {"checks": ["submodules"]},
        ),
        ("pip list | grep ttnn\n\n# If it is listed:\npip uninstall -y ttnn", {"checks": ["pip-ttnn"]}),
        ("pip install requests requests", {"packages": ["requests"]}),
        ("pip uninstall TTNN ttnn", {"checks": ["pip-ttnn"]}),
        ("\n# Now:\n(env) $ pip install requests\nDone.", {"packages": ["requests"]}),
        ("python -c 'import ttnn, devices'", {"imports": ["ttnn", "devices"]}),
        ("pip3 uninstall ttnn ttml", {"checks": ["pip-ttnn", "unrelated-ttml"]}),
        ("pip freeze | grep -i ttml", {"checks": ["unrelated-ttml"]}),
        ("pip install transformers", {"packages": ["transformers"]}),
        (
            "pip install requests  # For downloads\npython3 -m pip install -q -U 'numpy<2' pyyaml",
            {"packages": ["requests", "numpy<2", "pyyaml"]},
        ),
        ("python -c \"import ttnn; print('it works')\"", {"imports": ["ttnn"]}),
        (
            "source env/bin/activate\npython3 -c 'import ttnn, ttml'\npython3 -c 'from ttml import autograd'",
            {"imports": ["ttnn", "ttml"]},
        ),
        (
            "pip install requests\npip uninstall -y ttnn\npython -c 'import ttml'",
            {"checks": ["pip-ttnn"], "packages": ["requests"], "imports": ["ttml"]},
        ),
    ],
)
def test_set_up_commands(tmp_path: Path, block: str, expected: object) -> None:
    assert checks(tmp_path, block) == [expected]


def test_blocks_of_one_section_are_one_step(tmp_path: Path) -> None:
    found = checks(tmp_path, "pip install transformers", "pip install requests\npip install transformers")

    assert found == [{"packages": ["transformers", "requests"]}]


def test_setting_the_environment_is_recognised_in_a_section_about_it(tmp_path: Path) -> None:
    step = "## Step 1: Train\n\n```bash\npip install requests\n```\n"
    text = lesson_text(f"## Setup\n\n### 4. Set Environment Variables\n\n```bash{ENVIRONMENT}```\n\n{step}")
    (first, second) = plan_lesson(text, tmp_path, plugins=plugins()).steps
    assert (first.params, second.id) == ({"checks": ["environment-variables"]}, "step-1")

    elsewhere = plan_lesson(lesson_text(f"{step}\n```bash{ENVIRONMENT}```\n"), tmp_path, plugins=plugins())
    assert [item.reason for item in elsewhere.not_run] == [
        "it only sets up the terminal, which no later step uses"
    ]


def test_the_button_that_installs_tt_train(tmp_path: Path) -> None:
    body = "## Step 1\n[Install](command:tenstorrent.installTtTrain) [Chat](command:tenstorrent.openChat)\n"
    plan = plan_lesson(lesson_text(body), tmp_path, plugins=plugins())

    assert [(step.id, step.params) for step in plan.steps] == [
        ("step-1", {"checks": ["unrelated-ttml", "ttml"]})
    ]
    assert [item.block.text for item in plan.not_run] == ["tenstorrent.openChat"]


@pytest.mark.parametrize(
    "block",
    [
        "pip install -e .",
        "pip install -r requirements.txt",
        "pip install git+https://github.com/a/b",
        "pip install 'a @ https://x.org/a.whl'",
        "pip install ttml",
        "pip install 'ttml==1.0'",
        "pip install TTML",
        "pip install requests\necho $(rm -rf ~)",
        'pip install requests\necho "$(rm -rf ~)"',
        "pip install requests\nexport A=`rm -rf ~`",
        "pip install requests\ncd x & rm -rf ~",
        "pip install requests\nls < x",
        "make install\ncat <<'END'\n$ pip install requests\nEND",
        "python -c 'import ttnn; print(__import__(\"os\").getcwd())'",
        "pip uninstall -y numpy",
        "pip install requests && rm -rf /",
        "source build.sh\npip install requests",
        ". ./activate.sh\npip install requests",
        "source venv/bin/activate extra\npip install requests",
        "pip install requests || true",
        "pip install $(cat packages)",
        "pip install requests > log.txt",
        "python -c 'import torch; print(torch.__version__)'",
        "python -c 'import ttnn; ttnn.open_device(0)'",
        "python -c 'import'",
        "python train.py",
        "git submodule add x",
        "pip list",
        "cd x\nls",
        "echo 'open",
        "cat x | grep ttnn",
    ],
)
def test_blocks_that_are_not_claimed(tmp_path: Path, block: str) -> None:
    text = lesson_text(f"## Step 1\n\n```bash\n{block}\n```\n")
    found = plan_lesson(text, tmp_path, plugins=plugins())

    assert [step.claimed_by for step in found.steps] in ([], [""])


@given(text=st.text(st.sampled_from("pip install uninstall list|grep ttnn;&'\"\\\n$(-c")))
def test_any_text_can_be_interpreted(text: str) -> None:
    for call in interpret_block(Block("bash", text, Location(Path("a.md"), 1))) or ():
        assert set(call.params) <= {"checks", "packages", "imports"}


# --- declared steps ---


@pytest.mark.parametrize(
    "block",
    ["pip install requests", "pip install requests\necho done", "git submodule update --init", ENVIRONMENT],
)
def test_a_declared_step_does_what_its_block_says(tmp_path: Path, block: str) -> None:
    step = f"<!-- step\nid: a\nexpect: [{{exit: 0}}]\n-->\n```bash\n{block}\n```\n"

    (planned,) = plan_lesson(lesson_text(f"## Environment\n\n{step}"), tmp_path, plugins=plugins()).steps

    assert (planned.action, planned.claimed_by) == ("shell", "")


def test_annotating_names_the_action_so_that_the_step_still_only_checks(
    lesson: Lesson, tmp_path: Path
) -> None:
    path = tmp_path / "a.md"
    path.write_text(lesson_text("## Step 1\n\n```bash\npip install requests\n```\n"))
    points = [ModuleEntryPoint(plugin, "tenstorrent")]

    assert lesson("annotate", path, "--write", points=points).code == 0

    (step,) = plan_lesson(path, tmp_path, plugins=plugins()).steps
    assert (step.action, step.params) == ("tenstorrent.check", {"packages": ["requests"]})


# --- the checks that replace them ---

SETUP = """
## Prerequisites

### 1. Everything

```bash
git submodule update
pip uninstall -y ttnn ttml
pip install no-such-package-of-anybody pytest
python -c "import ttnn; import ttml"
```
"""


def test_without_a_board_it_checks_what_it_can(tmp_path: Path) -> None:
    record = run_lesson(lesson_text(SETUP), tmp_path, plugins=plugins(), backend="emulated")

    (step,) = record["steps"]
    output = (
        tmp_path / ".lesson" / "runs" / record["run_id"] / "evidence" / step["id"] / "output.txt"
    ).read_text()
    assert (step["status"], step["message"]) == ("passed", "warnings: no-such-package-of-anybody")
    assert step["metrics"] == {"checks": 7, "failed_checks": 0, "warnings": 1, "skipped_checks": 4}
    assert "skipped  submodules" in output
    assert "-m pip install no-such-package-of-anybody" in output
    assert step["command"].startswith("# only checks, changes nothing: submodules, ttnn from pip")
    assert list(validator_for(load_schema("record")).iter_errors(record)) == []


def test_a_warning_does_not_hide_why_a_step_failed(tmp_path: Path) -> None:
    step = (
        "<!-- step\nid: a\nuses: tenstorrent.check\nwith: {packages: [no-such-package-of-anybody]}\n"
        "expect: [{contains: Successfully installed}]\n-->\n```bash\nx\n```\n"
    )

    (found,) = run_lesson(lesson_text(step), tmp_path, plugins=plugins(), backend="emulated")["steps"]

    assert found["status"] == "failed"
    assert found["message"].startswith("expected output with 'Successfully installed'; got")


def test_a_step_with_nothing_to_check_says_so(tmp_path: Path) -> None:
    text = lesson_text("## Step 1\n```bash\ngit submodule update\n```\n")

    (step,) = run_lesson(text, tmp_path, plugins=plugins(), backend="emulated")["steps"]

    assert (step["status"], step["message"]) == (
        "passed",
        "nothing to check here: not needed: --backend emulated",
    )


def test_with_a_board_a_failed_check_fails_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TT_METAL_HOME", str(tmp_path / "nowhere"))
    text = lesson_text("## Step 1\n```bash\ngit submodule update\n```\n")

    (step,) = run_lesson(text, tmp_path, plugins=plugins(), backend="ttml")["steps"]

    assert (step["status"], step["message"]) == ("failed", "failed: submodules")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{}", "nothing to check"),
        ("{checks: [nothing]}", "'nothing'"),
        ("{packages: ['a b']}", "'a b' is not a package name"),
        ("{packages: ['a @ https://x.org/a']}", "is not a package name"),
        ("{imports: ['a-b']}", '"a-b"'),
    ],
)
def test_wrong_parameters(tmp_path: Path, params: str, message: str) -> None:
    text = lesson_text(f"<!-- step\nid: a\nuses: tenstorrent.check\nwith: {params}\n-->\n```bash\nx\n```\n")

    with pytest.raises(InvalidLessonError) as raised:
        plan_lesson(text, tmp_path, plugins=plugins())

    assert message in raised.value.diagnostics[0].message


def test_a_module_with_the_name_of_a_check_is_looked_up() -> None:
    found = checks_for({"imports": ["devices", "ttnn"]})

    assert [check.id for check in found] == ["import-devices", "ttnn"]


@pytest.mark.parametrize("text", ["echo a b c\n(\n# d\n", "echo a b c\n# d\n"])
@pytest.mark.parametrize("count", [1_000, 3_500, 20_000])
def test_a_huge_block_takes_no_time(text: str, count: int) -> None:
    began = time.process_time()  # not affected by other load
    interpret_block(Block("bash", text * count, Location(Path("a.md"), 1)))
    assert time.process_time() - began < 2


def test_every_check_has_its_own_name_and_reason() -> None:
    assert all(name == check.id and check.title and check.why for name, check in CHECKS_BY_ID.items())
