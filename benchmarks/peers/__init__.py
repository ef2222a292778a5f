"""What a user would choose instead: other projects' implementations, set up as their users run them."""
