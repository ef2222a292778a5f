"""Running commands: processes with a deadline, and shell blocks that share one terminal's state."""
