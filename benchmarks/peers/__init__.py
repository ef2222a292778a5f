"""What a user would pick instead: other people's way of doing the same, set up as their users run it."""
