"""Validating documents: a set of lessons, its settings, and the edits that mend what can be mended safely."""
