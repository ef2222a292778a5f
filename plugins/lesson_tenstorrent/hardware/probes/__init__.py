"""Scripts that run in a separate process, because what they import can crash, hang or print."""
