"""The rules of ``lesson validate``: a table of all, a page for each, a module for each kind of check."""
