"""
The home folder of a run: what the commands of a lesson without directives find in ``~``, and may change.

It shows what the lesson names of the user's home: small files and the settings of git and pip are copies, and
folders are links, so that nothing large is copied. A folder that the lesson makes or removes is not there, as
in a new home. Places of keys and passwords never are, nor anything that a sandbox hides.

Through a link, a command can change the user's folder; the names of all links are returned so that the user
can be told. Programs that ask the system instead of ``HOME`` (OpenSSH), and absolute paths, are not affected.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from lesson_runner.execute.inputs import why_protected
from lesson_runner.execute.sandbox import Sandbox
from lesson_runner.files.folders import cache_folder, config_folder
from lesson_runner.files.plain import real
from lesson_runner.files.untrusted import remove_tree
from lesson_runner.model.errors import LessonError

MOST_COPIED = 10 * 2**20
"""Bytes up to which a file that the lesson names is copied; a larger one is linked."""
SETTINGS = (
    *(".gitconfig", ".config/git/config", ".config/git/ignore", ".config/git/attributes"),
    *(".pip/pip.conf", ".config/pip/pip.conf", "Library/Application Support/pip/pip.conf"),
    *(".config/uv/uv.toml", ".cargo/config.toml"),
)
"""Files that are copied even if no block names them: git needs an identity, pip the address of its index."""
UNSIGNED = "\n[commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n"
"""What is added to git's settings: the keys for signing are not in the home folder of a run."""
SHARED = frozenset(
    {".cache", ".config", ".local", ".local/bin", ".local/lib", ".local/share", ".local/state", "Library"}
)
"""Folders that many programs write to; these are never links."""
_NAMED = re.compile(
    r"""(?:(?<![\w/~.-])~|\$HOME\b|\$\{HOME\}|\bPath\.home\(\)\s*/\s*["'])/?(?P<path>[\w.][\w./+@-]*)"""
)
_MAKING = re.compile(r"\b(?:mkdir|makedirs|clone|venv|virtualenv|touch|tee|rm\s+-\w*[rR]\w*)\b")
_BEFORE_OUTPUT = re.compile(
    r"(?:(?<!>)>|\s-[oO]|--(?:output|out|target|local|dest|install)[\w-]*)[\s=]*[\"']?$"
)
_TO_ITS_LAST = re.compile(r"^\s*(?:sudo\s+)?(?:cp|mv|ln|rsync|scp|install)\b")
_CLONED = re.compile(
    r"\bgit\s+clone\b[^\n;&|]*?[/:](?P<name>[\w.-]+?)(?:\.git)?/?[\"']?\s*(?:$|[;&|\n#])", re.M
)
_SEPARATORS = re.compile(r"&&|\|\||[;|\n]")

WRITTEN_TO = frozenset(
    {
        *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_BIN_HOME"),
        *("GIT_CONFIG_GLOBAL", "DOCKER_CONFIG", "HF_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR"),
        *("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONUSERBASE", "PIPX_HOME", "PIPX_BIN_DIR"),
        *("UV_TOOL_DIR", "UV_TOOL_BIN_DIR", "UV_PROJECT_ENVIRONMENT", "UV_SYSTEM_PYTHON"),
        *("NPM_CONFIG_USERCONFIG", "NPM_CONFIG_PREFIX", "PNPM_HOME", "CARGO_HOME", "CARGO_INSTALL_ROOT"),
        *(
            "GOPATH",
            "GOBIN",
            "GEM_HOME",
            "BUNDLE_PATH",
            "BUNDLE_USER_HOME",
            "CONDA_ENVS_PATH",
            "CONDA_ENVS_DIRS",
            "HISTFILE",
        ),
    }
)
"""Variables that decide where programs keep settings or install others; otherwise the home folder does."""
OWN = {"GEM_HOME": ".gem", "CONDA_ENVS_PATH": ".conda/envs"}
"""By variable: where in the home folder of a run a program installs that would use the machine's folders."""
CACHES = {
    "PIP_CACHE_DIR": (".cache/pip", "Library/Caches/pip"),
    "UV_CACHE_DIR": (".cache/uv",),
    "HF_HUB_CACHE": (".cache/huggingface/hub",),
    "TORCH_HOME": (".cache/torch",),
    "CCACHE_DIR": (".cache/ccache", ".ccache", "Library/Caches/ccache"),
    "npm_config_cache": (".npm",),
    "GOCACHE": (".cache/go-build", "Library/Caches/go-build"),
    "GOMODCACHE": ("go/pkg/mod",),
}
"""By variable: where in a home folder programs keep downloads and compiled files to use them again."""
TOOLS = {
    "RUSTUP_HOME": (".rustup",),
    "PYENV_ROOT": (".pyenv",),
    "NVM_DIR": (".nvm",),
    "RBENV_ROOT": (".rbenv",),
    "ASDF_DATA_DIR": (".asdf",),
    "VOLTA_HOME": (".volta",),
    "SDKMAN_DIR": (".sdkman",),
    "MISE_DATA_DIR": (".local/share/mise",),
}
"""By variable: where in a home folder the programs are that the user has installed."""


