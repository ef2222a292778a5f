"""The answer of ``lesson certify``: the certificate, or each missing requirement with its fix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lesson_runner.cli.common import make_console, print_json
from lesson_runner.model.errors import ExitCode

if TYPE_CHECKING:
    from lesson_runner.certify.issue import Issued
    from lesson_runner.certify.policy import Policy
    from lesson_runner.certify.policy_input import RequirementResult


def print_answer(issued: Issued, policy: Policy, *, json: bool) -> int:
    """Print the result, and return the exit code."""
    if json:
        print_json(_as_json(issued, policy))
    else:
        _print(issued, policy)
    return ExitCode.GOOD if issued.folder else ExitCode.CERTIFICATE


def _as_json(issued: Issued, policy: Policy) -> dict[str, Any]:
    return {
        "certificate": str(issued.folder) if issued.folder else None,
        "policy": policy.name,
        "findings": [
            {
                "requirement": item.requirement,
                "met": item.met,
                "asked": item.asked,
                "found": item.found,
                "fix": item.fix,
            }
            for item in issued.requirements
        ],
    }


def _print(issued: Issued, policy: Policy) -> None:
    from rich.text import Text

    console = make_console()
    console.print()
    if issued.folder:
        console.print(Text(f"Certified under the policy '{policy.name}':", "bold green"))
        _print_requirements(issued.requirements)
        console.print(f"Certificate: {issued.folder}")
        return
    missing = issued.missing
    count = f"{len(missing)} requirement{'' if len(missing) == 1 else 's'}"
    console.print(Text(f"Not certified under the policy '{policy.name}': {count} not met", "bold red"))
    _print_requirements(missing)


def _print_requirements(requirements: Sequence[RequirementResult]) -> None:
    from rich.text import Text

    from lesson_runner.report.text import line

    console = make_console()
    for item in requirements:
        sign, style = ("✓", "green") if item.met else ("✗", "red")
        console.print(Text.assemble((f"{sign} ", style), line(f"{item.asked}: {item.found}")))
        if item.fix:
            console.print(Text(line(f"  → {item.fix}"), "dim"))
