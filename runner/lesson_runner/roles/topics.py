"""What the headings above a block say about its section: the usual words of technical English."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE)


TROUBLE = _words(
    r"trouble-?\s?shoot\w*",
    r"(?:common|known|possible|potential|frequent|typical)\s+(?:\w+\s+)?(?:problems?|issues?|errors?|pitfalls?|failures?|mistakes?)",
    r"problems?(?:\s+and\s+solutions?)?$",
    r"issues?$",
    r"errors?(?:\s+messages?)?$",
    r"still (?:having|seeing|stuck|not)\b.*",
    r"(?:if|when) (?:something|things?|it|anything|this) (?:goes|go|went|fails?|breaks?|does ?n[o']t)\b.*",
    r"(?:if|when|in case)\b.{0,40}\b(?:fails?|breaks?|crash\w*|hangs?|goes wrong)",
    r"what (?:if|to do (?:if|when))\b.*",
    r"(?:does|is|are|do|will|can|could)(?:n't| not) (?:work|start|run|load|found|find|connect"
    r"|respond|build|detected)\w*",
    r"(?:cannot|can't|won't|unable to|fails? to|failed to|failing|failed|crash\w*|hangs?|hanging|stuck)",
    r"(?:not|no \w+) (?:working|found|detected|responding|recogni[sz]ed|starting|loading|available)",
    r"^debug(?:ging)?(?: (?:tips|help|guide|the .*))?$",
    r"recover(?:y|ing)?(?: from .*)?",
    r"(?:\w+)?error:.*",
)
"""Sections for those with whom something went wrong."""

PAGE_TO_LOOK_UP = re.compile(
    r"^\W*(?:[\w.+-]+ ){0,3}(?:trouble-?shooting(?: guide| tips)?|faqs?|frequently asked questions"
    r"|change-?log|release notes|release history|cheat[- ]?sheet)\W*$",
    re.IGNORECASE,
)
"""Titles of whole pages that nobody follows from the begin to the end."""

LOOK_UP = _words(
    r"appendi(?:x|ces)",
    r"cheat[- ]?sheets?",
    r"quick[- ]reference",
    r"(?:command|api|cli|option|flag|parameter|configuration|config)s? (?:reference|summary|overview)",
    r"(?:useful|common|handy|helpful|essential|frequently used|other useful) (?:\w+"
    r" )?(?:commands?|flags|options|one-?liners|snippets|recipes)",
    r"^(?:\w+ ){0,3}reference$",
    r"command summary",
    r"glossary",
    r"faqs?",
    r"frequently asked(?: questions)?",
    r"questions and answers",
    r"q ?& ?a",
)
"""Sections to look something up in."""

REMOVAL = _words(
    r"(?:un-?install|un-?installing|un-?installation|de-?install\w*|uninstalling)",
    r"(?:removing|remove|reverting|revert|undo|undoing|roll(?:ing)?[- ]?back|reset(?:ting)?"
    r"|downgrad\w+)(?: .*)?",
    r"(?:managing|manage|administering|maintaining|maintenance|monitoring and managing)(?: .*)?",
    r"start(?:ing)?(?: over|ing over| from scratch again)",
    r"migrat(?:e|ing|ion)(?: .*)?",
    r"upgrad(?:e|es|ing)(?: .*)?",
)
"""Sections about what a reader does at another time: uninstalling, managing, upgrading."""

LATER = _words(
    r"(?:what(?:['\u2019]s| is)? )?next(?: steps?)?\W*$",
    r"next steps?",
    r"where to go\b.*",
    r"going (?:further|deeper|beyond)",
    r"further (?:reading|ideas|work|exploration|experiments?|steps)",
    r"(?:ideas?|inspiration)(?: for .*)?$",
    r"(?:customi[sz]ation|extension|project|experiment) (?:ideas?|examples?|points?|options?)",
    r"extensions?$",
    r"extend(?:ing)?(?: .*)?",
    r"customi[sz](?:e|ing|ation|ations)(?: .*)?",
    r"(?:exercises?|challenges?|homework|quiz|assignments?|practice problems?|try it yourself"
    r"|your turn|test yourself)(?: .*)?",
    r"discussion(?: questions?)?",
    r"(?<!\w )questions?(?: \d+)?(?:\W.*)?$",
    r"experiments? to try",
    r"beyond\b.*",
    r"(?:under the hood|internals)(?:\W.*)?",
    r"best practices?",
    r"(?:tips|tricks|tips (?:and|&) tricks|pro tips?|recommendations|guidelines)(?: .*)?",
    r"contributing|contribute|for (?:contributors|maintainers|developers|ai agents)",
    r"(?:release|publishing|versioning)(?: .*)?$",
    r"advanced (?:\w+ )?(?:configurations?|usage|options?|topics?|features?|settings|examples?"
    r"|techniques?|customi[sz]ation)(?:\W.*)?",
    r"(?:deployment|integration|usage|scaling|production) patterns(?:\W.*)?",
    r"roadmap|changelog|license|acknowledge?ments?|see also|resources|further resources|learn"
    r" more|additional resources",
    r"(?:performance|production|deployment) (?:tips|tuning|considerations|notes)",
    r"escape hatch.*",
    r"last resort",
)
"""Sections with ideas, and with what to do after the lesson."""

CONCEPT = _words(
    r"how (?:it|this|that|they|\w+) works?\b.*",
    r"how (?:does|do)\b.*",
    r"understand(?:ing)?\b.*",
    r"background",
    r"theory",
    r"concepts?",
    r"(?:key|core|basic|main) (?:concepts?|ideas?|insights?|points?|takeaways?|patterns?|differences?)",
    r"overview",
    r"architecture",
    r"anatomy(?: of .*)?",
    r"explained|explanation|explaining",
    r"what (?:is|are|was|happens|happened|just happened|this does|you(?:'ve| have)? (?:learned"
    r"|built|need to know)|it does)\b.*",
    r"why\b.*",
    r"the (?:math|idea|problem|algorithm|intuition|big picture|code)\b.*",
    r"(?:comparison|comparing|compared|versus|vs\.?|trade-?offs?)(?: .*)?",
    r"case stud(?:y|ies)\b.*",
    r"real[- ]world (?:examples?|applications?|use cases?|impact)\b.*",
    r"(?:design|code|common|usage|key) (?:patterns?|walk-?through|structure|decisions?|tour|highlights)",
    r"walk-?through",
    r"(?:history|motivation|introduction|summary|recap|conclusion|take-?aways?|lessons learned)",
    r"principles?|fundamentals|primer",
    r"industry context",
    r"meet\b.*",
    r"mental model.*",
    r"deep(?:er)?[- ]dives?(?:\W.*)?",
)
"""Sections to read: how something works, and why."""

HANDS_ON = _words(
    r"steps?(?: ?#?\d+\w?)?\b.*",
    r"(?:hands-?on|lab|labs|quick ?start|getting started|get started|tutorial|walkthrough|demo)\b.*",
    r"(?:install|installing|installation|set ?up|setting up|setup|prerequisites?|requirements?)\b.*",
    r"(?:run|running|build|building|start|starting|launch|launching|deploy|deploying|test|testing|try|trying|verify|verifying|verification|create|creating|train|training|download|downloading|configure|configuring|connect|connecting|use|using|usage|add|adding|write|writing|check|checking|generate|generating|prepare|preparing|experiment|make|making|measure|measuring)\b.*",
    r"before you (?:begin|start)\b.*",
)
"""Sections that ask to do something."""

_STARTS_WITH_NUMBER = re.compile(
    r"^\W*(?:(?:step|part|phase|stage|task|lab|lesson)\s*)?#?\d+(?:\.\d+)*[.):\s\u2013\u2014-]+", re.I
)


def is_numbered(title: str) -> bool:
    """Return whether a heading has a number, so that its section is one of several in a row."""
    return _STARTS_WITH_NUMBER.match(title) is not None


def under(topic: re.Pattern[str], sections: Sequence[str]) -> str:
    """Return the innermost heading that is about a topic; empty if there is none."""
    return next((title for title in reversed(sections) if topic.search(bare(title))), "")


def bare(title: str) -> str:
    """Return a heading without the number or symbols before its words."""
    return re.sub(r"^[\W_]+", "", _STARTS_WITH_NUMBER.sub("", title)) or title
