"""Reading a lesson's code blocks as calls of our actions."""
