"""The text to train on: getting it, and cutting it into batches."""
