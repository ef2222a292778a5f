"""What waits for a person."""

from __future__ import annotations

import re
from dataclasses import replace

from lesson_runner.document.commands import COMMANDS
from lesson_runner.roles.commands import Command
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.services import why_service
from lesson_runner.roles.view import BlockView

_EDITORS = frozenset(
    {"vi", "vim", "nvim", "nano", "emacs", "pico", "micro", "code", "subl", "gedit", "open", "xdg-open"}
)
_SCREENS = frozenset(
    {
        "top",
        "htop",
        "btop",
        "less",
        "more",
        "man",
        "tmux",
        "screen",
        "mc",
        "ncdu",
        "k9s",
        "lazygit",
        "nvtop",
        "watch",
    }
)
_PROMPTS = frozenset(
    {
        "python",
        "python3",
        "ipython",
        "node",
        "irb",
        "ghci",
        "julia",
        "R",
        "lua",
        "psql",
        "mysql",
        "sqlite3",
        "redis-cli",
    }
    | {
        "mongo",
        "mongosh",
        "bc",
        "gdb",
        "pdb",
        "jshell",
        "scala",
        "iex",
        "erl",
        "telnet",
        "ftp",
        "sftp",
        "fzf",
        "deno",
        "bun",
        "php",
        "clj",
        "sbcl",
    }
)
_GIVEN = {
    "psql": {"-c", "-f", "--command", "--file", "-l"},
    "mysql": {"-e", "--execute"},
    "redis-cli": set(),
    "sqlite3": set(),
}
_LOGINS = re.compile(r"log-?in|login|configure|signin|auth")
_TALKS = re.compile(r"(?:^|[-_./])(?:chat|tui|repl|shell|console|wizard|menu|interactive)(?:$|[-_.])")
_WAITS = re.compile(
    r"\b(?:interactive (?:session|mode|shell|prompt|console|menu|setup|installer|wizard)"
    r"|interactively|chat session"
    r"|prompted (?:for|to)|(?:asks?|prompts?) you|log ?in (?:to|with)"
    r"|(?:launch|start|open|enter|connect to|use)\b[^.]{0,40}\b(?:chat|repl|tui|terminal ui|ui"
    r"|console|editor|shell))\b",
    re.IGNORECASE,
)
_LAUNCH = re.compile(r"\b(?:launch|start|open|just run|talk|chat|play)\b", re.IGNORECASE)


def waits(view: BlockView) -> str | None:
    """A command that waits for a person."""
    for command in view.commands:
        if not command.nested and (reason := _why(command)):
            return reason
    if any(why_service(command, view.memory.listening) for command in view.commands if not command.nested):
        return None
    said = _WAITS.search(view.request)
    if view.commands and said and not re.search(r"\b(?:non-?interactive|without|no)\b", view.request, re.I):
        return f"the text above says that it waits for a person: '{said[0]}'"
    if view.commands and re.match(r"\W*(?:an? |the )?interactive\b[^.]{0,40}:$", view.request, re.I):
        return f"the text above says that it waits for a person: '{view.request}'"
    programs = {command.words[0] for command in view.commands if command.words}
    if len(programs) == 1 and _LAUNCH.search(view.request):
        (program,) = programs
        alone = all(word.startswith("-") for command in view.commands for word in command.words[1:2])
        if alone and program not in COMMANDS and "/" not in program:
            return f"'{program}' without arguments waits for a person"
    return None


def reads_input(view: BlockView) -> str | None:
    """Python that asks a person."""
    return "'input()' waits for a person" if view.python.called & {"input", "getpass"} else None


def _inside(command: Command) -> Command:
    """Return the command that runs in a container, if the command is ``docker exec`` or the like."""
    words = command.words
    at = next((index for index, word in enumerate(words[:4]) if word == "exec"), 0)
    if command.program not in ("docker", "podman", "docker-compose", "nerdctl") or not at:
        return command
    rest = list(words[at + 1 :])
    while rest and rest[0].startswith("-"):
        rest = rest[2 if rest[0] in ("-e", "--env", "-u", "--user", "-w", "--workdir") else 1 :]
    return replace(command, words=tuple(rest[1:])) if len(rest) > 1 else command


