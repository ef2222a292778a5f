"""Output for people and for other tools. Results are data; only the modules of this package print them."""
