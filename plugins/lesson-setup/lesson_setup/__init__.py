"""The lesson ``verify-your-setup``: what is in this machine, and whether it is ready."""
