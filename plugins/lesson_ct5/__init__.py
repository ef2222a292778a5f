"""The lesson on training on several chips: compare the same training on one, two and four of them."""
