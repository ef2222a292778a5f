"""Certificates: signed statements that a lesson works on some hardware, which anybody can verify."""
