"""Finding secrets in text and in its encodings, and replacing them."""
