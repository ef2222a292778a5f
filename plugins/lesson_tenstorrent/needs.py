"""Which blocks need a board: those that call its tools, open a device, or name one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lesson_runner.document.transcripts import typed_in
from lesson_runner.plugins import Block, Need
from lesson_runner.roles import COMMAND_LINK

_TOOL = r"tt-(?:smi|flash|topology|burnin|mod|run)\b(?![-.\w]|[ \t]+(?:-v|-h|--version|--help)\b)"
_OPEN = (
    r"(?:open_(?:mesh_)?device|[Cc]reate_?[Dd]evice|[Gg]et_?[Nn]um_?(?:[Aa]vailable|PCIe|pcie)?_?[Dd]evices)"
)
_TESTS = r"(?:models/(?:demos|experimental|tt_\w+)|tests/ttnn|tests/tt_\w+)"
_TREE = r"cd[ \t]+\S*/tt-(?:metal|train)(?:/\S*)?"
_SIGNS = re.compile(
    "|".join(
        (
            rf"(?:^|[;&|(`])[ \t]*(?:(?:sudo|watch|time|[A-Z_]+=\S*|-\w+|\d+)[ \t]+)*{_TOOL}",
            r"/dev/tenstorrent\b",
            rf"\b(?:ttnn|ttl|tt_lib|tt_metal|autograd|AutoContext\.get_instance\(\))\.{_OPEN}\(",
            r"^[ \t]*(?:\./|\S*/)build\w*/(?:\S+/)?programming_examples/\S+",
            rf"\bpytest[ \t]+(?:-\S+[ \t]+)*\S*{_TESTS}/",
            r"\bpython3?(?:\.\d+)?[ \t]+\S*(?:ttnn|tt_metal|tt-metal|tt-train)/\S+\.py\b",
            # A program that runs in the tree of tt-metal, or in its shell.
            rf"^[ \t]*(?:{_TREE}|tt-metal)[ \t]*(?:&&|$)[\s\S]{{0,2000}}?\bpython3?[ \t]+\S+\.py\b",
            r"(?<!\w)--(?:tt-device|mesh-device)[ =]\S",
            r"\b(?:MESH_DEVICE|TT_VISIBLE_DEVICES)=\S+[^\n]*[ \t]\w",
        )
    ),
    re.MULTILINE,
)
_COMMENT = re.compile(r"^[ \t]*#.*$|[ \t]#[ \t].*$", re.MULTILINE)


def needs_of(block: Block) -> Iterator[Need]:
    """Yield the need of a board, if what is typed shows it, and what the commands of a link need."""
    if block.language == COMMAND_LINK:
        from lesson_tenstorrent.links.interpret import link_needs

        yield from link_needs(block.text)
    elif _SIGNS.search(_COMMENT.sub("", typed_in(block).text)):
        yield Need("board")
