"""`ttml.ops.reshape`."""

from __future__ import annotations

from collections.abc import Sequence

from ..chips import on_every_chip
from ..tensor import Tensor, record
from ..values import Value


@on_every_chip
def reshape(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the same values in another shape; RuntimeError if the number of elements differs."""
    data = tensor.data.reshape(list(shape))
    out = Tensor(Value(data, tensor.dtype(), tensor.layout()), False)
    return record(out, [tensor], lambda grad: tensor.accumulate(grad.reshape(tensor.shape())))
