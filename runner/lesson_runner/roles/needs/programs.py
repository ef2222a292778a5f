"""What is known about programs: which every system has, which only one has, and what packages hold."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILT_IN = _words(
    """
    . : [ [[ alias bg bind break builtin caller cd command compgen complete compopt continue declare
    dirs disown echo enable eval exec exit export false fc fg getopts hash help history jobs kill let
    local logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt source
    suspend test times trap true type typeset ulimit umask unalias unset wait which
    """
)
"""Commands of bash, and ``which``, which only asks."""
EVERYWHERE = _words(
    """
    awk basename bash cat chgrp chmod chown clear cksum cmp comm cp cut date dd df diff dirname du env
    expand expr false find fold grep egrep fgrep head hostname id install join less ln logname ls man
    mkdir mkfifo mktemp more mv nice nl nohup od paste printenv ps python python3 rm rmdir sed seq sh
    sleep sort split stat stty tail tee test time touch tr true tty uname uniq wc who whoami xargs yes
    tar gzip gunzip tput sync sha256sum md5sum readlink realpath pgrep pkill killall top vi bc nproc
    base64
    """
)
"""Programs that every system has, or the runner itself (Python)."""
LINUX = _words(
    """
    apt apt-get apt-cache add-apt-repository dpkg yum dnf pacman apk zypper snap systemctl service
    journalctl lspci lsmod modprobe modinfo insmod rmmod lscpu lsblk free udevadm update-grub
    update-initramfs ldconfig usermod useradd groupadd
    """
)
"""Programs that exist only on Linux."""
MACOS = _words(
    """
    open pbcopy pbpaste sw_vers xcode-select osascript launchctl softwareupdate diskutil say
    """
)
"""Programs that exist only on macOS, or do something else elsewhere."""
READ_FILES = _words(
    """
    cat head tail less more wc ls file stat du tree diff sort uniq cmp sha256sum md5sum shasum nl od xxd
    strings bat readlink realpath
    """
)
"""Programs whose words are files that they read."""
ASK = frozenset({"which", "type", "hash"})
"""Commands that only ask whether another one exists."""
PRINT = frozenset({"echo", "printf"})
RUN_FILES = frozenset(
    {"python", "python3", "bash", "sh", "zsh", "node", "ruby", "perl", "php", "Rscript", "deno"}
)
"""Programs whose first word is a file that they run."""
EXTRACT = frozenset({"tar", "unzip", "7z", "gunzip", "bunzip2", "unxz"})
STARTS_PROJECT = frozenset({"init", "new", "create", "startproject", "startapp", "generate", "scaffold"})
"""First words of programs that make such files: ``npm init``, ``cargo new``."""
PROJECT_FILES = {
    "cargo": "Cargo.toml",
    "go": "go.mod",
    "npm": "package.json",
    "yarn": "package.json",
    "pnpm": "package.json",
}
IN_PROJECT = frozenset({"build", "run", "test", "check", "start", "ci", "bench", "dev", "install", "i"})
"""First words of those programs that need the project's file; ``install`` only without further words."""
WRAPPERS = {
    "sudo": frozenset("CghpRrTtUu"),
    "doas": frozenset("u"),
    "env": frozenset("uCS"),
    "command": frozenset(),
    "builtin": frozenset(),
    "exec": frozenset("a"),
    "nohup": frozenset(),
    "setsid": frozenset(),
    "time": frozenset("fo"),
    "nice": frozenset("n"),
    "stdbuf": frozenset("ioe"),
    "timeout": frozenset("ks"),
    "xargs": frozenset("adEIiLlnPs"),
    "watch": frozenset("n"),
}
"""Commands that run another one, and their options that take a value."""
MODULES = {
    "pyyaml": "yaml",
    "pillow": "PIL",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "beautifulsoup4": "bs4",
    "python-dotenv": "dotenv",
    "protobuf": "google",
    "pyserial": "serial",
    "python-dateutil": "dateutil",
    "psycopg2-binary": "psycopg2",
    "pyjwt": "jwt",
}
"""Packages of PyPI whose modules have other names."""
COMMANDS = {
    "huggingface-hub": ("hf", "huggingface-cli"),
    "awscli": ("aws",),
    "httpie": ("http", "https"),
    "docker.io": ("docker",),
    "nodejs": ("node", "npm"),
    "build-essential": ("gcc", "g++", "make"),
    "jupyterlab": ("jupyter",),
    "notebook": ("jupyter",),
    "ninja-build": ("ninja",),
    "golang": ("go",),
    "ripgrep": ("rg",),
    "pciutils": ("lspci",),
    "postgresql-client": ("psql",),
    "openssh-client": ("ssh", "scp"),
}
"""Packages whose programs have other names."""
ALWAYS_SET = _words(
    """
    HOME PWD OLDPWD USER LOGNAME SHELL LANG TERM HOSTNAME UID EUID RANDOM SECONDS LINENO OSTYPE HOSTTYPE
    MACHTYPE PPID IFS PS1 TMPDIR VIRTUAL_ENV CONDA_PREFIX EDITOR REPLY PIPESTATUS FUNCNAME GROUPS SHLVL
    COLUMNS LINES OPTARG OPTIND EPOCHSECONDS SRANDOM
    """
)
"""Variables that a terminal has, or whose absence programs know."""
