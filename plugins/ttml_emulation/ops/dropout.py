"""`ttml.ops.dropout`: inverted dropout."""

from __future__ import annotations

import numpy as np
import torch

from .. import numerics
from ..context import AutoContext
from ..tensor import Tensor, record, stored

_BITS = 15  # random bits per element: probabilities are accurate to 1.5e-5


def dropout(tensor: Tensor, probability: float, use_per_device_seed: bool = False) -> Tensor:
    """Return x times a mask that is 0 with `probability` and 1 / (1 - probability) otherwise.

    The mask depends on the shape and on one seed drawn from the context's generator. With a probability of 0,
    `tensor` itself is returned and no seed is drawn. On a mesh all chips use the same seed, and therefore the
    same mask; with `use_per_device_seed` the number of the chip is added to the seed. Raises ValueError for a
    probability outside [0, 1).
    """
    if not 0 <= probability < 1:
        raise ValueError(f"the dropout probability must be in [0, 1), not {probability}")
    if probability == 0:
        return tensor
    seed = AutoContext.get_instance().draw_seed()
    own = int(use_per_device_seed)
    return Tensor.joined(
        [_drop(part, probability, (seed + own * chip) % 2**32) for chip, part in enumerate(tensor.parts)]
    )


def _drop(tensor: Tensor, probability: float, seed: int) -> Tensor:
    x = tensor.half()
    keep = mask(x.shape, probability, seed)
    return record(stored(x * keep), [tensor], lambda grad: tensor.accumulate(grad * keep))


def mask(shape: torch.Size, probability: float, seed: int) -> torch.Tensor:
    """Return the mask for `seed`.

    On a CPU its bits come from numpy's SFC64, which takes a fifteenth of the time of `torch.bernoulli`.
    """
    policy = numerics.current()
    scale = torch.tensor(1 / (1 - probability)).to(policy.dtype)
    if policy.device.type != "cpu":
        generator = torch.Generator(policy.device).manual_seed(seed)
        drawn = torch.rand(shape, generator=generator, device=policy.device)
        return (drawn >= probability).to(policy.dtype) * scale.to(policy.device)
    count = shape.numel()
    words: np.ndarray[tuple[int], np.dtype[np.uint64]] = np.random.SFC64(seed).random_raw(-(-count // 4))
    drawn16 = (words.view(np.uint16) >> (16 - _BITS)).view(np.int16)
    # (limit - 1 - drawn) is negative where the element is kept; its sign then selects the bits of the scale.
    limit = round(probability * 2**_BITS)
    np.subtract(np.int16(limit - 1), drawn16, out=drawn16)
    np.right_shift(drawn16, 15, out=drawn16)
    signs = torch.from_numpy(drawn16)[:count]
    if policy.dtype == torch.bfloat16:
        bits = scale.view(torch.int16)
        return signs.bitwise_and_(bits).view(torch.bfloat16).view(shape)
    return (signs.to(torch.float32) * -scale).view(shape)
