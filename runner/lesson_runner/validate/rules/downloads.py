"""Downloads over unencrypted connections, or without a digest."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope
from lesson_runner.validate.rules.code import hosts
from lesson_runner.validate.rules.code.python_tree import pythons
from lesson_runner.validate.rules.code.shell_commands import NOT_SAVED, Command, commands, goes_to_file
from lesson_runner.validate.rules.code.shell_tree import Shell, shells

if TYPE_CHECKING:
    from tree_sitter import Node

DOWNLOADERS = frozenset({"curl", "wget", "aria2c"})
"""Commands that download a URL."""
_GIT = frozenset({"clone", "fetch", "pull", "remote", "submodule", "ls-remote"})
_SENDS = re.compile(
    r"-d|--data.*|--json|-F|--form.*|-T|--upload-file|-I|--head|(?:-X|--request=)?(?:POST|PUT|PATCH|DELETE)"
)
_CURL_VALUES = "AbcCdDeEFhHKmPQrtTuUwxXyYz"
"""Short options of curl that take a value."""
_CHECKERS = re.compile(r"(?:sha\d+|md5|b2|b3)(?:sum)?|shasum|openssl|gpgv?2?|minisign|cosign|signify")
_TO_FILL_IN = re.compile(r"\[|(?<!\$)\{|\.\.\.|…|X{4}")
"""Parts of a URL that show that the reader has to complete it."""
_PYTHON_DOWNLOADERS = {
    "urlretrieve": None,
    "urlopen": None,
    "load_state_dict_from_url": None,
    "get": frozenset({"requests", "httpx", "session"}),
    "download": frozenset({"wget", "gdown"}),
    "retrieve": frozenset({"pooch"}),
}
"""Functions that download a URL; those with common names only in these modules."""


def check_insecure(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first download of each block over an unencrypted connection."""
    if "http://" not in lesson.text:
        return
    for place, url in (*_insecure_in_shell(lesson), *_insecure_in_python(lesson)):
        message = f"'{hosts.shown(url)}' is not encrypted: anyone between server and reader can change it"
        yield Diagnostic("insecure-download", "warning", message, place, "use https")


def _insecure_in_shell(lesson: Lesson) -> Iterator[tuple[Location, str]]:
    for shell in shells(lesson):
        if "http://" in shell.source:
            found = (pair for command in commands(shell) for pair in _plain_urls(command))
            for node, url in found:
                yield shell.place(*node.start_point), url
                break


def _plain_urls(command: Command) -> Iterator[tuple[Node, str]]:
    texts = command.texts
    gets = (
        (command.name in DOWNLOADERS and not any(_SENDS.fullmatch(text) for text in texts))
        or (command.name == "git" and not _GIT.isdisjoint(texts))
        or (command.name in ("pip", "pip3", "pipx") or "pip" in texts[:3])
    )
    for word in command.words if gets else ():
        start = word.text.find("http://")
        # Only an argument or an option's value, not a part of a header or a search.
        if (start == 0 or (start > 0 and word.text[start - 1] in "=+")) and _is_plain(word.text[start:]):
            yield word.node, word.text[start:]


def _insecure_in_python(lesson: Lesson) -> Iterator[tuple[Location, str]]:
    for python in pythons(lesson):
        if python.tree is None or "http://" not in python.code.block.text:
            continue
        for node in ast.walk(python.tree):
            if isinstance(node, ast.Call) and node.args and _downloads(node.func):
                url = node.args[0]
                if isinstance(url, ast.Constant) and _is_plain(url.value):
                    yield python.place(url.lineno, url.col_offset), str(url.value)
                    break


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and value.startswith("http://") and hosts.is_public(value)


def _downloads(function: ast.expr) -> bool:
    """Return whether a called function downloads a URL."""
    if isinstance(function, ast.Name):
        return function.id in ("urlretrieve", "urlopen")
    if not isinstance(function, ast.Attribute) or function.attr not in _PYTHON_DOWNLOADERS:
        return False
    owners = _PYTHON_DOWNLOADERS[function.attr]
    return owners is None or (isinstance(function.value, ast.Name) and function.value.id in owners)


def check_unpinned(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield the first file of each block that is downloaded and not compared with a digest."""
    for shell in shells(lesson):
        if "curl" not in shell.source and "wget" not in shell.source:
            continue
        found = list(commands(shell))
        checks = [command.node.start_byte for command in found if _CHECKERS.fullmatch(command.name)]
        for command in found:
            start = command.node.start_byte
            if _saves(shell, command) and not any(check > start for check in checks):
                message = (
                    f"the file that '{command.name}' saves is not checked: it may change or be incomplete"
                )
                place = shell.place(*command.node.start_point)
                fix = "compare it with a digest: echo '<sha256>  <file>' | sha256sum --check"
                yield Diagnostic("unpinned-download", "info", message, place, fix)
                break


def _saves(shell: Shell, command: Command) -> bool:
    """Return whether a command saves a download from a public server to a file."""
    texts = command.texts
    if command.name not in ("wget", "curl") or any(_SENDS.fullmatch(text) for text in texts):
        return False
    if not any(hosts.is_public(text) if "://" in text else "$" in text for text in texts):
        return False
    if any("://" in text and _TO_FILL_IN.search(text) for text in texts):
        return False
    if command.name == "wget":
        target = command.option("O", "--output-document", valued="aeDIAlRUPtTwQiB")
        return "--spider" not in texts and target not in NOT_SAVED
    target = command.option("o", "--output", valued=_CURL_VALUES)
    if target is None:
        named = command.option("O", "--remote-name", "--remote-name-all", valued=_CURL_VALUES) is not None
        return named or goes_to_file(shell, command.node)
    return target not in NOT_SAVED


RULES = (
    Rule("insecure-download", "warning", "A download over plain http.", check=check_insecure),
    Rule(
        "unpinned-download",
        "info",
        "A file that is downloaded and not compared with a digest.",
        check=check_unpinned,
    ),
)
