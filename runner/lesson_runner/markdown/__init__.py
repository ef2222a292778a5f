"""Reading lesson documents: frontmatter, directives and blocks, each with its place in the file."""
