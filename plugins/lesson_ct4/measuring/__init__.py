"""What a run shows, from its stored files alone."""
