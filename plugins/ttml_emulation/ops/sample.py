"""`ttml.ops.sample`: sample tokens on the device."""

from __future__ import annotations

import torch

from ..chips import on_every_chip
from ..enums import DataType, Layout
from ..tensor import Tensor
from ..values import Value


@on_every_chip
def sample_op(
    logits: Tensor, temperature: float, seed: int, logits_padding_mask: Tensor | None = None
) -> Tensor:
    """Return one id for each row of `[B, 1, T, V]` logits, as `[B, 1, T, 1]` UINT32.

    Gumbel-max with u uniform in [1e-5, 0.99], as on the device: argmax(logits / temperature - log(-log u) -
    mask). A temperature of 0 or less means argmax; a seed of 0 is not reproducible.
    """
    scores = logits.wide()
    if temperature > 0:
        generator = torch.Generator("cpu")
        if seed:
            generator.manual_seed(seed)
        else:
            generator.seed()
        u = torch.rand(scores.shape, generator=generator).mul_(0.99 - 1e-5).add_(1e-5).to(scores.device)
        scores = scores / temperature - torch.log(-torch.log(u))
    if logits_padding_mask is not None:
        scores = scores - logits_padding_mask.wide()
    ids = scores.argmax(-1, keepdim=True)
    return Tensor(Value(ids, DataType.UINT32, Layout.ROW_MAJOR), False)
