"""What starts something that runs until it is stopped."""

from __future__ import annotations

import re

from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.services import why_service
from lesson_runner.roles.view import BlockView

_OPEN = re.compile(
    r"\b(?:open|visit|go to|navigate to|browse to|point your browser|available at|running (?:at"
    r"|on)|see it at|listen(?:s|ing) (?:at|on))\b"
    r"[^.]{0,60}(?:https?://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?",
    re.IGNORECASE,
)
_STAYS = re.compile(
    r"\b(?:leave (?:it|this|that)(?: \w+)? running|keep (?:it|this|that)(?: \w+)? (?:running"
    r"|open)|keeps? running|runs until"
    r"|(?:press|hit|with|use) ctrl[ +-]c\b|runs in the foreground|blocks (?:the|this|your) terminal)",
    re.IGNORECASE,
)
_CLIENTS = frozenset(
    {
        "curl",
        "wget",
        "open",
        "xdg-open",
        "cd",
        "export",
        "http",
        "pip",
        "pip3",
        "npm",
        "mkdir",
        "git",
        "docker",
        "apt",
        "ls",
    }
)


def starts_service(view: BlockView) -> str | None:
    """A command that does not end by itself."""
    for command in view.commands:
        if not command.nested and (reason := why_service(command, view.memory.listening)):
            return reason
    return None


def serves_page(view: BlockView) -> str | None:
    """A sentence below that names the page to open, or says that the commands go on."""
    if view.kind != "shell" or not view.commands or view.commands[-1].program in _CLIENTS:
        return None
    if _STAYS.search(view.request) or _STAYS.search(view.below[:200]):
        return "the text says that it goes on running"
    if _OPEN.search(view.below[:200]) or (_OPEN.search(view.request) and view.request.endswith(":")):
        return "the text says to open its page"
    return None


SERVICE = BlockRule(
    "runs-until-stopped",
    "service",
    "A command starts something that runs until it is stopped: a server, a container, `tail -f`.",
    starts_service,
    "```bash\npython -m http.server 8000\n```\n",
    "```bash\npython -m json.tool data.json\n```\n",
)
PAGE = BlockRule(
    "serves-a-page",
    "service",
    "The text says to open a page of this machine that the commands serve, or that they go on running.",
    serves_page,
    "```bash\n./shop\n```\n\nOpen http://localhost:8080 in your browser.\n",
    "```bash\ncurl http://localhost:8080\n```\n\nOpen http://localhost:8080 in your browser.\n",
)
