"""Dropout: the right share, the right scale, and a mask that only depends on the seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.ttml_emulation.oracle import gradient, numpy, tensor

ONES = np.ones((4, 1, 256, 384))


def drop(world: Any, x: Any, probability: float) -> Any:
    return world.ttml.ops.dropout.dropout(x, probability)


@pytest.mark.parametrize("probability", [0.05, 0.2, 0.5, 0.9])
def test_share_and_scale(world: Any, probability: float) -> None:
    mask = numpy(world, drop(world, tensor(world, ONES), probability))
    kept = mask != 0
    # Five deviations of a share of 393,216; a share in steps of 1/256 would be off by eight at 0.2.
    deviation = math.sqrt(probability * (1 - probability) / mask.size)
    assert abs(1 - kept.mean() - probability) < 5 * deviation
    scale = np.unique(mask[kept])
    assert scale.shape == (1,)
    assert scale[0] == pytest.approx(1 / (1 - probability), rel=2**-20 if world.exact else 2**-8)


def test_a_fifth_is_scaled_exactly(device: Any) -> None:
    assert numpy(device, drop(device, tensor(device, ONES), 0.2)).max() == 1.25


def test_elements_are_independent(device: Any) -> None:
    kept = (numpy(device, drop(device, tensor(device, ONES), 0.2)) != 0).reshape(-1, 384) - 0.8
    limit = 5 * 0.16 / math.sqrt(kept.size)
    for lag in (1, 2, 3, 4, 8):  # adjacent elements share a 64-bit draw
        assert abs((kept[:, lag:] * kept[:, :-lag]).mean()) < limit
        assert abs((kept[lag:] * kept[:-lag]).mean()) < limit


def test_backward_uses_the_same_mask(world: Any) -> None:
    x = tensor(world, ONES[:, :, :32, :32])
    out = drop(world, x, 0.3)
    out.backward(False)
    np.testing.assert_array_equal(gradient(world, x), numpy(world, out))


def test_nothing_dropped_is_the_tensor_itself_and_draws_nothing(world: Any) -> None:
    context = world.ttml.autograd.AutoContext.get_instance()
    x = tensor(world, ONES)
    assert drop(world, x, 0.0) is x
    assert context.draw_seed() == 3499211612  # still the first value


@pytest.mark.parametrize("probability", [-0.1, 1.0])
def test_other_probabilities_are_errors(world: Any, probability: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        drop(world, tensor(world, ONES), probability)


def test_a_seed_repeats_and_calls_differ(world: Any) -> None:
    context = world.ttml.autograd.AutoContext.get_instance()
    x = tensor(world, ONES[:1])
    masks = []
    for seed in (7, 7, 8):
        context.set_seed(seed)
        masks.append((numpy(world, drop(world, x, 0.5)), numpy(world, drop(world, x, 0.5))))
    np.testing.assert_array_equal(masks[0], masks[1])
    for other in (masks[0][1], masks[2][0]):
        agreement = (masks[0][0] == other).mean()
        assert abs(agreement - 0.5) < 5 * 0.5 / math.sqrt(other.size)


def test_both_numerics_drop_the_same(device: Any) -> None:
    from tests.ttml_emulation.worlds import enter

    before = numpy(device, drop(device, tensor(device, ONES[:1]), 0.2)) != 0
    other = enter("fp32")
    np.testing.assert_array_equal(numpy(other, drop(other, tensor(other, ONES[:1]), 0.2)) != 0, before)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_sizes_that_do_not_fill_a_draw(world: Any, size: int) -> None:
    assert drop(world, tensor(world, np.ones((1, 1, 1, size))), 0.5).shape() == [1, 1, 1, size]
