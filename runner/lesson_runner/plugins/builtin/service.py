"""The ``service`` action: start something that runs until the run ends, such as a server."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lesson_runner.document.steps import SERVICE, seconds
from lesson_runner.document.transcripts import typed
from lesson_runner.execute.service import TOKEN, Service, detaches, in_background, probe
from lesson_runner.files.plain import write_atomically
from lesson_runner.files.untrusted import make_below, read_json
from lesson_runner.model import PlannedStep
from lesson_runner.plugins import Action, Json, Outcome, RunContext, StepContext
from lesson_runner.plugins.builtin.shell import (
    MOST_QUOTED,
    block_line,
    evaluate,
    outcome_of,
    terminal,
)

AGAIN = "service.again"
"""The key of the ids of steps whose services a run starts again for the steps after them."""
TIMEOUT = 60.0
"""Seconds in which a service has to be ready."""
EVERY = 0.1
"""Seconds between two looks at a service that is starting."""
SETTLED, PAUSED = 1.0, 0.5
"""Seconds that a service must live, and print nothing, if nothing says when it is ready."""
PROBED = 10.0
"""Seconds that one look at a port or an address may take."""
_STOPS = re.compile(r"\b(?:p?kill\b(?!\s+-0)|killall|stop|down|shutdown|quit|terminate|fuser)\b")
"""What the command of a step has that stops a service."""


def run_service(params: Json, context: StepContext) -> Outcome:
    """Start ``script`` in the background of the run's terminal, and wait until it is ready."""
    run, name = context.run, context.step.id
    script = typed(params["script"]).text
    (context.evidence / "script.sh").write_text(script + "\n", "utf-8")
    ready: Mapping[str, Any] = params.get("ready") or {}
    bash = terminal(run)
    service = Service(name, run.shared_evidence / f"service-{name}.txt", run.redactor)
    service.stop = params.get("stop")
    if taken := [
        f"{kind} {ready[kind]}" for kind in ("port", "url") if kind in ready and _answers(ready, run)
    ]:
        return Outcome("failed", f"{taken[0]} answers already: something else is running there")

    def on_line(text: str) -> None:
        context.show(text)
        service.write(text)

    finished = evaluate(
        in_background(script),
        context,
        line=block_line(context),
        extra={TOKEN: service.token},
        on_line=on_line,
        rest=service.feed,
        apart=False,
        again=name in run.store.get(AGAIN, ()),
    )
    outcome = outcome_of(finished, context)
    if outcome.status != "passed":
        service.end()
        return outcome
    service.begin(finished.still_running, watched=bool(finished.still_running) or not detaches(script))
    service.output = finished.output
    limit = time.monotonic() + (seconds(params.get("timeout")) or TIMEOUT)
    problem = _wait(service, ready, context, min(limit, context.deadline or limit))
    if problem:
        service.end()
        return Outcome("failed", problem, service.output)
    bash.spare(service.members)
    services_of(run)[name] = service
    _remember(run)
    labels = () if ready else ("readiness not checked",)
    return Outcome(output=service.output, labels=labels)


def _wait(service: Service, ready: Mapping[str, Any], context: StepContext, limit: float) -> str:
    """Wait until a service is ready; return why it is not, or nothing."""
    began = time.monotonic()
    what = ", ".join(f"{kind} {value}" for kind, value in ready.items())
    while True:
        alive = bool(service.members())
        if text := service.take():
            context.show(text)
        now = time.monotonic()
        if "output" in ready:
            done = re.search(ready["output"], service.output) is not None
        elif ready:
            done = _answers(ready, context.run)
        else:
            done = now - began >= SETTLED and now - service.printed_at >= PAUSED
        if alive or not service.watched:
            if done:
                service.ready = True
                return ""
        else:
            status = terminal(context.run).job_status(PROBED)
            if text := service.take():
                context.show(text)
            return f"the service ended before it was ready: exit code {status}{_said(service)}"
        if now >= limit:
            waited = f"{now - began:.0f} s"
            return f"the service was not ready after {waited} ({what or 'it still prints'}){_said(service)}"
        time.sleep(EVERY)


