"""The actions every lesson can use: ``shell``, ``python`` and ``manual``."""
