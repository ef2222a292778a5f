"""The reference for the emulation: PyTorch in float64, with PyTorch's own autograd."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import torch

Array = np.ndarray[Any, Any]
Reference = Callable[..., torch.Tensor]


def stored(world: Any, array: Array) -> Array:
    """Return `array` as the emulation stores it: rounded to bfloat16, or not."""
    kept = array.astype(np.float32)
    return kept if world.exact else kept.astype(ml_dtypes.bfloat16).astype(np.float32)


def tensor(world: Any, array: Array) -> Any:
    return world.ttml.autograd.Tensor.from_numpy(
        array.astype(np.float32), layout=world.ttnn.Layout.TILE, new_type=world.ttnn.DataType.BFLOAT16
    )


def ids(world: Any, array: Array) -> Any:
    return world.ttml.autograd.Tensor.from_numpy(
        np.ascontiguousarray(array, dtype=np.uint32), layout=world.ttnn.Layout.ROW_MAJOR
    )


def numpy(world: Any, value: Any) -> Array:
    array: Array = value.to_numpy(world.ttnn.DataType.FLOAT32)
    return array


def gradient(world: Any, value: Any) -> Array:
    return numpy(world, value.get_grad_tensor())


def close(world: Any, actual: Array, expected: Array, *, rounded: float = 1.0, exact: float = 1.0) -> None:
    """Require `actual` to be `expected` up to rounding.

    One rounding to bfloat16 (8 significant bits) is off by at most 2^-8 of the value. `rounded` is how many
    of these are allowed, relative to each value, and a 64th of them relative to the greatest, where float32
    sums cancel. In float32 the unit is 2^-20: a sum of a few hundred products.
    """
    assert actual.shape == expected.shape
    unit = exact * 2.0**-20 if world.exact else rounded * 2.0**-8
    bound = unit * np.abs(expected) + (unit if world.exact else unit / 64) * np.abs(expected).max()
    worst = np.abs(actual - expected) - bound
    assert worst.max() <= 0, (
        f"{(worst > 0).mean():.2%} of the values are off, by up to {worst.max():.3g} too much"
    )


def check_operation(
    world: Any,
    operation: Callable[..., Any],
    reference: Reference,
    inputs: Sequence[Array],
    *,
    rounded: float = 1.0,
    seed: int = 0,
) -> None:
    """Require that an operation and all its gradients match the reference up to rounding."""
    arrays = [stored(world, array) for array in inputs]
    tensors = [tensor(world, array) for array in arrays]
    wide = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    actual, expected = operation(*tensors), reference(*wide)
    close(world, numpy(world, actual), expected.detach().numpy(), rounded=rounded)

    slope = stored(world, np.random.default_rng(seed).standard_normal(tuple(expected.shape)))
    # The gradient of a sum weighted with the slopes is exactly the slopes: 1 x slope is exact.
    weighted = world.ttml.ops.binary.mul(actual, tensor(world, slope))
    weighted.backward(False)
    world.ttml.autograd.AutoContext.get_instance().reset_graph()
    grads = torch.autograd.grad(expected, wide, torch.tensor(slope, dtype=torch.float64))
    for mine, theirs in zip(tensors, grads, strict=True):
        close(world, gradient(world, mine), theirs.numpy(), rounded=rounded)


class OracleGPT:
    """A NanoGPT and AdamW in float64, written from the formulas; it shares no code with the emulation."""

    def __init__(self, weights: dict[str, Array], layers: int, heads: int) -> None:
        self.layers, self.heads = layers, heads
        self.p = {
            name.removeprefix("NanoGPT/"): torch.tensor(array, dtype=torch.float64, requires_grad=True)
            for name, array in weights.items()
        }
        self.m = {name: torch.zeros_like(value) for name, value in self.p.items()}
        self.v = {name: torch.zeros_like(value) for name, value in self.p.items()}
        self.steps = 0

    def _norm(self, x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(-1, keepdim=True)
        out: torch.Tensor = centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        return out * gamma.flatten() + beta.flatten()

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return x @ self.p[f"{name}/weight"][0, 0].T + self.p[f"{name}/bias"].flatten()

    def loss(self, x: Array, y: Array) -> torch.Tensor:
        p = self.p
        batch, length = x.shape
        h = p["tok_emb/weight"][0, 0][torch.tensor(x.astype(np.int64))] + p["pos_emb/weight"][0, 0]
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
        for layer in range(self.layers):
            name = f"blocks/{layer}"
            z = self._norm(h, p[f"{name}/ln1/gamma"], p[f"{name}/ln1/beta"])
            q, k, v = (
                part.view(batch, length, self.heads, -1).transpose(1, 2)
                for part in self._linear(z, f"{name}/attention/qkv_linear").chunk(3, -1)
            )
            scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
            mixed = scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v
            mixed = mixed.transpose(1, 2).reshape(batch, length, -1)
            h = h + self._linear(mixed, f"{name}/attention/out_linear")
            z = self._norm(h, p[f"{name}/ln2/gamma"], p[f"{name}/ln2/beta"])
            z = self._linear(z, f"{name}/mlp/fc1")
            z = 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))
            h = h + self._linear(z, f"{name}/mlp/fc2")
        logits = self._norm(h, p["ln_f_gamma"], p["ln_f_beta"]) @ p["fc/weight"][0, 0].T
        picked = logits.log_softmax(-1).gather(-1, torch.tensor(y.astype(np.int64))[..., None])
        return -picked.mean()

    def train(self, x: Array, y: Array, lr: float, b1: float, b2: float, eps: float, wd: float) -> float:
        """Make one step and return the loss before it."""
        loss = self.loss(x, y)
        names = list(self.p)
        grads = torch.autograd.grad(loss, [self.p[name] for name in names])
        self.steps += 1
        with torch.no_grad():
            for name, grad in zip(names, grads, strict=True):
                m, v, theta = self.m[name], self.v[name], self.p[name]
                m.mul_(b1).add_((1 - b1) * grad)
                v.mul_(b2).add_((1 - b2) * grad**2)
                step = (m / (1 - b1**self.steps)) / ((v / (1 - b2**self.steps)).sqrt() + eps)
                theta.copy_((1 - lr * wd) * theta - lr * step)
        return float(loss.detach())
