"""The names in each module: `_ttml` (C++ on a board), `ttml` (Python on top of it) and `ttnn`."""

from .build import Tree, adopt, build
from .native import NATIVE
from .ttml import TTML
from .ttnn import TTNN

__all__ = ["NATIVE", "TTML", "TTNN", "Tree", "adopt", "build"]
