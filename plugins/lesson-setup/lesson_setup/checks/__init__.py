"""Checks of a machine, beyond those that ``lesson_tenstorrent`` brings."""
