"""Reading what stands in a lesson's code blocks: terminals, Python prompts and shell commands."""
