"""Parse code blocks, for the rules about shell and Python."""
