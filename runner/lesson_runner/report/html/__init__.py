"""A run as one HTML file: no script, nothing fetched, readable on a phone and printed."""
