"""What changes the machine, not only the folder of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lesson_runner.model import MAIN_PATH
from lesson_runner.roles.commands import Command, read_shell
from lesson_runner.roles.installs import installs
from lesson_runner.roles.outside import changed, deleted, is_outside
from lesson_runner.roles.python_changes import commands_of, written_by
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.view import BlockView

_MANAGERS = frozenset(
    {
        *(
            "apt",
            "apt-get",
            "aptitude",
            "dpkg",
            "yum",
            "dnf",
            "rpm",
            "zypper",
            "pacman",
            "apk",
            "snap",
            "flatpak",
        ),
        *("brew", "port", "winget", "choco", "scoop", "emerge", "pkg"),
    }
)
_ASKING = frozenset(
    {"list", "search", "show", "info", "--version", "version", "outdated", "policy", "help", "--help"}
)
_ADMINISTRATION = frozenset(
    {
        *(
            "modprobe",
            "insmod",
            "rmmod",
            "mkfs",
            "fdisk",
            "parted",
            "mount",
            "umount",
            "useradd",
            "usermod",
            "adduser",
        ),
        *(
            "groupadd",
            "chsh",
            "reboot",
            "shutdown",
            "poweroff",
            "halt",
            "ufw",
            "iptables",
            "sysctl",
            "update-grub",
        ),
        *(
            "visudo",
            "passwd",
            "setcap",
            "ldconfig",
            "update-alternatives",
            "loginctl",
            "firewall-cmd",
        ),
    }
)
_CHANGES: dict[str, frozenset[str]] = {
    "hostnamectl": frozenset({"set-hostname", "hostname"}),
    "timedatectl": frozenset({"set-timezone", "set-time", "set-ntp"}),
    "localectl": frozenset({"set-locale", "set-keymap"}),
    "launchctl": frozenset({"load", "unload", "bootstrap", "bootout", "start", "stop", "enable"}),
    "defaults": frozenset({"write", "delete"}),
    "gsettings": frozenset({"set", "reset"}),
    "dconf": frozenset({"write", "reset", "load"}),
    "ip": frozenset({"add", "del", "set", "delete", "flush"}),
    "date": frozenset({"-s", "--set"}),
}
"""Programs that mostly ask, and their words that change the machine."""
_ALWAYS = frozenset({"swapon", "swapoff", "mkswap", "ssh-copy-id", "at", "batch", "losetup"})
_TOLD = re.compile(
    r"\b(?:add|append|put|paste|insert)\b[^.:]{0,80}(?<![\w/])"
    r"(?P<path>~/\.(?:bashrc|bash_profile|profile|zshrc|zprofile)|\.(?:bashrc|bash_profile|zshrc)\b)",
    re.IGNORECASE,
)
_FETCHED_HERE = re.compile(r"<\(\s*(?:curl|wget)\b")
_SCRIPT = re.compile(r"(?:install|setup|bootstrap|^get[-_])[\w.-]*$", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?<![&>])&\s*(?:#.*)?$", re.MULTILINE)
_INSTALLER = frozenset({"sh", "bash", "zsh", "dash"})
_GLOBAL = frozenset({"-g", "--global"})


def changes_machine(view: BlockView) -> str | None:
    """A command that changes the machine."""
    if view.kind == "python":
        return _why_python(view)
    commands = (*view.commands, *(inner for item in view.commands for inner in _inside(item)))
    for command in commands:
        if reason := _why(command) or _why_install(command, view) or _why_ends(command, view, commands):
            return reason
    if target := next((item for item in view.shell.targets if is_outside(item)), None):
        return f"it writes '{target}', outside of the run's folder"
    if view.kind == "shell" and (told := _TOLD.search(view.lead)):
        return f"the text above says to add it to '{told['path']}', which every new shell reads"
    fetched = [item for item in view.commands if item.program in ("curl", "wget")]
    if fetched and any(_runs_download(item, fetched) for item in view.commands):
        return "it runs an installer from the network"
    return None


def _why_python(view: BlockView) -> str | None:
    if view.typed is None or not view.python.is_python:
        return None
    text = view.typed.text
    if path := written_by(text):
        return f"it writes '{path}', outside of the run's folder"
    started = [command for line in commands_of(text) for command in read_shell(line).commands]
    return next((reason for command in started if (reason := _why(command))), None)


def _inside(command: Command, depth: int = 0) -> Iterator[Command]:
    """Yield the commands that a command has in its words: of ``sh -c``, ``eval`` and ``xargs``."""
    text = ""
    if command.program in _INSTALLER and "-c" in command.options and command.arguments:
        text = command.arguments[0]
    elif command.program == "eval":
        text = " ".join(command.words[1:])
    elif command.program == "xargs":
        words = list(command.words[1:])
        while words and words[0].startswith("-"):
            takes_value = words.pop(0) in ("-n", "-I", "-P", "-L", "-d", "-s")
            words = words[1:] if takes_value else words
        if words:
            yield Command(tuple(words), command.wrappers)
    if text and depth < 2:
        for inner in read_shell(text).commands:
            yield inner
            yield from _inside(inner, depth + 1)


def _runs_download(command: Command, fetched: Sequence[Command]) -> bool:
    program = command.program
    if program in (*_INSTALLER, "source", ".") and any(
        _FETCHED_HERE.match(word) for word in command.words[1:2]
    ):
        return True
    saved = {word.rpartition("/")[2] for item in fetched for word in item.arguments}
    scripts = {name for name in saved if _SCRIPT.search(name)}
    runs = command.arguments[:1] if program in _INSTALLER else command.words[:1]
    if any(word.rpartition("/")[2] in scripts for word in runs):
        return True
    return program in _INSTALLER and (command.reads or "-c" in command.options) and not command.nested


def _why_install(command: Command, view: BlockView) -> str:
    text = view.typed.text if view.typed else ""
    return installs(command, text, [words for _, words in view.memory.words])


def _why_ends(command: Command, view: BlockView, commands: Sequence[Command]) -> str:
    """Return why a command ends processes or containers that the lesson has not started."""
    program, arguments = command.program, command.arguments
    asked = {item.program for item in commands if item.nested or item.piped}
    if program in ("docker", "podman"):
        removes = {*arguments[:2]} & {"rm", "rmi", "stop", "kill"}
        every = any(word.startswith(("$(docker", "`docker", "$(podman")) for word in command.words)
        return f"'{program} {min(removes)}' is for all containers" if removes and every else ""
    by_name = program in ("killall", "pkill") or (program == "fuser" and "-k" in command.options)
    found = program == "kill" and asked & {"lsof", "pgrep", "pidof", "fuser"}
    if program == "kill" and not arguments and command.words[2:] == ("-1",):
        return "it ends all processes of the user"
    if not (by_name or found) or view.memory.started:
        return ""
    before = [item.block.text for item in view.memory.roles if item.role in MAIN_PATH]
    if any(item.background for item in commands) or any(_BACKGROUND.search(text) for text in before):
        return ""
    return f"'{program}' ends processes that the lesson has not started"


def _why(command: Command) -> str:
    return _why_program(command) or _why_file(command)


def _why_program(command: Command) -> str:
    if admin := command.wrappers & {"sudo", "doas"}:
        return f"'{min(admin)}' changes the machine"
    program, arguments = command.program, command.arguments
    if program in ("sudo", "doas", "su"):
        return f"'{program}' changes the machine"
    if program in _MANAGERS and not {*command.words[1:3]} & _ASKING:
        return f"'{program}' changes what is installed on the machine"
    if (program in _ADMINISTRATION | _ALWAYS and arguments) or (
        {*command.words[1:]} & _CHANGES.get(program, frozenset())
    ):
        return f"'{program}' changes the machine"
    if program == "crontab" and len(command.words) > 1 and "-l" not in command.options:
        return "'crontab' changes what the machine runs later"
    if program == "ssh-keygen" and not {"-f", "-l", "-A", "--help"} & command.options:
        return "'ssh-keygen' writes to the user's own '~/.ssh'"
    if program == "systemctl" and not {*arguments} & {
        "status",
        "show",
        "is-active",
        "is-enabled",
        "list-units",
        "cat",
    }:
        return "'systemctl' changes the machine's services"
    if program == "service" and arguments[1:2] != ("status",):
        return "'service' changes the machine's services"
    if program in ("npm", "pnpm", "yarn") and (
        _GLOBAL & command.options or "global" in arguments[:1] or "--location=global" in command.words
    ):
        return f"'{program}' installs for all projects of the user" if _installs(command) else ""
    if program in ("docker", "podman") and arguments[1:2] == ("prune",):
        return f"'{program} … prune' deletes what other work may need"
    return _why_git(command) if program == "git" else ""


def _why_git(command: Command) -> str:
    arguments = command.arguments
    if "config" in arguments[:2] and {"--global", "--system"} & command.options:
        asks = command.options & {"--list", "--get", "-l"} or len(arguments) < 3
        return "" if asks else "it changes the user's settings of git"
    if arguments[:2] == ("submodule", "foreach"):
        return "it changes all submodules"
    if arguments[:1] == ("submodule",) and {"-f", "--force"} & command.options:
        return "it overwrites all submodules"
    return ""


def _why_file(command: Command) -> str:
    if path := deleted(command):
        return f"it deletes '{path}', outside of the run's folder"
    path = changed(command)
    return f"it changes '{path}', outside of the run's folder" if path else ""


def _installs(command: Command) -> bool:
    return bool({*command.arguments} & {"install", "i", "add", "link", "uninstall", "remove", "global"})


SYSTEM = BlockRule(
    "changes-the-machine",
    "system",
    "A command changes the machine: `sudo`, a package manager, an installer from the network, startup files.",
    changes_machine,
    "```bash\nsudo apt-get install -y jq\n```\n",
    "```bash\napt list --installed\n```\n",
)
