"""`ttml.autograd.Tensor`: a value on the device, its gradient, and the operation that produced it.

On a mesh, a tensor consists of one tensor for each chip (see `ttml_emulation.chips`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from . import numerics, values
from .chips import OnChips, on_every_chip
from .context import AutoContext
from .enums import DataType, GradMode, Layout, PreferredPrecision
from .placement import MeshToTensor, TensorToMesh
from .tape import Node, run_backward
from .values import Value


class Tensor(OnChips):
    """An autograd tensor. `shape()` and `dtype()` are methods, unlike on the `ttnn` tensor inside.

    On a mesh, `shape()` is the shape on one chip, which is smaller than that of a sharded array.
    """

    _symbol = "ttml.autograd.Tensor"
    __slots__ = (
        "__weakref__",
        "_causal",
        "_changes",
        "_data",
        "_dtype",
        "_grad",
        "_layout",
        "_node",
        "_requires_grad",
        "_wide",
        "_wide_version",
    )

    def __init__(self, value: Value | Tensor | None = None, requires_grad: bool = True) -> None:
        if isinstance(value, Tensor):
            value = value.get_value(PreferredPrecision.FULL)
        self.chips = ()
        if value is not None and value.chips:
            self.chips = tuple(Tensor(part, requires_grad) for part in value.chips)
            return
        self._data: torch.Tensor = torch.empty(0) if value is None else value.data
        self._dtype = DataType.FLOAT32 if value is None else value.dtype
        self._layout = Layout.TILE if value is None else value.layout
        self._grad: torch.Tensor | None = None
        self._node: Node | None = None
        self._requires_grad = requires_grad
        self._wide: torch.Tensor | None = None
        self._causal: bool | None = None
        self._changes = 0
        self._wide_version = (0, 0)

    # --- from and to numpy

    @staticmethod
    def from_numpy(
        numpy_tensor: np.ndarray[Any, Any],
        layout: Layout = Layout.TILE,
        new_type: DataType | None = None,
        mapper: TensorToMesh | None = None,
    ) -> Tensor:
        """Copy an array to the device, as `new_type` or as its own type; this opens the device if needed.

        On a mesh, `mapper` splits the array over the chips; without a mapper every chip gets a copy. Raises
        RuntimeError unless the array has 32-bit integers, float32 or `ml_dtypes.bfloat16`, and if the mapper
        cannot split it.
        """
        return Tensor(values.upload(numpy_tensor, new_type, layout, mapper))

    def to_numpy(
        self,
        new_type: DataType | None = None,
        composer: MeshToTensor | None = None,
    ) -> np.ndarray[Any, Any]:
        """Return a copy of the value, as `new_type` or as its own type.

        BFLOAT16 becomes `ml_dtypes.bfloat16`. On a mesh, `composer` joins the parts of the chips;
        RuntimeError without one.
        """
        parts = [values.to_numpy(part._data, new_type or part._dtype) for part in self.parts]
        return values.download(self, parts, composer)

    # --- the value

    @on_every_chip
    def shape(self) -> list[int]:
        """Return the dimensions."""
        return list(self._data.shape)

    get_shape = shape

    @on_every_chip
    def get_rank(self) -> int:
        """Return the number of dimensions."""
        return self._data.dim()

    @on_every_chip
    def dtype(self) -> DataType:
        """Return the type the value is stored in."""
        return self._dtype

    @on_every_chip
    def layout(self) -> Layout:
        """Return the layout."""
        return self._layout

    get_layout = layout

    def item(self) -> float | int:
        """Return the only element; RuntimeError if there are more, or on a mesh."""
        values.require_one_chip(self)
        return self._data.item()

    @property
    def tensor(self) -> Tensor:
        """The tensor itself; scripts read this attribute of the values of `parameters()`."""
        return self

    @on_every_chip
    def get_value(self, precision: PreferredPrecision = PreferredPrecision.HALF) -> Value:
        """Return the `ttnn` tensor; by default, float32 is converted to bfloat16."""
        if precision is PreferredPrecision.HALF and self._dtype is DataType.FLOAT32:
            return Value(self.half(), numerics.current().data_type, self._layout)
        return Value(self._data, self._dtype, self._layout)

    @on_every_chip
    def set_value(self, value: Value) -> None:
        """Replace the value."""
        self._data, self._dtype, self._layout = value.data, value.dtype, value.layout
        self._wide = None
        self.changed()

    @on_every_chip
    def assign(self, other: Tensor) -> None:
        """Copy the value of `other` in this tensor's type; RuntimeError if the shapes differ."""
        if other.shape() != self.shape():
            raise RuntimeError(
                f"cannot assign a value of shape {other.shape()} to one of shape {self.shape()}"
            )
        # Copy the data, because an optimizer changes a parameter's value in place.
        self._data = other._data.to(self._data.dtype, copy=True)
        self._wide = None
        self.changed()

    # --- the value for operations, on one chip

    @property
    def data(self) -> torch.Tensor:
        """The stored value."""
        return self._data

    def half(self) -> torch.Tensor:
        """Return the value in the stored type of the numerics."""
        return numerics.current().store(self._data)

    def wide(self) -> torch.Tensor:
        """Return the value of `half()` in float32.

        If matrix products use float32, the copy is kept and updated in place: page faults for a new buffer
        for every weight and step cost more than the conversion.
        """
        if self._wide is None:
            half = self.half()
            if half.dtype == torch.float32 or not numerics.current().widens:
                return half.float()
            self._wide, self._wide_version = half.float(), self.version()
        elif self._wide_version != (version := self.version()):
            self._wide.copy_(self._data)
            self._wide_version = version
        return self._wide

    def operand(self) -> torch.Tensor:
        """Return the value in the type for matrix products."""
        return self.wide() if numerics.current().widens else self.half()

    def changed(self) -> None:
        """Note that the value was replaced or changed in place."""
        self._changes += 1
        self._causal = None

    def version(self) -> tuple[int, int]:
        """Return a pair that changes whenever the value is replaced or changed in place.

        The first number counts calls of `changed`. The second is PyTorch's own count of in-place changes,
        which does not include its fused optimizers.
        """
        return self._changes, self._data._version

    def is_causal(self) -> bool:
        """Return whether the value is a causal mask: `[1, 1, T, T]`, ones on and below the diagonal."""
        if self._causal is None:
            self._causal = is_causal(self._data)
        return self._causal

    # --- the gradient

    @on_every_chip
    def is_grad_initialized(self) -> bool:
        """Return whether there is a gradient."""
        return self._grad is not None

    @property
    def grad(self) -> torch.Tensor | None:
        """The stored gradient on one chip, or None."""
        return self._grad

    @grad.setter
    def grad(self, grad: torch.Tensor | None) -> None:
        self._grad = grad

    @on_every_chip
    def get_grad(self) -> Value:
        """Return the gradient; RuntimeError if there is none."""
        if self._grad is None:
            raise RuntimeError("the gradient is not initialized")
        return Value(self._grad, numerics.current().data_type, self._layout)

    get_grad_rw = get_grad

    def get_grad_tensor(self) -> Tensor:
        """Return the gradient as a tensor that does not require one; RuntimeError if there is no gradient."""
        return Tensor(self.get_grad(), False)

    @on_every_chip
    def set_grad(self, grad: Value) -> None:
        """Replace the gradient; RuntimeError if its shape is not the value's."""
        self._grad = self._checked(grad.data)

    @on_every_chip
    def set_grad_from_tensor(self, grad: Tensor) -> None:
        """Replace the gradient; RuntimeError if its shape is not the value's."""
        self._grad = self._checked(grad.data)

    @on_every_chip
    def add_grad(self, grad: Value) -> None:
        """Add to the gradient, if one is required; RuntimeError if the shape is not the value's."""
        self.accumulate(self._checked(grad.data))

    def accumulate(self, grad: torch.Tensor) -> None:
        """Add a stored `grad` to the gradient, not in place, because two tensors may share a gradient."""
        if self._requires_grad:
            self._grad = grad if self._grad is None else self._grad + grad

    def _checked(self, grad: torch.Tensor) -> torch.Tensor:
        if grad.shape != self._data.shape:
            raise RuntimeError(
                f"a gradient of shape {list(grad.shape)} does not fit a tensor of shape {self.shape()}"
            )
        return numerics.current().store(grad)

    @on_every_chip
    def set_requires_grad(self, requires_grad: bool) -> None:
        """Set whether a gradient is required."""
        self._requires_grad = requires_grad

    @on_every_chip
    def get_requires_grad(self) -> bool:
        """Return whether a gradient is required."""
        return self._requires_grad

    # --- the tape

    def get_node(self) -> Node | None:
        """Return the node of the operation that produced this tensor; None for a leaf.

        On a mesh, return a node that depends on the nodes of all chips.
        """
        if not self.chips:
            return self._node
        nodes = [part._node for part in self.chips]
        if not any(nodes):
            return None
        return AutoContext.get_instance().add_backward_node(lambda: None, nodes)

    @on_every_chip
    def set_node(self, node: Node | None) -> None:
        """Set the node of the operation that produced this tensor; RuntimeError if it already has one."""
        if self._node is not None:
            raise RuntimeError("the graph node is already set")
        self._node = node

    @on_every_chip
    def clean_node(self) -> None:
        """Make this tensor a leaf."""
        self._node = None

    def backward(self, retain_graph: bool) -> None:
        """Compute the gradients of everything this tensor depends on, starting from ones, on every chip.

        Pass the flag by position, because its name differs between versions. Raises RuntimeError if nothing
        was recorded, or if a part of the graph was used before without `retain_graph`.
        """
        roots = [part._node for part in self.parts if part._node is not None]
        if not roots:
            raise RuntimeError("backward needs a tensor that was computed with gradients enabled")
        for part in self.parts:
            part._grad = torch.ones_like(part.half())
        run_backward(roots, retain_graph)

    # `ttml_emulation.ops` adds the operators `+`, `-` and `*`.

    def to_string(self) -> str:
        """Return a one-line description."""
        return repr(self)

    @on_every_chip
    def __repr__(self) -> str:
        return f"ttml.autograd.Tensor(shape={self.shape()}, dtype={self._dtype.name})"


