"""Optimizers and clipping against their formulas in float64."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tests.ttml_emulation.oracle import close, gradient, numpy, stored, tensor

LR, B1, B2, EPS, WD = 1e-2, 0.9, 0.99, 1e-8, 0.1
SHAPES = {"M/weight": (1, 1, 64, 96), "M/bias": (1, 1, 1, 64)}


def draw(seed: int, scale: float = 1.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: scale * rng.standard_normal(shape) for name, shape in SHAPES.items()}


def parameters(world: Any, arrays: dict[str, Any]) -> Any:
    return world.ttml.NamedParameters({name: tensor(world, array) for name, array in arrays.items()})


def set_gradients(world: Any, params: Any, arrays: dict[str, Any]) -> None:
    for name, array in arrays.items():
        params[name].set_grad(tensor(world, array).get_value())


def adamw(world: Any, params: Any, weight_decay: float = WD, kind: str = "AdamW", **extra: Any) -> Any:
    optimizers = world.ttml.optimizers
    make = {"AdamWFullPrecision": optimizers.AdamWFullPrecisionConfig}.get(kind, optimizers.AdamWConfig).make
    return getattr(optimizers, kind)(params, make(LR, B1, B2, EPS, weight_decay, **extra))


def state(world: Any, optimizer: Any, kind: str, name: str) -> Any:
    return numpy(world, optimizer.get_state_dict()[kind][name]).astype(np.float64)


def same(world: Any, actual: Any, expected: Any, where: str) -> None:
    """Require the nearest stored value, except for a few ties that float32 decides the other way."""
    if world.exact:
        np.testing.assert_allclose(actual, expected, rtol=2e-6, atol=1e-7, err_msg=where)
        return
    nearest = expected.astype(np.float32).astype(ml_dtypes.bfloat16).astype(np.float64)
    assert (actual != nearest).sum() <= 1 + 0.002 * actual.size, where
    np.testing.assert_allclose(actual, nearest, rtol=2**-7, atol=1e-9, err_msg=where)


def test_adamw_is_the_formula_rounded_once(world: Any) -> None:
    params = parameters(world, draw(1))
    optimizer = adamw(world, params)
    for step in range(1, 6):
        set_gradients(world, params, draw(10 + step))
        before = {
            name: (
                numpy(world, params[name]).astype(np.float64),
                state(world, optimizer, "exp_avg", name),
                state(world, optimizer, "exp_avg_sq", name),
                gradient(world, params[name]).astype(np.float64),
            )
            for name in SHAPES
        }
        optimizer.step()
        for name, (theta, m, v, g) in before.items():
            m = B1 * m + (1 - B1) * g
            v = B2 * v + (1 - B2) * g**2
            # From the unrounded moments: rounding them first would change half of the values by a bit.
            update = LR / (1 - B1**step) * m / (np.sqrt(v) / np.sqrt(1 - B2**step) + EPS)
            same(world, numpy(world, params[name]), (1 - LR * WD) * theta - update, f"theta {step} {name}")
            same(world, state(world, optimizer, "exp_avg", name), m, f"m {step} {name}")
            same(world, state(world, optimizer, "exp_avg_sq", name), v, f"v {step} {name}")


def test_an_update_uses_the_unrounded_moments(device: Any) -> None:
    params = parameters(device, {name: np.zeros(shape) for name, shape in SHAPES.items()})
    optimizer = adamw(device, params)
    set_gradients(device, params, draw(3))
    optimizer.step()
    set_gradients(device, params, draw(4))
    params["M/weight"].assign(tensor(device, np.zeros(SHAPES["M/weight"])))
    m, v = (state(device, optimizer, kind, "M/weight") for kind in ("exp_avg", "exp_avg_sq"))
    g = gradient(device, params["M/weight"]).astype(np.float64)
    optimizer.step()
    # A parameter of zero shows all eight bits of its update.
    m, v = B1 * m + (1 - B1) * g, B2 * v + (1 - B2) * g**2
    update = LR / (1 - B1**2) * m / (np.sqrt(v) / np.sqrt(1 - B2**2) + EPS)
    same(device, numpy(device, params["M/weight"]), -update, "theta")


def test_a_norms_gain_never_moves(device: Any) -> None:
    params = device.ttml.NamedParameters(gamma=tensor(device, np.ones((1, 1, 1, 32))))
    optimizer = device.ttml.optimizers.AdamW(
        params, device.ttml.optimizers.AdamWConfig.make(3e-4, 0.9, 0.999, 1e-8, 0.01)
    )
    for _ in range(20):
        params["gamma"].set_grad(tensor(device, np.ones((1, 1, 1, 32))).get_value())
        optimizer.step()
    # Half the spacing of bfloat16 below 1 is 2^-9, well above the rate: the known flaw of these numerics.
    np.testing.assert_array_equal(numpy(device, params["gamma"]), 1)


def test_weight_decay_acts_on_biases_too(fp32: Any) -> None:
    params = parameters(fp32, draw(1))
    optimizer = adamw(fp32, params)
    set_gradients(fp32, params, {name: np.zeros(shape) for name, shape in SHAPES.items()})
    optimizer.step()
    for name, array in draw(1).items():
        close(fp32, numpy(fp32, params[name]), (1 - LR * WD) * array.astype(np.float32))


def test_parameters_without_a_gradient_stay(world: Any) -> None:
    params = parameters(world, draw(1))
    optimizer = adamw(world, params)
    set_gradients(world, params, {"M/bias": np.ones(SHAPES["M/bias"])})
    optimizer.step()
    np.testing.assert_array_equal(numpy(world, params["M/weight"]), stored(world, draw(1)["M/weight"]))
    assert (numpy(world, params["M/bias"]) != stored(world, draw(1)["M/bias"])).any()


def test_a_step_is_seen_by_the_next_product(world: Any) -> None:
    linear = world.ttml.ops.linear.linear
    params = parameters(world, draw(1))
    eye = tensor(world, np.eye(96).reshape(1, 1, 96, 96))
    linear(eye, params["M/weight"])
    optimizer = adamw(world, params)
    set_gradients(world, params, draw(2))
    optimizer.step()
    np.testing.assert_array_equal(
        numpy(world, linear(eye, params["M/weight"]))[0, 0].T, numpy(world, params["M/weight"])[0, 0]
    )


def test_amsgrad_divides_by_the_greatest_moment(fp32: Any) -> None:
    params = parameters(fp32, {name: np.zeros(shape) for name, shape in SHAPES.items()})
    optimizer = adamw(fp32, params, amsgrad=True)
    m = v = greatest = 0.0
    theta = 0.0
    for step, g in enumerate((10.0, 0.1, 0.1), 1):
        set_gradients(fp32, params, {name: np.full(shape, g) for name, shape in SHAPES.items()})
        optimizer.step()
        m, v = B1 * m + (1 - B1) * g, B2 * v + (1 - B2) * g**2
        greatest = max(greatest, v)
        update = LR / (1 - B1**step) * m / (np.sqrt(greatest) / np.sqrt(1 - B2**step) + EPS)
        theta = (1 - LR * WD) * theta - update
    np.testing.assert_allclose(numpy(fp32, params["M/bias"]), theta, rtol=1e-5)
    assert greatest > v


def test_full_precision_keeps_what_rounding_would_lose(device: Any) -> None:
    params = device.ttml.NamedParameters(gamma=tensor(device, np.ones((1, 1, 1, 32))))
    config = device.ttml.optimizers.AdamWFullPrecisionConfig.make(1e-3, 0.9, 0.999, 1e-8, 0.0)
    optimizer = device.ttml.optimizers.AdamWFullPrecision(params, config)
    for _ in range(10):
        params["gamma"].set_grad(tensor(device, np.ones((1, 1, 1, 32))).get_value())
        optimizer.step()
    np.testing.assert_array_equal(
        numpy(device, params["gamma"]), stored(device, np.full((1, 1, 1, 32), 0.99))
    )


@pytest.mark.parametrize("kind", ["AdamW", "MorehAdamW", "AdamWFullPrecision"])
def test_a_restored_state_continues_bit_for_bit(world: Any, kind: str) -> None:
    def run(steps: range, params: Any, optimizer: Any) -> None:
        for step in steps:
            set_gradients(world, params, draw(step))
            optimizer.step()

    params = parameters(world, draw(1))
    whole = adamw(world, params, kind=kind)
    run(range(10, 16), params, whole)

    first = parameters(world, draw(1))
    before = adamw(world, first, kind=kind)
    run(range(10, 13), first, before)
    second = parameters(world, {name: numpy(world, first[name]) for name in SHAPES})
    after = adamw(world, second, kind=kind)
    after.set_state_dict(before.get_state_dict())
    assert after.get_steps() == 3
    run(range(13, 16), second, after)
    for name in SHAPES:
        np.testing.assert_array_equal(numpy(world, second[name]), numpy(world, params[name]))
    # The state was copied: the optimizer it came from is unchanged.
    assert (state(world, before, "exp_avg", "M/bias") != state(world, after, "exp_avg", "M/bias")).any()


def test_a_state_that_does_not_fit_is_an_error(world: Any) -> None:
    optimizer = adamw(world, parameters(world, draw(1)))
    saved = optimizer.get_state_dict()
    with pytest.raises(RuntimeError, match="exp_avg_sq"):
        optimizer.set_state_dict({"steps": 1, "exp_avg": saved["exp_avg"]})
    with pytest.raises(RuntimeError, match="M/bias"):
        optimizer.set_state_dict(saved | {"exp_avg": {"M/weight": saved["exp_avg"]["M/weight"]}})
    wrong = dict(saved["exp_avg"]) | {"M/bias": tensor(world, np.zeros((1, 1, 1, 32)))}
    with pytest.raises(RuntimeError, match="shape"):
        optimizer.set_state_dict(saved | {"exp_avg": wrong})


def test_the_rate_and_the_count_are_read_and_set(world: Any) -> None:
    params = parameters(world, draw(1))
    optimizer = adamw(world, params, weight_decay=0.0)
    assert (optimizer.get_lr(), optimizer.get_steps(), optimizer.get_name()) == (LR, 0, "AdamW")
    optimizer.set_lr(0.0)
    set_gradients(world, params, draw(2))
    optimizer.step()
    assert optimizer.get_steps() == 1
    np.testing.assert_array_equal(numpy(world, params["M/bias"]), stored(world, draw(1)["M/bias"]))
    optimizer.zero_grad()
    assert not params["M/bias"].is_grad_initialized()


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_is_its_formula(fp32: Any, nesterov: bool) -> None:
    params = parameters(fp32, draw(1))
    config = fp32.ttml.optimizers.SGDConfig.make(LR, 0.9, 0.0 if nesterov else 0.5, 0.1, nesterov)
    optimizer = fp32.ttml.optimizers.SGD(params, config)
    theta, moving = draw(1)["M/weight"], 0.0
    for step in range(3):
        set_gradients(fp32, params, draw(10 + step))
        optimizer.step()
        g = draw(10 + step)["M/weight"] + 0.1 * theta
        moving = 0.9 * moving + (1.0 if step == 0 or nesterov else 0.5) * g
        theta = theta - LR * (g + 0.9 * moving if nesterov else moving)
    np.testing.assert_allclose(numpy(fp32, params["M/weight"]), theta, rtol=1e-5, atol=1e-6)


class TestRegistry:
    @pytest.mark.parametrize("name", ["AdamW", "AdamWFullPrecision", "MorehAdamW", "NoOp", "SGD"])
    def test_a_type_names_its_class(self, world: Any, name: str) -> None:
        made = world.ttml.optimizers.create_optimizer({"type": name, "lr": 0.25}, parameters(world, draw(1)))
        assert made.get_name() == name
        assert made.get_lr() == (0.0 if name == "NoOp" else 0.25)

    def test_an_unknown_type_is_an_error(self, world: Any) -> None:
        with pytest.raises(RuntimeError, match="unknown optimizer 'Lion'"):
            world.ttml.optimizers.create_optimizer({"type": "Lion"}, parameters(world, draw(1)))

    def test_stochastic_rounding_is_an_error(self, world: Any) -> None:
        with pytest.raises(RuntimeError, match="stochastic"):
            adamw(world, parameters(world, draw(1)), stochastic_rounding=True)


class TestClipping:
    def test_a_great_norm_is_cut(self, world: Any) -> None:
        params = parameters(world, draw(1))
        set_gradients(world, params, draw(2))
        before = {name: gradient(world, params[name]).astype(np.float64) for name in SHAPES}
        norm = np.sqrt(sum((array**2).sum() for array in before.values()))
        returned = world.ttml.core.clip_grad_norm(params, 1.0)
        # The sum is float32 even where gradients are bfloat16.
        assert numpy(world, returned).item() == pytest.approx(norm, rel=1e-5)
        assert returned.shape() == [1, 1, 1, 1]
        for name, array in before.items():
            close(world, gradient(world, params[name]), array / (norm + 1e-6), exact=16)

    def test_a_small_norm_stays(self, world: Any) -> None:
        params = parameters(world, draw(1))
        set_gradients(world, params, draw(2))
        world.ttml.core.clip_grad_norm(params, 1e6, 2.0, False)
        np.testing.assert_array_equal(gradient(world, params["M/bias"]), stored(world, draw(2)["M/bias"]))

    def test_a_gradient_that_two_share_is_cut_once(self, world: Any) -> None:
        params = parameters(world, {"a": np.ones((1, 1, 2, 2)), "b": np.ones((1, 1, 2, 2))})
        (params["a"] + params["b"]).backward(False)
        world.ttml.core.clip_grad_norm(params, 2**-0.5)
        for name in "ab":  # eight ones: the norm is 8^0.5, so the factor is a quarter
            np.testing.assert_allclose(gradient(world, params[name]), 0.25, rtol=1e-6)

    def test_a_norm_that_is_not_finite_is_an_error_if_wanted(self, world: Any) -> None:
        params = parameters(world, draw(1))
        set_gradients(world, params, {"M/bias": np.full(SHAPES["M/bias"], np.inf)})
        with pytest.raises(RuntimeError, match="norm is inf"):
            world.ttml.core.clip_grad_norm(params, 1.0, 2.0, True)

    def test_no_gradients_have_no_norm(self, world: Any) -> None:
        assert numpy(world, world.ttml.core.clip_grad_norm(parameters(world, draw(1)), 1.0)).item() == 0
