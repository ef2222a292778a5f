"""What is only for those with whom something went wrong, or to look up."""

from __future__ import annotations

import re

from lesson_runner.roles import topics
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.view import BlockView, plain

_DONE = frozenset({"shell", "python", "powershell", "sql", "dockerfile", "yaml", "toml", "ini"})
_WENT_WRONG = re.compile(
    r"\b(?:if|when|in case)\b[^.:]{0,80}?\b(?:fail(?:s|ed|ure)?|errors?|problems?|wrong|broken?"
    r"|breaks|stuck|hangs?|crash(?:es|ed)?"
    r"|(?:do|does|did|is|are|was|ca|wo|could)(?:n't| not)(?: \w+){0,2} (?:work|start|run|respond"
    r"|appear|load|show)\w*"
    r"|complain\w*|conflict\w*|refuse[sd]?|time[sd]? out|corrupt\w*|(?:is|already) (?:in use|taken))\b"
    r"|^(?:solutions?|fix(?:es)?|the fix|cure|remedy|workarounds?|resolution|symptoms?|diagnos\w+"
    r"|causes?)\b[^.]{0,60}:$"
    r"|^\W*\w*(?:Error|Exception)\b|^\W*(?:error|warning|fatal):"
    r"|\b(?:error|exception|fails?|failed|failure|not found|not working|won't (?:open|start|load)"
    r"|doesn't (?:work|start))\b[^.]{0,30}:$",
    re.IGNORECASE,
)


def trouble(view: BlockView) -> str | None:
    """A section for those with whom something went wrong."""
    title = topics.under(topics.TROUBLE, view.sections) if view.kind in _DONE else ""
    return f"it is under '{title}'" if title else None


def went_wrong(view: BlockView) -> str | None:
    """A sentence above that begins with an error."""
    if view.kind == "shell" and _WENT_WRONG.search(view.request):
        return f"the text above speaks of something that went wrong: '{view.request[:60]}'"
    return None


def look_up(view: BlockView) -> str | None:
    """A section to look something up in."""
    title = topics.under(topics.LOOK_UP, view.sections) if view.kind in _DONE else ""
    page = plain(view.block.headings[0]) if view.block.headings else ""
    if not title and view.kind in _DONE and page not in view.sections and topics.PAGE_TO_LOOK_UP.match(page):
        title = page
    return f"it is under '{title}'" if title else None


def another_time(view: BlockView) -> str | None:
    """A section about uninstalling, managing or upgrading."""
    titles = (item for item in view.sections if topics.REMOVAL.match(topics.bare(item)))
    title = next((item for item in titles if not topics.is_numbered(item)), "")
    return f"it is under '{title}', which is for another time" if title and view.kind in _DONE else None


TROUBLE = BlockRule(
    "troubleshooting",
    "reference",
    'The block is below a heading about problems, such as "Troubleshooting".',
    trouble,
    "## Troubleshooting\n\n### The page is empty\n\n```bash\nrm -r cache\n```\n",
    "## Shooting a video\n\n```bash\nrm -r cache\n```\n",
)
WENT_WRONG = BlockRule(
    "went-wrong",
    "reference",
    'The sentence above speaks of an error, as "If the server does not start:" does.',
    went_wrong,
    "If the server does not start, clear its cache:\n\n```bash\nrm -r cache\n```\n",
    "If you have no cache yet, make one:\n\n```bash\nmkdir cache\n```\n",
)
LOOK_UP = BlockRule(
    "look-up",
    "reference",
    'The block is below a heading such as "Cheat sheet", "Appendix" or "FAQ".',
    look_up,
    "## Cheat sheet\n\n```bash\ngit stash pop\n```\n",
    "## Stash your work\n\n```bash\ngit stash pop\n```\n",
)
ANOTHER_TIME = BlockRule(
    "another-time",
    "reference",
    "The block is below a heading about uninstalling, upgrading or managing something.",
    another_time,
    "## Uninstalling\n\n```bash\npip uninstall -y shop\n```\n",
    "## Installing\n\n```bash\npip install shop\n```\n",
)
