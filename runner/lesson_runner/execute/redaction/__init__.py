"""Find secrets in text and its encodings, and replace them."""
