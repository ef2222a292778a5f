"""The rules that recognise what links to the extension's commands are in a lesson."""

from __future__ import annotations

from collections.abc import Callable

from lesson_runner.document.command_links import read_command
from lesson_runner.model import MAIN_PATH, Role
from lesson_runner.plugins import BlockRule, BlockView
from lesson_runner.roles import COMMAND_LINK, topics
from lesson_tenstorrent.links.interpret import link_port, link_role
from lesson_tenstorrent.links.table import PREFIX

Judge = Callable[[BlockView], "str | None"]
_ASIDE = (topics.TROUBLE, topics.LOOK_UP)


def _is(role: Role) -> Judge:
    """Return a judge of links to the extension's commands whose own role this is."""

    def judge(view: BlockView) -> str | None:
        found, reason = _role(view)
        return reason if found == role else None

    return judge


def _is_aside(view: BlockView) -> str | None:
    title = next(filter(None, (topics.under(kind, view.sections) for kind in _ASIDE)), "")
    return f"it is under '{title}'" if title and _role(view)[0] in MAIN_PATH else None


def _is_started_already(view: BlockView) -> str | None:
    if _role(view)[0] != "service":
        return None
    port, part = link_port(view.block.text), view.block.headings[:2]
    for item in view.earlier:
        same_part = item.role == "service" and item.block.headings[:2] == part
        if same_part and item.block.language == COMMAND_LINK and link_port(item.block.text) == port:
            return f"the button in line {item.block.location.line} starts this server with other settings"
    return None


def _role(view: BlockView) -> tuple[Role | None, str]:
    """Return the role of a link by its command alone; ``None`` if it is none of the extension's commands."""
    text = view.block.text
    if view.block.language != COMMAND_LINK or not read_command(text).command.startswith(PREFIX):
        return None, ""
    return link_role(text)


_ONE = "[On one chip](command:tenstorrent.startTtInferenceServerN150)"
_TWO = "[On two chips](command:tenstorrent.startTtInferenceServerN300)"
_OTHER = "[The server](command:tenstorrent.startApiServer)"
_SHOWS = "[Read on](command:tenstorrent.showLesson?[%22next%22])"
_COPIES = "[Create the script](command:tenstorrent.createChatScript)"
RULES = (
    BlockRule(
        "tenstorrent.button-that-shows",
        "illustration",
        "A button that only shows something, or does nothing, is not a step.",
        _is("illustration"),
        _SHOWS,
        _COPIES,
    ),
    BlockRule(
        "tenstorrent.button-aside",
        "reference",
        "A button below a heading about problems, or in an appendix, is not for everybody.",
        _is_aside,
        f"## Troubleshooting\n\n{_COPIES}",
        f"## Create the script\n\n{_COPIES}",
    ),
    BlockRule(
        "tenstorrent.button-again",
        "alternative",
        "A button that starts an earlier button's server, with other settings, is another way to start it.",
        _is_started_already,
        f"{_ONE}\n\n{_TWO}",
        f"{_OTHER}\n\n{_TWO}",
    ),
    BlockRule(
        "tenstorrent.button-service",
        "service",
        "A button that starts a server starts a service.",
        _is("service"),
        _OTHER,
        "[Ask the server](command:tenstorrent.testApiBasic)",
    ),
    BlockRule(
        "tenstorrent.button-chat",
        "interactive",
        "A button that starts a chat needs a person.",
        _is("interactive"),
        "[Start the chat](command:tenstorrent.startChatSession)",
        _COPIES,
    ),
    BlockRule(
        "tenstorrent.button-system",
        "system",
        "A button whose commands change the machine is a step only if the user allows it.",
        _is("system"),
        "[Reset the board](command:tenstorrent.resetDevice)",
        "[Look at the board](command:tenstorrent.runHardwareDetection)",
    ),
    BlockRule(
        "tenstorrent.button",
        "run",
        "A button that copies templates or types commands is a step.",
        _is("run"),
        _COPIES,
        _SHOWS,
    ),
)
