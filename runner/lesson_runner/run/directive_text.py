"""Write the recognised steps of a lesson as directives: which word, which keys, and their YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.document.steps import SERVICE
from lesson_runner.document.transcripts import shown_output
from lesson_runner.model import Block, BlockRole, Expectation, Need, Role, Step
from lesson_runner.plugins.manager import Plugins
from lesson_runner.roles import COMMAND_LINK
from lesson_runner.run.recognise import Choices, Recognition
from lesson_runner.run.resolve_blocks import needs_in, only_verifies, recognise_steps, resolve_block

KEYS: Mapping[Role, Callable[[BlockRole], dict[str, Any]]] = {
    "run": lambda _: {},
    "file": lambda item: {"file": item.file},
    "service": lambda _: {"service": {}},
    "system": lambda _: {"system": True},
    "placeholder": lambda item: {"placeholders": [*item.placeholders]},
    "interactive": lambda _: {},
}
"""What a directive says about a step besides its parameters, by the role of its block."""
_END = "-->"


@dataclass(frozen=True, slots=True)
class Written:
    """A directive to write."""

    word: str
    data: Mapping[str, Any]
    block: Block
    """What it is about; for ``run``, the link that the hidden block stands for."""
    needed: bool = True
    """False for a ``skip`` that may be left out where it cannot be written."""


def directives_for(found: Recognition, plugins: Plugins) -> Iterator[Written]:
    """
    Yield a directive for each recognised step.

    Blocks that belong to another step, or to no step although a reader would use them, get a ``skip`` with
    the reason.
    """
    roles = {item.block: item for item in found.blocks}
    read = needs_in(found.lesson, found.blocks, plugins)
    needs = {item.block: (*item.needs, *item.earlier) for item in read}
    ways = _other_ways(found, plugins)
    offered = {item.group for item, _ in ways.values()}
    for step in found.lesson.steps:
        block = step.block
        assert block is not None  # a recognised step has one
        if step.skip and step.role != "placeholder":
            yield Written("skip", {"reason": f"{step.role}: {step.skip}"}, block)
        else:
            word = "run" if block.language == COMMAND_LINK else "step"
            data = _keys(step, roles[block], needs.get(block, ()), found, plugins)
            data |= _choice(roles[block]) if roles[block].group in offered else {}
            yield Written(word, data, block)
    for block, (way, step) in ways.items():
        yield Written("step", {**_keys(step, way, (), found, plugins), **_choice(way)}, block)
    for name, blocks in found.absorbed.items():
        for block in blocks:
            if block.language != COMMAND_LINK:  # a link is not code
                yield Written("skip", {"reason": f"covered by step '{name}'"}, block)
    for left in found.not_covered:
        if left.block.language != COMMAND_LINK and left.block not in ways:
            yield Written("skip", {"reason": left.reason}, left.block, needed=False)


def _other_ways(found: Recognition, plugins: Plugins) -> dict[Block, tuple[BlockRole, Step]]:
    """
    Return the blocks that ``--choose`` would run, each with its role and the step that it would be.

    A step that a plugin runs is not among them: its parameters may depend on other steps.
    """
    lesson = dataclasses.replace(found.lesson, steps=())
    run = {item.group: item.option for item in found.blocks if item.group and item.step}
    others = (item for item in found.blocks if item.role == "alternative" and item.group in run)
    options = {(item.group, item.option) for item in others if item.option != run[item.group]}
    taken = {step.id for step in found.lesson.steps}
    ways: dict[Block, tuple[BlockRole, Step]] = {}
    for group, option in sorted(options):
        other = recognise_steps(lesson, plugins, Choices({group: option}))
        roles = {item.block: item for item in other.blocks if (item.group, item.option) == (group, option)}
        for step in other.lesson.steps:
            item = roles.get(step.block) if step.block else None
            if item is None or step.uses is None or step.skip:
                continue
            number = next(n for n in count(1) if _numbered(step.id, n) not in taken)
            taken.add(_numbered(step.id, number))
            ways[item.block] = item, dataclasses.replace(step, id=_numbered(step.id, number))
    return ways


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _choice(item: BlockRole) -> dict[str, Any]:
    return {"choice": {"group": item.group, "option": item.option}}


def _keys(
    step: Step, item: BlockRole, needs: Iterable[Need], found: Recognition, plugins: Plugins
) -> dict[str, Any]:
    """Return the keys of a directive that do not follow from its block and heading."""
    block = item.block
    data: dict[str, Any] = {"id": step.id}
    if step.title and step.title != (block.headings[-1] if block.headings else step.id):
        data["title"] = step.title
    if step.uses is not None:
        data |= KEYS[step.role](item)
        data |= KEYS["service"](item) if step.uses == SERVICE else {}
        data |= KEYS["placeholder"](item) if step.role == "system" and item.placeholders else {}
        if step.params and step.role != "file":  # whose only parameter is its path
            data["with"] = dict(step.params)
        if step.role != "file" and (requires := _requires(needs)):
            data["requires"] = requires
        if step.uses not in ("file", SERVICE):
            declared = dataclasses.replace(step, uses=None, recognised=False, params={})
            calls = resolve_block(declared, found.lesson, plugins)[0].calls
            data |= {"uses": step.uses} if [call.action for call in calls] != [step.uses] else {}
            if any(line.strip() not in ("", "...") for line, _ in shown_output(block)):
                data["output"] = "ignore"  # nobody promised it yet
        return data
    data |= KEYS["system"](item) if step.role == "system" else {}
    calls = resolve_block(step, found.lesson, plugins)[0].calls
    explicit = calls[0] if only_verifies(calls, block, plugins) else None
    if explicit:
        data["uses"] = explicit.action
    if params := {**(explicit.params if explicit else {}), **step.params}:
        data["with"] = params
    if step.expect:
        data["expect"] = [_expectation(wanted) for wanted in step.expect]
    return data


def _requires(needs: Iterable[Need]) -> list[Any]:
    """Return needs as a directive writes them, without those that it cannot write."""
    schema = load_schema("step")["$defs"]["need"]
    items = (
        {need.kind: int(need.value) if need.kind == "chips" else need.value} if need.value else need.kind
        for need in dict.fromkeys(needs)
    )
    return [item for item in items if validator_for(schema).is_valid(item)]


def _expectation(item: Expectation) -> dict[str, Any]:
    when = {"when": dict(item.when)} if item.when else {}
    return {item.matcher: item.argument, **when}


def yaml_rows(data: Mapping[str, Any]) -> list[str]:
    """Return YAML as directives are written: one key per line, with its value on the same line."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
            return super().increase_indent(flow, False)

        def serialize(self, node: Any) -> None:
            node.flow_style = False
            for _, value in node.value:
                rows = value.value if isinstance(value, yaml.SequenceNode) else ()
                if any(isinstance(row, yaml.MappingNode) for row in rows):  # expectations
                    for part in (value, *rows):
                        part.flow_style = False
            super().serialize(node)

    def quoted(dumper: Dumper, text: str) -> yaml.Node:
        style = '"' if _END in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 10_000}
    text: str = yaml.dump(dict(data), Dumper=Dumper, default_flow_style=None, **options)
    return text.replace(_END, r"--\x3E").rstrip("\n").split("\n")
