"""Checking documents against the JSON Schemas, and turning what is valid into the model's nouns."""
