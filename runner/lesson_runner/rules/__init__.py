"""What is looked for in lesson documents: one table, a page a rule, and a module for each kind of check."""
