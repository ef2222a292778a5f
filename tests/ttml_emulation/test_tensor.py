"""Tensors: numpy in and out, types, shapes, gradients, and the graph."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tests.ttml_emulation.oracle import ids, numpy, stored, tensor

ARRAY = np.arange(-64, 64, dtype=np.float32).reshape(1, 1, 4, 32) / 7


def from_numpy(world: Any, array: Any, **kwargs: Any) -> Any:
    return world.ttml.autograd.Tensor.from_numpy(array, **kwargs)


@pytest.mark.parametrize(
    "kind", [np.int8, np.uint16, np.int64, np.uint64, np.float16, np.float64, bool, np.complex64]
)
def test_only_32_bit_types_and_bfloat16_go_in(world: Any, kind: type) -> None:
    with pytest.raises(RuntimeError, match="does not support"):
        from_numpy(world, np.ones((1, 1, 32, 32), dtype=kind))


@pytest.mark.parametrize(
    ("kind", "name"), [(np.int32, "INT32"), (np.uint32, "UINT32"), (np.float32, "FLOAT32")]
)
def test_a_tensor_has_its_arrays_type_and_values(world: Any, kind: type, name: str) -> None:
    array: Any = np.array([[0, 1, 2**31 - 1]], dtype=kind)
    made = from_numpy(world, array, layout=world.ttnn.Layout.ROW_MAJOR)
    assert made.dtype() is world.ttnn.DataType[name]
    assert made.shape() == [1, 3]
    assert made.get_layout() is world.ttnn.Layout.ROW_MAJOR
    back = made.to_numpy()
    assert back.dtype == kind
    np.testing.assert_array_equal(back, array)


def test_the_greatest_uint32_survives(world: Any) -> None:
    array = np.array([[2**32 - 1]], dtype=np.uint32)
    np.testing.assert_array_equal(from_numpy(world, array).to_numpy(), array)


def test_bfloat16_goes_in_and_out(device: Any) -> None:
    array = ARRAY.astype(ml_dtypes.bfloat16)
    made = from_numpy(device, array)
    assert made.dtype() is device.ttnn.DataType.BFLOAT16
    assert made.to_numpy().dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(made.to_numpy(), array)
    np.testing.assert_array_equal(made.to_numpy(device.ttnn.DataType.FLOAT32), array.astype(np.float32))


def test_a_new_type_rounds_to_nearest_even(device: Any) -> None:
    ties = np.array([[1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8]], dtype=np.float32)
    made = from_numpy(device, ties, new_type=device.ttnn.DataType.BFLOAT16)
    np.testing.assert_array_equal(numpy(device, made), [[1, 1 + 2**-6, -1]])


def test_fp32_numerics_round_nothing(fp32: Any) -> None:
    made = tensor(fp32, ARRAY)
    assert made.dtype() is fp32.ttnn.DataType.FLOAT32
    np.testing.assert_array_equal(numpy(fp32, made), ARRAY)


def test_a_tensor_is_a_copy_both_ways(world: Any) -> None:
    array = ARRAY.copy()
    made = from_numpy(world, array)
    array[:] = 0
    made.to_numpy()[:] = 0
    np.testing.assert_array_equal(made.to_numpy(), ARRAY)


def test_strided_arrays_keep_their_order(world: Any) -> None:
    np.testing.assert_array_equal(from_numpy(world, ARRAY.T).to_numpy(), ARRAY.T)


def test_a_type_that_is_not_stored_is_an_error(world: Any) -> None:
    with pytest.raises(RuntimeError, match="BFLOAT8_B"):
        from_numpy(world, ARRAY, new_type=world.ttnn.DataType.BFLOAT8_B)


def test_methods_outside_and_properties_inside(device: Any) -> None:
    made = tensor(device, ARRAY)
    inner = made.get_value()
    assert made.shape() == [1, 1, 4, 32]
    assert tuple(inner.shape) == (1, 1, 4, 32)
    assert made.dtype() is inner.dtype is device.ttnn.DataType.BFLOAT16
    assert made.get_rank() == 4
    assert made.tensor is made


def test_half_precision_is_a_rounded_view_of_a_float32_tensor(device: Any) -> None:
    precision = device.ttml.autograd.PreferredPrecision
    made = from_numpy(device, ARRAY)
    assert made.get_value().dtype is device.ttnn.DataType.BFLOAT16
    np.testing.assert_array_equal(made.get_value().to_numpy().astype(np.float32), stored(device, ARRAY))
    np.testing.assert_array_equal(made.get_value(precision.FULL).to_numpy(), ARRAY)


def test_assign_copies_and_keeps_the_type(device: Any) -> None:
    target, source = tensor(device, np.zeros_like(ARRAY)), from_numpy(device, ARRAY)
    before = target * 1.0  # a use that caches a float32 copy of the old value
    target.assign(source)
    assert target.dtype() is device.ttnn.DataType.BFLOAT16
    np.testing.assert_array_equal(numpy(device, target * 1.0), stored(device, ARRAY))
    np.testing.assert_array_equal(numpy(device, before), np.zeros_like(ARRAY))


def test_a_matrix_product_sees_an_assigned_weight(world: Any) -> None:
    linear = world.ttml.ops.linear.linear
    x, w = tensor(world, np.eye(32).reshape(1, 1, 32, 32)), tensor(world, np.zeros((1, 1, 4, 32)))
    linear(x, w)
    w.assign(tensor(world, ARRAY))
    np.testing.assert_array_equal(numpy(world, linear(x, w))[0, 0], stored(world, ARRAY)[0, 0].T)


def test_assigning_another_shape_is_an_error(world: Any) -> None:
    with pytest.raises(RuntimeError, match="cannot assign"):
        tensor(world, ARRAY).assign(tensor(world, ARRAY.reshape(1, 1, 2, 64)))


class TestGradients:
    def test_there_is_none_at_first(self, world: Any) -> None:
        made = tensor(world, ARRAY)
        assert not made.is_grad_initialized()
        with pytest.raises(RuntimeError, match="not initialized"):
            made.get_grad()

    def test_they_add_up(self, world: Any) -> None:
        made, grad = tensor(world, ARRAY), tensor(world, np.ones_like(ARRAY))
        made.add_grad(grad.get_value())
        made.add_grad(grad.get_value())
        np.testing.assert_array_equal(numpy(world, made.get_grad_tensor()), np.full_like(ARRAY, 2))

    def test_adding_leaves_the_added_gradient_alone(self, world: Any) -> None:
        a, b = tensor(world, ARRAY), tensor(world, ARRAY)
        (a + b).backward(False)  # both get the same gradient
        a.add_grad(tensor(world, ARRAY).get_value())
        np.testing.assert_array_equal(numpy(world, b.get_grad_tensor()), np.ones_like(ARRAY))

    def test_a_tensor_that_wants_none_gets_none(self, world: Any) -> None:
        made = tensor(world, ARRAY)
        made.set_requires_grad(False)
        made.add_grad(tensor(world, ARRAY).get_value())
        other = tensor(world, ARRAY)
        (made * other).backward(False)
        assert not made.is_grad_initialized()
        assert other.is_grad_initialized()

    def test_another_shape_is_an_error(self, world: Any) -> None:
        with pytest.raises(RuntimeError, match="does not fit"):
            tensor(world, ARRAY).add_grad(tensor(world, ARRAY.reshape(1, 1, 2, 64)).get_value())


class TestGraph:
    def test_backward_twice_is_an_error(self, world: Any) -> None:
        loss = tensor(world, ARRAY) * 2.0
        loss.backward(False)
        with pytest.raises(RuntimeError, match="retain_graph"):
            loss.backward(False)

    def test_a_retained_graph_runs_again_and_gradients_add(self, world: Any) -> None:
        leaf = tensor(world, ARRAY)
        loss = leaf * 2.0
        loss.backward(True)
        loss.backward(False)
        np.testing.assert_array_equal(numpy(world, leaf.get_grad_tensor()), np.full_like(ARRAY, 4))

    def test_a_deep_retained_graph_runs_again(self, world: Any) -> None:
        leaf = tensor(world, ARRAY)
        loss = leaf * 2.0 * 2.0
        loss.backward(True)
        first = numpy(world, leaf.get_grad_tensor())
        leaf.set_grad(tensor(world, np.zeros_like(ARRAY)).get_value())
        loss.backward(False)
        # The gradient between the two products accumulates too: 2 from the first pass, 2 from the second.
        np.testing.assert_array_equal(numpy(world, leaf.get_grad_tensor()), 2 * first)

    def test_backward_after_a_reset_is_an_error(self, world: Any) -> None:
        loss = tensor(world, ARRAY) * 2.0
        world.ttml.autograd.AutoContext.get_instance().reset_graph()
        with pytest.raises(RuntimeError, match="reset"):
            loss.backward(False)

    def test_backward_from_a_leaf_is_an_error(self, world: Any) -> None:
        with pytest.raises(RuntimeError, match="gradients enabled"):
            tensor(world, ARRAY).backward(False)

    def test_nothing_is_recorded_without_gradients(self, world: Any) -> None:
        autograd = world.ttml.autograd
        context, leaf = autograd.AutoContext.get_instance(), tensor(world, ARRAY)
        with world.ttml.common.utils.no_grad():
            assert context.get_gradient_mode() is autograd.GradMode.DISABLED
            assert (leaf * 2.0).get_node() is None
            assert context.add_backward_node(lambda: None, []) is None
        assert context.get_gradient_mode() is autograd.GradMode.ENABLED
        assert (leaf * 2.0).get_node() is not None

    def test_no_grad_is_a_decorator_too(self, world: Any) -> None:
        leaf = tensor(world, ARRAY)
        assert world.ttml.common.utils.no_grad()(lambda: leaf * 2.0)().get_node() is None

    def test_an_operation_of_ones_own_joins_the_graph(self, world: Any) -> None:
        context = world.ttml.autograd.AutoContext.get_instance()
        leaf = tensor(world, ARRAY)
        middle = leaf * 3.0
        out = tensor(world, ARRAY)
        node = context.add_backward_node(lambda: middle.add_grad(out.get_grad()), [middle.get_node()])
        out.set_node(node)
        (out * 2.0).backward(False)
        np.testing.assert_array_equal(numpy(world, leaf.get_grad_tensor()), np.full_like(ARRAY, 6))
        with pytest.raises(RuntimeError, match="already set"):
            out.set_node(node)

    def test_each_operation_runs_after_all_that_use_it(self, world: Any) -> None:
        leaf = tensor(world, np.ones_like(ARRAY))
        a = leaf * 2.0
        b = a * 3.0
        (b + a).backward(False)  # a's gradient is complete only when b has run: 2 x (3 + 1)
        np.testing.assert_array_equal(numpy(world, leaf.get_grad_tensor()), np.full_like(ARRAY, 8))

    def test_a_reset_frees_what_the_graph_kept(self, world: Any) -> None:
        middle = tensor(world, ARRAY) * 2.0
        out = middle * 2.0
        alive = weakref.ref(middle)
        gc.disable()  # no cycle may be left for the collector
        try:
            del middle
            assert alive() is not None
            world.ttml.autograd.AutoContext.get_instance().reset_graph()
            assert alive() is None
        finally:
            gc.enable()
        assert out.shape() == list(ARRAY.shape)


class TestContext:
    def test_there_is_one(self, world: Any) -> None:
        get = world.ttml.autograd.AutoContext.get_instance
        assert get() is get()

    def test_the_device_opens_once(self, world: Any) -> None:
        context = world.ttml.autograd.AutoContext.get_instance()
        context.open_device()
        with pytest.raises(RuntimeError, match="after the device was created"):
            context.open_device()
        context.close_device()
        context.open_device([1, 1])

    def test_creating_a_tensor_opens_the_device(self, world: Any) -> None:
        ids(world, np.zeros((1, 1, 1, 32)))
        with pytest.raises(RuntimeError, match="after the device was created"):
            world.ttml.autograd.AutoContext.get_instance().open_device()

    def test_the_device_says_that_it_is_emulated(self, world: Any) -> None:
        opened = world.ttml.autograd.AutoContext.get_instance().get_device()
        assert opened.arch() == "emulated"
        assert opened.get_num_devices() == 1
        assert (opened.compute_with_storage_grid_size().x, opened.compute_with_storage_grid_size().y) == (
            1,
            1,
        )

    @pytest.mark.parametrize("shape", [[1], [1, 1, 1]])
    def test_a_mesh_has_two_dimensions(self, world: Any, shape: list[int]) -> None:
        with pytest.raises(RuntimeError, match="exactly 2"):
            world.ttml.autograd.AutoContext.get_instance().open_device(shape)

    def test_its_generator_is_the_mt19937_of_the_cpp_standard(self, world: Any) -> None:
        context = world.ttml.autograd.AutoContext.get_instance()
        drawn = [context.draw_seed() for _ in range(10_000)]
        # The standard requires this of a generator with the default seed.
        assert (drawn[0], drawn[-1]) == (3499211612, 4123659995)
        context.set_seed(5489)
        assert context.draw_seed() == 3499211612
        assert context.get_seed() == 5489

    def test_a_seed_has_32_bits(self, world: Any) -> None:
        with pytest.raises(ValueError, match="32-bit"):
            world.ttml.autograd.AutoContext.get_instance().set_seed(2**32)
