"""What Tenstorrent hardware is in this machine: its name as lessons write it, and how that was found out."""
