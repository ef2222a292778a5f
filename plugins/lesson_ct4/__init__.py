"""The ct4 lesson's actions: NanoGPT on a play, trained and sampled through ``ttml``."""
