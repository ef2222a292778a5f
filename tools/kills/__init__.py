"""Real runs that are killed at random moments, gone on with, and compared with one that was left alone."""
