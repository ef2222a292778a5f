"""Opening `ttml`, real or emulated."""
