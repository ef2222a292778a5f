"""Scripts that run in a process of their own, because what they import can crash, hang or print."""
