"""Comparing versions of what a lesson needs, as its frontmatter writes them."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version


def at_least(found: str, minimum: str) -> bool:
    """
    Return whether a version is a minimum or later; what is no version (PEP 440) is not.

    Candidates and development builds of the minimum count as it.
    """
    try:
        version, bound = Version(found), Version(minimum)
    except InvalidVersion:
        return False
    return version >= (bound if bound.is_prerelease else Version(f"{bound}.dev0"))
