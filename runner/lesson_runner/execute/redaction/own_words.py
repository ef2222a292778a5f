"""
Words that the runner itself writes into records and events.

They are never redacted, even if a secret is the same ordinary word: records must stay readable by programs.
"""

from __future__ import annotations

MATCHERS = ("exit", "contains", "not_contains", "regex", "lines", "json", "metric", "file")

NAMES = frozenset(
    {
        # of events
        *("time", "event", "step", "text", "done", "total", "steps", "carried", "record", "facts", "left"),
        *("events", "reason", "seconds_left", "curve", "left_unknown"),
        # of records
        *(
            "record_version",
            "run_id",
            "status",
            "exit_code",
            "lesson",
            "plan_digest",
            "profile",
            "backend",
            "params",
        ),
        *(
            "options",
            "hardware",
            "labels",
            "versions",
            "plugins",
            "started",
            "finished",
            "seconds",
            "resumed",
        ),
        *(
            "not_run",
            "id",
            "title",
            "path",
            "sha256",
            "content_sha256",
            "recognised",
            "at",
            "line",
            "language",
        ),
        *(
            "fresh",
            "sandbox",
            "env",
            "in",
            "continues",
            "only",
            "start",
            "until",
            "name",
            "version",
            "error",
            "loaded",
        ),
        *("devices", "kind", "detected_by"),
        # of their steps
        *(
            "action",
            "claimed_by",
            "layers",
            "needs",
            "expect",
            "when",
            "command",
            "cleanup",
            "hint",
            "optional",
            "message",
            "metrics",
        ),
        *(
            "verdicts",
            "claims",
            "attempts",
            "artifacts",
            "diagnoses",
            "bytes",
            "matcher",
            "expected",
            "actual",
        ),
        *("passed", "claim", "source", "result", "explanation", "section", "link"),
        *("not_hashed", "stamp", "choices", "requires", "shown", "sidecar"),
        *MATCHERS,
        *("min", "max", "unit"),
    }
)
"""Keys."""
WORDS = frozenset(
    {
        *(
            "passed",
            "failed",
            "error",
            "skipped",
            "not-reached",
            "planned",
            "unfinished",
            "interrupted",
            "nothing-ran",
        ),
        *(
            "reproduced",
            "better",
            "worse",
            "not evaluated",
            "auto",
            "ttml",
            "emulated",
            "no network",
            "with network",
        ),
        *MATCHERS,
        *(
            "when",
            "confirmed",
        ),
        *("silicon", "simulator", "mock"),
        *(
            "run-started",
            "step-started",
            "output",
            "progress",
            "step-finished",
            "run-finished",
            "events-lost",
        ),
    }
)
"""Values of the keys in :data:`STRUCTURE`."""
STRUCTURE = frozenset(
    {
        "event",
        "status",
        "matcher",
        "result",
        "backend",
        "kind",
        "sandbox",
        "run_id",
        "time",
        "started",
        "finished",
        "at",
    }
    | {"sha256", "content_sha256", "plan_digest"}
)
"""Keys whose values are digests, times and words of the runner."""
