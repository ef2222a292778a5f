"""Certificates: a signed statement that a lesson works on some hardware, which anybody can check again."""
