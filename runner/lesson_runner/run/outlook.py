"""What a run of a lesson could do on this machine now, and what the other steps lack; nothing of it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lesson_runner.execute.environment import command_environment, withheld
from lesson_runner.execute.needs import PATIENCE, Surroundings, name_of, unmet_needs
from lesson_runner.model import Hardware, Need, Plan
from lesson_runner.plugins.builtin.shell import search_path
from lesson_runner.run.selection import SYSTEM

PERMISSION, VALUE, PERSON, STEP, LEFT_OUT = "permission", "value", "person", "step", "left out"
_DEPTH = 2
"""How many parts of a path :func:`general` keeps: ``~/shop``, ``/opt``."""
_UNKNOWN = ("network", "server", "docker", "sudo")
"""Kinds of needs that only a run finds out about, because they answer slowly or have to be asked."""


@dataclass(frozen=True, slots=True, order=True)
class Lack:
    """
    Something without which a run skips a step.

    Attributes:
        kind: that of a :class:`Need`; or ``permission`` (``--allow NAME``), ``value`` (a blank that
            ``--param`` fills in), ``person`` (somebody at the terminal), ``step`` (an earlier step that does
            not run), or ``left out`` (the lesson itself skips it).
        name: the need's value; the name of the permission or the step; else the reason in words, or empty.
    """

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class StepNeeds:
    """What one planned step needs."""

    id: str
    needs: tuple[Need, ...]
    steps: tuple[str, ...]
    """The ids of planned steps that must pass first."""
    lack: Lack | None
    """Why it does not run on any machine; ``None`` if it may."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run would do here."""

    ready: tuple[str, ...]
    """The ids of the steps that would run."""
    skipped: Mapping[str, tuple[Lack, ...]]
    """What each other step lacks, by its id."""
    open: Mapping[str, tuple[Need, ...]]
    """What else the steps that would run need, by their ids; only a run finds out whether it is there."""


def needs_of(plan: Plan) -> tuple[StepNeeds, ...]:
    """Return what each step of a plan needs, in the order of the plan."""
    found: dict[str, list[Need]] = defaultdict(list)
    made_by = {item.number: item.step for item in plan.blocks if item.number and item.step is not None}
    for block in plan.blocks:
        if block.step is not None:
            found[block.step] += block.needs
    parts: dict[str, list[str]] = defaultdict(list)
    for step in plan.steps:
        parts[step.id.rpartition(".")[0] or step.id].append(step.id)
    result = []
    for step in plan.steps:
        needs = [*step.requires, *found.get(step.id, ()), *found.get(step.id.rpartition(".")[0], ())]
        makers = {made_by.get(need.made_by) for need in needs} - {None, step.id}
        steps = [*step.needs, *(part for maker in makers for part in parts.get(maker or "", ()))]
        lack = None
        if step.role == "placeholder" and step.skip:
            lack = Lack(VALUE, step.skip)
        elif step.role == "interactive" and (step.skip or step.params.get("person")):
            lack = Lack(PERSON)
        elif step.skip:
            lack = Lack(LEFT_OUT, step.skip)
        elif step.role == SYSTEM:
            lack = Lack(PERMISSION, SYSTEM)
        own = [need for need in needs if made_by.get(need.made_by) is None]
        result.append(StepNeeds(step.id, tuple(dict.fromkeys(own)), tuple(dict.fromkeys(steps)), lack))
    return tuple(result)


def outlook(steps: Iterable[StepNeeds], met: Mapping[Need, bool | None]) -> Outlook:
    """
    Return what a run would do here.

    Args:
        steps: the steps of one plan, each after those that it needs.
        met: whether each need is met here, as :func:`met_here` returns it.
    """
    ready: dict[str, None] = {}
    skipped: dict[str, tuple[Lack, ...]] = {}
    undecided: dict[str, tuple[Need, ...]] = {}
    for step in steps:
        lacks = [step.lack] if step.lack else []
        lacks += [Lack(need.kind, need.value) for need in step.needs if met.get(need) is False]
        lacks += [Lack(STEP, name) for name in step.steps if name in skipped]
        if lacks:
            skipped[step.id] = tuple(lacks)
            continue
        ready[step.id] = None
        if unknown := tuple(need for need in step.needs if met.get(need) is None):
            undecided[step.id] = unknown
    return Outlook(tuple(ready), skipped, undecided)


def met_here(needs: Iterable[Need], hardware: Sequence[Hardware]) -> dict[Need, bool | None]:
    """
    Return whether each need is met on this machine, as a run that starts now would find it.

    ``None`` is for what only a run finds out: hosts and servers are not asked, and neither are Docker and
    sudo if they are installed. Programs and modules are looked for, and are not started.
    """
    wanted = list(dict.fromkeys(needs))
    found: dict[Need, bool | None] = {need: _static(need) for need in wanted if need.kind in _UNKNOWN}
    asked = [need for need in wanted if need.kind not in _UNKNOWN]
    unmet = unmet_needs(asked, Surroundings(_evaluate, hardware, withheld=withheld(os.environ)))
    return found | {need: need not in unmet for need in asked}


def _static(need: Need) -> bool | None:
    if need.kind == "sudo" and shutil.which("sudo") and os.geteuid() == 0:
        return True
    if need.kind in ("sudo", "docker") and shutil.which(need.kind) is None:
        return False
    return None


def _evaluate(script: str) -> str:
    """Return what a script of :mod:`lesson_runner.execute.needs` prints, in a folder as a run begins with."""
    env = command_environment(os.environ) | {"PATH": search_path(os.environ)}
    with TemporaryDirectory() as folder:
        path = Path(folder, "script")
        path.write_text(script)
        empty = Path(folder, "files")
        empty.mkdir()
        try:
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", str(path)],
                cwd=empty,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
    return done.stdout.decode("ascii", "replace")


def describe_lack(lack: Lack) -> str:
    """Return what is missing, in words."""
    words = {
        PERMISSION: f"--allow {lack.name}",
        VALUE: "a value to fill in",
        PERSON: "a person at a terminal",
        STEP: "an earlier step that is skipped",
        LEFT_OUT: "left out by the lesson",
    }
    return words.get(lack.kind) or name_of(Need(lack.kind, lack.name))


def general(lack: Lack) -> Lack:
    """Return a lack without its details, to be counted with others: the files of a folder are one thing."""
    if lack.kind in (STEP, VALUE, LEFT_OUT, "network"):
        return Lack(lack.kind)
    if lack.kind == "file":
        return Lack(lack.kind, str(Path(*Path(lack.name).parts[:_DEPTH])))
    return lack
