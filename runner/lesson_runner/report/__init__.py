"""Showing runs to people. Results are data; only the modules of this package print them."""
