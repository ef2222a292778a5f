"""What a reader saves as a file."""

from __future__ import annotations

import re

from lesson_runner.document.languages import SHELL
from lesson_runner.model import Block
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.view import BlockView

_NAME = (
    r"(?:[~.]{0,2}/)?(?:[\w@+-][\w@+.-]{0,60}/){0,9}(?:[\w@+-][\w@+.-]*\.[A-Za-z][A-Za-z0-9]{0,9}"
    r"|\.[a-z][\w.-]+|Dockerfile(?:\.\w+)?|Containerfile|Makefile|Procfile|Jenkinsfile"
    r"|Vagrantfile|Gemfile|Rakefile|LICENSE|CMakeLists\.txt|go\.mod)"
)
_PATH = re.compile(rf"(?<![\w/.:@-])(?P<path>{_NAME})(?![\w/(])")
_QUOTED = re.compile(rf"`(?P<path>{_NAME})`|\*\*(?P<bold>{_NAME})\*\*")
_INFO = re.compile(
    rf"\b(?:title|file|filename|name|path)=[\"']?(?P<path>{_NAME})[\"']?|^\S*?:(?P<colon>{_NAME})|\s(?P<bare>{_NAME})$|\[(?P<label>{_NAME})\]"
)
_COMMENT = re.compile(
    rf"^\s*(?:#|//|--|;|<!--|/\*|%)+\s*(?:file(?:name)?:\s*|save (?:this )?(?:as"
    rf"|to):?\s*)?(?P<path>{_NAME})\s*(?:\([^()]*\))?\s*(?:-->|\*/|:)?\s*$",
    re.I,
)
_CREATE = re.compile(
    r"\b(?:creat(?:e|ing)|sav(?:e|ing)(?: (?:this|it|the following))?(?: as| to| in(?:to)?)?"
    r"|add(?:ing)?|writ(?:e|ing)|put|place|paste|copy|drop|append|insert|make"
    r"|edit(?:ing)?|modify|update|change|open|name(?: it|d)?|call(?: it|ed)?|fill|define|declare"
    r"|keep|configure|store)\b",
    re.I,
)
_NOT_FILES = frozenset(
    {
        "e.g",
        "i.e",
        "Node.js",
        "Vue.js",
        "Next.js",
        "Nuxt.js",
        "Express.js",
        "Three.js",
        "D3.js",
        "ASP.NET",
        ".NET",
        "node.js",
        "vs.",
        "etc.",
    }
)
_DOCSTRING = re.compile(rf"(?:#![^\n]*\n)?\s*[\"']{{3}}\s*(?P<path>{_NAME})(?=\s|:|$)")
_EDITED = re.compile(r"\b(?:nano|n?vim?|emacs|code|micro|gedit|subl|touch)\s+(?P<path>[\w~./-]+)")
_ENVIRONMENT = re.compile(r"^\s*#.*(?<![\w/])\.env\b")
_ADDED = re.compile(
    r"^(?:and|then|now|next|finally|there|inside)?,?\s*(?:add|append|insert|paste|put|write|replace|change|set|enter|save|copy|fill)\b"
    r"|\band (?:then )?(?:add|append|insert|paste|put|enter)\b"
    r"|\b(?:open|edit|create|in) (?:the|a|your|this|that|another|new)(?: \w+){0,3} (?:file|script"
    r"|manifest|config(?:uration)?|playbook|workflow)\b"
    r"|\b(?:with|has|have) (?:the|this|these|some) (?:following )?(?:contents?|code|lines?"
    r"|settings|configuration)\b",
    re.IGNORECASE,
)
_LINK_ALONE = re.compile(r"\W{0,3}\[[^\[\]]{1,100}\]\((?![a-z]+:|#|/)[^()\s]{1,200}\)\W{0,3}")
_PART = re.compile(
    r"\b(?:add|append|insert)\b(?![^.!?\n]{0,40}\bfile\b[^.!?\n]{0,20}\b(?:named|called)\b)"
    r"(?![\s\S]*\b(?:creat|sav|writ|replac)(?:e|ing)\b)",
    re.IGNORECASE,
)
"""A sentence that tells to add something to a file, as far as it does not speak of making one."""
_CONTENT = frozenset(
    {
        *(
            "yaml",
            "yml",
            "json",
            "jsonl",
            "json5",
            "toml",
            "ini",
            "conf",
            "cfg",
            "properties",
            "env",
            "dotenv",
            "xml",
            "html",
            "css",
        ),
        *(
            "dockerfile",
            "docker",
            "makefile",
            "make",
            "cmake",
            "nginx",
            "apache",
            "hcl",
            "terraform",
            "groovy",
            "csv",
            "markdown",
            "md",
        ),
        *(
            "javascript",
            "js",
            "jsx",
            "typescript",
            "ts",
            "tsx",
            "go",
            "rust",
            "java",
            "kotlin",
            "c",
            "cpp",
            "csharp",
            "ruby",
            "php",
        ),
    }
)
_CODE = frozenset({"", "text", "output", "diff", "console", "mermaid"})


