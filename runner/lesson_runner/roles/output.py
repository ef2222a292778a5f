"""What a command prints, logs, diagrams."""

from __future__ import annotations

import re

from lesson_runner.document.commands import looks_typed, names_program
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.view import BlockView

_LANGUAGES = frozenset(
    {
        "output",
        "out",
        "stdout",
        "log",
        "logs",
        "text-output",
        "ansi",
        "result",
        "results",
        "tree",
        "ascii",
        "mermaid",
    }
)
_TERMINAL = frozenset({"console", "shell-session", "shellsession", "sh-session", "bash-session", "terminal"})
_PLAIN = frozenset({"", "text", "txt", "plaintext", "plain", "none"}) | _LANGUAGES
_DATA = frozenset({"json", "xml", "html", "yaml", "yml", "csv", "http", "diff", "toml", "markdown"})
_ANNOUNCED = re.compile(
    r"\b(?:expected|example|sample|typical|actual|real|partial|abridged|truncated|full|its|the|this|similar)?\s*"
    r"(?:outputs?|results?|responses?|repl(?:y|ies)|logs?|listing|traceback|stack trace|error message)\b"
    r"(?:\s+\w+){0,6}\s*(?:\([^()]{0,80}\))?\s*[:.]?$"
    r"|\b(?:you(?:'ll|'d| will| should| can| may| might)?(?: now| then| also)? (?:see|get|notice"
    r"|receive|find)\b)"
    r"|\b(?:should|will|would|might|may|can|could|must)\s+(?:now |then |also |again )?"
    r"(?:see|look|print|show|display|output|return|give|produce|report|respond|say|read|list|be"
    r" greeted|appear|contain)\b"
    r"|\b(?:prints?|outputs?|displays?|shows?|returns?|reports?|responds?|produces?|yields?|emits?|gives?|replies|answers?)"
    r"(?: (?:something|back|out|the|you|a|an|this|these|us|with|like|only|just)\b.{0,80})?[:.]?$"
    r"|\b(?:looks?|look something|something|similar|output is|looks similar) (?:like|to)\b.{0,40}[:.]?$"
    r"|\b(?:look for|watch for|wait (?:for|until)|expect(?:ed)?)\b"
    r"|\bif (?:\w+ ){1,4}(?:passes|fails|succeeds|succeeded|works|worked|is (?:working|correct"
    r"|successful))\b.{0,40}:$"
    r"|\bverbatim\b|\bsuccess(?:ful)? looks\b|\b(?:answer|console|terminal|screen):$",
    re.IGNORECASE,
)
_ASKS_TO_RUN = re.compile(
    r"^(?:now |then |next,? |to [^,]{1,60}, )?(?:run|execute|type|try|enter|use|start|install|check)\b", re.I
)
_DRAWN = re.compile(r"[\u2190-\u21ff\u2500-\u257f\u2580-\u259f\u25a0-\u25ff\u2794\u27f5-\u27ff]|<?-+>|=+>")
_STATUS = re.compile(
    r"\s*(?:[\u2713\u2714\u2705\u274c\u26a0\u2717\u2718]|\[?(?:INFO|WARN(?:ING)?|ERROR|DEBUG|OK"
    r"|PASS(?:ED)?|FAIL(?:ED)?)\b|\d{4}-\d\d-\d\d[ T]\d\d:|\[\d)"
)
_NEVER_TYPED = re.compile(
    r"\s*(?:\d+\s*$|total \d+\s*$|[bcdlps-](?:[r-][w-][xst-]){3}[ .+@]|(?:fatal|warning): \S|npm ERR!"
    r"|make(?:\[\d+\])?: \*\*\*|(?:get|hit|ign):\d+ |usage: \S"
    r"|(?:\w+ ){0,2}(?:options|arguments|flags|commands):\s*$|Traceback \(most recent call"
    r"|(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)\b(?:: |\s*$)|error(?:\[\w+\])?: \S"
    r"|[\w./-]+: (?:line \d+: )?[^;|&]{1,80}: (?:command not found|no such file|not found"
    r"|permission denied))",
    re.IGNORECASE,
)
"""A first line that only a program prints: a usage text, an exception, what a shell complains of."""
_SENTENCE = re.compile(r"(?!(?:R|Rscript|Xvfb|Xorg|Xephyr)\b)[A-Z][A-Za-z]*(?:[ ,:!.]|$)")
"""A line that begins with a capital letter, as what a program says does, and hardly any command."""
_FACT = re.compile(r"\s*[A-Z][\w ()/-]{0,40}:\s+\S")
_JSON_LINE = re.compile(r"\s*[{}\[\]][\s,]*$|\s*\"[^\"]+\":\s")


def drawing(view: BlockView) -> str | None:
    """Boxes, trees and arrows."""
    if view.kind not in _PLAIN:
        return None
    drawn = sum(1 for line in view.lines if _DRAWN.search(line))
    return "it is a diagram" if drawn and drawn * 4 >= len(view.lines) else None


