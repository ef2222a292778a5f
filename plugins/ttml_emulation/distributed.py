"""`ttml.core.distributed` with one device: what needs more raises."""

from __future__ import annotations

from typing import NoReturn

from .modules import NamedParameters


def enable_fabric(num_devices: int) -> None:
    """Do nothing for one device; RuntimeError for more."""
    if num_devices > 1:
        _refuse()


def synchronize_gradients(parameters: NamedParameters, cluster_axes: list[int] | None = None) -> None:
    """Do nothing: one device's gradients are the mean of themselves."""


def shard_tensor_to_mesh_mapper(*args: object, **kwargs: object) -> NoReturn:  # noqa: ARG001
    """Raise RuntimeError."""
    _refuse()


def concat_mesh_to_tensor_composer(*args: object, **kwargs: object) -> NoReturn:  # noqa: ARG001
    """Raise RuntimeError."""
    _refuse()


def _refuse() -> NoReturn:
    raise RuntimeError("the emulation has one device")