def file_name(view: BlockView) -> str:
    """Return the path of the file that a block is the content of, as written; empty if it is unknown."""
    return (
        _named_by_fence(view)
        or _named_in_text(view)
        or _named_by_comment(view)
        or _named_by_heading(view)
        or _named_before(view)
    )


def _named_before(view: BlockView) -> str:
    """Return the file that the block before it opens in an editor, or is the content of."""
    before = view.previous
    if before is None or before.role == "file":
        return before.file if before else ""
    found = _EDITED.search(before.block.text) if before.block.language in SHELL else None
    return found["path"] if found else ""


def _named_by_fence(view: BlockView) -> str:
    found = _INFO.search(view.block.info)
    path = (found["path"] or found["colon"] or found["bare"] or found["label"] or "") if found else ""
    return path if not path.startswith("language") else ""


def _named_by_comment(view: BlockView) -> str:
    if docstring := _DOCSTRING.match(view.block.text):
        return docstring["path"]
    lines = [line for line in view.lines[:3] if not line.startswith("#!")]
    for line in lines[:2]:
        if (found := _COMMENT.match(line)) and found["path"] not in _NOT_FILES:
            return found["path"]
    return ""


def _named_in_text(view: BlockView) -> str:
    """Return the last file that the sentence above tells to create or to edit."""
    request = view.block.lead[-600:]
    is_script = view.kind == "shell" and view.block.text.startswith("#!")
    if not _CREATE.search(request) and not _is_name_alone(view) and not is_script:
        return ""
    marked = [found["path"] or found["bold"] for found in _QUOTED.finditer(request)]
    names = marked or [found["path"] for found in _PATH.finditer(request)]
    names = [name for name in names if name not in _NOT_FILES and _can_hold(name, view.kind)]
    return names[0] if names else ""


def adds_to_file(block: Block) -> bool:
    """Return whether the sentence above a block says to add it to a file, not that it is the whole of one."""
    return _PART.search(block.lead[-600:]) is not None


def is_link_to_file(block: Block) -> bool:
    """Return whether the text above a block is only a link to a file beside the document."""
    return _LINK_ALONE.fullmatch(block.lead.strip()) is not None


def _can_hold(name: str, kind: str) -> bool:
    """Return whether a file of this name can hold code of a kind: no certificate holds Python."""
    suffix = name.rpartition("/")[2].lstrip(".").rpartition(".")
    return kind != "python" or not suffix[1] or suffix[2].lower() in ("py", "pyw", "pyi", "wsgi", "bzl")


def _is_name_alone(view: BlockView) -> bool:
    """Return whether the sentence above is only a file's name, such as "**`app.py`**:", and no link to it."""
    return not is_link_to_file(view.block) and (
        re.fullmatch(
            rf"(?:file(?:name)?:?\s*|in (?:the )?(?:file )?)?{_NAME}\s*(?:\([^()]*\))?:?", view.lead, re.I
        )
        is not None
    )


def _is_left_out(view: BlockView) -> bool:
    return re.search(r"^\s*(?:#|//|--)?\s*(?:\.\.\.|\u2026)\s*", view.block.text, re.MULTILINE) is not None


def named_by_fence(view: BlockView) -> str | None:
    """The fence names a file."""
    path = _named_by_fence(view)
    return f"its fence names the file '{path}'" if path and view.kind not in ("shell",) else None


