"""The lesson on several chips: comparing what the same training does on one, two and four of them."""
