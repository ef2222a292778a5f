"""What counts as text: the same on every system, whatever program saved it."""

from __future__ import annotations


def as_read(text: str) -> str:
    """
    Return a text without its byte order mark, and with LF at the end of every line.

    A model must not learn characters that depend on the editor in which a text was saved.
    """
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def decode(data: bytes) -> str:
    """
    Return the text of a UTF-8 file, as :func:`as_read` returns it.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    return as_read(data.decode("utf-8"))
