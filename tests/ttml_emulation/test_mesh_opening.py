"""A mesh of emulated chips: opening it, and sharding tensors over it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ttml_emulation.meshes import context, distributed, held, open_mesh, open_rows_and_columns
from tests.ttml_emulation.oracle import numpy, tensor
from tests.ttml_emulation.worlds import World, enter

GRID = np.arange(4 * 6, dtype=np.float32).reshape(4, 1, 1, 6)


class TestOpening:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 32), (2, 4), (8, 1)])
    def test_a_mesh_has_its_shape_and_its_chips(self, device: World, shape: tuple[int, int]) -> None:
        context(device).open_device(device.ttnn.MeshShape(*shape))
        opened, count = context(device).get_device(), shape[0] * shape[1]
        assert opened.shape == shape
        assert list(opened.shape) == list(shape)
        assert opened.shape.mesh_size() == opened.get_num_devices() == count
        assert opened.get_device_ids() == list(range(count))
        assert device.ttnn.get_num_devices() == device.ttnn.GetNumAvailableDevices() == count
        assert opened.arch() == "emulated"

    def test_the_chips_may_be_named(self, device: World) -> None:
        context(device).open_device([1, 2], [3, 1])
        assert context(device).get_device().get_device_ids() == [3, 1]

    @pytest.mark.parametrize(
        ("shape", "ids", "message"),
        [
            ([1, 33], None, "1 to 32 chips"),
            ([8, 8], None, "1 to 32 chips"),
            ([1, 0], None, "1 to 32 chips"),
            ([-1, -1], None, "1 to 32 chips"),
            ([1, 2.0], None, "two integers"),
            ([1, 1], [0, 1], "1 chips cannot be opened with the device ids"),
            ([1, 2], [0, 0], "2 chips cannot be opened with the device ids"),
        ],
    )
    def test_what_cannot_be_opened(self, device: World, shape: Any, ids: Any, message: str) -> None:
        with pytest.raises(RuntimeError, match=message):
            context(device).open_device(shape, ids)
        assert context(device).opened() is None

    def test_closing_gives_the_chips_back(self, device: World) -> None:
        mesh = open_mesh(device, 2)
        context(device).close_device()
        assert device.ttml.maybe_mesh() is None
        assert device.ttnn.get_num_devices() == 1
        one = tensor(device, GRID)
        assert numpy(device, one).shape == GRID.shape
        with pytest.raises(RuntimeError, match="made for another device"):
            mesh.send(GRID, shard=True)

    def test_a_configuration_opens_its_mesh(self, device: World) -> None:
        device.ttml.common.utils.initialize_device({"device_config": {"mesh_shape": [1, 2]}})
        value = tensor(device, GRID).get_value()
        assert (held(device, distributed(device).all_reduce(value))[1] == 2 * GRID).all()


class TestNamedMesh:
    def test_its_axes_have_names(self, device: World) -> None:
        mesh = device.ttml.Mesh((2, 4), ("dp", "_1"))
        assert (mesh.shape, mesh.axis_names, mesh.num_devices()) == ((2, 4), ("dp", "_1"), 8)
        assert (mesh.has_axis("dp"), mesh.has_axis("tp")) == (True, False)
        assert (mesh.axis_index("_1"), mesh.axis_size("_1")) == (1, 4)
        with pytest.raises(RuntimeError, match="no axis named 'tp'"):
            mesh.axis_size("tp")
        with pytest.raises(ValueError, match="assigned name"):
            device.ttml.Mesh((1, 2), ("dp",))

    def test_there_is_one_while_it_is_open(self, device: World) -> None:
        assert device.ttml.maybe_mesh() is None
        with pytest.raises(RuntimeError, match="not initialized"):
            device.ttml.mesh()
        device.ttml.open_device_mesh((1, 2))
        assert device.ttml.mesh().axis_names == ("_0", "_1")
        with pytest.raises(RuntimeError, match="after the device was created"):
            device.ttml.open_device_mesh((1, 4))
        assert device.ttml.mesh().shape == (1, 2)
        for _ in range(2):
            device.ttml.close_device_mesh()
            assert device.ttml.maybe_mesh() is None

    def test_a_mesh_that_does_not_open_leaves_no_links(self, device: World) -> None:
        with pytest.raises(RuntimeError, match="1 to 32"):
            device.ttml.open_device_mesh((1, 64))
        context(device).open_device([1, 2])
        with pytest.raises(RuntimeError, match="fabric"):
            distributed(device).all_reduce(tensor(device, GRID).get_value())


class TestPlacement:
    @settings(max_examples=40, deadline=None)
    @given(
        count=st.integers(1, 6),
        sizes=st.lists(st.integers(1, 3), min_size=1, max_size=4),
        dim=st.integers(-4, 3),
        wide=st.booleans(),
    )
    def test_what_was_cut_is_put_together_again(
        self, count: int, sizes: list[int], dim: int, wide: bool
    ) -> None:
        world = enter("fp32")
        open_mesh(world, count)
        chips = context(world).get_device()
        dim = dim % len(sizes) - (len(sizes) if dim < 0 else 0)
        sizes[dim] *= count
        array = np.arange(np.prod(sizes), dtype=np.float32 if wide else np.uint32).reshape(sizes)
        mapper = distributed(world).shard_tensor_to_mesh_mapper(chips, dim)
        sent = world.ttml.autograd.Tensor.from_numpy(array, mapper=mapper)
        assert sent.shape() == [
            size // count if i == dim % len(sizes) else size for i, size in enumerate(sizes)
        ]
        composer = distributed(world).concat_mesh_to_tensor_composer(chips, dim)
        np.testing.assert_array_equal(sent.to_numpy(composer=composer), array)
        pieces = zip(
            held(world, sent.get_value(world.ttml.autograd.PreferredPrecision.FULL)),
            np.split(array, count, dim),
            strict=True,
        )
        assert all((mine == piece).all() for mine, piece in pieces)

    def test_without_a_mapper_every_chip_has_its_own_copy(self, device: World) -> None:
        mesh = open_mesh(device, 2)
        replicate = distributed(device).replicate_tensor_to_mesh_mapper(context(device).get_device())
        for mapper in (None, replicate):
            copies = device.ttml.autograd.Tensor.from_numpy(GRID, mapper=mapper)
            np.testing.assert_array_equal(mesh.read(copies), [GRID, GRID])
        precision = device.ttml.autograd.PreferredPrecision.FULL
        first, second = device.ttnn.get_device_tensors(copies.get_value(precision))
        device.ttnn.fill(first, 0.0, output_tensor=first)
        np.testing.assert_array_equal(mesh.read(copies), [0 * GRID, GRID])
        np.testing.assert_array_equal(second.to_numpy(), GRID)

    def test_an_axis_is_cut_and_the_other_holds_copies(self, fp32: World) -> None:
        device = open_rows_and_columns(fp32, 2, 2)
        upper, lower = GRID[:2], GRID[2:]
        for axis, expected in ((0, [upper, upper, lower, lower]), (1, [upper, lower, upper, lower])):
            mapper = distributed(fp32).shard_tensor_to_mesh_mapper(device, 0, axis)
            sent = fp32.ttml.autograd.Tensor.from_numpy(GRID, mapper=mapper)
            np.testing.assert_array_equal(held(fp32, sent.get_value()), expected)

    def test_a_composer_may_join_each_axis_along_a_different_dimension(self, fp32: World) -> None:
        device = open_rows_and_columns(fp32, 2, 3)
        tiles = fp32.ttml.autograd.Tensor.from_numpy(
            np.arange(6, dtype=np.float32).reshape(6, 1),
            mapper=distributed(fp32).shard_tensor_to_mesh_mapper(device, 0),
        )
        config = distributed(fp32).create_mesh_composer_config([0, 1], [2, 3])
        composer = distributed(fp32).create_mesh_composer(device, config)
        np.testing.assert_array_equal(tiles.to_numpy(composer=composer), [[0, 1, 2], [3, 4, 5]])
        with pytest.raises(RuntimeError, match="does not fit a mesh"):
            distributed(fp32).create_mesh_composer(
                device, distributed(fp32).create_mesh_composer_config([0], [4])
            )
        with pytest.raises(RuntimeError, match="1 dimensions do not fit a mesh with 2 axes"):
            distributed(fp32).create_mesh_composer_config([0], [2, 3])

    @pytest.mark.parametrize(
        ("dim", "message"),
        [(0, r"\[4, 1, 1, 6\] is 4: it does not divide over 3 chips"), (4, "no dimension 4")],
    )
    def test_what_does_not_divide_is_an_error(self, device: World, dim: int, message: str) -> None:
        open_mesh(device, 3)
        mapper = distributed(device).shard_tensor_to_mesh_mapper(context(device).get_device(), dim)
        with pytest.raises(RuntimeError, match=message):
            device.ttml.autograd.Tensor.from_numpy(GRID, mapper=mapper)

    def test_several_chips_are_not_read_as_one(self, world: World) -> None:
        mesh = open_mesh(world, 2)
        number = mesh.send(np.ones((1, 1, 1, 1)))
        words = "Can't get a single buffer from host storage distributed over mesh"
        value = number.get_value()
        for read in (number.to_numpy, number.item, value.to_numpy, value.item):
            with pytest.raises(RuntimeError, match=words):
                read()
        assert mesh.read(number).tolist() == [[[[[1.0]]]]] * 2
        assert world.ttml.common.utils.get_loss_over_devices(number) == 1.0


class TestParallelism:
    def config(self, world: World, **enabled: bool) -> Any:
        return world.ttml.autograd.DistributedConfig(**enabled)

    def test_it_says_which_axis_holds_the_copies(self, device: World) -> None:
        context(device).open_device([1, 4])
        assert not context(device).is_parallelism_context_initialized()
        with pytest.raises(RuntimeError, match="not initialized"):
            context(device).get_parallelism_context()
        context(device).initialize_parallelism_context(self.config(device, enable_ddp=True, enable_tp=False))
        known = context(device).get_parallelism_context()
        assert (known.is_ddp_enabled(), known.get_ddp_axis(), known.get_ddp_size()) == (True, 1, 4)
        assert (known.is_tp_enabled(), known.get_tp_axis(), known.get_tp_size()) == (False, None, 1)
        with pytest.raises(RuntimeError, match="already initialized"):
            context(device).initialize_parallelism_context(self.config(device, enable_ddp=True))

    @pytest.mark.parametrize(
        ("shape", "enabled", "message"),
        [
            (
                (1, 2),
                {"enable_ddp": True, "enable_tp": True},
                "enable_tp: tensor parallelism is not emulated",
            ),
            ((1, 2), {"enable_cp": True}, "enable_cp: context parallelism is not emulated"),
            ((1, 2), {}, "exactly one parallelism type must be enabled"),
            ((2, 2), {"enable_ddp": True}, "must equal mesh dimensions"),
        ],
    )
    def test_what_is_refused(self, device: World, shape: Any, enabled: dict[str, bool], message: str) -> None:
        context(device).open_device(shape)
        with pytest.raises(RuntimeError, match=message):
            context(device).initialize_parallelism_context(self.config(device, **enabled))
        assert not context(device).is_parallelism_context_initialized()
