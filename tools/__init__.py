"""Tools for developers of the lesson runner; not part of the wheel."""
