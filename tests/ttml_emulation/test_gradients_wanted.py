"""Only operands that require a gradient get one, and it does not depend on the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.ttml_emulation.oracle import gradient, tensor

OPERATIONS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "add": (lambda ops, a, b: ops.binary.add(a, b), ((1, 1, 32, 32),) * 2),
    "sub": (lambda ops, a, b: ops.binary.sub(a, b), ((1, 1, 32, 32),) * 2),
    "mul": (lambda ops, a, b: ops.binary.mul(a, b), ((1, 1, 32, 32),) * 2),
    "div": (lambda ops, a, b: ops.binary.div(a, b), ((1, 1, 32, 32),) * 2),
    "mse": (lambda ops, a, b: ops.loss.mse_loss(a, b), ((1, 1, 32, 32),) * 2),
    "linear": (
        lambda ops, x, w, b: ops.linear.linear(x, w, b),
        ((1, 1, 32, 32), (1, 1, 64, 32), (1, 1, 1, 64)),
    ),
}


def gradients(world: Any, name: str, wanted: list[bool]) -> list[Any]:
    """Return each operand's gradient, or ``None`` if it has none."""
    operation, shapes = OPERATIONS[name]
    draw = np.random.default_rng(1)
    operands = [tensor(world, 1.0 + draw.random(shape)) for shape in shapes]
    for operand, wants in zip(operands, wanted, strict=True):
        operand.set_requires_grad(wants)
    operation(world.ttml.ops, *operands).backward(False)
    world.ttml.autograd.AutoContext.get_instance().reset_graph()
    return [gradient(world, item) if item.is_grad_initialized() else None for item in operands]


@pytest.mark.parametrize("name", OPERATIONS)
def test_only_what_is_wanted(fp32: Any, name: str) -> None:
    count = len(OPERATIONS[name][1])
    every = gradients(fp32, name, [True] * count)
    for number in range(count):
        only = gradients(fp32, name, [index == number for index in range(count)])
        assert [item is not None for item in only] == [index == number for index in range(count)]
        np.testing.assert_array_equal(only[number], every[number])
        others = gradients(fp32, name, [index != number for index in range(count)])
        assert [item is None for item in others] == [index == number for index in range(count)]


def test_shapes_that_do_not_fit(fp32: Any) -> None:
    ops = fp32.ttml.ops
    x, weight = tensor(fp32, np.ones((1, 1, 32, 32))), tensor(fp32, np.ones((1, 1, 64, 32)))
    with pytest.raises(RuntimeError, match="linear: a tensor of shape"):
        ops.linear.linear(x, tensor(fp32, np.ones((1, 1, 64, 64))), None)
    with pytest.raises(RuntimeError, match="a bias of shape"):
        ops.linear.linear(x, weight, tensor(fp32, np.ones((1, 1, 1, 32))))
    with pytest.raises(RuntimeError, match="mse_loss: target"):
        ops.loss.mse_loss(x, weight)
