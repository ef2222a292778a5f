"""Detect the Tenstorrent hardware of this machine: its name in lessons, and how each fact was found."""
