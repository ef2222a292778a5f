"""`_ttml.modules`: the base class of all models, and the linear layer that is C++ on a board.

Here attributes are not registered automatically. The modules in `ttml_emulation.layers`, which are Python on
a board too, register their attributes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .context import AutoContext
from .enums import DataType, RunMode
from .ops.linear import linear
from .tensor import Tensor


class NamedParameters(dict[str, Tensor]):
    """Parameters by path, such as `NanoGPT/blocks/0/mlp/fc1/weight`. The order is not guaranteed."""

    def parts(self) -> list[Tensor]:
        """Return the tensors of all parameters on all chips."""
        return [part for tensor in self.values() for part in tensor.parts]

    def per_chip(self) -> list[NamedParameters]:
        """Return the parameters of each chip; on one chip, this object itself."""
        count = max((len(tensor.parts) for tensor in self.values()), default=1)
        if count == 1:
            return [self]
        return [
            NamedParameters((name, tensor.parts[chip]) for name, tensor in self.items())
            for chip in range(count)
        ]


class _State:
    """The state of a module, in one object, so that a subclass may use any attribute name."""

    __slots__ = ("mode", "modules", "name", "tensors")

    def __init__(self, name: str) -> None:
        self.name = name
        self.mode = RunMode.TRAIN
        self.tensors: dict[str, Tensor] = {}
        self.modules: dict[str, ModuleBase] = {}


class ModuleBase:
    """A named tree of registered parameters and submodules. Subclasses define `forward`."""

    __slots__ = ("__dict__", "__weakref__", "_native")
    _native: _State

    def __init__(self) -> None:
        # Bypass the __setattr__ of a subclass, which may require this state.
        object.__setattr__(self, "_native", _State(type(self).__name__))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`."""
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output; subclasses define this."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def get_name(self) -> str:
        """Return the first part of the parameters' paths: the class name, unless `create_name` changed it."""
        return self._native.name

    def create_name(self, name: str) -> None:
        """Set the first part of the parameters' paths."""
        self._native.name = name

    # --- parameters

    def register_tensor(self, tensor: Tensor, name: str) -> None:
        """Add a parameter; RuntimeError if the name is taken."""
        self._require_free(name)
        self._native.tensors[name] = tensor

    def register_module(self, module: ModuleBase, name: str) -> None:
        """Add a submodule; RuntimeError if the name is taken."""
        self._require_free(name)
        self._native.modules[name] = module

    def override_tensor(self, tensor: Tensor, name: str) -> None:
        """Replace a parameter; RuntimeError if it does not exist."""
        if name not in self._native.tensors:
            raise RuntimeError(f"{self._native.name} has no tensor called {name!r}")
        self._native.tensors[name] = tensor

    def override_module(self, module: ModuleBase, name: str) -> None:
        """Replace a submodule; RuntimeError if it does not exist."""
        if name not in self._native.modules:
            raise RuntimeError(f"{self._native.name} has no module called {name!r}")
        self._native.modules[name] = module

    def _require_free(self, name: str) -> None:
        if name in self._native.tensors or name in self._native.modules:
            raise RuntimeError(f"{self._native.name} already has something called {name!r}")

    def parameters(self) -> NamedParameters:
        """Return the parameters of this module and all submodules; shared parameters are listed once."""
        found = NamedParameters()
        seen: set[int] = set()
        for path, tensor in self._walk(self._native.name):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                found[path] = tensor
        return found

    def _walk(self, path: str) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in self._native.tensors.items():
            yield f"{path}/{name}", tensor
        for name, module in self._native.modules.items():
            yield from module._walk(f"{path}/{name}")

    # --- modes

    def set_run_mode(self, mode: RunMode) -> None:
        """Set the mode here and in every submodule."""
        self._native.mode = mode
        for module in self._native.modules.values():
            module.set_run_mode(mode)

    def get_run_mode(self) -> RunMode:
        """Return the mode; new modules are in TRAIN mode."""
        return self._native.mode

    def train(self) -> None:
        """Switch dropout on."""
        self.set_run_mode(RunMode.TRAIN)

    def eval(self) -> None:
        """Switch dropout off."""
        self.set_run_mode(RunMode.EVAL)


class BaseTransformer(ModuleBase):
    """`_ttml.models.BaseTransformer`: the base of C++ models, which can load safetensors on a board."""


class LinearLayer(ModuleBase):
    """x W^T + b, with `weight` `[1, 1, out, in]` and `bias` `[1, 1, 1, out]`, as in the first versions.

    It takes sizes, or a weight and either a bias or whether to create one. New tensors are uniform in
    +-1 / sqrt(in), each with its own seed from the context's generator; a board draws other numbers. It can
    be pickled. Raises RuntimeError for a weight of another rank.
    """

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.create_name("linear")
        weight, bias = _tensors(*args, **kwargs)
        self.register_tensor(weight, "weight")
        if bias is not None:
            self.register_tensor(bias, "bias")

    def forward(self, x: Tensor) -> Tensor:
        """Return `[..., out]` for `[..., in]`."""
        tensors = self._native.tensors
        return linear(x, tensors["weight"], tensors.get("bias"))

    def get_weight(self) -> Tensor:
        """Return the weight."""
        return self._native.tensors["weight"]

    def get_weight_numpy(self) -> np.ndarray[Any, Any]:
        """Return a copy of the weight, float32."""
        return self.get_weight().to_numpy(DataType.FLOAT32)

    def __getstate__(self) -> dict[str, Any]:
        arrays = {name: value.to_numpy(DataType.FLOAT32) for name, value in self._native.tensors.items()}
        return {"name": self.get_name(), "tensors": arrays}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__init__()
        self.create_name(state["name"])
        for name, array in state["tensors"].items():
            self.register_tensor(parameter_from(array), name)


def _tensors(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    """Return weight and bias for the arguments of `LinearLayer`."""
    if isinstance(args[0] if args else kwargs.get("weight"), Tensor):
        return _from_weight(*args, **kwargs)
    return _from_sizes(*args, **kwargs)


def _from_sizes(in_features: int, out_features: int, has_bias: bool = True) -> tuple[Tensor, Tensor | None]:
    limit = 1 / math.sqrt(in_features)
    weight = uniform((1, 1, out_features, in_features), limit)
    return weight, uniform((1, 1, 1, out_features), limit) if has_bias else None


def _from_weight(
    weight: Tensor, has_bias: bool | Tensor = True, bias: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    if weight.get_rank() != 4:
        raise RuntimeError(f"a linear layer's weight must be [1, 1, out, in], not {weight.shape()}")
    if isinstance(has_bias, Tensor):
        bias = has_bias
    elif bias is None and has_bias:
        bias = uniform((1, 1, 1, weight.shape()[-2]), 1 / math.sqrt(weight.shape()[-1]))
    return weight, bias


def uniform(shape: tuple[int, ...], limit: float) -> Tensor:
    """Return a parameter drawn from [-limit, limit], with a seed of the context's generator."""
    generator = np.random.default_rng(AutoContext.get_instance().draw_seed())
    return parameter_from(generator.uniform(-limit, limit, shape).astype(np.float32))


def parameter_from(array: np.ndarray[Any, np.dtype[np.float32]]) -> Tensor:
    """Return a tensor with the values of `array`, in the type of parameters."""
    return Tensor.from_numpy(array, new_type=DataType.BFLOAT16)
