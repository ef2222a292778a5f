"""Open a device with `ttml`, real or emulated."""
