"""What changes the machine, not only the folder of the run."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from lesson_runner.roles.commands import Command
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
            "crontab",
            "loginctl",
            "firewall-cmd",
        ),
    }
)
_STARTUP = re.compile(
    r"(?:~|\$\{?HOME\}?)/\.(?:bashrc|bash_profile|bash_aliases|profile|zshrc|zprofile|zshenv|ssh/\S*|gitconfig|config/\S*)$"
    r"|/etc/|/usr/(?!local/share/tmp)|/opt/|/boot/|/lib/|/var/"
)
_TOLD = re.compile(
    r"\b(?:add|append|put|paste|insert)\b[^.:]{0,80}(?<![\w/])"
    r"(?P<path>~/\.(?:bashrc|bash_profile|profile|zshrc|zprofile)|\.(?:bashrc|bash_profile|zshrc)\b)",
    re.IGNORECASE,
)
_INSTALLER = frozenset({"sh", "bash", "zsh", "dash"})
_GLOBAL = frozenset({"-g", "--global"})


def changes_machine(view: BlockView) -> str | None:
    """A command that changes the machine."""
    for command in view.commands:
        if reason := _why(command):
            return reason
    if target := next((item for item in view.shell.targets if _STARTUP.match(item)), None):
        return f"it writes '{target}', outside of the run's folder"
    if view.kind == "shell" and (told := _TOLD.search(view.lead)):
        return f"the text above says to add it to '{told['path']}', which every new shell reads"
    fetched = [item for item in view.commands if item.program in ("curl", "wget")]
    if fetched and any(_runs_download(item) for item in view.commands):
        return "it runs an installer from the network"
    return None


def _runs_download(command: Command) -> bool:
    return command.program in _INSTALLER and (command.reads or "-c" in command.options) and not command.nested


def _why(command: Command) -> str:
    if admin := command.wrappers & {"sudo", "doas"}:
        return f"'{min(admin)}' changes the machine"
    program, arguments = command.program, command.arguments
    if program in ("sudo", "doas", "su"):
        return f"'{program}' changes the machine"
    if program in _MANAGERS and not {*command.words[1:3]} & _ASKING:
        return f"'{program}' changes what is installed on the machine"
    if program in _ADMINISTRATION and arguments:
        return f"'{program}' changes the machine"
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
    if program in ("npm", "pnpm", "yarn") and (_GLOBAL & command.options or "global" in arguments[:1]):
        return f"'{program}' installs for all projects of the user" if _installs(command) else ""
    if program == "git" and arguments[:1] == ("config",) and "--system" in command.options:
        asks = command.options & {"--list", "--get", "-l"} or len(arguments) < 3
        return "" if asks else "it changes the machine's settings of git"
    if program == "git" and arguments[:2] == ("submodule", "foreach"):
        return "it changes all submodules"
    if program == "git" and arguments[:1] == ("submodule",) and {"-f", "--force"} & command.options:
        return "it overwrites all submodules"
    if program in ("docker", "podman") and arguments[1:2] == ("prune",):
        return f"'{program} … prune' deletes what other work may need"
    if program == "pip" and "--break-system-packages" in command.options:
        return "it changes the Python of the machine"
    if program == "rm" and {"-r", "-R", "--recursive"} & command.options:
        outside = next((item for item in arguments if _is_outside(item)), "")
        return f"it deletes '{outside}', outside of the run's folder" if outside else ""
    if program in ("cp", "mv", "ln", "tee", "install", "rm", "mkdir", "touch"):
        target = next((item for item in reversed(arguments) if _STARTUP.match(item)), "")
        return f"it changes '{target}', outside of the run's folder" if target else ""
    return ""


def _installs(command: Command) -> bool:
    return bool({*command.arguments} & {"install", "i", "add", "link", "uninstall", "remove", "global"})


def _is_outside(path: str) -> bool:
    """Return whether a path to delete is in the user's home or a folder of the machine; not in ``/tmp``."""
    if path.startswith(("~", "$HOME", "${HOME}")):
        return True
    return path.startswith("/") and PurePosixPath(path).parts[1:2] != ("tmp",)


SYSTEM = BlockRule(
    "changes-the-machine",
    "system",
    "A command changes the machine: `sudo`, a package manager, an installer from the network, startup files.",
    changes_machine,
    "```bash\nsudo apt-get install -y jq\n```\n",
    "```bash\napt list --installed\n```\n",
)
