"""Compare versions with the minimums in a lesson's frontmatter."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version


def at_least(found: str, minimum: str) -> bool:
    """
    Return whether a version is at least ``minimum``; False if either is not a version (PEP 440).

    Release candidates and development builds of the minimum count as the minimum.
    """
    try:
        version, bound = Version(found), Version(minimum)
    except InvalidVersion:
        return False
    return version >= (bound if bound.is_prerelease else Version(f"{bound}.dev0"))