def _why(command: Command) -> str:
    if (inner := _inside(command)) is not command and (reason := _why(inner)):
        return reason
    program, arguments, options = command.program, command.arguments, command.options
    if {"--help", "--version", "-h"} & options:
        return ""
    if program in _EDITORS and arguments and "--install-extension" not in options:
        return f"'{program}' waits for a person"
    if program in _SCREENS and not command.piped and not {"-b", "-n", "-d", "new-session"} & options:
        return f"'{program}' waits for a person"
    if program in _PROMPTS and not command.reads and not command.piped:
        given = _GIVEN.get(program)
        silent = given & options if given is not None else arguments or options - {"-i", "-q"}
        if program in ("sqlite3", "redis-cli"):
            silent = arguments[1:] if program == "sqlite3" else arguments
        return "" if silent else f"'{program}' waits for what a person types"
    if (
        program in ("docker", "podman", "kubectl", "nerdctl")
        and {"-i", "--interactive"} & options
        and {"-t", "--tty"} & options
    ):
        return f"'{program} -it' waits for what a person types"
    if program == "ssh" and len(arguments) == 1 and not {"-N", "-f", "-T", "-V"} & options:
        return "'ssh' waits for what a person types"
    if program == "git":
        return _why_git(command)
    if (
        program in ("npm", "yarn", "pnpm")
        and arguments[:1] == ("init",)
        and not {"-y", "--yes"} & options
        and len(arguments) == 1
    ):
        return f"'{program} init' asks questions"
    if (
        program in ("terraform", "tofu", "pulumi")
        and arguments[:1] in (("apply",), ("destroy",), ("up",))
        and not [word for word in arguments[1:] if "=" not in word]
        and not {"-auto-approve", "--auto-approve", "--yes", "-y", "-input", "-refresh-only"} & options
    ):
        return f"'{program} {arguments[0]}' asks for a confirmation"
    if any(re.fullmatch(r"--ask-[a-z-]*pass(?:word)?", word) for word in command.words[1:]):
        return f"'{program}' asks for a password"
    if program == "read" or (program == "select" and arguments):
        return f"'{program}' waits for a person"
    if program == "ssh-keygen" and "-N" not in options and not {"-R", "-l", "-F", "-y"} & options:
        return "'ssh-keygen' asks for a passphrase"
    if _asks_to_log_in(command):
        return f"'{' '.join([program, *arguments[:2]])}' asks a person"
    if program == "npm" and arguments[:1] in (("login",), ("adduser",)):
        return "'npm login' asks a person"
    runs = program in _INTERPRETERS or "/" in (command.words or ("",))[0]
    if any(_TALKS.search(word) for word in (program, *(arguments[:1] if runs else ()))):
        return f"'{' '.join(command.words[:3])}' talks with a person"
    return ""


def _asks_to_log_in(command: Command) -> bool:
    """Return whether a command such as ``gh auth login`` asks, because it is not given a token."""
    given = {"--token", "--with-token", "--password-stdin", "--api-key", "-p", "--password"} & command.options
    logs_in = any(_LOGINS.fullmatch(word) for word in command.arguments[:2])
    if given or command.reads or not logs_in or command.words[0] in ("git", "npm") or "/" in command.words[0]:
        return False
    return command.arguments[-1] not in ("status", "list", "token", "whoami", "logout")


_INTERPRETERS = frozenset({"python", "python3", "node", "ruby", "uv", "poetry", "npx", "java", "deno", "bun"})


def _why_git(command: Command) -> str:
    options = command.options
    if (
        command.arguments[:1] == ("commit",)
        and not {"-m", "--message", "-F", "--file", "--no-edit", "-C", "-am"} & options
    ):
        return "'git commit' without '-m' opens an editor"
    if {"-i", "--interactive", "-p", "--patch"} & options and command.arguments[:1] in (
        ("rebase",),
        ("add",),
        ("stash",),
        ("checkout",),
    ):
        return f"'git {command.arguments[0]}' asks questions"
    return ""


WAITS = BlockRule(
    "waits-for-a-person",
    "interactive",
    "A command waits for a person: an editor, a prompt, a login, a chat.",
    waits,
    "```bash\nnano settings.ini\n```\n",
    "```bash\npython settings.py\n```\n",
)
READS = BlockRule(
    "asks-for-input",
    "interactive",
    "Python calls `input()`.",
    reads_input,
    '```python\nname = input("name? ")\nprint(name)\n```\n',
    '```python\nname = "ada"\nprint(name)\n```\n',
)