def named_output(view: BlockView) -> str | None:
    """A language that says so."""
    return f"its fence says '{view.kind}'" if view.kind in _LANGUAGES else None


def announced(view: BlockView) -> str | None:
    """A sentence above that announces output, over a block that is not code to run."""
    if not (view.kind in _PLAIN | _DATA or (view.kind == "shell" and looks_printed(view))):
        return None
    if view.request and _ANNOUNCED.search(view.request) and not _ASKS_TO_RUN.match(view.request):
        return f"the text above announces output: '{view.request[-60:]}'"
    return None


def section_of_output(view: BlockView) -> str | None:
    """Text under a heading such as "Expected output"."""
    title = view.sections[-1] if view.sections else ""
    if not re.search(r"\b(?:outputs?|results?|expected|responses?|what you (?:should )?see)\b", title, re.I):
        return None
    if view.kind in _PLAIN | _DATA or (view.kind == "shell" and looks_printed(view)):
        return f"it is text under '{title}'"
    return None


def printed_in_shell(view: BlockView) -> str | None:
    """A shell fence whose lines are not commands."""
    if view.kind != "shell" or view.typed is None or view.typed.transcript or not view.lines:
        return None
    if _NEVER_TYPED.match(view.lines[0]):
        return "it begins with what a program prints, not with a command"
    if _SENTENCE.match(view.lines[0]) and not any(map(names_program, view.lines)):
        return "it begins like a sentence, and no line of it names a program"
    printed = [
        line for line in view.lines if _STATUS.match(line) or _JSON_LINE.match(line) or _FACT.match(line)
    ]
    if len(printed) * 2 > len(view.lines) and not names_program(view.lines[-1]):
        return "most of its lines are no commands"
    return None


def after_commands(view: BlockView) -> str | None:
    """Data or plain text directly below commands, with no text between them."""
    before = view.previous
    if before is None or view.lead or before.block.language in _PLAIN or _shows_prompts(view):
        return None
    language = view.block.language
    if language in _PLAIN | _DATA and before.role in (
        "run",
        "service",
        "system",
        "interactive",
        "placeholder",
    ):
        return "it follows commands directly"
    return None


def plain_text(view: BlockView) -> str | None:
    """A block of plain text that is not typed in."""
    if view.kind not in _PLAIN or not view.lines:
        return None
    return "it is plain text, not code"


def looks_printed(view: BlockView) -> bool:
    """Return whether the first line of a block is no command."""
    if not view.block.language and not _shows_prompts(view):
        return True
    first = next((line for line in view.lines if not line.lstrip().startswith("#")), "")
    if _shows_prompts(view):
        return False
    return not names_program(first) and bool(
        _FACT.match(first)
        or _STATUS.match(first)
        or _JSON_LINE.match(first)
        or not view.shell.is_shell
        or not looks_typed(first)
    )


def _shows_prompts(view: BlockView) -> bool:
    return view.typed is not None and view.typed.transcript


DRAWING = BlockRule(
    "drawing",
    "output",
    "A block of text with boxes, trees or arrows shows something; nobody types it in.",
    drawing,
    "```\nclient -> proxy -> server\n```\n",
    "```text\n$ make\n```\n",
)
NAMED = BlockRule(
    "language-of-output",
    "output",
    "The fence names a language of output, such as `log`.",
    named_output,
    "```log\nready\n```\n",
    "```bash\nmake\n```\n",
)
ANNOUNCED = BlockRule(
    "announced-output",
    "output",
    'The sentence above announces output, as "You should see:" does.',
    announced,
    "You should see something like:\n\n```\nlistening on 8080\n```\n",
    "Run it to see the result:\n\n```bash\nmake report\n```\n",
)
SECTION = BlockRule(
    "section-of-output",
    "output",
    'The block is text below a heading such as "Expected output".',
    section_of_output,
    "## Expected output\n\n```\ndone: 3 files\n```\n",
    "## Expected output\n\n```bash\ncat report.txt\n```\n",
)
IN_SHELL = BlockRule(
    "output-in-shell",
    "output",
    "The fence names a shell, but most of its lines are no commands.",
    printed_in_shell,
    "```bash\nStatus: ready\nWorkers: 4\n```\n",
    '```bash\necho "Status: ready"\nnproc\n```\n',
)
AFTER = BlockRule(
    "output-after-commands",
    "output",
    "Text or data follows commands directly, with no sentence between them.",
    after_commands,
    '```bash\ncurl localhost:8080/health\n```\n```json\n{"status": "up"}\n```\n',
    '```bash\nmake\n```\n\nThen:\n\n```json\n{"status": "up"}\n```\n',
)
PLAIN = BlockRule(
    "plain-text",
    "output",
    "A fence without a language that shows no commands is text, mostly printed by something.",
    plain_text,
    "```\n3 passed\n```\n",
    "```python\nprint(3)\n```\n",
)
