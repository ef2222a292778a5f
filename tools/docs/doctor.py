"""Generate ``docs/doctor.md``: the checks of ``lesson doctor``, and the checks for each symptom."""

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
    ("`TT_METAL_HOME not set`, or `TT_METAL_RUNTIME_ROOT not set`", ("tt-metal-home", "metal-variables")),
    ("`No module named 'ttml'`, or `'ttnn'`", ("environment-variables", "ttml", "ttnn")),
    ("`No module named '_ttml'`, or the installation of tt-train fails", ("tt-metal-home", "ttml-build")),
    ("`module 'ttml' has no attribute 'autograd'`", ("unrelated-ttml",)),
    ("`A module that was compiled using NumPy 1.x cannot be run in NumPy 2`", ("ttnn-packages",)),
    ("a well-trained model generates text that repeats itself", ("tt-metal-version",)),
    ("kernels do not compile, or are compiled for the wrong board", ("metal-variables",)),
    ("`No chips detected in the cluster`", ("devices",)),
    ("`Permission denied` when a file in `/dev/tenstorrent` is opened", ("devices",)),
    ("the program hangs when it opens the device", ("device-busy",)),
    ("`Fabric Router Sync: Timeout` on two or four Blackhole chips", ("mesh-descriptor",)),
    ("a checkpoint is not saved: `No space left on device`", ("disk",)),
)
"""What a learner sees, and the checks that find the cause, the likeliest first."""
_HEAD = """\
# The doctor

`lesson doctor` checks the machine without changing it. For each problem it says why it matters and how to fix
it. `lesson doctor LESSON` makes only the checks that the lesson's steps ask for, and the check of tt-metal's
version if the lesson has a `minTTMetalVersion`.

| option | what it does |
|---|---|
| `--fix` | shows each command that is safe to run, runs it if you agree, and checks again |
| `--fix --yes` | the same without asking, for scripts; without a terminal, `--fix` alone exits with code 2 |
| `--check disk,memory` | runs only these checks |
| `--param NAME=VALUE` | with a lesson: sets a parameter of its steps, as in `lesson run` |
| `--json` | `{"checks": [{id, title, why, status, found, expected, fix, command}], "hardware": [...], …}` |
| `--backend` | `ttml`: checks as if there were a board; `emulated`: as if there were none |

The exit code is 0 if no check failed (warnings do not count), 1 if a check failed, and 2 if the checks could
not start. In JSON, `command` holds the words of a command that loses none of your data and needs no shell. If
it is empty, you have to carry out the `fix` yourself: for example set a variable, build, or end a process.
Commands run in the environment of `lesson doctor`, and `pip` is always the one of its own Python.

The last line says whether this machine can run lessons, and whether on the board or emulated; in JSON these
are `ready`, and `runs_on`: `board` or `emulation`.

Checks that only a board needs are skipped if no board is used, and say why. Whatever cannot be determined is
a warning, never `ok`.
"""
_VERSIONS = """\
## Versions of tt-metal

| version | what is known | verdict |
|---|---|---|
| before v0.66.0-rc5 | has no Python `ttml` | failed |
| v0.66.0-rc5 to -rc7 | trains, but its text repeats itself | warning; failed if the lesson needs newer |
| up to v0.67.0-dev20260203 | nothing; that build is the first known good one | as above |
| v0.67.0-dev20260203 and later | trains and generates well | ok, unless the lesson needs newer |

The version is read from the first source that has it: `git describe` in the tree, the files `VERSION` and
`RELEASE_VERSION`, what `git archive` wrote into `cmake/version.cmake`, the installed `ttnn`, the Debian
packages `tt-metalium` and `tt-nn`, and the variable `TT_METAL_COMMIT_SHA_OR_TAG` of container images. A run's
record stores the version and its source as `facts.metal`.
"""
_TAIL = """\
A loss that stays high or explodes, and too little memory on the device, are problems of a training, not of
the machine. Other plugins add their own checks; `lesson plugins` lists all checks.
"""


def text() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_symptoms(), *_checks(), _VERSIONS])


def _symptoms() -> Iterator[str]:
    yield "## From symptom to check\n"
    yield "| what you see | checks |\n|---|---|"
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
