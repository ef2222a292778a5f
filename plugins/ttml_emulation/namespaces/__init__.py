"""Where each name lives on a board: `_ttml` (C++ there), `ttml` (Python over it) and `ttnn`."""

from .build import Tree, adopt, build
from .native import NATIVE
from .ttml import TTML
from .ttnn import TTNN

__all__ = ["NATIVE", "TTML", "TTNN", "Tree", "adopt", "build"]