def told_to_save(view: BlockView) -> str | None:
    """The sentence above tells to save it."""
    if view.kind in _CODE - {"", "text"}:
        return None
    settings = ".env" in view.lead and _only_assignments(view)
    if view.kind == "shell" and not settings and not view.block.text.startswith("#!"):
        return None
    path = _named_in_text(view)
    if not path or _is_left_out(view) or (view.kind in ("", "text") and not _CREATE.search(view.request)):
        return None
    if view.kind == "python" and not view.python.is_python:
        return None
    return f"the text above says to save it as '{path}'"


def _only_assignments(view: BlockView) -> bool:
    return all(re.match(r"\s*(?:#|(?:export )?[A-Z_]\w*=)", line) for line in view.lines)


def first_comment(view: BlockView) -> str | None:
    """The first line is a comment with a file's name."""
    if view.kind == "shell" and _only_assignments(view) and _ENVIRONMENT.search(view.lines[0]):
        return "its first line says that it is a file of settings"
    path = _named_by_comment(view) if view.kind != "shell" else ""
    if not path or _is_left_out(view) or (view.kind == "python" and not view.python.is_python):
        return None
    return f"its first line names the file '{path}'"


def script(view: BlockView) -> str | None:
    """A Python program that begins as a file does."""
    if view.kind != "python" or not view.python.is_python or _is_left_out(view):
        return None
    if view.block.text.startswith("#!"):
        return "it begins with '#!', as a file to execute does"
    named = _DOCSTRING.match(view.block.text)
    return f"its first line names the file '{named['path']}'" if named else None


def heading(view: BlockView) -> str | None:
    """The first program below a heading that names a file."""
    path = _named_by_heading(view)
    if not path or view.kind in _CODE | {"shell"} or _is_left_out(view):
        return None
    before = view.previous
    if (before is not None and before.role == "file") or (
        view.kind == "python" and not view.python.is_python
    ):
        return None
    return f"the heading above names the file '{path}'"


def _named_by_heading(view: BlockView) -> str:
    found = _QUOTED.findall(view.block.headings[-1]) if view.block.headings else []
    return next(
        (path or bold for path, bold in found if not path.startswith(".") and path not in _NOT_FILES), ""
    )


def content(view: BlockView) -> str | None:
    """The content of a file that the text does not name again."""
    if view.kind not in _CONTENT or _is_left_out(view) or not _ADDED.search(view.request):
        return None
    return "the text above says to put it into a file"


NAMED = BlockRule(
    "fence-names-file",
    "file",
    'The line of the opening fence names a file, such as `title="app.py"`.',
    named_by_fence,
    '```python title="app.py"\nprint(3)\n```\n',
    '```python title="An app"\nprint(3)\n```\n',
)
SAVED = BlockRule(
    "text-names-file",
    "file",
    "The sentence above says to create or edit a file, and names it.",
    told_to_save,
    "Create a file `app.py`:\n\n```python\nprint(3)\n```\n",
    "Then call it:\n\n```python\nprint(3)\n```\n",
)
COMMENT = BlockRule(
    "comment-names-file",
    "file",
    "The first line is a comment with nothing but a file's name.",
    first_comment,
    "```python\n# shop/app.py\nprint(3)\n```\n",
    "```python\n# print it\nprint(3)\n```\n",
)
SCRIPT = BlockRule(
    "script",
    "file",
    "Python that begins with `#!`, or whose first text begins with a file's name, is the content"
    " of that file.",
    script,
    "```python\n#!/usr/bin/env python3\nprint(3)\n```\n",
    "```python\n# print it\nprint(3)\n```\n",
)
HEADING = BlockRule(
    "heading-names-file",
    "file",
    'The first code below a heading that names a file, such as "2. The model (`model.py`)".',
    heading,
    "## The model (`model.py`)\n\n```python\nprint(3)\n```\n",
    "## The model (`fast`)\n\n```python\nprint(3)\n```\n",
)
CONTENT = BlockRule(
    "content-of-a-file",
    "file",
    "The sentence above says to add or change something in a file that was named before.",
    content,
    "Open it, and add:\n\n```yaml\nsize: 3\n```\n",
    "The settings of the old version:\n\n```yaml\nsize: 3\n```\n",
)
