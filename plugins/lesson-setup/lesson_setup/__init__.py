"""The lesson ``verify-your-setup``: which hardware this machine has, and whether it can run lessons."""
