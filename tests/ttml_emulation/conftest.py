from __future__ import annotations

from collections.abc import Iterator

import pytest

from ttml_emulation import tuning

tuning.prepare()  # before anything imports PyTorch: other processes use the same cores
pytest.importorskip("torch", reason="the emulation runs on PyTorch: install the `cpu` extra")
pytest.importorskip("ml_dtypes", reason="the emulation converts bfloat16 with it: install the `cpu` extra")

from tests.ttml_emulation.worlds import MODES, World, enter  # noqa: E402

from ttml_emulation.context import AutoContext  # noqa: E402


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Leave no device open: the next test in this process may be one of ct4, which opens its own."""
    yield
    AutoContext.renew()


@pytest.fixture(params=MODES)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each arithmetic in turn, with no device open, no graph, and the default seed."""
    yield enter(request.param)
    enter(request.param)


@pytest.fixture
def device() -> World:
    """The arithmetic of a board, with the faster matrix product for this CPU."""
    return enter("device-widened")


@pytest.fixture
def fp32() -> World:
    return enter("fp32")
