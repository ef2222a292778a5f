"""
The nouns: what a lesson consists of, what a step can do, and what running gives.

Everything here is data, and all of it is frozen except the counter :class:`Findings`. Nothing here prints,
and only :class:`Evidence` reads files.
"""

from lesson_runner.model.action import (
    NOT_BOARDS,
    Action,
    ActionCall,
    Hardware,
    Inspection,
    Outcome,
)
from lesson_runner.model.document import (
    Block,
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
    Step,
    first_error,
)
from lesson_runner.model.evidence import EVIDENCE, SHARED, Evidence
from lesson_runner.model.findings import Checked, Findings
from lesson_runner.model.misfit import misfit
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
    Section,
    Status,
    StepResult,
    Verdict,
)

__all__ = [
    "EVIDENCE",
    "LEFT_OUT",
    "NOT_BOARDS",
    "SHARED",
    "Action",
    "ActionCall",
    "Block",
    "Checked",
    "Claim",
    "ClaimResult",
    "ClaimVerdict",
    "Diagnosis",
    "Diagnostic",
    "Edit",
    "Event",
    "Evidence",
    "Expectation",
    "Findings",
    "Hardware",
    "Heading",
    "Ignore",
    "Inspection",
    "Json",
    "Layer",
    "Lesson",
    "Link",
    "Location",
    "NotRun",
    "Outcome",
    "Override",
    "Plan",
    "PlannedStep",
    "Rule",
    "Scope",
    "Section",
    "Severity",
    "Status",
    "Step",
    "StepResult",
    "Verdict",
    "first_error",
    "misfit",
]
