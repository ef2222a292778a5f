"""Lessons on many boards at once: ``lesson fleet run``, on Ray."""
