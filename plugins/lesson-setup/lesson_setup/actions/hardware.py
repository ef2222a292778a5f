"""The action ``setup.show-hardware``: show this machine's hardware, and how it was found."""

from __future__ import annotations

from lesson_runner.plugins import Json, Outcome, StepContext
from lesson_setup import machine
from lesson_setup.evidence import HARDWARE, write
from lesson_setup.hardware import take_inventory


def run(params: Json, context: StepContext) -> Outcome:  # noqa: ARG001
    """Show what the plugins detected, and what the driver reports about each device, without opening one."""
    inventory = take_inventory(machine.PLACES, context.run.hardware)
    context.say("\n".join(inventory.lines))
    write(context.evidence / HARDWARE, inventory.data)
    return Outcome()
