"""Validation against the JSON Schemas of the file formats."""
