"""What a reader fills in before a block can run."""

from __future__ import annotations

from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.view import BlockView


def filled_in(view: BlockView) -> str | None:
    """Something to fill in."""
    found = view.placeholders
    names = ", ".join(f"'{item}'" for item in found[:3])
    return f"fill in {names}" if found else None


FILLED_IN = BlockRule(
    "fill-in",
    "placeholder",
    "The block has a text for the reader to replace, such as `<your-token>` or `YOUR_API_KEY`.",
    filled_in,
    "```bash\nexport TOKEN=<your-token>\n```\n",
    "```bash\nsort < names.txt > sorted.txt\n```\n",
)
