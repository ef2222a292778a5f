"""What is one of several ways, and not the recommended one."""

from __future__ import annotations

import operator
import re

from lesson_runner.roles import topics
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.services import service_key, why_service
from lesson_runner.roles.view import BlockView
from lesson_runner.roles.ways import FIRST, OPTION, alternative_title

_WAYS = frozenset({"shell", "python", "json", "yaml", "toml", "powershell", "dockerfile", "ini"})
_OR = re.compile(
    r"^(?:\W*)(?:or\b|alternativ(?:e|es|ely)\b|another (?:way|option|approach|method)\b|instead\b"
    r"|otherwise,|conversely\b"
    r"|(?:you can |it is possible to |to )?(?:manually |otherwise ))"
    r"|\b(?:if you(?:'d| would)? (?:prefer|rather|like|want)|prefer (?:a|the|to|docker|conda|pip"
    r"|npm|yarn)\b|as an alternative|or,? (?:if|with|via|using|use|run|from))\b"
    r"|^\W*(?:no|need|want|prefer|do ?n[o't]+ have|have ?n[o't]+)\b[^?.]{0,60}\?"
    r"|\binstead:?$|\balternatively\b|\bmanual(?:ly)? (?:install|boot|start|run|way)\w*:?$"
    r"|\bmanually:?$|^\W*(?:[\w-]+ ){0,3}users?\b\W",
    re.I,
)
_BROWSER = re.compile(r"\bbrowsers?\b[^.]{0,60}?\bor\b", re.IGNORECASE)
"""What a person does in a browser is no way that a run could take instead."""
_GETS = re.compile(
    r"(?:hf|huggingface-cli|ollama|docker|podman|lms|gsutil|kaggle)\b[ \w]{0,20}? (?:download|pull)\b"
)
_LABEL = re.compile(r"\W*\*\*")
_RECOMMENDED = re.compile(r"\b(?:recommended|preferred|easiest|default|suggested|simplest|best)\b", re.I)


def option_heading(view: BlockView) -> str | None:
    """A heading such as "Option B"."""
    if view.kind not in _WAYS:
        return None
    for title in (*view.sections, view.lead):
        found = OPTION.match(title)
        if found and found["mark"].lower() not in FIRST and not _RECOMMENDED.search(title):
            return f"'{title[:60]}' is one of several ways"
    return None


def other_way(view: BlockView) -> str | None:
    """A tab, a platform or a package manager other than the first."""
    way = view.way
    first = view.memory.first_ways.get(way.scope, way.label) if way is not None else ""
    if way is None or first == way.label or view.kind not in _WAYS:
        return None
    return f"'{way.label}' is another way than '{first}'"


def folded(view: BlockView) -> str | None:
    """Commands in a fold."""
    title = view.block.fold
    return f"it is folded away under '{title}'" if title and view.kind == "shell" else None


def alternative_heading(view: BlockView) -> str | None:
    """A heading such as "Alternative: …"."""
    title = alternative_title(view.sections)
    return f"it is under '{title}'" if title and view.kind in _WAYS else None


def or_sentence(view: BlockView) -> str | None:
    """A sentence above such as "Or, with Docker:"."""
    if view.kind not in _WAYS or not view.request:
        return None
    if not _main_before(view) or _BROWSER.search(view.request):
        return None
    found = _OR.search(view.request)
    return f"the text above offers another way: '{view.request[:60]}'" if found else None


def _main_before(view: BlockView) -> bool:
    """Return whether there is a block before it that this can be another way of."""
    return any(
        item.number and item.role not in ("output", "illustration", "reference")
        for item in view.earlier[-12:]
    )


def service_again(view: BlockView) -> str | None:
    """A second start of a service with other settings."""
    services = [command for command in view.commands if why_service(command, view.memory.listening)]
    if not services or re.search(r"\bre-?start\b|\bagain\b", view.lead, re.I):
        return None
    for service in services:
        line = view.memory.started.get(service_key(service))
        if line is not None:
            return f"it starts what line {line} starts, with other settings"
    return None


def other_download(view: BlockView) -> str | None:
    """One of several downloads in a section, each with a label."""
    got = _download(view.block.text)
    if view.kind != "shell" or not got or not _LABEL.match(view.block.lead):
        return None
    for item, _ in view.memory.words:
        same = (
            item.block.headings == view.block.headings and item.block.location.line < view.block.location.line
        )
        if same and _download(item.block.text) == got:
            return f"it downloads another thing of the kind that line {item.block.location.line} downloads"
    return None


