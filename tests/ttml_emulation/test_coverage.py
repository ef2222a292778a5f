"""Which names of a board are emulated, and which of those are tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tools.docs import emulation as coverage

from ttml_emulation import board_names


def test_a_name_counts_where_it_follows_its_modules(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "from ttml.ops.unary import silu\n"
        "world.ttml.optimizers.AdamW()\n"
        "x.backward(False)\n"
        "other.relu\n"
        "SCRIPT = 'import ttnn\\nttnn.topk(x)'\n"
        "losses, other = world.ttml.ops.loss, 3\n"
        "losses.mse_loss(a, b)\n"
        "getattr(world.ttml.ops.binary, 'sub')\n"
    )
    used = coverage.uses(tmp_path)
    assert coverage.named(used, "ttml.ops.unary", "silu")
    assert coverage.named(used, "ttml.optimizers", "AdamW")
    assert coverage.named(used, "ttml.autograd.Tensor", "backward")
    assert coverage.named(used, "ttnn", "topk")
    assert coverage.named(used, "ttml.ops.loss", "mse_loss")
    assert coverage.named(used, "ttml.ops.binary", "sub")
    assert not coverage.named(used, "ttml.ops.loss", "sub")
    assert not coverage.named(used, "ttml.ops.unary", "relu")
    assert not coverage.named(used, "ttml.autograd.Tensor", "get_grad")


def test_every_name_is_listed_once() -> None:
    for holder, names in board_names.names().items():
        assert sorted(set(names)) == sorted(names), holder


@pytest.mark.parametrize(
    ("symbol", "there"),
    [
        ("ttml.ops.unary.gelu", True),
        ("ttml.autograd.Tensor.backward", True),
        ("ttml.ops.unary.tanh", False),
        ("ttml.models.llama.Llama", False),  # scripts can only import it
        ("ttml.models.llama", False),
        ("ttml.ops.rope", False),
    ],
)
def test_a_name_that_only_exists_is_not_emulated(world: Any, symbol: str, there: bool) -> None:
    assert coverage.emulated(world.ttml, symbol) is there
