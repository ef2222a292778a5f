"""
Run commands in a bubblewrap sandbox: they can read the system, and write only to the folders given to them.

A command in the sandbox sees a read-only system; an empty home folder and an empty ``/tmp`` that last as long
as the run; no ``/run`` (it has the sockets of Docker, D-Bus and agents) and, without network, no file system
sockets at all; none of the caller's keyrings; only the devices that programs need, and the device files of
the machine's hardware; only its own processes; no network, unless it is allowed. What Python, ``PATH`` and
the hardware's programs need from the home folder is visible, read-only. When the command ends, so do all
processes that it has started.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.execute.seccomp import filter_program
from lesson_runner.files.folders import config_folder
from lesson_runner.files.plain import real
from lesson_runner.model import Hardware
from lesson_runner.model.errors import LessonError

TRIAL_SECONDS = 20.0
HIDDEN = (
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "GNUPGHOME"),
    *("DOCKER_CONFIG", "DOCKER_CERT_PATH", "KUBECONFIG", "NETRC", "CURL_HOME", "SSH_AUTH_SOCK", "KRB5CCNAME"),
    *("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "BOTO_CONFIG"),
    *("CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR", "OCI_CLI_CONFIG_FILE", "GH_CONFIG_DIR", "GLAB_CONFIG_DIR"),
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_SSH_KEY", "TF_CLI_CONFIG_FILE", "VAULT_CONFIG_PATH"),
    *("HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_REGISTRY_CONFIG", "MINIKUBE_HOME", "RCLONE_CONFIG"),
    *("PGPASSFILE", "PGSERVICEFILE", "MYSQL_HOME", "ODBCINI", "PASSWORD_STORE_DIR", "GNOME_KEYRING_CONTROL"),
    *("PIP_CONFIG_FILE", "PYPIRC", "TWINE_CONFIG_FILE", "POETRY_CONFIG_DIR", "CONDARC", "UV_CONFIG_FILE"),
    *(
        "NPM_CONFIG_USERCONFIG",
        "NPM_CONFIG_GLOBALCONFIG",
        "YARN_RC_FILENAME",
        "CARGO_HOME",
        "GRADLE_USER_HOME",
    ),
    *("COMPOSER_HOME", "BUNDLE_USER_HOME", "BUNDLE_USER_CONFIG", "NUGET_PACKAGES", "COURSIER_CONFIG_DIR"),
    *(
        "HF_HOME",
        "HF_TOKEN_PATH",
        "HUGGINGFACE_HUB_CACHE",
        "KAGGLE_CONFIG_DIR",
        "WANDB_DIR",
        "WANDB_CONFIG_DIR",
    ),
    *("XAUTHORITY", "ICEAUTHORITY", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"),
)
"""Variables that name places of secrets outside the home folder. Commands do not get them."""
_HIDDEN_ENDS = ("_CONFIG", "_CONFIG_FILE", "_CONFIG_DIR", "_CONFIG_HOME", "_CONFIG_PATH", "_CREDENTIALS")
"""Endings of further such variables, of any program."""
_NO_CONFIG = frozenset({"PKG_CONFIG", "FONTCONFIG_FILE", "OPENSSL_CONF", "PKG_CONFIG_PATH"})
NEEDED = ("VIRTUAL_ENV", "PYENV_ROOT")
"""Variables that name folders which commands may read even inside the home folder."""
RESOLVERS = ("/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager")
"""Where ``/etc/resolv.conf`` may point to."""
TMP = real(Path("/tmp"))
VAR_TMP = real(Path("/var/tmp"))
OUTSIDE = Path("/")
"""The working folder in which bubblewrap starts."""
NAMESPACES = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--hostname", "sandbox", "--cap-drop", "ALL", "--die-with-parent", "--new-session"),
)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """
    The settings of a sandbox for commands.

    Attributes:
        program: the path of bubblewrap.
        network: commands may use the network.
        device_files: files and folders in ``/dev`` that commands may open, if they exist.
        path_variables: variables that name readable folders, in addition to :data:`NEEDED`.
    """

    program: str
    network: bool = False
    device_files: tuple[str, ...] = ()
    path_variables: tuple[str, ...] = ()

    def command(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        own: Path,
        folder: Path,
        *,
        writable: Iterable[Path] = (),
        readable: Iterable[Path] = (),
    ) -> list[str]:
        """
        Return the command that runs ``command`` in the sandbox.

        Start it in :data:`OUTSIDE`. Otherwise, if ``PATH`` or ``LD_LIBRARY_PATH`` has an empty entry,
        programs that start outside the sandbox could run files that an earlier command left in the current
        folder.

        Args:
            env: the environment, as returned by :meth:`environment`.
            own: a folder for the sandbox's home folder and ``/tmp``; created if needed.
            folder: the working folder of ``command``.
            writable: existing files and folders that it may change.
            readable: files and folders that it may read, wherever they are.

        Raises:
            LessonError: the home folder is ``/``.
            OSError: ``own`` cannot be written.
        """
        home = home_folder()
        words = [self.program, *NAMESPACES, *(() if self.network else ("--unshare-net",))]
        words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"]
        for name in _kernel_settings():
            words += ["--ro-bind-try", name, name]
        for device in self.device_files:
            words += ["--dev-bind-try", device, device]
        for resolver in RESOLVERS if self.network else ():
            words += ["--ro-bind-try", resolver, resolver]
        # Outer folders come first: a place of secrets may be inside a needed folder, or the other way around.
        places = {
            place: ["--ro-bind", str(real(place)), str(place)] for place in self._needed_paths(env, readable)
        }
        places |= {place: _hide(place) for place in _hidden()}
        for place, name in {home: "home", TMP: "tmp", VAR_TMP: "var-tmp"}.items():
            (own / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            places[place] = ["--bind", str(own / name), str(place)]
        for place in sorted(places):
            words += places[place]
        words += _hide(real(config_folder()))  # again: it may be inside a folder that was just made visible
        for place in map(real, writable):
            words += ["--bind", str(place), str(place)]
        words += ["--chdir", str(real(folder))]
        refused = filter_program(network=self.network)
        if refused is None:
            return [*words, "--", *command]
        rules = own / "seccomp"
        rules.write_bytes(refused)
        # bubblewrap reads the filter from descriptor 9, which the command does not inherit. `sh` is
        # not searched for: it starts outside of the sandbox, and a folder in PATH may belong to the run.
        start = ["/bin/sh", "-c", 'exec "$@" 9<"$0"', str(rules.absolute()), words[0], "--seccomp", "9"]
        return [*start, *words[1:], "--", *command]

    def hides(self, place: Path) -> bool:
        """Return whether a real path is hidden from commands in the sandbox."""
        if place.is_relative_to(real(config_folder())):
            return True
        hidden = _depth(place, _concealed())
        return hidden > 0 and hidden >= _depth(place, map(real, self._needed_paths(os.environ, ())))

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return an environment without variables that lead to hidden or different places."""
        kept = {name: value for name, value in env.items() if not leads_to_secrets(name, value)}
        return {**kept, "HOME": str(home_folder()), "TMPDIR": str(TMP)}

    def _needed_paths(self, env: Mapping[str, str], more: Iterable[Path]) -> list[Path]:
        """
        Return what commands need from concealed places.

        Each place is listed by the name in use and by its real path: links in the home folder are concealed
        too.
        """
        names = [sys.prefix, sys.base_prefix, *os.get_exec_path(env)]
        names += [name for name in sys.path if name and real(Path(name)) != Path.cwd()]
        names += [env[name] for name in (*NEEDED, *self.path_variables) if env.get(name)]
        programs = real(Path(sys.executable)).parent
        wanted = [*map(Path, names), programs, programs.parent, *more]
        used = {Path(os.path.normpath(place)) for place in wanted if place.is_absolute()}
        gone, whole = _concealed(), [home_folder(), TMP, VAR_TMP, Path("/run")]
        return [
            place
            for place in used | {real(place) for place in used}
            if _exists(place)
            and any(place.is_relative_to(folder) for folder in gone)
            and not any(folder.is_relative_to(place) for folder in whole)
        ]


