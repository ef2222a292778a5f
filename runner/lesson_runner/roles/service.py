"""What starts something that runs until it is stopped."""

from __future__ import annotations

from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.services import why_service
from lesson_runner.roles.view import BlockView


def starts_service(view: BlockView) -> str | None:
    """A command that does not end by itself."""
    for command in view.commands:
        if not command.nested and (reason := why_service(command, view.memory.listening)):
            return reason
    return None


SERVICE = BlockRule(
    "runs-until-stopped",
    "service",
    "A command starts something that runs until it is stopped: a server, a container, `tail -f`.",
    starts_service,
    "```bash\npython -m http.server 8000\n```\n",
    "```bash\npython -m json.tool data.json\n```\n",
)
