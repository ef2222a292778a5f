"""Several chips: the calls that the sources of `ttml` require; they cannot be run here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, call

import pytest

from lesson_ct4.device.mesh import Chips
from lesson_runner.model.errors import HardwareError, LessonError


def early() -> Any:
    """A ``ttml`` without meshes."""
    ttml = Mock()
    for name in ("open_device_mesh", "close_device_mesh", "mesh", "sync_gradients"):
        delattr(ttml, name)
    context(ttml).is_parallelism_context_initialized.return_value = False
    return ttml


def context(ttml: Any) -> Any:
    return ttml.autograd.AutoContext.get_instance()


def test_one_chip_is_opened_by_the_context() -> None:
    ttml = Mock()

    chips = Chips(ttml, (1, 1))
    chips.open()
    chips.average_gradients("parameters")
    chips.close()

    assert context(ttml).method_calls == [call.open_device(), call.reset_graph(), call.close_device()]
    assert (chips.split_batch(), chips.join()) == ({}, {})


def test_later_versions_have_a_named_axis() -> None:
    ttml = Mock()

    chips = Chips(ttml, (1, 8))
    chips.open()
    chips.average_gradients("parameters")
    chips.close()

    ttml.open_device_mesh.assert_called_once_with(ttml.Mesh((1, 8), ("_0", "dp")))
    ttml.sync_gradients.assert_called_once_with("parameters", axis_names=("dp",))
    ttml.close_device_mesh.assert_called_once_with()
    assert chips.split_batch() == {"mapper": ttml.mesh().axis_mapper("dp", 0)}


def test_early_versions_have_a_parallelism_context() -> None:
    ttml = early()

    chips = Chips(ttml, (1, 2))
    chips.open()
    chips.average_gradients("parameters")
    chips.close()

    distributed = ttml.core.distributed
    distributed.enable_fabric.assert_called_once_with(2)
    context(ttml).open_device.assert_called_once_with([1, 2])
    ttml.autograd.DistributedConfig.assert_called_once_with(enable_ddp=True, enable_tp=False)
    distributed.synchronize_gradients.assert_called_once_with("parameters")
    context(ttml).close_device.assert_called_once_with()
    device = context(ttml).get_device()
    assert chips.split_batch() == {"mapper": distributed.shard_tensor_to_mesh_mapper(device, 0)}
    assert chips.join() == {"composer": distributed.concat_mesh_to_tensor_composer(device, 0)}


def test_data_parallelism_is_set_up_once() -> None:
    ttml = early()
    context(ttml).is_parallelism_context_initialized.return_value = True
    context(ttml).get_parallelism_context().get_ddp_size.return_value = 2

    Chips(ttml, (1, 2)).open()
    with pytest.raises(HardwareError, match="set up for 2 chips, and cannot be set up again for 4"):
        Chips(ttml, (1, 4)).open()

    context(ttml).initialize_parallelism_context.assert_not_called()
    context(ttml).close_device.assert_called_once_with()
    ttml.core.distributed.disable_fabric.assert_called_once_with()


def test_a_row_that_is_closed_leaves_no_links_behind() -> None:
    ttml = early()

    Chips(ttml, (1, 1)).close()
    ttml.core.distributed.disable_fabric.assert_not_called()
    Chips(ttml, (1, 2)).close()

    ttml.core.distributed.disable_fabric.assert_called_once_with()


def test_a_graph_that_cannot_be_dropped_does_not_keep_the_device_open() -> None:
    ttml = Mock()
    context(ttml).reset_graph.side_effect = RuntimeError("lost")

    Chips(ttml, (1, 1)).close()

    context(ttml).close_device.assert_called_once_with()


def test_the_batch_is_split_evenly() -> None:
    chips = Chips(SimpleNamespace(), (1, 4))

    assert chips.share(64) == 16
    with pytest.raises(LessonError, match="--batch_size 6 does not divide over 4 chips"):
        chips.share(6)