def open_sandbox(hardware: Iterable[Hardware] = (), *, network: bool = False) -> Sandbox:
    """
    Return a sandbox, after running a trial command in it.

    Args:
        hardware: the hardware that commands may use.
        network: commands may use the network.

    Raises:
        LessonError: bubblewrap is missing, or cannot create a sandbox on this machine.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise LessonError(
            "--sandbox needs bubblewrap, and there is no bwrap on PATH",
            fix="install it (Debian, Ubuntu: apt install bubblewrap); or read the lesson's commands, then"
            " run it without --sandbox",
        )
    used = tuple(hardware)
    sandbox = Sandbox(
        program,
        network,
        tuple(name for item in used for name in item.device_files),
        tuple(name for item in used for name in item.path_variables),
    )
    with tempfile.TemporaryDirectory(prefix="lesson-sandbox-") as folder:
        command = sandbox.command(["true"], os.environ, real(Path(folder)), OUTSIDE)
        try:
            done = subprocess.run(
                command,
                cwd=OUTSIDE,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=TRIAL_SECONDS,
                check=False,
            )
            problem = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
            good = done.returncode == 0
        except (OSError, subprocess.SubprocessError) as error:
            problem, good = str(error), False
    if not good:
        raise LessonError(
            f"--sandbox: bubblewrap cannot create a sandbox on this machine: {problem}",
            fix="allow user namespaces ('What a sandbox needs' in docs/security.md); or read the lesson's"
            " commands, then run it without --sandbox",
        )
    return sandbox


def leads_to_secrets(name: str, value: str) -> bool:
    """Return whether a variable names a file or folder in which a program keeps its secrets."""
    upper = name.upper()
    if upper in HIDDEN:
        return True
    return upper.endswith(_HIDDEN_ENDS) and upper not in _NO_CONFIG and value.startswith("/")


def secret_places(environ: Mapping[str, str]) -> list[Path]:
    """Return the places of secrets that variables name."""
    named = (value for name, value in environ.items() if leads_to_secrets(name, value))
    parts = [part.removeprefix("FILE:") for value in named for part in value.split(os.pathsep)]
    return [real(Path(part)) for part in parts if part]


def home_folder() -> Path:
    """
    Return the home folder of commands in the sandbox: the same path as this user's.

    Raises:
        LessonError: the home folder is ``/``, which cannot be hidden.
    """
    try:
        home = real(Path(os.environ.get("HOME") or "~").expanduser())
    except RuntimeError:  # a user without a name
        return TMP
    if home == home.parent:
        raise LessonError(
            "--sandbox: your home folder is /, which cannot be hidden", fix="set HOME to another folder"
        )
    return home if _exists(home) and home.is_dir() else TMP


def _hidden() -> Iterator[Path]:
    """Yield files and folders, other than the home folder, that no command may read."""
    with contextlib.suppress(KeyError):  # a user without a name
        yield real(Path(pwd.getpwuid(os.getuid()).pw_dir))  # HOME may differ
    yield real(config_folder())
    yield from secret_places(os.environ)


def _concealed() -> list[Path]:
    """Return the places where commands see only what is made visible for them."""
    return [home_folder(), TMP, VAR_TMP, *_hidden(), Path("/run")]


def _hide(place: Path) -> list[str]:
    if place in (place.parent, home_folder()) or not _exists(place):
        return []
    return ["--tmpfs", str(place)] if place.is_dir() else ["--ro-bind", "/dev/null", str(place)]


def _kernel_settings() -> Iterator[str]:
    """
    Yield the writable entries of ``/proc`` that belong to no process: the kernel's settings.

    Root can write them even without capabilities, and bubblewrap leaves ``/proc/sys`` writable. Its
    ``core_pattern`` names a program that the kernel runs outside any sandbox.
    """
    for entry in sorted(Path("/proc").iterdir()):
        if not entry.name.isdigit() and not entry.is_symlink() and (entry.is_dir() or _is_writable(entry)):
            yield str(entry)


def _is_writable(file: Path) -> bool:
    return bool(file.stat().st_mode & 0o222)


def _depth(place: Path, folders: Iterable[Path]) -> int:
    """Return the depth of the innermost folder that contains a place; 0 if none does."""
    return max((len(folder.parts) for folder in folders if place.is_relative_to(folder)), default=0)


def _exists(place: Path) -> bool:
    return os.path.exists(place)  # noqa: PTH110 - Path.exists() raises without permission
