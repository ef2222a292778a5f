"""Validating documents: a set of lessons, its settings, and the fixes that are safe to apply."""
