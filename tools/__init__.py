"""Tools for people who work on the lesson runner; not part of the wheel."""
