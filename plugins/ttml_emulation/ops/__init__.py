"""The operations of `ttml.ops`, one module per family, each with its gradient written out.

Every operation reads bfloat16 (in `device` numerics), works in float32 and rounds each result once.

Importing this package gives `Tensor` its operators. There is no `/`: `ttml` does not have it either.
"""

from ..tensor import Tensor
from . import binary

for _name, _operation in {"__add__": binary.add, "__sub__": binary.sub, "__mul__": binary.mul}.items():
    setattr(Tensor, _name, _operation)
