"""The KV cache and lazy evaluation change only the time, never the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ttml_emulation.oracle import ids, numpy, tensor
from tests.ttml_emulation.worlds import World
from torch.utils._python_dispatch import TorchDispatchMode

LAYERS, LENGTH, VOCAB, TILE = 2, 96, 64, 32


def create(world: World, seed: int = 1, **changes: Any) -> Any:
    """Return a model in EVAL mode, with weights large enough that every id matters."""
    nanogpt = world.ttml.models.nanogpt
    size = {
        "vocab_size": VOCAB,
        "block_size": LENGTH,
        "n_embd": 64,
        "n_layer": LAYERS,
        "n_head": 2,
        "dropout": 0.3,
    }
    np.random.seed(seed)
    model = nanogpt.create_nanogpt(nanogpt.NanoGPTConfig(**({**size, "dropout": 0.3} | changes)))
    for value in model.parameters().values():
        value.assign(tensor(world, numpy(world, value) * 3))
    model.eval()
    return model


def text(seed: int, batch: int = 1) -> Any:
    return np.random.default_rng(seed).integers(0, VOCAB, (batch, LENGTH)).astype(np.uint32)


def evaluate(world: World, model: Any, rows: Any, mask: Any = None) -> Any:
    """Return the logits of `[B, T]` ids, without gradients."""
    with world.ttml.common.utils.no_grad():
        return model(ids(world, rows.reshape(len(rows), 1, 1, -1)), mask or causal(world))


def causal(world: World) -> Any:
    return tensor(world, world.ttml.common.data.build_causal_mask(LENGTH))


def part(world: World, logits: Any, start: int, stop: int) -> Any:
    """Return some rows, read with `ttnn.slice`."""
    batch, _, _, width = logits.shape()
    value = world.ttnn.slice(logits.get_value(), [0, 0, start, 0], [batch, 1, stop, width])
    return numpy(world, world.ttml.autograd.create_tensor(value))


class Gelus(TorchDispatchMode):  # type: ignore[no-untyped-call]  # PyTorch does not annotate its own
    """Counts the rows that pass the activation, once in every layer."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # PyTorch does not annotate its own
        self.rows = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.aten.gelu.default:
            self.rows += args[0].shape[:-1].numel()
        return func(*args, **(kwargs or {}))


def computed(work: Callable[[], object]) -> int:
    """Return how many rows of a layer are computed."""
    with Gelus() as gelus:
        work()
    return int(gelus.rows) // LAYERS


def test_rows_are_those_of_the_plain_model(world: World) -> None:
    model, rows = create(world), text(1, 2)

    plain = numpy(world, model(ids(world, rows.reshape(2, 1, 1, -1)), causal(world)))  # gradients are enabled
    later = numpy(world, evaluate(world, model, rows))

    off = np.abs(later - plain).max() / np.abs(plain).max()
    # Ten operations deep, each rounding by 2^-8; in float32 only the order of sums differs.
    assert off < (1e-5 if world.exact else 0.03)


def test_a_part_is_what_it_is_of_the_whole(world: World) -> None:
    model, rows = create(world), text(1, 2)
    whole = numpy(world, evaluate(world, create(world), rows))

    logits = evaluate(world, model, rows)

    for start, stop in ((32, 64), (0, 32), (10, 40), (95, 96), (5, 5), (0, 96)):
        np.testing.assert_array_equal(part(world, logits, start, stop), whole[:, :, start:stop])
    every_other = world.ttnn.slice(logits.get_value(), [0, 0, 3, 0], [1, 1, 60, VOCAB], [1, 1, 2, 1])
    np.testing.assert_array_equal(every_other.to_numpy().astype(np.float32), whole[:1, :, 3:60:2])
    np.testing.assert_array_equal(numpy(world, logits), whole)
    np.testing.assert_array_equal(part(world, logits, 32, 64), whole[:, :, 32:64])


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, LENGTH), st.integers(0, 2), st.integers(1, 2)),
        min_size=2,
        max_size=5,
    )
)
def test_nothing_depends_on_what_was_evaluated_before(
    device: World, calls: list[tuple[int, int, int, int]]
) -> None:
    model, fresh = create(device), create(device)
    for seed, shared, tile, batch in calls:
        rows = text(seed, batch)
        rows[:, :shared] = text(0, batch)[:, :shared]
        read = (TILE * tile, TILE * tile + TILE)
        kept = part(device, evaluate(device, model, rows), *read)
        fresh.train()  # drops the cache
        fresh.eval()
        np.testing.assert_array_equal(kept, part(device, evaluate(device, fresh, rows), *read))


