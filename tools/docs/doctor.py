"""``docs/doctor.md``: the checks of ``lesson doctor``, and which of them explains which symptom."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lesson_runner.plugins.checks import Check
from lesson_tenstorrent.table import CHECKS

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
SYMPTOMS = (
    ("`error: unknown type name 'ChipId'` while tt-metal is built", ("submodules",)),
    (
        "`ImportError: undefined symbol: _ZN2tt10DevicePool5_instE`, or another symbol",
        ("pip-ttnn", "environment-variables", "ttnn", "ttml"),
    ),
    ("`std::bad_cast` when `ttml` is imported", ("pip-ttnn", "ttml")),
    (
        "`ModuleNotFoundError: No module named 'transformers'`, or another package",
        ("ttml", "packages"),
    ),
    ("`TT_METAL_HOME not set`, or `TT_METAL_RUNTIME_ROOT` is not", ("tt-metal-home", "metal-variables")),
    ("`No module named 'ttml'`, or `'ttnn'`", ("environment-variables", "ttml", "ttnn")),
    ("`No module named '_ttml'`, or the installation of tt-train failed", ("tt-metal-home", "ttml-build")),
    ("`module 'ttml' has no attribute 'autograd'`", ("unrelated-ttml",)),
    ("`A module that was compiled using NumPy 1.x cannot be run in NumPy 2`", ("ttnn-packages",)),
    ("a model that was trained well repeats itself when it generates", ("tt-metal-version",)),
    ("kernels do not compile, or for the wrong board", ("metal-variables",)),
    ("`No chips detected in the cluster`", ("devices",)),
    ("`Permission denied` when a file of `/dev/tenstorrent` is opened", ("devices",)),
    ("the program hangs when it opens the device", ("device-busy",)),
    ("`Fabric Router Sync: Timeout` on two or four Blackhole chips", ("mesh-descriptor",)),
    ("a checkpoint is not saved: no space left on the device", ("disk",)),
)
"""What a learner sees, and the checks that find the cause, the most likely first."""
_HEAD = """\
# The doctor

`lesson doctor` checks the machine, and says what is wrong, why that matters, and what to type. It changes
nothing. `lesson doctor LESSON` runs only the checks of the lesson's steps, and that of tt-metal's version if
the lesson has a `minTTMetalVersion`.

| option | what it does |
|---|---|
| `--fix` | shows each command that is safe to run, runs it if you confirm, and checks again |
| `--fix --yes` | the same without asking, for scripts; without a terminal, `--fix` alone ends with 2 |
| `--check disk,memory` | runs only these checks |
| `--param NAME=VALUE` | with a lesson: sets a parameter of its steps, as with `lesson run` |
| `--json` | `{"checks": [{id, title, why, status, found, expected, fix, command}], "hardware": [...], …}` |
| `--backend` | `ttml`: as if there were a board; `emulated`: as if there were none |

The exit code is 0 if no check failed, 1 if a check failed (a warning does not count), and 2 if it could not
start. `command` has the words of a command that deletes nothing of yours and needs no shell. If it is empty,
you have to do what `fix` says, such as setting a variable, building, or ending a process. Commands run in the
environment of the doctor, and `pip` is always that of its own Python.

The last line says whether lessons can run here, on the board or emulated; in JSON these are `ready`, and
`runs_on`: `board` or `emulation`.

Checks that only a board needs are skipped if no board is used, with the reason. An unknown state is a
warning, never `ok`.
"""
_VERSIONS = """\
## Versions of tt-metal

| version | what is known | verdict |
|---|---|---|
| before v0.66.0-rc5 | no Python `ttml` | failed |
| v0.66.0-rc5 to -rc7 | trains, repeats itself when it generates | warning; failed if the lesson wants newer |
| then, up to v0.67.0-dev20260203 | nothing; that build is the first seen to generate well | as above |
| v0.67.0-dev20260203 and later | trains and generates | ok, unless the lesson wants newer |

The version comes from the first of these that has it: `git describe` in the tree, `VERSION` files, what
`git archive` wrote into `cmake/version.cmake`, the installed `ttnn`, the Debian packages `tt-metalium` and
`tt-nn`, and `TT_METAL_COMMIT_SHA_OR_TAG` of an image. A run's record keeps it as `facts.metal`, with its
source.
"""
_TAIL = """\
A loss that stays high or explodes, or too little memory on the device, are problems of a training, not of the
machine. Other plugins add their own checks; `lesson plugins` lists all.
"""


def text() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_symptoms(), *_checks(), _VERSIONS])


def _symptoms() -> Iterator[str]:
    yield "## From symptom to check\n"
    yield "| what you see | look at |\n|---|---|"
    for symptom, ids in SYMPTOMS:
        yield f"| {symptom} | {', '.join(f'`{name}`' for name in ids)} |"
    yield f"\n{_TAIL}"


def _checks() -> Iterator[str]:
    yield "## The checks\n\nA fault may cause those below it, so fix them from the top.\n"
    yield "| check | what it does | why it matters | where |\n|---|---|---|---|"
    for check in CHECKS:
        where = "with a board" if check.board_only else "everywhere"
        yield f"| `{check.id}` | {_about(check)} | {check.why} | {where} |"
    yield ""


def _about(check: Check) -> str:
    """Return the first line of the docstring of the check's function."""
    function = check.run.func if isinstance(check.run, partial) else check.run
    return (function.__doc__ or "").strip().split("\n")[0].rstrip(".").replace("``", "`")
