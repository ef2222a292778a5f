"""Names that training scripts seldom use: other spellings, and composite operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.ttml_emulation.oracle import numpy, tensor

ARRAY = np.arange(128, dtype=np.float32).reshape(1, 1, 4, 32) / 8


def test_a_gradient_is_read_and_set_in_every_form(world: Any) -> None:
    leaf, given = tensor(world, ARRAY), tensor(world, ARRAY * 2)
    leaf.set_grad_from_tensor(given)
    np.testing.assert_array_equal(numpy(world, leaf.get_grad_tensor()), ARRAY * 2)
    wrapped = world.ttml.autograd.AutocastTensor(leaf.get_grad_rw(), False)
    np.testing.assert_array_equal(numpy(world, wrapped), ARRAY * 2)
    assert (leaf.get_requires_grad(), wrapped.get_requires_grad()) == (True, False)


def test_a_result_can_be_made_a_leaf(world: Any) -> None:
    doubled = tensor(world, ARRAY) * 2.0
    assert doubled.get_node() is not None
    doubled.clean_node()
    assert doubled.get_node() is None
    assert doubled.get_shape() == [1, 1, 4, 32]
    assert doubled.to_string() == repr(doubled) != ""


def test_recording_is_switched_explicitly(world: Any) -> None:
    autograd = world.ttml.autograd
    context = autograd.AutoContext.get_instance()
    context.set_gradient_mode(autograd.GradMode.DISABLED)
    assert (tensor(world, ARRAY) * 2.0).get_node() is None
    context.set_gradient_mode(autograd.GradMode.ENABLED)
    assert (tensor(world, ARRAY) * 2.0).get_node() is not None


def test_composite_operations_compute_what_fused_ones_do(world: Any) -> None:
    ops, x = world.ttml.ops, tensor(world, ARRAY)
    gamma, beta = tensor(world, np.full((1, 1, 1, 32), 0.5)), tensor(world, np.ones((1, 1, 1, 32)))
    fused = ops.layernorm.layernorm(x, gamma, beta)
    np.testing.assert_array_equal(
        numpy(world, ops.layernorm.composite_layernorm(x, gamma, beta)), numpy(world, fused)
    )
    attention = ops.attention
    np.testing.assert_array_equal(
        numpy(world, attention.scaled_dot_product_attention_composite(x, x, x)),
        numpy(world, attention.scaled_dot_product_attention(x, x, x)),
    )


def test_types_and_layouts_have_short_names(world: Any) -> None:
    ttnn = world.ttnn
    value = ttnn.from_buffer([1, -2], [1, 2], ttnn.int32, None, ttnn.TILE_LAYOUT)
    assert isinstance(value, ttnn.Tensor)
    assert (value.dtype, value.layout) == (ttnn.DataType.INT32, ttnn.Layout.TILE)
    assert isinstance(world.ttml.autograd.AutoContext.get_instance().get_device(), ttnn.MeshDevice)
    with pytest.raises(RuntimeError, match="does not support BFLOAT4_B"):
        ttnn.typecast(value, ttnn.DataType.BFLOAT4_B)