def _said(service: Service) -> str:
    last = service.last_words.strip() or next(
        (row for row in reversed(service.output.split("\n")) if row.strip()), ""
    )
    return f": {last[:MOST_QUOTED]}" if last else ""


def _answers(ready: Mapping[str, Any], run: RunContext) -> bool:
    """Return whether the port or the address of a service answers, seen from the terminal."""
    kind, value = next(iter(ready.items()))
    return terminal(run).holds(probe(kind, value), PROBED)


def services_of(run: RunContext) -> dict[str, Service]:
    """Return the services that the run has started, by the id of their steps, in that order."""
    found: dict[str, Service] = run.store.setdefault(SERVICE, {})
    return found


def note_ended(run: RunContext, step: PlannedStep) -> str:
    """
    Note which services have ended while a step ran, or before it.

    A step whose command stops something has stopped them.

    Returns:
        what to tell about those that have ended by themselves; empty if there are none.
    """
    ended = [item for item in services_of(run).values() if item.watched and item.stopped_by is None]
    ended = [item for item in ended if not item.members()]
    if ended and _STOPS.search(step.command or step.source):
        for item in ended:
            item.stopped_by = step.id
        _remember(run)
        return ""
    return "; ".join(_ended(item) for item in ended)


def _ended(service: Service) -> str:
    return f"the service '{service.step}' has ended{_said(service)}"


def end_services(run: RunContext) -> dict[str, str]:
    """
    End the services of a run, the last one first.

    Returns:
        for each that failed, by the id of its step: that it had ended by itself, or that its ``stop`` command
        failed.
    """
    problems: dict[str, str] = {}
    for name, service in reversed(services_of(run).items()):
        if service.stopped_by is not None:
            continue
        if service.watched and not service.members():
            problems[name] = f"{_ended(service)}; it should run until the end of the run"
        if service.stop:
            command = ("bash", "-c", service.stop)
            if not terminal(run).holds(command, TIMEOUT) and name not in problems:
                problems[name] = f"its stop command failed: {service.stop}"
        service.end()
    run.store.pop(SERVICE, None)
    return problems


def to_start_again(plan: Sequence[PlannedStep], running: Sequence[str], home: Path) -> set[str]:
    """
    Return the steps whose services must be started again for the steps that a run runs.

    Args:
        plan: the steps, in order.
        running: the ids of those that run.
        home: the run folder with the terminal that the run continues.
    """
    order = {step.id: place for place, step in enumerate(plan)}
    places = [order[name] for name in running]
    found: set[str] = set()
    for name, stopped_by in _remembered(home).items():
        if name in order and name not in running:
            end = order.get(stopped_by, len(plan)) if stopped_by else len(plan)
            found |= {name} if any(order[name] < place <= end for place in places) else set()
    return found


def _remember(run: RunContext) -> None:
    known = {**_remembered(run.home), **{item.step: item.stopped_by for item in services_of(run).values()}}
    write_atomically(make_below(run.home.absolute(), "shell") / f"{SERVICE}.json", json.dumps(known), 0o600)


def _remembered(home: Path) -> dict[str, str | None]:
    """Return the services that runs in a run folder have started: which step has stopped each, if any."""
    with contextlib.suppress(OSError, ValueError):
        known = read_json(home, f"shell/{SERVICE}.json")
        if isinstance(known, dict):
            return {str(name): by if isinstance(by, str) else None for name, by in known.items()}
    return {}


def _command(params: Json) -> str:
    read = typed(str(params["script"]))
    return "\n".join(filter(str.strip, read.text.split("\n"))) if read.transcript else str(params["script"])


ACTION = Action(
    SERVICE,
    "Start a block of shell commands that runs until the run ends",
    run_service,
    schema={
        "type": "object",
        "properties": {
            "script": {
                "description": "Bash commands, of which the last one runs in the background.",
                "type": "string",
                "x-block": "commands",
            },
            "ready": {"$ref": "step.schema.json#/$defs/ready"},
            "timeout": {"$ref": "step.schema.json#/$defs/duration"},
            "stop": {"$ref": "step.schema.json#/$defs/stop"},
        },
        "required": ["script"],
        "additionalProperties": False,
    },
    permissions=frozenset({"shell"}),
    self_judging=True,
    metrics=(),
    command=_command,
)
