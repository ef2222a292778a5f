"""The training text: download, tokenizer and batches."""
