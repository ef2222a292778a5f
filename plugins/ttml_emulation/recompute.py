"""`ttml.models.memory_efficient_runner`: recompute the activations of a block in the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .context import AutoContext
from .enums import GradMode
from .tape import run_backward
from .tensor import Tensor


def memory_efficient_runner(block: Callable[..., Tensor], x: Tensor, mask: Any = None) -> Tensor:
    """Return block(x, mask) without storing its activations.

    The backward pass runs the block again with the same dropout, so the results are the same.
    """
    context = AutoContext.get_instance()
    if context.get_gradient_mode() is GradMode.DISABLED:
        return block(x, mask)
    before = context.get_generator_state()
    context.set_gradient_mode(GradMode.DISABLED)
    try:
        out = block(x, mask)
    finally:
        context.set_gradient_mode(GradMode.ENABLED)

    def backward() -> None:
        after = context.get_generator_state()
        context.set_generator_state(before)
        leaf = Tensor(x, x.get_requires_grad())
        again = block(leaf, mask)
        context.set_generator_state(after)
        for done, part in zip(out.parts, again.parts, strict=True):
            part.grad = done.grad
        run_backward([node for part in again.parts if (node := part.get_node()) is not None], False)
        for part, again_part in zip(x.parts, leaf.parts, strict=True):
            if again_part.grad is not None:
                part.accumulate(again_part.grad)

    out.set_requires_grad(True)
    out.set_node(context.add_backward_node(backward, [x.get_node()]))
    return out
