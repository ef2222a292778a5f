"""Checks of a machine in addition to those of ``lesson_tenstorrent``."""