def make_home(folder: Path, texts: Iterable[str], sandbox: Sandbox | None = None) -> list[str]:
    """
    Make the home folder of a run, unless it exists, and return what in it leads to the user's home.

    Args:
        folder: the home folder to make; its parent exists.
        texts: the blocks of the lesson.
        sandbox: the sandbox of the run's commands.

    Returns:
        The names of its links as a lesson writes them, such as ``~/tt-metal``, sorted.

    Raises:
        LessonError: it cannot be written.
    """
    if folder.is_dir():
        return []
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    try:
        if os.path.lexists(unfinished):  # a run was killed here
            remove_tree(unfinished)
        unfinished.mkdir(mode=0o700)
        linked = _fill(unfinished, list(texts), sandbox)
        unfinished.rename(folder)
    except OSError as error:
        raise LessonError(
            f"the home folder of the run cannot be made: {error.filename or folder}: {error.strerror}",
            fix="choose a writable folder with --workspace",
        ) from None
    return linked


def _fill(folder: Path, texts: list[str], sandbox: Sandbox | None) -> list[str]:
    user, linked = user_home(), []
    if user is None:
        return []
    for name in SETTINGS:
        if not (sandbox and sandbox.hides(real(user / name))):
            _copy(user / name, folder / name)
    if any(".ssh" in text for text in texts):  # where programs put keys; yours are not shown
        (folder / ".ssh").mkdir(mode=0o700)
    _set_up_git(folder / ".gitconfig", hidden=sandbox is not None)
    text = (folder / ".gitconfig").read_text("utf-8", "replace") if (folder / ".gitconfig").exists() else ""
    for name in _to_show([*texts, text], user):
        source, target = user / name, folder / name
        place = real(source)
        if os.path.lexists(target) or why_protected(place) or (sandbox and sandbox.hides(place)):
            continue
        if not _copy(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(place)
            linked.append(f"~/{name}")
    if sandbox is None and "LESSON_HOME" not in os.environ:  # `lesson` in a step keeps what it has stored
        for place in (cache_folder(), config_folder()):
            if place.is_relative_to(user) and place.is_dir():
                target = folder / place.relative_to(user)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(place)
    return sorted(linked)


def user_home() -> Path | None:
    """Return the user's home folder; ``None`` if there is none."""
    with contextlib.suppress(RuntimeError):
        home = Path.home()
        if home.is_absolute() and home.is_dir():
            return home
    return None


def _copy(source: Path, target: Path) -> bool:
    """Copy a plain file that is not too large; return whether it was copied."""
    with contextlib.suppress(OSError):
        facts = source.stat()
        if stat.S_ISREG(facts.st_mode) and facts.st_size <= MOST_COPIED:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
            target.chmod(stat.S_IMODE(facts.st_mode) | stat.S_IWUSR)
            return True
    return False


def _set_up_git(file: Path, *, hidden: bool) -> None:
    """Complete the copy of git's settings; if it is hidden, write only who the user is."""
    if hidden:
        for key in ("user.name", "user.email", "init.defaultBranch"):
            if value := _git("config", "--global", "--includes", key):
                _git("config", "--file", str(file), key, value)
        return
    named = os.environ.get("GIT_CONFIG_GLOBAL")
    if named:
        _copy(Path(named), file)
    if file.exists():
        with file.open("a", encoding="utf-8") as settings:
            settings.write(UNSIGNED)


def _git(*words: str) -> str:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", *words],
            cwd="/",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
        )
        return done.stdout.strip()
    return ""


