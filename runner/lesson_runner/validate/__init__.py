"""Validate documents: rules, settings, and fixes that are safe to apply."""
