"""Import checkpoints of tt-train: read the pickles without executing them, and convert the content."""