def test_a_sample_does_not_depend_on_the_others(world: World) -> None:
    rows = text(1, 5)
    together = numpy(world, evaluate(world, create(world), rows))
    for index in range(5):
        alone = numpy(world, evaluate(world, create(world), rows[index : index + 1]))
        np.testing.assert_array_equal(alone[0], together[index])


@pytest.mark.slow
def test_only_rows_that_are_read_and_new_are_computed(device: World) -> None:
    model, rows = create(device), text(1)

    def read(start: int) -> int:
        logits = evaluate(device, model, rows)
        return computed(lambda: part(device, logits, start, start + TILE))

    assert read(32) == 64  # two tiles
    rows[:, 40] = (rows[:, 40] + 1) % VOCAB
    assert read(32) == 32
    assert read(32) == 0  # nothing to compute
    assert read(64) == 32
    rows[:, 40] = (rows[:, 40] + 1) % VOCAB
    assert read(64) == 64


def test_without_onednn_the_rows_are_the_same_up_to_rounding(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = text(1)
    packed = numpy(world, evaluate(world, create(world), rows))
    monkeypatch.setattr(torch.ops, "mkldnn", None)
    plain = numpy(world, evaluate(world, create(world), rows))
    assert np.abs(packed - plain).max() < (1e-5 if world.exact else 0.03) * np.abs(plain).max()


def test_a_pass_that_was_broken_off_leaves_nothing(device: World, monkeypatch: pytest.MonkeyPatch) -> None:
    model, rows = create(device), text(1)
    logits = evaluate(device, model, rows)
    with monkeypatch.context() as broken:
        broken.setattr(torch.nn.functional, "gelu", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            part(device, logits, 32, 64)

    np.testing.assert_array_equal(
        numpy(device, logits), numpy(device, evaluate(device, create(device), rows))
    )


def test_what_is_known_without_computing(device: World) -> None:
    logits = evaluate(device, create(device), text(1, 2))

    def ask() -> None:
        assert logits.shape() == logits.get_shape() == [2, 1, LENGTH, VOCAB]
        assert logits.get_rank() == 4
        assert logits.dtype() is device.ttnn.bfloat16
        assert logits.get_value().shape == (2, 1, LENGTH, VOCAB)
        assert logits.get_value().dtype is device.ttnn.bfloat16
        assert "[2, 1, 96, 64]" in logits.to_string()
        assert not logits.is_grad_initialized()

    assert computed(ask) == 0


def test_operations_take_the_logits_as_they_would_any(world: World) -> None:
    model, rows = create(world), text(1)
    whole = numpy(world, evaluate(world, model, rows))
    targets = ids(world, text(2))
    loss = world.ttml.ops.loss.cross_entropy_loss

    expected = numpy(world, loss(tensor(world, whole), targets))
    np.testing.assert_array_equal(numpy(world, loss(evaluate(world, model, rows), targets)), expected)
    doubled = numpy(world, evaluate(world, model, rows) * 2.0)
    np.testing.assert_array_equal(doubled, numpy(world, tensor(world, whole) * 2.0))
    best = world.ttnn.argmax(evaluate(world, model, rows).get_value(), 3)
    np.testing.assert_array_equal(best.to_numpy(), whole.argmax(-1))
    copied = tensor(world, np.zeros_like(whole))
    copied.assign(evaluate(world, model, rows))
    np.testing.assert_array_equal(numpy(world, copied), whole)


# --- parameters that change


def _assign(world: World, model: Any) -> None:
    head = model.fc.weight.tensor
    head.assign(tensor(world, numpy(world, head) + 1))


def _set_value(world: World, model: Any) -> None:
    head = model.fc.weight.tensor
    head.set_value(tensor(world, numpy(world, head) + 1).get_value())


def _fill(world: World, model: Any) -> None:
    for parameter in (model.pos_emb.weight.tensor, model.blocks[0].mlp.fc1.bias.tensor):
        value = parameter.get_value()
        world.ttnn.fill(value, 0.5, value)


def _another(world: World, model: Any) -> None:
    model.fc.weight = world.ttml.modules.Parameter(tensor(world, np.ones((1, 1, VOCAB, 64))))


def _step(kind: str) -> Callable[[World, Any], None]:
    def step(world: World, model: Any) -> None:
        optimizer = world.ttml.optimizers.create_optimizer({"type": kind, "lr": 0.1}, model.parameters())
        for value in (model.tok_emb.weight.tensor, model.blocks[1].mlp.fc2.weight.tensor):
            value.set_grad(tensor(world, np.ones(value.shape())).get_value())
        optimizer.step()

    return step


def _restore(world: World, model: Any) -> None:
    full = {"type": "AdamWFullPrecision"}
    optimizer = world.ttml.optimizers.create_optimizer(full, model.parameters())
    other = world.ttml.optimizers.create_optimizer(full, create(world, 2).parameters())
    optimizer.set_state_dict(other.get_state_dict())


CHANGES = {
    "assign": _assign,
    "set_value": _set_value,
    "written to": _fill,
    "replaced": _another,
    "restored": _restore,
    **{kind: _step(kind) for kind in ("AdamW", "AdamWFullPrecision", "SGD")},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_parameter_is_seen(world: World, change: str) -> None:
    model, rows = create(world), text(1)
    before = numpy(world, evaluate(world, model, rows))
    CHANGES[change](world, model)

    after = numpy(world, evaluate(world, model, rows))

    fresh = create(world)
    for value, mine in zip(
        fresh.parameters().values(), dict(model.parameters().items()).values(), strict=True
    ):
        value.assign(mine)
    np.testing.assert_array_equal(after, numpy(world, evaluate(world, fresh, rows)))
    assert (after != before).any()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("read", [0, TILE])
def test_logits_are_those_of_the_parameters_they_were_asked_with(
    world: World, change: str, read: int
) -> None:
    rows = text(1)
    expected = numpy(world, evaluate(world, create(world), rows))
    model = create(world)

    logits = evaluate(world, model, rows)
    if read:
        part(world, logits, 0, read)
    value = logits.get_value()
    CHANGES[change](world, model)
    model.train()

    np.testing.assert_array_equal(numpy(world, logits), expected)
    np.testing.assert_array_equal(numpy(world, world.ttml.autograd.create_tensor(value)), expected)


def test_what_is_written_to_logits_stays_there(device: World) -> None:
    model, rows = create(device), text(1)
    logits = evaluate(device, model, rows)
    before = part(device, logits, 0, TILE)

    cut = device.ttnn.slice(logits.get_value(), [0, 0, 0, 0], [1, 1, TILE, VOCAB])
    device.ttnn.fill(cut, 7, cut)
    whole = evaluate(device, model, rows).get_value()
    device.ttnn.fill(whole, 7, whole)

    np.testing.assert_array_equal(part(device, evaluate(device, model, rows), 0, TILE), before)


# --- cases without a cache


def test_dropout_acts_where_a_part_of_the_model_trains(device: World) -> None:
    model, rows = create(device), text(1)
    model.blocks[1].mlp.train()
    first, second = (numpy(device, evaluate(device, model, rows)) for _ in range(2))
    assert (first != second).any()


def test_another_mask_is_obeyed(device: World) -> None:
    model, rows = create(device), text(1)
    before = numpy(device, evaluate(device, model, rows))
    everything = tensor(device, np.ones((1, 1, LENGTH, LENGTH)))
    assert (numpy(device, evaluate(device, model, rows, everything)) != before).any()
    np.testing.assert_array_equal(numpy(device, evaluate(device, model, rows)), before)


def test_a_part_that_was_replaced_is_used(device: World) -> None:
    model, rows = create(device), text(1)
    before = numpy(device, evaluate(device, model, rows))

    class Louder(type(model.blocks[0].mlp)):  # type: ignore[misc]  # a class made at run time
        def forward(self, x: Any) -> Any:
            return super().forward(x) * 2.0

    model.blocks[0].mlp.__class__ = Louder
    assert (numpy(device, evaluate(device, model, rows)) != before).any()


def test_tied_weights(device: World) -> None:
    tying = device.ttml.models.WeightTyingType.from_string("enabled")
    model, rows = create(device, weight_tying=tying), text(1)
    plain = numpy(device, model(ids(device, rows.reshape(1, 1, 1, -1)), causal(device)))
    assert np.abs(numpy(device, evaluate(device, model, rows)) - plain).max() < 0.03 * np.abs(plain).max()


def test_without_biases(device: World) -> None:
    model, rows = create(device, bias=False), text(1)
    plain = numpy(device, model(ids(device, rows.reshape(1, 1, 1, -1)), causal(device)))
    assert np.abs(numpy(device, evaluate(device, model, rows)) - plain).max() < 0.03 * np.abs(plain).max()


def test_what_is_wrong_is_said_at_once(device: World) -> None:
    model = create(device)
    with pytest.raises(IndexError):
        evaluate(device, model, text(1) + VOCAB)
    with pytest.raises(ValueError, match="exactly 96"):
        evaluate(device, model, text(1)[:, :32])
    with pytest.raises(RuntimeError, match="the mask is for 32 positions, not 96"):
        evaluate(device, model, text(1), tensor(device, np.tril(np.ones((1, 1, 32, 32)))))
