"""Checkpoints that tt-train wrote: read without running anything in them, and turned into ours."""
