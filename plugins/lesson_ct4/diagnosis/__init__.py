"""Diagnose problems of a training run or of generated text from stored files."""