def _to_show(texts: Iterable[str], user: Path) -> list[str]:
    """Return what a lesson uses of a home folder and does not make itself."""
    used: dict[PurePosixPath, None] = {}
    made: set[PurePosixPath] = set()
    for text in texts:
        made |= {PurePosixPath(match["name"]) for match in _CLONED.finditer(text)}
        for path, makes in _named_in(text):
            used[path] = None
            if makes:
                made.add(path)
    above = {parent for path in made for parent in path.parents}
    found: dict[str, None] = {}
    for path in used:
        for place in (*reversed(path.parents[:-1]), path):
            here = user / place
            if place in made or not os.path.exists(here):  # noqa: PTH110 - Path.exists() raises without permission
                break
            if str(place) in SHARED or (place in above and not (here / ".git").exists()):
                continue
            found[str(place)] = None
            break
    return sorted(found)


def _named_in(text: str) -> Iterator[tuple[PurePosixPath, bool]]:
    """Yield the paths below the home folder that a block names, and whether the command there makes it."""
    for command in _SEPARATORS.split(text):
        for match in _NAMED.finditer(command):
            path = PurePosixPath(os.path.normpath(match["path"].rstrip(".")))
            if path.is_absolute() or path.parts[:1] in ((), ("..",)):
                continue
            rest = command[match.end() :].strip("\"' \t")
            makes = (
                _MAKING.search(command[: match.start()])
                or _BEFORE_OUTPUT.search(command[: match.start()])
                or (not rest and _TO_ITS_LAST.match(command))
            )
            yield path, bool(makes)


def home_variables(
    folder: Path, environ: Mapping[str, str], passed: Collection[str] = (), *, shared: bool = True
) -> dict[str, str]:
    """
    Return the environment of commands whose home folder is ``folder``.

    Args:
        environ: their environment otherwise.
        passed: variables that the user passes on by name; these stay as they are.
        shared: downloads in the user's caches are used again, and new ones are added there.
    """
    kept = {
        name: value for name, value in environ.items() if name in passed or name.upper() not in WRITTEN_TO
    }
    user = user_home()
    installed = {name: str(folder / place) for name, place in OWN.items() if name not in passed}
    places = {"HOME": str(folder), **installed}
    path = [str(folder / ".local/bin"), str(folder / OWN["GEM_HOME"] / "bin")]
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        if user is not None and entry and Path(entry).is_relative_to(user):
            own = str(folder / Path(entry).relative_to(user))
            path += [own] if own not in path else []
        path.append(entry)
    if user is not None:
        cache = environ.get("XDG_CACHE_HOME")
        named = {"HF_HUB_CACHE": environ.get("HF_HOME", "") and f"{environ['HF_HOME']}/hub"}
        for name, choices in {**(CACHES if shared else {}), **TOOLS}.items():
            inside = [f"{cache}/{item[7:]}" for item in choices if cache and item.startswith(".cache/")]
            wanted = (named.get(name), *inside, *(str(user / item) for item in choices))
            found = next((item for item in wanted if item and Path(item).is_dir()), None)
            if found and name not in environ and name.upper() not in environ:
                places[name] = found
    if "NVM_DIR" not in {**kept, **places}:  # nvm refuses a prefix
        places["npm_config_prefix"] = str(folder / ".local")
    if home := environ.get("LESSON_HOME"):
        places["LESSON_HOME"] = str(Path(home).absolute())
    return {**kept, **places, "PATH": os.pathsep.join(path)}
