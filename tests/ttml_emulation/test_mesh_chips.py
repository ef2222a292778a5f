"""Chips of a mesh: every operation on each chip's part, and sums over all chips."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ttml_emulation.meshes import Opened, context, distributed, held, open_mesh, open_rows_and_columns
from tests.ttml_emulation.oracle import Array, numpy, stored, tensor
from tests.ttml_emulation.worlds import World, enter

GRID = np.arange(4 * 6, dtype=np.float32).reshape(4, 1, 1, 6)


def named(world: World, **tensors: Any) -> Any:
    return world.ttml.NamedParameters(tensors)


class TestOnEveryChip:
    def test_an_operation_is_done_by_every_chip_with_what_it_holds(self, world: World) -> None:
        mesh = open_mesh(world, 2)
        rng = np.random.default_rng(0)
        array, factor = rng.normal(size=(4, 1, 32, 32)), rng.normal(size=(1, 1, 1, 32))
        x, f = mesh.send(array, shard=True), mesh.send(factor)
        (world.ttml.ops.unary.gelu(x * f) + x).backward(False)
        gradients = mesh.read(f.get_grad_tensor())
        open_mesh(world, 1)
        for part, gradient in zip(np.split(array, 2), gradients, strict=True):
            x, f = tensor(world, part), tensor(world, factor)
            (world.ttml.ops.unary.gelu(x * f) + x).backward(False)
            np.testing.assert_array_equal(numpy(world, f.get_grad_tensor()), gradient)

    def test_heads_are_several_results(self, device: World) -> None:
        mesh = open_mesh(device, 2)
        qkv = mesh.send(np.arange(2 * 96.0).reshape(2, 1, 1, 96), shard=True)
        query, _, value = device.ttml.ops.multi_head_utils.heads_creation(qkv, 1)
        assert query.shape() == [1, 1, 1, 32]
        (query + value).backward(False)
        assert mesh.read(qkv.get_grad_tensor()).sum(axis=(1, 2, 3, 4)).tolist() == [64, 64]

    def test_tensors_of_two_meshes_do_not_go_together(self, device: World) -> None:
        before = tensor(device, GRID)
        mesh = open_mesh(device, 2)
        with pytest.raises(RuntimeError, match="add: cannot combine tensors on 1 and on 2 chips"):
            before + mesh.send(GRID)

    def test_ones_own_operation_is_recorded_for_all_chips(self, device: World) -> None:
        mesh = open_mesh(device, 2)
        leaf = mesh.send(GRID)
        assert leaf.get_node() is None
        middle, out = leaf * 3.0, mesh.send(GRID)
        node = context(device).add_backward_node(
            lambda: middle.add_grad(device.ttnn.multiply(out.get_grad(), 2.0)), [middle.get_node()], [out]
        )
        assert node is not None
        (out * 2.0).backward(False)
        assert (mesh.read(leaf.get_grad_tensor()) == 12).all()

    def test_ttnn_works_on_every_chip(self, device: World) -> None:
        mesh, ttnn = open_mesh(device, 2), device.ttnn
        value = mesh.send(np.arange(8.0).reshape(2, 4), shard=True).get_value()
        assert (value.shape, value.dtype, value.get_layout()) == (
            (1, 4),
            ttnn.DataType.BFLOAT16,
            ttnn.Layout.TILE,
        )
        limits = ttnn.slice(ttnn.full_like(value, 3.5), [0, 0], [1, 1])
        best, index = ttnn.topk(ttnn.concat([value, limits], dim=1), k=1)
        assert [part.item() for part in ttnn.get_device_tensors(best)] == [3.5, 7]
        assert [part.item() for part in ttnn.get_device_tensors(index)] == [4, 3]
        assert held(device, ttnn.full([1], 2.0)) == [[2.0], [2.0]]
        assert len(held(device, ttnn.from_buffer([1, 2], [2], ttnn.uint32))) == 2

    def test_dropout_masks_are_alike_unless_told_otherwise(self, device: World) -> None:
        mesh = open_mesh(device, 2)
        ones = mesh.send(np.ones((2, 1, 64, 64)), shard=True)
        drop = device.ttml.ops.dropout.dropout
        first, second = mesh.read(drop(ones, 0.5))
        np.testing.assert_array_equal(first, second)
        context(device).set_seed(5489)
        other_first, other_second = mesh.read(drop(ones, 0.5, use_per_device_seed=True))
        np.testing.assert_array_equal(first, other_first)
        assert abs((other_first == other_second).mean() - 0.5) < 5 * 0.5 / 64
        assert drop(ones, 0.0) is ones


class TestGradients:
    def spread(self, mesh: Opened, gradients: Array) -> Any:
        """Return parameters whose gradient on each chip is that chip's row of `gradients`."""
        parameter = mesh.send(np.zeros((1, 1, 1, gradients.shape[-1])))
        parameter.add_grad(mesh.send(gradients.reshape(mesh.count, 1, 1, -1), shard=True).get_value())
        return named(mesh.world, w=parameter, untouched=mesh.send(GRID))

    @settings(max_examples=25, deadline=None)
    @given(count=st.integers(2, 5), seed=st.integers(0, 99), mode=st.sampled_from(["fp32", "device-native"]))
    def test_they_are_added_chip_by_chip_and_rounded_each_time(
        self, count: int, seed: int, mode: str
    ) -> None:
        world = enter(mode)
        gradients = stored(world, np.random.default_rng(seed).normal(size=(count, 32)) * 10)
        kind = np.float32 if world.exact else ml_dtypes.bfloat16
        total = gradients[0].astype(kind)
        for row in gradients[1:]:
            total = (total.astype(np.float32) + row).astype(kind)
        expected = (total.astype(np.float32) * np.float32(1 / count)).astype(kind).astype(np.float32)
        mesh = open_mesh(world, count)
        parameters = self.spread(mesh, gradients)
        mesh.average(parameters)
        for mean in mesh.read(parameters["w"].get_grad_tensor()):
            np.testing.assert_array_equal(mean.ravel(), expected)
        assert not parameters["untouched"].is_grad_initialized()

    def test_without_a_parallelism_context_nothing_is_averaged_and_nothing_said(self, device: World) -> None:
        distributed(device).enable_fabric(2)
        context(device).open_device([1, 2])
        composer = distributed(device).concat_mesh_to_tensor_composer(context(device).get_device(), 0)
        mapper = distributed(device).shard_tensor_to_mesh_mapper(context(device).get_device(), 0)
        mesh = Opened(device, "fabric", 2, mapper, composer)
        parameters = self.spread(mesh, np.array([[0.0], [2.0]]))
        synchronize = distributed(device).synchronize_gradients
        synchronize(parameters)
        device.ttml.sync_gradients(parameters)
        assert mesh.read(parameters["w"].get_grad_tensor()).ravel().tolist() == [0, 2]
        synchronize(parameters, [1])
        assert mesh.read(parameters["w"].get_grad_tensor()).ravel().tolist() == [1, 1]

    def test_axes_that_the_mesh_has_not_are_left_out_by_name_and_errors_by_number(
        self, device: World
    ) -> None:
        mesh = open_mesh(device, 2)
        parameters = self.spread(mesh, np.array([[0.0], [2.0]]))
        device.ttml.sync_gradients(parameters, axis_names=("fsdp",))
        device.ttml.sync_gradients(parameters, axis_names=("_0",))
        assert mesh.read(parameters["w"].get_grad_tensor()).ravel().tolist() == [0, 2]
        with pytest.raises(RuntimeError, match="Cluster axis must be within mesh shape"):
            distributed(device).synchronize_gradients(parameters, [2])

    def test_links_are_needed_and_come_with_the_device(self, device: World) -> None:
        context(device).open_device([1, 2])
        distributed(device).enable_fabric(2)  # too late
        with pytest.raises(RuntimeError, match="un-initialized fabric context"):
            distributed(device).all_reduce(tensor(device, GRID).get_value())
        context(device).close_device()
        open_mesh(device, 2, "fabric")
        context(device).close_device()
        context(device).open_device([1, 2])  # closing disabled the links
        with pytest.raises(RuntimeError, match="un-initialized fabric context"):
            distributed(device).all_reduce(tensor(device, GRID).get_value())
        context(device).close_device()
        assert (
            held(device, distributed(device).all_reduce(tensor(device, GRID).get_value()))[0] == GRID
        ).all()

    def test_a_sum_runs_along_one_axis_or_all(self, fp32: World) -> None:
        device = open_rows_and_columns(fp32, 2, 2)
        mapper = distributed(fp32).shard_tensor_to_mesh_mapper(device, 0)
        sent = fp32.ttml.autograd.Tensor.from_numpy(np.array([1, 2, 4, 8], dtype=np.float32), mapper=mapper)
        for axis, sums in ((0, [5, 10, 5, 10]), (1, [3, 3, 12, 12]), (None, [15] * 4)):
            reduced = distributed(fp32).all_reduce(sent.get_value(), axis)
            assert [part.item() for part in held(fp32, reduced)] == sums

    def test_every_chip_clips_by_its_own_norm(self, device: World) -> None:
        mesh = open_mesh(device, 2)
        parameters = self.spread(mesh, np.array([[3.0, 4.0], [0.25, 0.0]]))
        norms = device.ttml.core.clip_grad_norm(parameters, 1.0)
        assert mesh.read(norms).ravel().tolist() == [5.0, 0.25]
        clipped = mesh.read(parameters["w"].get_grad_tensor()).reshape(2, 2)
        np.testing.assert_allclose(clipped, [[0.6, 0.8], [0.25, 0.0]], rtol=2**-8)
