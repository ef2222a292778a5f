"""
The emulation, cut down to what versions of `ttml` have: names removed, signatures narrowed, traps set.

* ``E0``: no NanoGPT in Python yet;
* ``E1``: the first with one: meshes are opened through the context, AdamW has five settings;
* ``E1-bare``: gradients cannot be switched off besides, and the optimizer does not give out its state;
* ``E2``: named meshes;
* ``E3``: a seed of its own, next to the context's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ERAS = ("E1", "E1-bare", "E2", "E3")
MESH_NAMES = ("Mesh", "open_device_mesh", "close_device_mesh", "mesh", "maybe_mesh", "sync_gradients")
PROMISED = ("vocab_size", "block_size", "n_embd", "n_layer", "n_head", "dropout", "bias")


class Limited:
    """An object without some of its attributes."""

    def __init__(self, inner: Any, *hidden: str) -> None:
        self._inner, self._hidden = inner, hidden

    def __getattr__(self, name: str) -> Any:
        if name in self._hidden:
            raise AttributeError(f"this version has no {name}")
        return getattr(self._inner, name)


class Library:
    """Imports ``ttml`` and ``ttnn`` of one era; other modules are missing."""

    def __init__(self, ttml: Any, ttnn: Any, late: Mapping[str, Callable[[], Any]] | None = None) -> None:
        self.ttml, self.ttnn, self._late = ttml, ttnn, late or {}

    def __call__(self, name: str) -> Any:
        if name in ("ttml", "ttnn"):
            return getattr(self, name)
        if name in self._late:
            return self._late[name]()
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def library(era: str, patch: pytest.MonkeyPatch) -> Library:
    """
    Return an era's library.

    Args:
        patch: undoes what is changed in the emulation's own classes.
    """
    import ttml_emulation

    real_ttml, real_ttnn = ttml_emulation.load(matmul="fp32-then-round")
    ttml, ttnn = _copy(real_ttml), _copy(real_ttnn)
    del ttml.common  # its helpers moved and changed, so nothing here may need them
    _narrow_tensors(ttml, patch)
    _narrow_model(ttml, patch)
    late: dict[str, Callable[[], Any]] = {}
    if era in ("E0", "E1", "E1-bare"):
        for name in MESH_NAMES:
            if hasattr(ttml, name):
                delattr(ttml, name)
        _narrow_optimizer(ttml, keeps_state=era != "E1-bare")
    if era == "E0":
        del ttml.models.nanogpt
    if era == "E1":  # importing a package does not import its submodules
        nanogpt = ttml.models.nanogpt
        del ttml.models.nanogpt
        late["ttml.models.nanogpt"] = lambda: setattr(ttml.models, "nanogpt", nanogpt)
    if era == "E1-bare":
        _limit_context(ttml, "set_gradient_mode", "get_gradient_mode")
    if era == "E2":
        _limit_context(ttml, "initialize_parallelism_context")
    if era == "E3":
        ttml.manual_seed = ttml.autograd.AutoContext.get_instance().set_seed
    elif hasattr(ttml, "manual_seed"):
        del ttml.manual_seed
    return Library(ttml, ttnn, late)


def _copy(module: ModuleType) -> Any:
    copied = ModuleType(module.__name__)
    for name, value in vars(module).items():
        if not name.startswith("__"):
            setattr(copied, name, _copy(value) if isinstance(value, ModuleType) else value)
    return copied


def _narrow_tensors(ttml: Any, patch: pytest.MonkeyPatch) -> None:
    tensor = ttml.autograd.Tensor
    backward, to_numpy, from_numpy = tensor.backward, tensor.to_numpy, tensor.from_numpy

    def narrow_backward(self: Any, retain_graph: bool, /) -> None:
        backward(self, retain_graph)

    def narrow_to_numpy(self: Any, new_type: Any, /, **composer: Any) -> Any:
        return to_numpy(self, new_type, **composer)

    def narrow_from_numpy(numpy_tensor: Any, *, layout: Any, new_type: Any, **mapper: Any) -> Any:
        assert numpy_tensor.dtype in (np.uint32, np.float32), "what every version takes"
        return from_numpy(numpy_tensor, layout=layout, new_type=new_type, **mapper)

    patch.setattr(tensor, "backward", narrow_backward)
    patch.setattr(tensor, "to_numpy", narrow_to_numpy)
    limited = Limited(tensor)
    limited.from_numpy = staticmethod(narrow_from_numpy)  # type: ignore[attr-defined]  # Limited declares no names
    ttml.autograd.Tensor = limited


def _narrow_model(ttml: Any, patch: pytest.MonkeyPatch) -> None:
    nanogpt = ttml.models.nanogpt
    config, model = nanogpt.NanoGPTConfig, nanogpt.NanoGPT
    forward = model.forward

    def narrow_config(**fields: Any) -> Any:
        assert set(fields) == set(PROMISED), "the fields of all versions"
        return config(**fields)

    def masked(self: Any, ids: Any, mask: Any = None) -> Any:
        assert mask is not None, "without a mask, the first versions look into the future"
        return forward(self, ids, mask)

    nanogpt.NanoGPTConfig = narrow_config
    patch.setattr(model, "forward", masked)


def _narrow_optimizer(ttml: Any, *, keeps_state: bool) -> None:
    make, adamw = ttml.optimizers.AdamWConfig.make, ttml.optimizers.AdamW

    class FiveSettings:
        @staticmethod
        def make(lr: float, beta1: float, beta2: float, epsilon: float, weight_decay: float) -> Any:
            return make(lr, beta1, beta2, epsilon, weight_decay)

    hidden = () if keeps_state else ("get_state_dict", "set_state_dict", "get_steps", "set_steps")
    ttml.optimizers = ModuleType("ttml.optimizers")
    ttml.optimizers.AdamWConfig = FiveSettings
    ttml.optimizers.AdamW = lambda parameters, config: Limited(adamw(parameters, config), *hidden)


def _limit_context(ttml: Any, *hidden: str) -> None:
    context = ttml.autograd.AutoContext

    class Narrow:
        @staticmethod
        def get_instance() -> Any:
            return Limited(context.get_instance(), *hidden)

    ttml.autograd.AutoContext = Narrow
