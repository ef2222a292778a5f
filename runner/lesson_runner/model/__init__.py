"""
The nouns: what a lesson consists of, what a step can do, and what running gives.

Everything here is plain, frozen data; nothing here reads a file, prints, or imports another module of the
project.
"""

from lesson_runner.model.action import (
    Action,
    ActionCall,
    Evidence,
    Hardware,
    Outcome,
    Paths,
)
from lesson_runner.model.document import (
    Block,
    Claim,
    Diagnostic,
    Expectation,
    Json,
    Lesson,
    Location,
    NotRun,
    Override,
    Severity,
    Step,
    first_error,
)
from lesson_runner.model.run import (
    LEFT_OUT,
    ClaimResult,
    ClaimVerdict,
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
    "LEFT_OUT",
    "Action",
    "ActionCall",
    "Block",
    "Claim",
    "ClaimResult",
    "ClaimVerdict",
    "Diagnostic",
    "Event",
    "Evidence",
    "Expectation",
    "Hardware",
    "Json",
    "Layer",
    "Lesson",
    "Location",
    "NotRun",
    "Outcome",
    "Override",
    "Paths",
    "Plan",
    "PlannedStep",
    "Section",
    "Severity",
    "Status",
    "Step",
    "StepResult",
    "Verdict",
    "first_error",
]