def _download(text: str) -> str:
    """Return the command that a block begins with, if that downloads what a reader chooses."""
    found = _GETS.match(text.strip())
    return found[0] if found else ""


def variant(view: BlockView) -> str | None:
    """Commands that differ from those of a section next to it in a few values."""
    if view.kind != "shell" or not view.sections:
        return None
    words = [word for command in view.commands for word in command.words]
    if len(words) < 6:
        return None
    for item, other in view.memory.words:
        above = item.block.headings
        if above == view.block.headings or above[:-1] != view.block.headings[:-1]:
            continue
        if topics.is_numbered(view.block.headings[-1]) and topics.is_numbered(above[-1]):
            continue  # steps of one way, one after the other
        if len(other) != len(words) or other[:3] != words[:3]:
            continue
        if 0 < sum(map(operator.ne, other, words)) <= max(1, len(words) // 5):
            return f"it differs from the block in line {item.block.location.line} in a few values"
    return None


OPTION_RULE = BlockRule(
    "option",
    "alternative",
    'The block is below a heading such as "Option B" or "Method 2".',
    option_heading,
    "## Option A: pip\n\n```bash\npip install shop\n```\n\n## Option B:"
    " Docker\n\n```bash\ndocker pull shop\n```\n",
    "## Option A: pip\n\n```bash\npip install shop\n```\n",
)
OTHER_WAY = BlockRule(
    "other-way",
    "alternative",
    "The block is for another tab, platform or package manager than the first block of its kind.",
    other_way,
    "**Linux:**\n\n```bash\nmake\n```\n\n**macOS:**\n\n```bash\ngmake\n```\n",
    "**Linux:**\n\n```bash\nmake\n```\n\n**Linux:**\n\n```bash\nmake test\n```\n",
)
FOLDED = BlockRule(
    "folded",
    "alternative",
    "Commands that the page folds away (`<details>`) are not the recommended way.",
    folded,
    "<details>\n<summary>From source</summary>\n\n```bash\nmake\n```\n\n</details>\n",
    "<details>\n<summary>From source</summary>\n</details>\n\n```bash\nmake\n```\n",
)
HEADING = BlockRule(
    "alternative-heading",
    "alternative",
    'The block is below a heading such as "Alternative: …" or "Without Docker".',
    alternative_heading,
    "## Alternative: build it\n\n```bash\nmake shop\n```\n",
    "## Build it\n\n```bash\nmake shop\n```\n",
)
OR = BlockRule(
    "or-sentence",
    "alternative",
    'The sentence above offers another way, as "Or, with conda:" does.',
    or_sentence,
    "```bash\npip install shop\n```\n\nOr, with conda:\n\n```bash\nconda install shop\n```\n",
    "```bash\npip install shop\n```\n\nThen look at it:\n\n```bash\npip show shop\n```\n",
)
AGAIN = BlockRule(
    "service-again",
    "alternative",
    "The block starts a service that an earlier block starts, with other settings.",
    service_again,
    "```bash\npython server.py --port 80\n```\n\nOn a laptop:\n\n```bash\npython server.py"
    " --port 8080 --small\n```\n",
    "```bash\npython server.py --port 80\n```\n",
)
DOWNLOAD = BlockRule(
    "other-download",
    "alternative",
    "In a section with several labelled downloads of a kind, all but the first.",
    other_download,
    "**Small:**\n\n```bash\nollama pull mini\n```\n\n**Large:**\n\n```bash\nollama pull maxi\n```\n",
    "**Small:**\n\n```bash\nollama pull mini\n```\n\n**Large:**\n\n```bash\nollama list\n```\n",
)
VARIANT = BlockRule(
    "variant",
    "alternative",
    "The commands differ from those of a section next to it in a few values.",
    variant,
    "## Small\n\n```bash\nmake shop --all --jobs 2 --size 10\n```\n\n## Large\n\n```bash\nmake"
    " shop --all --jobs 2 --size 90\n```\n",
    "## Small\n\n```bash\nmake shop --all --jobs 2 --size 10\n```\n\n## Test\n\n```bash\nmake test\n```\n",
)
