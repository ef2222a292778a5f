"""Modules, their registration, `ttml.init`, and blocks that are recomputed."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ttml_emulation.oracle import ids, numpy, tensor
from tests.ttml_emulation.worlds import enter

SHAPE = (1, 1, 1, 32)


def ones(world: Any) -> Any:
    return tensor(world, np.ones(SHAPE))


def native(world: Any) -> Any:
    """Return the modules that are C++ on a board."""
    from ttml_emulation.namespaces import NATIVE, build

    return build("_ttml", NATIVE)["_ttml"]


class TestNative:
    def test_nothing_is_registered_by_itself(self, world: Any) -> None:
        module = native(world).modules.ModuleBase()
        module.weight = ones(world)
        module.below = native(world).modules.ModuleBase()
        assert module.parameters() == {}

    def test_what_was_registered_is_listed_below_the_name(self, world: Any) -> None:
        modules = native(world).modules
        root, below = modules.ModuleBase(), modules.ModuleBase()
        root.create_name("root")
        root.register_module(below, "below")
        below.register_tensor(ones(world), "a")
        assert root.get_name() == "root"
        assert list(root.parameters()) == ["root/below/a"]
        replacement = ones(world)
        below.override_tensor(replacement, "a")
        assert root.parameters()["root/below/a"] is replacement
        with pytest.raises(RuntimeError, match="already has something called 'a'"):
            below.register_tensor(ones(world), "a")
        with pytest.raises(RuntimeError, match="no tensor called 'b'"):
            below.override_tensor(ones(world), "b")

    def test_a_mode_reaches_what_is_below(self, world: Any) -> None:
        modules = native(world).modules
        root, below = modules.ModuleBase(), modules.ModuleBase()
        root.register_module(below, "below")
        root.set_run_mode(modules.RunMode.EVAL)
        assert below.get_run_mode() is modules.RunMode.EVAL

    def test_a_sub_class_may_use_any_attribute(self, world: Any) -> None:
        class Own(native(world).modules.ModuleBase):  # type: ignore[misc]  # a class made at run time
            def __init__(self) -> None:
                super().__init__()
                self._modules, self._tensors, self._name, self._mode = [1], [2], "x", "y"

        assert Own().parameters() == {}
        assert Own().get_name() == "Own"

    @pytest.mark.parametrize("bias", [True, False])
    def test_a_linear_layer_comes_from_sizes_or_tensors(self, world: Any, bias: bool) -> None:
        layer = native(world).modules.LinearLayer(64, 32, bias)
        assert set(layer.parameters()) == {"linear/weight"} | ({"linear/bias"} if bias else set())
        assert np.abs(layer.get_weight_numpy()).max() <= 0.126
        x = tensor(world, np.random.default_rng(0).normal(size=(1, 1, 32, 64)))
        given_bias = layer.parameters()["linear/bias"] if bias else False
        again = native(world).modules.LinearLayer(layer.get_weight(), given_bias)
        np.testing.assert_array_equal(numpy(world, layer(x)), numpy(world, again(x)))
        with pytest.raises(RuntimeError, match=r"\[1, 1, out, in\]"):
            native(world).modules.LinearLayer(tensor(world, np.ones((32, 32))), False)

    def test_a_linear_layer_is_pickled(self, world: Any) -> None:
        layer = native(world).modules.LinearLayer(32, 32)
        again = pickle.loads(pickle.dumps(layer))
        for name, value in layer.parameters().items():
            np.testing.assert_array_equal(numpy(world, again.parameters()[name]), numpy(world, value))

    def test_its_weights_leave_numpys_numbers_alone(self, world: Any) -> None:
        np.random.seed(3)
        wanted = np.random.normal()
        np.random.seed(3)
        native(world).modules.LinearLayer(32, 32)
        assert np.random.normal() == wanted

    def test_python_over_it_is_not_in_it(self, world: Any) -> None:
        for name in ("common", "init", "Mesh"):
            assert not hasattr(native(world), name)
        assert not hasattr(native(world).models, "nanogpt")
        assert native(world).models.BaseTransformer().parameters() == {}
        with pytest.raises(NotImplementedError, match="KvCache is not emulated"):
            native(world).models.KvCache()


class TestAttributes:
    def test_a_parameter_is_read_back_as_one(self, world: Any) -> None:
        modules = world.ttml.modules
        module = modules.AbstractModuleBase()
        module.gamma = held = modules.Parameter(ones(world))
        assert module.gamma is held
        module.gamma = modules.Parameter(replacement := ones(world))
        assert module.parameters()["AbstractModuleBase/gamma"] is replacement
        assert "Parameter" in repr(held)

    def test_lists_dictionaries_and_buffers(self, world: Any) -> None:
        modules = world.ttml.modules
        net = modules.AbstractModuleBase()
        net.layers = modules.ModuleList([modules.LinearLayer(32, 32, False)])
        net.layers.append(modules.Embedding(32, 32)).extend([modules.LinearLayer(32, 32, False)])
        net.named = modules.ModuleDict({"a": modules.LinearLayer(32, 32, False)})
        net.named["b"] = modules.Embedding(32, 32)
        net.mask = modules.Buffer(ones(world))
        assert [name for name, _ in net.named_parameters()] == [
            "layers.0.weight",
            "layers.1.weight",
            "layers.2.weight",
            "named.a.weight",
            "named.b.weight",
        ]
        assert [name for name, _ in net.named_modules()] == [
            *("", "layers", "layers.0", "layers.1", "layers.2", "named", "named.a", "named.b"),
        ]
        assert [name for name, _ in net.named_buffers()] == ["mask"]
        assert set(net.state_dict()) == {*dict(net.named_parameters()), "mask"}
        assert (len(list(net.children())), len(list(net.modules())), len(list(net.buffers()))) == (2, 8, 1)
        assert net.layers[-1] in net.layers
        assert len(net.layers[1:]) == 2
        net.layers[0] = other = modules.LinearLayer(32, 32, False)
        assert net.parameters()["AbstractModuleBase/layers/0/weight"] is other.weight.tensor
        assert (list(net.named), len(net.named), "a" in net.named) == (["a", "b"], 2, True)
        assert [list(net.named.keys()), list(net.named.values())] == list(
            map(list, zip(*net.named.items(), strict=True))
        )
        del net.mask
        assert list(net.named_buffers()) == []

    def test_setting_one_before_the_base_is_made_is_an_error(self, world: Any) -> None:
        modules = world.ttml.modules

        class Early(modules.AbstractModuleBase):  # type: ignore[misc,name-defined]  # a class made at run time
            def __init__(self) -> None:
                self.weight = modules.Parameter(ones(world))

        with pytest.raises(RuntimeError, match=r"'weight' before calling super\(\).__init__\(\)"):
            Early()


class TestInit:
    @pytest.mark.parametrize(
        ("name", "arguments", "mean", "std"),
        [
            ("uniform", (-0.5, 1.5), 0.5, 2 / 12**0.5),
            ("normal", (0.1, 0.02), 0.1, 0.02),
            ("constant", (0.25,), 0.25, 0),
            ("zeros", (), 0, 0),
            ("ones", (), 1, 0),
            ("xavier_uniform", (2.0,), 0, 2 * (2 / (256 + 128)) ** 0.5),
            ("xavier_normal", (), 0, (2 / (256 + 128)) ** 0.5),
            ("kaiming_uniform", (0, "fan_in", "relu"), 0, (2 / 256) ** 0.5),
            ("kaiming_normal", (0, "fan_out", "linear"), 0, (1 / 128) ** 0.5),
        ],
    )
    def test_each_has_its_moments(
        self, world: Any, name: str, arguments: tuple[Any, ...], mean: float, std: float
    ) -> None:
        init = world.ttml.init
        in_place = {
            "uniform": init.uniform_,
            "normal": init.normal_,
            "constant": init.constant_,
            "zeros": init.zeros_,
            "ones": init.ones_,
            "xavier_uniform": init.xavier_uniform_,
            "xavier_normal": init.xavier_normal_,
            "kaiming_uniform": init.kaiming_uniform_,
            "kaiming_normal": init.kaiming_normal_,
        }
        made = numpy(world, getattr(init, name)(*arguments)((1, 1, 128, 256)))
        held = world.ttml.modules.Parameter(tensor(world, np.full((1, 1, 128, 256), 7)))
        assert in_place[name](held, *arguments) is held
        for array in (made, numpy(world, held.tensor)):
            assert array.shape == (1, 1, 128, 256)
            assert array.mean() == pytest.approx(mean, abs=5 * std / 181 + 1e-3)
            assert array.std() == pytest.approx(std, rel=0.02, abs=1e-9)

    def test_the_contexts_seed_decides(self, world: Any) -> None:
        context = world.ttml.autograd.AutoContext.get_instance()
        drawn = []
        for seed in (1, 1, 2):
            context.set_seed(seed)
            drawn.append(numpy(world, world.ttml.ops.randn(SHAPE, 0.0, 1.0)))
        np.testing.assert_array_equal(drawn[0], drawn[1])
        assert (drawn[0] != drawn[2]).any()
        filled = tensor(world, np.zeros(SHAPE))
        assert world.ttml.ops.rand_(filled, 2.0, 3.0) is filled
        assert 2 <= numpy(world, filled).min() < numpy(world, filled).max() <= 3

    def test_what_cannot_be_is_an_error(self, world: Any) -> None:
        init = world.ttml.init
        with pytest.raises(ValueError, match="unknown nonlinearity 'swish'; known: linear"):
            init.calculate_gain("swish")
        with pytest.raises(ValueError, match="fan_in or fan_out, not 'both'"):
            init.kaiming_normal(0, "both")((1, 1, 32, 32))
        with pytest.raises(ValueError, match="no fan in"):
            init.xavier_uniform()((32,))
        assert init.calculate_gain("leaky_relu", 1) == 1

    def test_ttnns_own_way_to_fill(self, world: Any) -> None:
        ttnn = world.ttnn
        device = world.ttml.autograd.AutoContext.get_instance().get_device()
        value = ttnn.empty(SHAPE, dtype=ttnn.DataType.BFLOAT16, layout=ttnn.Layout.TILE, device=device)
        ttnn.fill(value, 2.5, output_tensor=value)
        target = ones(world)
        target.set_value(value)
        np.testing.assert_array_equal(numpy(world, target), np.full(SHAPE, 2.5))
        assert numpy(world, world.ttml.autograd.create_tensor(ttnn.zeros(SHAPE))).sum() == 0
        assert numpy(world, world.ttml.autograd.create_tensor(ttnn.ones(SHAPE))).sum() == 32
        assert ttnn.fill(value, 1.0) is not value

    def test_likes_of_both_kinds_of_tensor(self, world: Any) -> None:
        core, leaf = world.ttml.core, ones(world)
        assert numpy(world, core.zeros_like(leaf)).sum() == 0
        assert core.ones_like(leaf.get_value()).to_numpy().astype(np.float32).sum() == 32
        assert core.empty_like(leaf.get_value()).shape == SHAPE


class TestRecomputing:
    def gradients(self, world: Any, runner: str, batch: Any, seed: int) -> tuple[float, dict[str, Any]]:
        world.ttml.common.utils.set_seed(seed)
        nanogpt = world.ttml.models.nanogpt
        model = nanogpt.create_nanogpt(
            nanogpt.NanoGPTConfig(
                32, 32, 32, 2, 2, 0.2, runner_type=world.ttml.models.RunnerType.from_string(runner)
            )
        )
        logits = model(ids(world, batch.reshape(-1, 1, 1, 32)), None)
        loss = world.ttml.ops.loss.cross_entropy_loss(logits, ids(world, batch))
        loss.backward(False)
        found = {name: numpy(world, value.get_grad_tensor()) for name, value in model.parameters().items()}
        world.ttml.autograd.AutoContext.get_instance().reset_graph()
        # The next draw shows that dropout's generator has the right state.
        return float(loss.get_value().item()), found | {
            "drawn": world.ttml.autograd.AutoContext.get_instance().draw_seed()
        }

    @settings(max_examples=6, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1), mode=st.sampled_from(["device-native", "device-widened", "fp32"]))
    def test_computing_twice_gives_the_same_numbers(self, seed: int, mode: str) -> None:
        world = enter(mode)
        batch = np.random.default_rng(seed).integers(0, 32, (2, 32)).astype(np.uint32)
        plain = self.gradients(world, "default", batch, seed)
        again = self.gradients(world, "memory_efficient", batch, seed)
        assert plain[0] == again[0]
        for name, array in plain[1].items():
            np.testing.assert_array_equal(again[1][name], array, err_msg=name)

    @pytest.mark.slow
    def test_it_keeps_less(self, world: Any) -> None:
        tracker = world.ttml.core.utils.MemoryUsageTracker
        kept = {}
        for runner in ("default", "memory_efficient"):
            with tracker.begin_capture():
                nanogpt = world.ttml.models.nanogpt
                kind = world.ttml.models.RunnerType.from_string(runner)
                model = nanogpt.create_nanogpt(nanogpt.NanoGPTConfig(32, 32, 64, 4, 2, 0.0, runner_type=kind))
                tracker.snapshot("model")
                logits = model(ids(world, np.zeros((4, 1, 1, 32))), None)
                tracker.end_capture("forward")
                usage = tracker.get_dram_usage("forward")
                kept[runner] = usage.total_allocations - usage.total_deallocations
                assert tracker.get_trace_names() == ["model", "forward"]
            assert tracker.get_dram_usage_all() == []
            del logits
            world.ttml.autograd.AutoContext.get_instance().reset_graph()
        assert kept["memory_efficient"] < 0.5 * kept["default"]

    def test_without_gradients_it_runs_once(self, world: Any) -> None:
        calls = []

        def block(x: Any, mask: Any) -> Any:
            calls.append(mask)
            return x * 2.0

        with world.ttml.common.utils.no_grad():
            world.ttml.models.memory_efficient_runner(block, ones(world), None)
        assert calls == [None]


class TestMemory:
    def test_what_is_freed_counts_where_it_is_freed(self, world: Any) -> None:
        tracker = world.ttml.core.utils.MemoryUsageTracker
        before = tensor(world, np.ones((1, 1, 64, 64)))
        size = 64 * 64 * (4 if world.exact else 2)
        guard = tracker.begin_capture(world.ttnn.graph.RunMode.NORMAL)
        doubled = before * 2.0
        tracker.snapshot("made")
        del doubled, before
        world.ttml.autograd.AutoContext.get_instance().reset_graph()
        tracker.snapshot("freed")
        tracker.end_capture()
        guard.release()
        made, freed = tracker.get_dram_usage("made"), tracker.get_dram_usage("freed")
        assert (made.peak, made.total_allocations, made.total_deallocations) == (size, size, 0)
        assert (freed.peak, freed.total_allocations, freed.total_deallocations) == (0, 0, 2 * size)
        tracker.clear()

    def test_out_of_order_is_an_error(self, world: Any, capsys: pytest.CaptureFixture[str]) -> None:
        tracker = world.ttml.core.utils.MemoryUsageTracker
        with pytest.raises(RuntimeError, match="without begin_capture"):
            tracker.snapshot("x")
        with tracker.begin_capture(), pytest.raises(RuntimeError, match="while a capture is running"):
            tracker.begin_capture()
        with pytest.raises(RuntimeError, match="there is no phase 'x'; known: none"):
            tracker.get_dram_usage("x")
        tracker.print_memory_usage()
        assert "differs on a board" in capsys.readouterr().out
