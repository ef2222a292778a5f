"""Every operation and its gradients against float64, in both numerics and with both matrix products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ttml_emulation.oracle import (
    Reference,
    check_operation,
    close,
    gradient,
    ids,
    numpy,
    stored,
    tensor,
)

F = torch.nn.functional
Draw = np.random.default_rng
BINARY: dict[str, Reference] = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}
UNARY: dict[str, Reference] = {"gelu": F.gelu, "relu": F.relu, "silu": F.silu}


def normal(*shape: int, seed: int = 1, scale: float = 1.0) -> Any:
    return scale * Draw(seed).standard_normal(shape)


@pytest.mark.slow
@pytest.mark.parametrize("name", BINARY)
def test_binary(world: Any, name: str) -> None:
    b = normal(2, 1, 5, 32, seed=2)
    b += np.sign(b)  # away from zero, for the division
    check_operation(world, getattr(world.ttml.ops.binary, name), BINARY[name], [normal(2, 1, 5, 32), b])


@pytest.mark.parametrize("name", BINARY)
def test_binary_sums_the_gradient_of_what_was_broadcast(world: Any, name: str) -> None:
    b = normal(1, 1, 5, 32, seed=2)
    b += np.sign(b)
    check_operation(world, getattr(world.ttml.ops.binary, name), BINARY[name], [normal(3, 1, 5, 32), b])


def test_a_factor_scales_value_and_gradient(world: Any) -> None:
    check_operation(world, lambda x: x * 0.3, lambda x: x * 0.3, [normal(1, 1, 4, 32)])


def test_operators_are_the_operations(world: Any) -> None:
    a, b = (tensor(world, normal(1, 1, 2, 32, seed=seed)) for seed in (1, 2))
    ops = world.ttml.ops.binary
    for mine, theirs in ((a + b, ops.add(a, b)), (a - b, ops.sub(a, b)), (a * b, ops.mul(a, b))):
        np.testing.assert_array_equal(numpy(world, mine), numpy(world, theirs))


def test_there_is_no_division_operator(world: Any) -> None:
    a = tensor(world, normal(1, 1, 2, 32))
    with pytest.raises(TypeError):
        a / a


@pytest.mark.parametrize("name", UNARY)
def test_unary(world: Any, name: str) -> None:
    # F.gelu is the exact one; the tanh approximation is off by 5e-4, which float32 shows.
    check_operation(world, getattr(world.ttml.ops.unary, name), UNARY[name], [normal(2, 1, 8, 32, scale=2)])


def test_mean(world: Any) -> None:
    check_operation(
        world, world.ttml.ops.unary.mean, lambda x: x.mean().view(1, 1, 1, 1), [normal(2, 1, 4, 32) + 1]
    )


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batch=st.integers(1, 3), rows=st.integers(1, 40), fan_in=st.integers(1, 80), fan_out=st.integers(1, 80)
)
def test_linear_of_any_size(world: Any, batch: int, rows: int, fan_in: int, fan_out: int) -> None:
    check_operation(
        world,
        world.ttml.ops.linear.linear,
        lambda x, w, b: F.linear(x, w[0, 0], b.flatten()),
        [
            normal(batch, 1, rows, fan_in),
            normal(1, 1, fan_out, fan_in, seed=2),
            normal(1, 1, 1, fan_out, seed=3),
        ],
    )


def test_linear_without_bias(world: Any) -> None:
    check_operation(
        world,
        world.ttml.ops.linear.linear,
        lambda x, w: F.linear(x, w[0, 0]),
        [normal(2, 1, 32, 64), normal(1, 1, 96, 64, seed=2)],
    )


@pytest.mark.parametrize("beta", [True, False])
def test_layernorm(world: Any, beta: bool) -> None:
    # A standard deviation of 0.01 makes the epsilon of 1e-6 count: 1e-5 instead would change 5 %.
    x = normal(2, 1, 16, 96, scale=0.01) + 0.05
    inputs = [x, 1 + normal(1, 1, 1, 96, seed=2, scale=0.3), normal(1, 1, 1, 96, seed=3)]
    check_operation(
        world,
        world.ttml.ops.layernorm.layernorm,
        lambda x, g, b=None: F.layer_norm(x, [96], g.flatten(), None if b is None else b.flatten(), 1e-6),
        inputs if beta else inputs[:2],
        # The statistics are float32 and the values few; where dx cancels, rounding matters more.
        rounded=1.5,
    )


def test_embedding(world: Any) -> None:
    rows = Draw(0).integers(0, 7, (3, 1, 1, 64))  # 64 positions of 7 tokens: rows are summed
    index = ids(world, rows)
    check_operation(
        world,
        lambda w: world.ttml.ops.embedding.embedding(index, w),
        lambda w: w[0, 0][torch.tensor(rows.reshape(3, 1, 64))],
        [normal(1, 1, 9, 32)],
    )


def test_heads_are_split_as_query_key_value(world: Any) -> None:
    x = normal(2, 1, 8, 96)
    parts = world.ttml.ops.multi_head_utils.heads_creation(tensor(world, x), 4)
    for index, part in enumerate(parts):
        expected = stored(world, x)[:, 0, :, 32 * index : 32 * (index + 1)].reshape(2, 8, 4, 8).swapaxes(1, 2)
        np.testing.assert_array_equal(numpy(world, part), expected)


@pytest.mark.parametrize("used", [0, 1, 2])
def test_heads_creation_sends_each_gradient_to_its_place(world: Any, used: int) -> None:
    check_operation(
        world,
        lambda x: world.ttml.ops.multi_head_utils.heads_creation(x, 4)[used],
        lambda x: x.chunk(3, -1)[used].reshape(2, 8, 4, 8).transpose(1, 2),
        [normal(2, 1, 8, 96)],
    )


def test_heads_fusion(world: Any) -> None:
    check_operation(
        world,
        world.ttml.ops.multi_head_utils.heads_fusion,
        lambda x: x.transpose(1, 2).reshape(2, 1, 8, 32),
        [normal(2, 4, 8, 8)],
    )


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return scores.masked_fill(~allowed, -1e9).softmax(-1) @ v


# The scaled query is rounded, which shifts scores of order one by up to 2^-8; with bfloat16 products the
# scores, the weights and their gradients are rounded too. 25 roundings relative to a value are 0.15 % of
# the greatest one.
ATTENTION = {"native": 50.0, "fp32-then-round": 25.0}


@pytest.mark.parametrize("length", [32, 64, 96, 160, 320])
@pytest.mark.parametrize("given_mask", [True, False])
def test_causal_attention(world: Any, length: int, given_mask: bool) -> None:
    allowed = torch.ones(length, length, dtype=torch.bool).tril()
    mask = tensor(world, allowed.numpy().reshape(1, 1, length, length)) if given_mask else None
    check_operation(
        world,
        lambda q, k, v: world.ttml.ops.attention.scaled_dot_product_attention(q, k, v, mask),
        lambda q, k, v: attention(q, k, v, allowed),
        [normal(2, 3, length, 32, seed=seed) for seed in (1, 2, 3)],
        rounded=ATTENTION[world.matmul],
    )


def test_attention_with_another_mask(world: Any) -> None:
    allowed = torch.tensor(Draw(5).random((48, 48)) < 0.4)
    allowed.fill_diagonal_(True)
    mask = tensor(world, allowed.numpy().reshape(1, 1, 48, 48))
    for form in (mask, mask.get_value()):  # a ttnn tensor is a mask too
        check_operation(
            world,
            lambda q, k, v, form=form: world.ttml.ops.attention.scaled_dot_product_attention(q, k, v, form),
            lambda q, k, v: attention(q, k, v, allowed),
            [normal(1, 2, 48, 16, seed=seed) for seed in (1, 2, 3)],
            rounded=ATTENTION[world.matmul],
        )


def test_attention_never_looks_ahead(world: Any) -> None:
    arrays = [normal(1, 2, 96, 32, seed=seed) for seed in (1, 2, 3)]
    run = world.ttml.ops.attention.scaled_dot_product_attention
    before = numpy(world, run(*(tensor(world, array) for array in arrays)))
    for array in arrays:
        array[:, :, 70:] += 3
    after = numpy(world, run(*(tensor(world, array) for array in arrays)))
    np.testing.assert_array_equal(after[:, :, :70], before[:, :, :70])
    assert (after[:, :, 70:] != before[:, :, 70:]).any()


@pytest.mark.parametrize("reduction", ["MEAN", "NONE"])
def test_cross_entropy(world: Any, reduction: str) -> None:
    targets = Draw(0).integers(0, 50, (3, 16))
    target = ids(world, targets)

    def reference(x: torch.Tensor) -> torch.Tensor:
        losses = F.cross_entropy(x.view(-1, 50), torch.tensor(targets.reshape(-1)), reduction="none")
        return losses.mean().view(1, 1, 1, 1) if reduction == "MEAN" else losses.view(3, 1, 16, 1)

    check_operation(
        world,
        lambda x: world.ttml.ops.loss.cross_entropy_loss(x, target, world.ttml.ops.ReduceType[reduction]),
        reference,
        [normal(3, 1, 16, 50, scale=2)],
        rounded=2,  # a token's loss is rounded, and so is the mean
    )


def test_a_device_loss_is_a_multiple_of_its_bfloat16_spacing(device: Any) -> None:
    logits = tensor(device, normal(4, 1, 32, 96, scale=0.1))
    loss = device.ttml.ops.loss.cross_entropy_loss(logits, ids(device, np.zeros((4, 32))))
    value = loss.get_value().item()
    assert 4 < value < 8
    assert value == round(value * 2**5) / 2**5


@pytest.mark.parametrize("reduction", ["MEAN", "NONE"])
def test_mse(world: Any, reduction: str) -> None:
    def reference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        squares = (a - b).square()
        return squares.mean().view(1, 1, 1, 1) if reduction == "MEAN" else squares

    check_operation(
        world,
        lambda a, b: world.ttml.ops.loss.mse_loss(a, b, world.ttml.ops.ReduceType[reduction]),
        reference,
        [normal(2, 1, 4, 32), normal(2, 1, 4, 32, seed=2)],
    )


def test_reshape(world: Any) -> None:
    check_operation(
        world,
        lambda x: world.ttml.ops.reshape.reshape(x, [1, 1, 16, 32]),
        lambda x: x.reshape(1, 1, 16, 32),
        [normal(2, 1, 8, 32)],
    )


def test_an_operation_reads_a_float32_tensor_in_the_storage_type(device: Any) -> None:
    exact = normal(1, 1, 4, 32).astype(np.float32)
    kept = device.ttml.autograd.Tensor.from_numpy(exact)
    np.testing.assert_array_equal(numpy(device, kept), exact)
    np.testing.assert_array_equal(numpy(device, kept * 1.0), stored(device, exact))


def test_two_uses_of_a_tensor_add_their_gradients(world: Any) -> None:
    x = normal(1, 1, 4, 32)
    a = tensor(world, x)
    (a * a + a).backward(False)
    close(world, gradient(world, a), 2 * stored(world, x).astype(float) + 1, rounded=4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda ops, x, i: ops.linear.linear(x, ops.reshape.reshape(x, [1, 1, 16, 16])),
            "does not fit a weight",
        ),
        (lambda ops, x, i: ops.layernorm.layernorm(x, ops.reshape.reshape(x, [1, 1, 1, 256])), "gamma"),
        (lambda ops, x, i: ops.multi_head_utils.heads_creation(x, 5), "not a multiple"),
        (lambda ops, x, i: ops.loss.cross_entropy_loss(x, x), "rank 2"),
        (lambda ops, x, i: ops.loss.cross_entropy_loss(x, ops.reshape.reshape(i, [8, 4])), "does not fit"),
        (lambda ops, x, i: ops.loss.mse_loss(x, x, ops.ReduceType.SUM), "MEAN or NONE"),
        (lambda ops, x, i: ops.embedding.embedding(i, x), "rank 4"),
        (
            lambda ops, x, i: ops.attention.scaled_dot_product_attention(
                x, x, ops.reshape.reshape(x, [1, 1, 8, 32])
            ),
            "value has shape",
        ),
        (lambda ops, x, i: ops.attention.scaled_dot_product_attention(x, x, x, x), "mask has shape"),
    ],
)
def test_shapes_that_do_not_fit_are_errors(world: Any, call: Any, message: str) -> None:
    x, index = tensor(world, normal(2, 1, 4, 32)), ids(world, np.zeros((2, 16)))
    with pytest.raises(RuntimeError, match=message):
        call(world.ttml.ops, x, index)


def test_a_causal_mask_of_another_length_is_an_error(world: Any) -> None:
    x = tensor(world, normal(1, 1, 32, 32))
    mask = tensor(world, np.tril(np.ones((1, 1, 64, 64))))
    with pytest.raises(RuntimeError, match="64 positions, not 32"):
        world.ttml.ops.attention.scaled_dot_product_attention(x, x, x, mask)


def test_an_id_outside_the_table_is_an_error(world: Any) -> None:
    with pytest.raises(IndexError):
        world.ttml.ops.embedding.embedding(
            ids(world, np.full((1, 1, 1, 32), 9)), tensor(world, normal(1, 1, 9, 32))
        )


class TestSampling:
    def test_without_temperature_it_is_the_greatest(self, world: Any) -> None:
        logits = normal(2, 1, 3, 40)
        drawn = world.ttml.ops.sample.sample_op(tensor(world, logits), 0.0, 1, None)
        expected = stored(world, logits).argmax(-1)[..., None]
        np.testing.assert_array_equal(drawn.to_numpy(), expected)
        assert drawn.dtype() is world.ttnn.DataType.UINT32

    def test_a_seed_repeats(self, world: Any) -> None:
        logits = tensor(world, np.zeros((1, 1, 64, 32)))
        draw = world.ttml.ops.sample.sample_op
        first, again, other = (draw(logits, 1.0, seed, None).to_numpy() for seed in (3, 3, 4))
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()

    def test_padding_is_never_drawn(self, world: Any) -> None:
        mask = world.ttml.common.utils.build_logits_mask(20, 32)
        drawn = world.ttml.ops.sample.sample_op(tensor(world, np.zeros((1, 1, 512, 32))), 5.0, 7, mask)
        assert set(np.unique(drawn.to_numpy())) == set(range(20))

    def test_frequencies_follow_the_logits(self, fp32: Any) -> None:
        chances = np.array([0.5, 0.3, 0.2])
        logits = np.broadcast_to(np.log(chances), (1, 1, 20_000, 3))
        drawn = fp32.ttml.ops.sample.sample_op(tensor(fp32, logits), 1.0, 11, None).to_numpy()
        # The noise is cut off at u = 0.99, which favours the likely a little: 2 % is ten deviations of
        # chance.
        np.testing.assert_allclose(np.bincount(drawn.ravel()) / drawn.size, chances, atol=0.02)
