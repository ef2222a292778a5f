"""Files that come with the package, and the folders of this user."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def schemas_folder() -> Path:
    """Return the folder of JSON Schemas: in the package (wheel), or at the top of a checkout."""
    here = Path(__file__).resolve()
    installed = here.parent / "_schemas"
    return installed if installed.is_dir() else here.parents[2] / "schemas"


def cache_folder() -> Path:
    """Return where downloads are kept: ``$LESSON_HOME/cache``, or the platform's cache folder."""
    import platformdirs

    home = os.environ.get("LESSON_HOME")
    return Path(home) / "cache" if home else platformdirs.user_cache_path("lesson-runner")


def write_aside(path: Path, content: str | bytes) -> None:
    """
    Write a file so that it is either the old one or the new one, never half of it.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only the owner can read; a record is for everybody.
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