AutocastTensor = Tensor
"""On a board, a separate class holds the two precisions of a value; here a tensor has both."""


def create_tensor(value: Value, requires_grad: bool = True) -> Tensor:
    """Wrap a `ttnn` tensor."""
    return Tensor(value, requires_grad)


def is_causal(mask: torch.Tensor) -> bool:
    """Return whether `mask` is `[1, 1, T, T]` with ones on and below the diagonal and zeros above."""
    size = mask.shape[-1]
    return tuple(mask.shape) == (1, 1, size, size) and torch.equal(
        _words(mask[0, 0]), _triangle(size, mask.dtype)
    )


@lru_cache(maxsize=4)
def _triangle(size: int, dtype: torch.dtype) -> torch.Tensor:
    """Return ones on and below the diagonal; cached, because scripts pass a new mask to every call."""
    return _words(torch.ones(size, size, dtype=dtype, device=numerics.current().device).tril())


def _words(square: torch.Tensor) -> torch.Tensor:
    """Return the bits as 64-bit integers, if they fit, because these compare several times as fast."""
    return square.contiguous().view(torch.int64) if square.shape[-1] % 8 == 0 else square


def stored(data: torch.Tensor) -> Tensor:
    """Return a leaf tensor with `data`, the result of an operation, rounded to the stored type."""
    policy = numerics.current()
    return Tensor(Value(policy.store(data), policy.data_type), False)


def record(output: Tensor, inputs: Sequence[Tensor], backward: Callable[[torch.Tensor], None]) -> Tensor:
    """Record the operation that produced `output` on the tape, and return `output`.

    `backward` takes the gradient of `output` and adds to the gradients of `inputs`. Nothing is recorded if
    gradients are disabled or no input requires one.
    """
    record_many([output], inputs, lambda grads: backward(grads[0]) if grads[0] is not None else None)
    return output


def record_many(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    backward: Callable[[list[torch.Tensor | None]], None],
) -> None:
    """Like `record`, for an operation with several outputs; the gradient of an unused output is None."""
    context = AutoContext.get_instance()
    if context.get_gradient_mode() is GradMode.DISABLED:
        return
    if not any(tensor._requires_grad for tensor in inputs):
        return
    for output in outputs:
        output._requires_grad = True
    context.add_backward_node(
        lambda: backward([output.grad for output in outputs]),
        [tensor._node for tensor in inputs],
        outputs,
    )
