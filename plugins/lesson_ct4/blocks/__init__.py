"""Interpret a lesson's code blocks as calls of this plugin's actions."""
