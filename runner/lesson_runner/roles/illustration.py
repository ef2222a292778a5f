"""What is to read: fragments, ideas, code of other files."""

from __future__ import annotations

import re

from lesson_runner.document.languages import TERMINAL
from lesson_runner.roles import topics
from lesson_runner.roles.file import is_link_to_file
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.view import BlockView

_DOTS = re.compile(r"(?<![\w./~*\[(\"'<-])(?:\.\.\.|\u2026)(?![\w/.])")
_SYNOPSIS = re.compile(r"(?:^|\s)\[-{1,2}[A-Za-z][^\[\]]{0,60}\]|(?<![\w$])[A-Z][A-Z_-]+\.\.\.(?=\s|$|\])")
"""Options in square brackets, or a name that may be repeated, as manuals write what a command accepts."""
_WINDOWS = re.compile(r"(?:PS(?: [A-Za-z]:\\[^<>|\n]{0,200})?|[A-Za-z]:\\[^<>|\n]{0,200})>")
"""The prompt of PowerShell, or of the command prompt of Windows."""
_ONLY_DOTS = re.compile(
    r"^\s*(?:#|//|--)?\s*(?:\.\.\.|\u2026)(?:.{0,60}(?:\.\.\.|\u2026))?\s*$", re.MULTILINE
)
_SLASH_COMMAND = re.compile(r"/[A-Za-z][\w:-]*$")
_IDEAS = re.compile(
    r"\b(?:you(?:'d| would| could| might)\b(?! like| prefer)|try (?:these|some|other|different|it"
    r" with|changing|adding|increasing|experimenting|\d)"
    r"|experiment with|for example,? (?:you could|to)|imagine|suppose|consider|in practice you"
    r"|under the hood|behind the scenes|resolves to|is equivalent to|same as|roughly|conceptually"
    r"|pseudo-?code"
    r"|looks like this|would look like|(?:general|basic|typical) (?:form|shape|pattern|syntax"
    r"|usage)|syntax is|the shape of)\b",
    re.IGNORECASE,
)
_EXCERPT = re.compile(
    r"\b(?:quoted|excerpt|snippet|verbatim|from (?:the )?(?:source|file)|the (?:key|relevant"
    r"|important|core) (?:part|lines?|code|bit|function)"
    r"|code pattern|pattern:|before:|after:|instead of:|wrong:|bad:|good:|(?:don't|do not|never"
    r"|avoid)\b[^.]{0,40}:$)",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\b(?:you (?:ask|type|say|write)|ask (?:it|the)|prompts?(?: like| such as)?|drop a|question"
    r"|message)\b[^.]{0,60}:$",
    re.I,
)


def left_out(view: BlockView) -> str | None:
    """A part is left out."""
    if view.kind == "shell":
        typed = view.typed.text if view.typed else ""
        bare = re.sub(r"^\s*#.*|\s#\s.*", "", typed, flags=re.MULTILINE)
        shown = view.typed is not None and view.typed.transcript
        found = not shown and _DOTS.search(_unquoted(bare)) is not None
    elif view.kind == "python":
        found = _left_out_of_python(view)
    else:
        return None
    return "'...' stands for a part that is left out" if found else None


def _left_out_of_python(view: BlockView) -> bool:
    if view.python.is_python and view.python.acts and not view.python.is_complete:
        return True
    if view.typed and view.typed.transcript:
        return False
    return _ONLY_DOTS.search(view.block.text) is not None


def _unquoted(text: str) -> str:
    return re.sub(r"\"(?:[^\"\\]|\\.){0,500}\"|'[^']{0,500}'", "''", text)


def no_program(view: BlockView) -> str | None:
    """A shell fence that begins with an option, or with a command of another program."""
    if view.kind in ("shell", "text") and any(map(_WINDOWS.match, view.lines)):
        return "it is typed into a terminal of Windows"
    if view.kind != "shell" or not view.commands:
        return None
    if (begin := _begin(view)).startswith("> ") or begin.startswith(">>"):
        return "it begins with '>', which a shell reads as a redirection"
    first = view.commands[0].words[0] if view.commands[0].words else ""
    if any(
        _SYNOPSIS.search(_unquoted(line))
        and not line.lower().lstrip().startswith(("usage:", "#", "[", "if ", "while ", "elif "))
        for line in (view.typed.text if view.typed else "").splitlines()
    ):
        return "it says in general what a command accepts"
    if first.startswith("-"):
        return "it begins with an option, not with a program"
    if _SLASH_COMMAND.match(first):
        return f"'{first}' is a command of another program, not of the shell"
    return None


def _begin(view: BlockView) -> str:
    """Return the first line that a person types, without comments."""
    lines = (line.strip() for line in (view.typed.text if view.typed else "").splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def unreadable_shell(view: BlockView) -> str | None:
    """A shell fence that no shell accepts."""
    if view.kind == "shell" and not view.shell.is_shell and view.block.language not in TERMINAL:
        return "a shell cannot read it"
    return None


def comments_only(view: BlockView) -> str | None:
    """A block of comments alone."""
    mark = ("#", "//", "--", "/*", "*")
    if view.kind in ("shell", "python") and all(line.strip().startswith(mark) for line in view.lines):
        return "it has comments only" if view.lines else "it is empty"
    return None


def indented_python(view: BlockView) -> str | None:
    """Python that does not parse."""
    if view.kind == "python" and not view.python.is_python:
        return "it is a part of a program: Python cannot read it on its own"
    return None


def python_fragment(view: BlockView) -> str | None:
    """Python that uses names that nothing defines."""
    if view.kind != "python":
        return None
    if missing := view.undefined:
        names = ", ".join(f"'{name}'" for name in sorted(missing)[:3])
        return f"it uses {names}, which no block defines"
    return None


def python_definitions(view: BlockView) -> str | None:
    """Python that only defines something."""
    if view.kind == "python" and not view.python.acts and not (view.typed and view.typed.transcript):
        return "it only defines names, and nothing asks to run it"
    return None


def later(view: BlockView) -> str | None:
    """A section of ideas."""
    title = topics.under(topics.LATER, view.sections)
    return f"it is under '{title}', after the lesson's own steps" if title else None


def concept(view: BlockView) -> str | None:
    """Python in a section to read."""
    if view.kind == "shell" or not view.sections:
        return None
    title = topics.under(topics.CONCEPT, view.sections)
    return f"it is under '{title}', which explains" if title else None


def idea(view: BlockView) -> str | None:
    """A sentence above that offers an idea."""
    found = _IDEAS.search(view.request)
    return (
        f"the text above offers an idea: '{found[0]}'" if found and view.kind in ("shell", "python") else None
    )


def excerpt(view: BlockView) -> str | None:
    """A sentence above that says it is an excerpt."""
    if view.kind == "shell":
        return None
    if is_link_to_file(view.block):
        return "it is from the file that the text above links to"
    found = _EXCERPT.search(view.request)
    return f"the text above says that it is a part of something: '{found[0]}'" if found else None


def asked(view: BlockView) -> str | None:
    """Text for a person to type into another program."""
    if view.kind in ("", "text") and _ASKED.search(view.request):
        return "a person types it into another program"
    if view.kind in ("", "text") and view.lines and all(re.match(r"\s*> \S", line) for line in view.lines):
        return "a person types it into another program"
    return None


def one_path(view: BlockView) -> str | None:
    """A line with a path or a URL."""
    if (
        view.kind in ("", "text")
        and len(view.lines) == 1
        and re.fullmatch(r"\s*(?:~|\.{0,2}/|https?:/)\S*\s*", view.lines[0])
    ):
        return "it is a path or an address"
    return None


LEFT_OUT = BlockRule(
    "left-out",
    "illustration",
    "`...` in a command, or in a program, stands for a part that is left out.",
    left_out,
    "```bash\ndocker run ... nginx\n```\n",
    "```bash\nls ../..\n```\n",
)
NO_PROGRAM = BlockRule(
    "no-program",
    "illustration",
    "A shell fence begins with an option, with `>`, or with `/word`, a command of a chat or an editor.",
    no_program,
    "```bash\n--verbose --jobs 4\n```\n",
    "```bash\n/bin/ls --all\n```\n",
)
UNREADABLE = BlockRule(
    "unreadable-shell",
    "illustration",
    "A shell fence whose text no shell accepts is a sketch.",
    unreadable_shell,
    "```bash\nif ready; then (\n```\n",
    "```bash\nif true; then (ls); fi\n```\n",
)
COMMENTS = BlockRule(
    "comments-only",
    "illustration",
    "The block has comments only.",
    comments_only,
    "```bash\n# nothing to do here\n```\n",
    "```bash\n# list it\nls\n```\n",
)
INDENTED = BlockRule(
    "part-of-a-program",
    "illustration",
    "A Python fence that Python cannot read on its own is a part of a program.",
    indented_python,
    "```python\n    return total\n```\n",
    "```python\nprint(3)\n```\n",
)
FRAGMENT = BlockRule(
    "undefined-names",
    "illustration",
    "Python uses names that neither the block nor an earlier one defines.",
    python_fragment,
    "```python\nprint(total / count)\n```\n",
    "```python\ntotal, count = 6, 2\nprint(total / count)\n```\n",
)
DEFINITIONS = BlockRule(
    "definitions-only",
    "illustration",
    "Python only defines functions, classes or values, so running it shows nothing.",
    python_definitions,
    "```python\ndef add(a, b):\n    return a + b\n```\n",
    "```python\ndef add(a, b):\n    return a + b\n\nprint(add(1, 2))\n```\n",
)
LATER = BlockRule(
    "after-the-lesson",
    "illustration",
    'The block is below a heading such as "Next steps", "Exercises" or "Best practices".',
    later,
    "## Next steps\n\n```bash\nmake deploy\n```\n",
    "## Deploy\n\n```bash\nmake deploy\n```\n",
)
CONCEPT = BlockRule(
    "explanation",
    "illustration",
    'Code below a heading that explains, such as "How it works"; commands of a shell do not count.',
    concept,
    "## How it works\n\n```python\nprint(sum([1, 2]))\n```\n",
    "## How it works\n\n```bash\npython --version\n```\n",
)
IDEA = BlockRule(
    "idea",
    "illustration",
    'The sentence above offers an idea or shows a form, as "You could also …" does.',
    idea,
    "Experiment with the size:\n\n```bash\nmake grid SIZE=9\n```\n",
    "Make the grid:\n\n```bash\nmake grid SIZE=9\n```\n",
)
EXCERPT = BlockRule(
    "excerpt",
    "illustration",
    "The sentence above says that the code is a part of something, or a pattern.",
    excerpt,
    "The relevant part of the source:\n\n```python\nprint(3)\n```\n",
    "A first program:\n\n```python\nprint(3)\n```\n",
)
ASKED = BlockRule(
    "said-to-a-program",
    "illustration",
    "Text that a person types into a chat or another program.",
    asked,
    "You ask:\n\n```\nWhat is a quasar?\n```\n",
    "It prints:\n\n```\nWhat is a quasar?\n```\n",
)
ONE_PATH = BlockRule(
    "path",
    "illustration",
    "A fence without a language that has only a path or an address.",
    one_path,
    "```\n~/shop/src/\n```\n",
    "```\n3 files in ~/shop/src/\n```\n",
)
