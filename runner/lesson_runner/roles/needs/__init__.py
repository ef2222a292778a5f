"""Find what each block of a lesson needs from the machine, and what it needs from earlier blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lesson_runner.document.transcripts import runs_as, typed_in
from lesson_runner.model import MAIN_PATH, Block, BlockRole, Lesson, Need
from lesson_runner.roles.candidates import COMMAND_LINK
from lesson_runner.roles.needs.python import read_python
from lesson_runner.roles.needs.shell import read_shell
from lesson_runner.roles.needs.world import Found, World

Effects = tuple[str, Sequence[str]]
"""What a command link does: the shell commands it types, and the files and folders it makes besides."""
_NOTHING_RUNS = frozenset({"output", "illustration"})


def with_needs(
    lesson: Lesson,
    blocks: Sequence[BlockRole],
    more: Callable[[Block, Lesson], Iterable[Need]] = lambda _block, _lesson: (),
    effects: Callable[[Block, Lesson], Effects] = lambda _block, _lesson: ("", ()),
) -> tuple[BlockRole, ...]:
    """
    Return the blocks of a lesson with ``needs`` and ``earlier``, which are found in their syntax trees.

    What an earlier block makes (a file, a function, a variable, a server …) is no need of the machine. That
    block must be on the main path, unless neither of them is.

    Args:
        more: returns what plugins know that a block needs.
        effects: returns what plugins make of a command link.
    """
    main, aside = World(), World()
    found: list[BlockRole] = []
    for item in blocks:
        on_path = item.role in MAIN_PATH
        link = effects(item.block, lesson) if item.block.language == COMMAND_LINK else None
        needs = _read(item, main if on_path else aside, link)
        if on_path:
            _read(item, aside, link)
        elif item.role in _NOTHING_RUNS:
            needs = Found()
        extra = () if item.role in (*_NOTHING_RUNS, "file") else more(item.block, lesson)
        own = tuple(dict.fromkeys((*extra, *needs.machine)))
        found.append(replace(item, needs=own, earlier=tuple(needs.earlier)))
    return tuple(found)


def made_in(blocks: Iterable[BlockRole]) -> frozenset[Need]:
    """Return what the blocks of a lesson's main path make: commands, Python modules, files, servers."""
    world = World()
    for item in blocks:
        if item.role in MAIN_PATH:
            _read(item, world)
    kinds = {"command": world.commands, "python": world.modules, "file": world.files, "server": world.servers}
    return frozenset(Need(kind, name) for kind, names in kinds.items() for name in names)


def _read(item: BlockRole, world: World, link: Effects | None = None) -> Found:
    """Return what a block or a command link needs, and note in the world what it makes."""
    found = Found()
    world.block = item.number
    if item.role in _NOTHING_RUNS:
        return found
    if item.role == "file":
        if item.file:
            world.make(item.file)
        return found
    if item.role == "service":
        world.any_server = item.number
    language, script = runs_as(item.block), ""
    if link is not None:
        language, (script, made) = "shell", link
        for path in made:
            world.make(path, opaque=True)
    elif language is not None:
        script = typed_in(item.block).text
    world.begin_block()
    try:
        if language == "shell":
            read_shell(script, world, found)
        elif language == "python":
            read_python(script, world, found)
    except RecursionError:  # nobody writes so many brackets
        return Found()
    return found
