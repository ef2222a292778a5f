"""A plugin for lessons without directives: it buys, looks, and breaks things on request."""

from __future__ import annotations

from typing import Any

from lesson_runner.plugins import (
    Action,
    ActionCall,
    Block,
    Diagnostic,
    Expectation,
    Inspection,
    Lesson,
    Outcome,
    StepContext,
    hookimpl,
)


def buy(params: Any, context: StepContext) -> Outcome:
    context.say(f"bought {params['what']} for {params['coins']}")
    return Outcome(metrics={"coins": params["coins"]})


def look(params: Any, context: StepContext) -> Outcome:
    context.say(f"looked at {' and '.join(params['at'])}")
    return Outcome()


SCHEMAS: dict[str, Any] = {
    "shop.buy": {"what": {"type": "string"}, "coins": {"type": "integer"}},
    "shop.look": {"at": {"type": "array"}, "slowly": {"type": "boolean"}},
    "shop.guess": {},
}


def action(name: str, run: Any, **more: Any) -> Action:
    schema = {"type": "object", "properties": SCHEMAS[name], "additionalProperties": False}
    return Action(name, name, run, schema=schema, **more)


@hookimpl
def lesson_actions() -> list[Action]:
    return [
        action(
            "shop.buy",
            buy,
            defaults={"coins": 9},
            profiles={"quick": {"coins": 1}, "full": {}},
            inspect=lambda params: Inspection((f"seen:{params['what']}",), (f"bought:{params['what']}",)),
            expect=(Expectation("metric", {"name": "coins", "min": 0.5}), Expectation("contains", "bought")),
        ),
        action(
            "shop.look",
            look,
            self_judging=True,
            inspect=lambda params: Inspection((), tuple(f"seen:{name}" for name in params["at"])),
            checks=lambda params: [],
        ),
        action("shop.guess", look),
    ]


@hookimpl
def lesson_interpret_block(block: Block, lesson: Lesson) -> list[ActionCall] | None:
    """A command a line: ``buy bread``, ``look bread``, ``stare bread``; a comment above one goes with it."""
    if block.language == "command-link":
        words = block.text.strip().split(".")
        return [ActionCall("shop.look", {"at": [words[1]]}, block.location)] if words[0] == "shop" else None
    if block.language not in ("bash", "shop"):
        return None
    calls: list[ActionCall] = []
    comments: list[str] = []
    for row in block.text.splitlines():
        verb, _, what = row.partition(" ")
        if row.startswith("#"):
            comments.append(row)
        elif verb in ("buy", "look", "stare", "guess"):
            meant: dict[str, Any] = {"buy": {"what": what}, "look": {"at": [what]}, "guess": {}}
            meant["stare"] = {"at": [what], "slowly": True}
            wrong = what == "nothing"
            problem = Diagnostic("shop.nothing", "warning", "nothing is no thing", block.location)
            calls.append(
                ActionCall(
                    "shop.look" if verb == "stare" else f"shop.{verb}",
                    meant[verb],
                    block.location,
                    row,
                    tuple(comments),
                    (problem,) if wrong else (),
                )
            )
            comments = []
        elif row:
            return None
    return calls or None
