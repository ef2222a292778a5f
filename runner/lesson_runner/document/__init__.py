"""Reading a lesson: frontmatter, directives, Markdown, shell text and transcripts, JSON Schemas."""
