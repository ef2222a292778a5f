"""
The data types: what a lesson consists of, what a step can do, and what a run produces.

All of them are frozen except the counter :class:`Diagnostics`. Nothing here prints or reads files.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesson_runner.model.action import (
        ActionCall,
        Gap,
        Inspection,
        Outcome,
    )
    from lesson_runner.model.block_role import BlockRole
    from lesson_runner.model.diagnostics import Checked, Diagnostics
    from lesson_runner.model.document import (
        Block,
        Choice,
        Claim,
        Diagnostic,
        Edit,
        Expectation,
        Heading,
        Ignore,
        Json,
        Lesson,
        Link,
        Location,
        NotRun,
        Override,
        Severity,
        Sidecar,
        Step,
        first_error,
    )
    from lesson_runner.model.field_types import check_fields
    from lesson_runner.model.hardware import NOT_BOARDS, Hardware
    from lesson_runner.model.need import Need
    from lesson_runner.model.roles import MAIN_PATH, Opinion, Role
    from lesson_runner.model.rule import Rule, Scope
    from lesson_runner.model.run import (
        LEFT_OUT,
        ClaimResult,
        ClaimVerdict,
        Diagnosis,
        Event,
        Layer,
        Plan,
        PlannedStep,
        Status,
        StepResult,
        Verdict,
    )
    from lesson_runner.model.sections import (
        Cell,
        Line,
        Passage,
        Point,
        Section,
        Series,
        Table,
        Texts,
        checked_section,
    )

__all__ = [
    "LEFT_OUT",
    "MAIN_PATH",
    "NOT_BOARDS",
    "ActionCall",
    "Block",
    "BlockRole",
    "Cell",
    "Checked",
    "Choice",
    "Claim",
    "ClaimResult",
    "ClaimVerdict",
    "Diagnosis",
    "Diagnostic",
    "Diagnostics",
    "Edit",
    "Event",
    "Expectation",
    "Gap",
    "Hardware",
    "Heading",
    "Ignore",
    "Inspection",
    "Json",
    "Layer",
    "Lesson",
    "Line",
    "Link",
    "Location",
    "Need",
    "NotRun",
    "Opinion",
    "Outcome",
    "Override",
    "Passage",
    "Plan",
    "PlannedStep",
    "Point",
    "Role",
    "Rule",
    "Scope",
    "Section",
    "Series",
    "Severity",
    "Sidecar",
    "Status",
    "Step",
    "StepResult",
    "Table",
    "Texts",
    "Verdict",
    "check_fields",
    "checked_section",
    "first_error",
]

_MODULES = (
    "document",
    "run",
    "action",
    "diagnostics",
    "field_types",
    "hardware",
    "need",
    "roles",
    "block_role",
    "rule",
    "sections",
)
"""Where these names are defined."""


def __getattr__(name: str) -> object:
    """Import the module of a name on first use: `lesson --help` needs only the errors in this package."""
    if name in __all__:
        for module in _MODULES:
            found = getattr(importlib.import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
