"""What changes the machine, not only the folder of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from lesson_runner.roles.commands import Command, read_shell
from lesson_runner.roles.outside import is_outside, written_outside
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
            "dnf5",
            "microdnf",
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
        *("modprobe", "insmod", "rmmod", "depmod", "dkms", "mkfs", "fdisk", "sfdisk", "gdisk", "parted"),
        *(
            "wipefs",
            "blkdiscard",
            "cryptsetup",
            "losetup",
            "mdadm",
            "zpool",
            "resize2fs",
            "tune2fs",
            "mkswap",
        ),
        *("pvcreate", "vgcreate", "lvcreate", "lvremove", "vgremove", "mount", "umount", "swapon", "swapoff"),
        *("useradd", "usermod", "userdel", "adduser", "deluser", "groupadd", "groupdel", "gpasswd", "chsh"),
        *("chpasswd", "passwd", "visudo", "setcap", "setenforce", "setsebool", "ufw", "iptables", "nft"),
        *("ldconfig", "update-alternatives", "update-grub", "grub-install", "efibootmgr", "sysctl"),
        *("crontab", "loginctl", "firewall-cmd", "dpkg-reconfigure", "add-apt-repository", "apt-key"),
        *("apt-mark", "a2enmod", "a2dismod", "a2ensite", "a2dissite", "launchctl", "systemd-run"),
        *("pkill", "killall"),
    }
)
_ALONE = frozenset({"reboot", "shutdown", "poweroff", "halt"})
_SETTING = {
    "hostnamectl": "set-hostname hostname",
    "timedatectl": "set-timezone set-time set-ntp",
    "localectl": "set-locale set-keymap",
    "nmcli": "up down add modify delete connect",
    "netplan": "apply",
    "ip": "add del delete set flush",
    "defaults": "write delete",
    "xcode-select": "--install --switch",
    "swapon": "-a",
    "swapoff": "-a",
    "mount": "-a",
    "iptables": "-F",
    "crontab": "-r",
}
"""Programs that change the machine with some of their words, and only show something with others."""
_BUILDERS = frozenset({"make", "gmake", "ninja", "meson", "python", "python3", "setup.py"})
_PREFIX = re.compile(
    r"DESTDIR=|(?:-{1,2}|-D)?(?:CMAKE_INSTALL_PREFIX(?::\w+)?|prefix|PREFIX)(?:=|$)"
    r"|-{1,2}(?:user(?:-install)?|root|home|install-dir)(?:=|$)"
)
"""A word that sets another folder to install to, perhaps in the word after it."""
_TOLD = re.compile(
    r"\b(?:add|append|put|paste|insert)\b[^.:]{0,80}(?<![\w/])"
    r"(?P<path>~/\.(?:bashrc|bash_profile|profile|zshrc|zprofile)|\.(?:bashrc|bash_profile|zshrc)\b)",
    re.IGNORECASE,
)
_INSTALLER = frozenset({"sh", "bash", "zsh", "dash"})
_FETCHED = re.compile(r"(?:[<$]\(|`)\s*(?:curl|wget)\b")
_GLOBAL = frozenset({"-g", "--global"})


def changes_machine(view: BlockView) -> str | None:
    """A command that changes the machine."""
    started = view.commands
    if view.kind == "python":
        if path := written_by(view.block.text):
            return f"it writes '{path}', outside of the run's folder"
        started = tuple(inner for text in commands_of(view.block.text) for inner in read_shell(text).commands)
    commands = [inner for command in started for inner in _with_inner(command)]
    words = [word for command in commands for word in command.words]
    words += [word for _, earlier in view.memory.words for word in earlier]
    prefixed = any(map(_is_prefix, words, [*words[1:], ""]))
    for command in commands:
        if reason := _why(command) or ("" if prefixed else _why_installed(command)):
            return reason
    if target := next((item for item in view.shell.targets if is_outside(item)), None):
        return f"it writes '{target}', outside of the run's folder"
    if view.kind == "shell" and (told := _TOLD.search(view.lead)):
        return f"the text above says to add it to '{told['path']}', which every new shell reads"
    fetched = [item for item in view.commands if item.program in ("curl", "wget")]
    if fetched and any(_runs_download(item) for item in view.commands):
        return "it runs an installer from the network"
    return None


def _is_prefix(word: str, following: str) -> bool:
    """Return whether a word sets another folder to install to than one of the machine."""
    found = _PREFIX.match(word)
    return found is not None and not is_outside(word[found.end() :] if "=" in word else following)


def _with_inner(command: Command, depth: int = 0) -> Iterator[Command]:
    """Yield a command, and those that it runs: of ``xargs``, of ``bash -c``, of ``python -m``."""
    yield command
    words = command.words
    if depth > 3 or len(words) < 2:
        return
    inner: list[Command] = []
    if command.program in _INSTALLER and "-c" in command.options:
        at = next(index for index, word in enumerate(words) if re.fullmatch(r"-[a-z]*c", word))
        inner = [*read_shell(" ".join(words[at + 1 : at + 2])).commands]
    elif command.program == "xargs":
        rest = list(words[1:])
        while rest and rest[0].startswith("-"):
            rest = rest[2 if rest[0] in ("-a", "-n", "-I", "-P", "-L", "-d", "-s", "-E") else 1 :]
        inner = [*read_shell(" ".join(rest)).commands]
    elif command.program.startswith("python") and words[1] == "-m":
        inner = [replace(command, words=words[2:], wrappers=frozenset())] if len(words) > 2 else []
    for item in inner:
        yield from _with_inner(item, depth + 1)


def _why_installed(command: Command) -> str:
    """Return why a command installs what was built, or a package, for the whole machine."""
    program, arguments = command.program, command.arguments
    builds = program in _BUILDERS and (program not in ("python", "python3") or "setup.py" in arguments[:1])
    if (builds and "install" in arguments) or (program == "cmake" and "--install" in command.words):
        return f"'{program} … install' installs it for the whole machine"
    if program == "gem" and arguments[:1] in (("install",), ("uninstall",), ("update",)):
        return f"'gem {arguments[0]}' changes what is installed on the machine"
    return ""


def _runs_download(command: Command) -> bool:
    if command.nested:
        return False
    if (
        command.program in _INSTALLER or command.program in ("eval", "source", ".", "python", "python3")
    ) and any(_FETCHED.match(word) for word in command.words[1:]):
        return True
    if command.program in ("python", "python3"):
        return command.reads and command.words[1:2] in ((), ("-",))
    return command.program in _INSTALLER and (command.reads or "-c" in command.options)


def _why(command: Command) -> str:
    if admin := command.wrappers & {"sudo", "doas"}:
        return f"'{min(admin)}' changes the machine"
    program, arguments = command.program, command.arguments
    if program in ("sudo", "doas", "su"):
        return f"'{program}' changes the machine"
    if program in _MANAGERS and not {*command.words[1:3]} & _ASKING:
        return f"'{program}' changes what is installed on the machine"
    if program in _ALONE or (program.partition(".")[0] in _ADMINISTRATION and arguments):
        return f"'{program}' changes the machine"
    if {*command.words[1:]} & {*_SETTING.get(program, "").split()}:
        return f"'{program}' changes the machine's settings"
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
    if {*command.words[1:3]} & {"rm", "rmi", "stop", "kill", "restart"} and any(
        re.match(r"(?:\$\(|`)\s*(?:docker|podman)\b", word) for word in command.words
    ):
        return f"it changes whatever '{program}' lists, also what other work needs"
    if program == "pip" and "--break-system-packages" in command.options:
        return "it changes the Python of the machine"
    if program == "rm" and {"-r", "-R", "--recursive"} & command.options:
        outside = next((item for item in arguments if _is_outside(item)), "")
        return f"it deletes '{outside}', outside of the run's folder" if outside else ""
    target = written_outside(command)
    return f"it changes '{target}', outside of the run's folder" if target else ""


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
