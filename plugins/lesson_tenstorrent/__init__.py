"""What any lesson for Tenstorrent hardware needs: finding devices, and checking a tt-metal tree."""
