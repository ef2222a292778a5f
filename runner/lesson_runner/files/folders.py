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
    Return where downloads are kept: ``$LESSON_HOME/cache``, or the platform's cache folder.

    Raises:
        LessonError: there is no home folder to keep them in.
    """
    import platformdirs

    home = os.environ.get("LESSON_HOME")
    return Path(home) / "cache" if home else _at_home(platformdirs.user_cache_path)


def config_folder() -> Path:
    """
    Return where keys are kept: ``$LESSON_HOME/config``, or the platform's folder for settings.

    Raises:
        LessonError: there is no home folder to keep them in.
    """
    import platformdirs

    home = os.environ.get("LESSON_HOME")
    return Path(home) / "config" if home else _at_home(platformdirs.user_config_path)


def _at_home(find: Callable[[str], Path]) -> Path:
    # Where there is none, older versions of platformdirs name a folder "~" of the current one, which may be
    # a stranger's.
    with contextlib.suppress(RuntimeError):
        if (folder := find("lesson-runner")).parts[:1] != ("~",):
            return folder
    raise LessonError("this user has no home folder", fix="set HOME, or LESSON_HOME, to a folder of yours")
