"""Train a NanoGPT: schedule, checkpoints, and the cache of checkpoints."""
