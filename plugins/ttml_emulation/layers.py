"""`ttml.modules`: modules that register their attributes, and the layers of NanoGPT."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import overload

import numpy as np

from .modules import ModuleBase, parameter_from, uniform
from .ops.embedding import embedding
from .ops.linear import linear
from .tensor import Tensor

Init = Callable[[tuple[int, ...]], Tensor]
"""Creates a parameter of a given shape."""


class Parameter:
    """A tensor that becomes a parameter of a module when it is set as an attribute."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __repr__(self) -> str:
        return f"Parameter({self.tensor})"


class Buffer:
    """A tensor of a module that is not trained."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __repr__(self) -> str:
        return f"Buffer({self.tensor})"


class AbstractModuleBase(ModuleBase):
    """A module that registers attributes when they are set: modules, parameters, tensors, buffers.

    The attribute keeps its type: a `Parameter` is read back as a `Parameter`, with its value in `.tensor`.
    """

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "_buffers", {})

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if not isinstance(value, ModuleBase | Parameter | Buffer | Tensor):
            return
        if "_buffers" not in vars(self):
            raise RuntimeError(f"{type(self).__name__} sets {name!r} before calling super().__init__()")
        if isinstance(value, ModuleBase):
            known = name in self._native.modules
            (self.override_module if known else self.register_module)(value, name)
        elif isinstance(value, Buffer):
            vars(self)["_buffers"][name] = value.tensor
        else:
            tensor = value.tensor
            known = name in self._native.tensors
            (self.override_tensor if known else self.register_tensor)(tensor, name)

    def __delattr__(self, name: str) -> None:
        vars(self)["_buffers"].pop(name, None)
        object.__delattr__(self, name)

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Yield the parameters by name, such as `blocks.0.mlp.fc1.weight`."""
        for path, tensor in self.parameters().items():
            yield _joined(prefix, path.split("/", 1)[-1].replace("/", ".")), tensor

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, ModuleBase]]:
        """Yield this module, named `prefix`, and all modules below it by name."""
        yield prefix, self
        for name, module in self.named_children():
            if isinstance(module, AbstractModuleBase):
                yield from module.named_modules(_joined(prefix, name))
            else:
                yield _joined(prefix, name), module

    def named_children(self) -> Iterator[tuple[str, ModuleBase]]:
        """Yield the modules that are attributes of this one."""
        yield from ((name, value) for name, value in vars(self).items() if isinstance(value, ModuleBase))

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers of this module and those below."""
        for name, tensor in vars(self)["_buffers"].items():
            yield _joined(prefix, name), tensor
        for name, module in self.named_children():
            if isinstance(module, AbstractModuleBase):
                yield from module.named_buffers(_joined(prefix, name))

    def modules(self) -> Iterator[ModuleBase]:
        """Yield this module and those below it."""
        return (module for _, module in self.named_modules())

    def children(self) -> Iterator[ModuleBase]:
        """Yield the modules that are attributes of this one."""
        return (module for _, module in self.named_children())

    def buffers(self) -> Iterator[Tensor]:
        """Yield the buffers of this module and those below."""
        return (tensor for _, tensor in self.named_buffers())

    def state_dict(self) -> dict[str, Tensor]:
        """Return parameters and buffers by name."""
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


class ModuleList(AbstractModuleBase):
    """Submodules named `0`, `1`, ..."""

    def __init__(self, modules: Iterable[ModuleBase] | None = None) -> None:
        super().__init__()
        self._listed: list[ModuleBase] = []
        self.extend(modules or ())

    def append(self, module: ModuleBase) -> ModuleList:
        """Add a module at the end, and return the list."""
        self.register_module(module, str(len(self._listed)))
        self._listed.append(module)
        return self

    def extend(self, modules: Iterable[ModuleBase]) -> ModuleList:
        """Add modules at the end, and return the list."""
        for module in modules:
            self.append(module)
        return self

    def named_children(self) -> Iterator[tuple[str, ModuleBase]]:
        """Yield the modules by their number."""
        yield from ((str(index), module) for index, module in enumerate(self._listed))

    def __iter__(self) -> Iterator[ModuleBase]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def __contains__(self, module: object) -> bool:
        return any(module is listed for listed in self._listed)

    @overload
    def __getitem__(self, index: int) -> ModuleBase: ...
    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    def __getitem__(self, index: int | slice) -> ModuleBase | ModuleList:
        return ModuleList(self._listed[index]) if isinstance(index, slice) else self._listed[index]

    def __setitem__(self, index: int, module: ModuleBase) -> None:
        self._listed[index] = module
        self.override_module(module, str(index % len(self._listed)))


_Named = Mapping[str, ModuleBase] | Iterable[tuple[str, ModuleBase]]


class ModuleDict(AbstractModuleBase):
    """Submodules by name."""

    def __init__(self, modules: _Named = ()) -> None:
        super().__init__()
        self.update(modules)

    def update(self, modules: _Named) -> None:
        """Add or replace modules, from a mapping or from pairs."""
        for name, module in dict(modules).items():
            self[name] = module

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._native.modules.keys()

    def values(self) -> ValuesView[ModuleBase]:
        """Return the modules."""
        return self._native.modules.values()

    def items(self) -> ItemsView[str, ModuleBase]:
        """Return the pairs."""
        return self._native.modules.items()

    def named_children(self) -> Iterator[tuple[str, ModuleBase]]:
        """Yield the modules by name."""
        yield from self._native.modules.items()

    def __setitem__(self, name: str, module: ModuleBase) -> None:
        (self.override_module if name in self else self.register_module)(module, name)

    def __getitem__(self, name: str) -> ModuleBase:
        return self._native.modules[name]

    def __contains__(self, name: object) -> bool:
        return name in self._native.modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._native.modules)

    def __len__(self) -> int:
        return len(self._native.modules)


def constant(value: float) -> Init:
    """Return an initializer that fills with `value`."""
    return lambda shape: parameter_from(np.full(shape, value, dtype=np.float32))


def normal(mean: float = 0.0, std: float = 0.02) -> Init:
    """Return an initializer that draws from a normal distribution, with numpy's global generator."""
    return lambda shape: parameter_from(np.random.normal(mean, std, shape).astype(np.float32))


class LinearLayer(AbstractModuleBase):
    """x W^T + b, with `weight` `[1, 1, out, in]` and `bias` `[1, 1, 1, out]`, each a `Parameter`.

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

        def bare(shape: tuple[int, ...]) -> Tensor:
            return uniform(shape, in_features**-0.5)

        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter((weight_init or bare)((1, 1, out_features, in_features)))
        self.bias = Parameter((bias_init or bare)((1, 1, 1, out_features))) if has_bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return `[..., out]` for `[..., in]`."""
        return linear(x, self.weight.tensor, self.bias.tensor if self.bias else None)

    def get_weight(self) -> Tensor:
        """Return the weight."""
        return self.weight.tensor


class Embedding(AbstractModuleBase):
    """A table `weight` `[1, 1, V, E]`, a `Parameter`."""

    def __init__(self, num_embeddings: int, embedding_dim: int, weight_init: Init | None = None) -> None:
        super().__init__()
        self.weight = Parameter((weight_init or normal())((1, 1, num_embeddings, embedding_dim)))

    def forward(self, ids: Tensor) -> Tensor:
        """Return `[B, 1, T, E]` for ids `[B, 1, 1, T]`."""
        return embedding(ids, self.weight.tensor)
