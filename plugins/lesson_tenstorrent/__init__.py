"""Shared by all lessons for Tenstorrent hardware: find devices and check a tt-metal installation."""
