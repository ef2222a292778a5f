"""Code blocks as grammars see them: what the rules about shell and Python stand on."""
