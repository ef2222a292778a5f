"""Training a NanoGPT, its schedule, and its checkpoints."""
