"""`ttml.modules`: the base of models, and the layers a NanoGPT is made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .enums import DataType, RunMode
from .ops.embedding import embedding
from .ops.linear import linear
from .tensor import Tensor

Init = Callable[[tuple[int, ...]], Tensor]
"""Makes a parameter of a given shape."""


class NamedParameters(dict[str, Tensor]):
    """Parameters by path, such as `NanoGPT/blocks/0/mlp/fc1/weight`. The order is no part of the contract."""


class Parameter:
    """A tensor that a module lists among its parameters when it is set as an attribute."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class ModuleBase:
    """A named tree of parameters and sub-modules; setting an attribute registers it.

    A `Parameter` set as an attribute is read back as its tensor. A sub-class defines `forward`.
    """

    _name: str
    _mode: RunMode
    _tensors: dict[str, Tensor]
    _modules: dict[str, ModuleBase]

    def __init__(self) -> None:
        object.__setattr__(self, "_tensors", {})
        object.__setattr__(self, "_modules", {})
        self._name = type(self).__name__
        self._mode = RunMode.TRAIN

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, Parameter):
            self._tensors[name] = value = value.tensor
        elif isinstance(value, ModuleBase):
            self._modules[name] = value
        elif isinstance(value, Tensor) and name in self._tensors:
            self._tensors[name] = value
        object.__setattr__(self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `forward` does."""
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output; a sub-class defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def get_name(self) -> str:
        """Return the name that starts the parameters' paths: the class's, unless `create_name` changed it."""
        return self._name

    def create_name(self, name: str) -> None:
        """Set the name that starts the parameters' paths."""
        self._name = name

    # --- parameters

    def register_tensor(self, tensor: Tensor, name: str) -> None:
        """Add a parameter; RuntimeError if the name is taken."""
        self._require_free(name)
        self._tensors[name] = tensor

    def register_module(self, module: ModuleBase, name: str) -> None:
        """Add a sub-module; RuntimeError if the name is taken."""
        self._require_free(name)
        self._modules[name] = module

    def override_tensor(self, tensor: Tensor, name: str) -> None:
        """Replace a parameter; RuntimeError if there is none of that name."""
        if name not in self._tensors:
            raise RuntimeError(f"{self._name} has no tensor called {name!r}")
        self._tensors[name] = tensor

    def override_module(self, module: ModuleBase, name: str) -> None:
        """Replace a sub-module; RuntimeError if there is none of that name."""
        if name not in self._modules:
            raise RuntimeError(f"{self._name} has no module called {name!r}")
        self._modules[name] = module

    def _require_free(self, name: str) -> None:
        if name in self._tensors or name in self._modules:
            raise RuntimeError(f"{self._name} already has something called {name!r}")

    def parameters(self) -> NamedParameters:
        """Return the parameters of this module and those below; a shared one is listed once."""
        found = NamedParameters()
        seen: set[int] = set()
        for path, tensor in self._walk(self._name):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                found[path] = tensor
        return found

    def _walk(self, path: str) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in self._tensors.items():
            yield f"{path}/{name}", tensor
        for name, module in self._modules.items():
            yield from module._walk(f"{path}/{name}")

    # --- modes

    def set_run_mode(self, mode: RunMode) -> None:
        """Set the mode here and in every sub-module."""
        self._mode = mode
        for module in self._modules.values():
            module.set_run_mode(mode)

    def get_run_mode(self) -> RunMode:
        """Return the mode; a new module trains."""
        return self._mode

    def train(self) -> None:
        """Switch dropout on."""
        self.set_run_mode(RunMode.TRAIN)

    def eval(self) -> None:
        """Switch dropout off."""
        self.set_run_mode(RunMode.EVAL)


AbstractModuleBase = ModuleBase


class ModuleList(ModuleBase):
    """Sub-modules called `0`, `1`, ..."""

    def __init__(self, modules: Iterable[ModuleBase] = ()) -> None:
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self, module: ModuleBase) -> None:
        """Add a module at the end."""
        self.register_module(module, str(len(self._modules)))

    def __iter__(self) -> Iterator[ModuleBase]:
        return iter(self._modules.values())

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, index: int) -> ModuleBase:
        return list(self._modules.values())[index]


def constant(value: float) -> Init:
    """Return an initializer that fills with `value`."""
    return lambda shape: parameter_from(np.full(shape, value, dtype=np.float32))


def normal(mean: float = 0.0, std: float = 0.02) -> Init:
    """Return an initializer that draws from a normal distribution, with numpy's global generator."""
    return lambda shape: parameter_from(np.random.normal(mean, std, shape).astype(np.float32))


def uniform(limit: float) -> Init:
    """Return an initializer that draws from [-limit, limit], with numpy's global generator."""
    return lambda shape: parameter_from(np.random.uniform(-limit, limit, shape).astype(np.float32))


def parameter_from(array: np.ndarray[Any, np.dtype[np.float32]]) -> Tensor:
    """Return a tensor that holds `array` in the type that parameters are stored in."""
    return Tensor.from_numpy(array, new_type=DataType.BFLOAT16)


class LinearLayer(ModuleBase):
    """x W^T + b, with `weight` `[1, 1, out, in]` and `bias` `[1, 1, 1, out]`.

    Without initializers both are uniform in +-1 / sqrt(in), as in `ttml`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        has_bias: bool = True,
        weight_init: Init | None = None,
        bias_init: Init | None = None,
    ) -> None:
        super().__init__()
        bare = uniform(1 / math.sqrt(in_features))
        self.weight: Tensor
        self.bias: Tensor | None = None
        self.__setattr__("weight", Parameter((weight_init or bare)((1, 1, out_features, in_features))))
        if has_bias:
            self.__setattr__("bias", Parameter((bias_init or bare)((1, 1, 1, out_features))))

    def forward(self, x: Tensor) -> Tensor:
        """Return `[..., out]` for `[..., in]`."""
        return linear(x, self.weight, self.bias)

    def get_weight(self) -> Tensor:
        """Return the weight."""
        return self.weight


class Embedding(ModuleBase):
    """A table `weight` `[1, 1, V, E]`."""

    def __init__(self, num_embeddings: int, embedding_dim: int, weight_init: Init | None = None) -> None:
        super().__init__()
        self.weight: Tensor
        self.__setattr__(
            "weight", Parameter((weight_init or normal())((1, 1, num_embeddings, embedding_dim)))
        )

    def forward(self, ids: Tensor) -> Tensor:
        """Return `[B, 1, T, E]` for ids `[B, 1, 1, T]`."""
        return embedding(ids, self.weight)
