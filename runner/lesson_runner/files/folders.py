"""The folders of this installation and of this user."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from lesson_runner.model.errors import LessonError


def schemas_folder() -> Path:
    """Return the folder of JSON Schemas: in the package (wheel), or at the top of a checkout."""
    here = Path(__file__).resolve()
    installed = here.parents[1] / "_schemas"
    return installed if installed.is_dir() else here.parents[3] / "schemas"


def cache_folder() -> Path:
    """
    Return the folder for downloads: ``$LESSON_HOME/cache``, or the platform's cache folder.

    Raises:
        LessonError: the user has no home folder.
    """
    import platformdirs

    home = os.environ.get("LESSON_HOME")
    return Path(home) / "cache" if home else _at_home(platformdirs.user_cache_path)


def config_folder() -> Path:
    """
    Return the folder for keys: ``$LESSON_HOME/config``, or the platform's folder for settings.

    Raises:
        LessonError: the user has no home folder.
    """
    import platformdirs

    home = os.environ.get("LESSON_HOME")
    return Path(home) / "config" if home else _at_home(platformdirs.user_config_path)


def _at_home(find: Callable[[str], Path]) -> Path:
    # For a user without a home, older versions of platformdirs return a folder "~" in the current folder,
    # which may belong to somebody else.
    with contextlib.suppress(RuntimeError):
        if (folder := find("lesson-runner")).parts[:1] != ("~",):
            return folder
    raise LessonError("this user has no home folder", fix="set HOME or LESSON_HOME to one of your folders")
