"""`ttml.common`: settings from YAML, texts, schedules, and small helpers of training scripts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ttml_emulation.oracle import numpy, tensor
from tests.ttml_emulation.worlds import enter

TEXT = "to be or not to be\n" * 20


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tt-metal tree with settings and a text, which the environment names."""
    root = tmp_path / "tt-metal"
    for folder in ("configs/training_configs", "configs/model_configs", "data"):
        (root / "tt-train" / folder).mkdir(parents=True)
    train = root / "tt-train"
    (train / "configs/training_configs/x.yaml").write_text(
        "training_config:\n"
        "  {seed: 3, batch_size: 9, max_steps: 5, num_epochs: 2, tokenizer_type: char, learning_rate: 1e-3,\n"
        "   model_config: '${TT_METAL_RUNTIME_ROOT}/tt-train/configs/model_configs/m.yaml'}\n"
        "device_config: {mesh_shape: [1, 2], enable_ddp: true}\n"
    )
    (train / "configs/model_configs/m.yaml").write_text(
        "transformer_config: {num_heads: 2, embedding_dim: 64, max_sequence_length: 32}\n"
    )
    (train / "data/shakespeare.txt").write_text(TEXT)
    monkeypatch.setenv("TT_METAL_HOME", str(root))
    monkeypatch.setenv("TT_METAL_RUNTIME_ROOT", str(root))
    return root


class TestConfig:
    def test_settings_come_from_the_tree(self, fp32: Any, tree: Path) -> None:
        config = fp32.ttml.common.config
        training = config.get_training_config("x.yaml")
        assert (training.seed, training.batch_size, training.steps, training.epochs) == (3, 9, 5, 2)
        assert (training.validation_batch_size, training.save_every, training.use_bpe) == (4, 500, False)
        assert (training.lr, training.weight_decay) == (1e-3, 0.01)
        model = config.get_model_config(training.model_config)
        assert (model.num_heads, model.embedding_dim, model.max_sequence_length) == (2, 64, 32)
        assert (model.num_blocks, model.dropout_prob, model.weight_tying) == (6, 0.2, None)
        device = config.get_device_config("x.yaml")
        assert (device.total_devices(), device.enable_ddp, device.enable_tp) == (2, True, False)
        assert (config.DeviceConfig({}).total_devices(), config.TrainingConfig({}).steps) == (1, 1000)
        assert config.TransformerConfig({}).vocab_size == 96

    def test_what_is_not_there_is_an_error(self, fp32: Any, tree: Path) -> None:
        config = fp32.ttml.common.config
        with pytest.raises(FileNotFoundError):
            config.load_config("training_configs/none.yaml")
        with pytest.raises(ValueError, match="unknown tokenizer_type 'word'; known: bpe, char"):
            config.TrainingConfig({"training_config": {"tokenizer_type": "word"}})

    def test_updates_go_into_what_is_nested(self, fp32: Any) -> None:
        update = fp32.ttml.common.config.yaml_deep_update
        original = {"a": {"b": 1, "c": 2}, "d": 3}
        assert update(original, {"a": {"b": 5}, "d": {"e": 6}}) == {"a": {"b": 5, "c": 2}, "d": {"e": 6}}

    def test_where_the_tree_is(
        self, fp32: Any, tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        utils = fp32.ttml.common.utils
        assert utils.get_tt_metal_home() == utils.get_tt_metal_runtime_root() == str(tree)
        monkeypatch.delenv("TT_METAL_HOME")
        assert utils.get_tt_metal_home() == str(tree)
        monkeypatch.delenv("TT_METAL_RUNTIME_ROOT")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert utils.get_tt_metal_home() == str(tmp_path / ".tt-metal")
        with pytest.raises(RuntimeError, match="TT_METAL_RUNTIME_ROOT is not set"):
            utils.get_tt_metal_runtime_root()


class TestText:
    def test_a_tenth_is_kept_to_validate(self, fp32: Any, tree: Path) -> None:
        data = fp32.ttml.common.data
        assert data.load_shakespeare_text() == TEXT
        train, validate, vocabulary, decode = data.prepare_data({"training_config": {}})
        assert (len(train), len(validate), vocabulary) == (342, 38, 32)
        assert decode(train) + decode(validate) == TEXT
        with pytest.raises(NotImplementedError, match="tokenizer_type bpe is not emulated"):
            data.prepare_data({"training_config": {"tokenizer_type": "bpe"}})

    def test_targets_are_the_ids_that_follow(self, fp32: Any) -> None:
        split = np.arange(100, dtype=np.uint32)
        x, y = fp32.ttml.common.data.get_batch(split, 8, 5)
        assert (x.shape, x.dtype) == ((5, 8), np.uint32)
        np.testing.assert_array_equal(y, x + 1)

    @given(text=st.text(), padding=st.booleans(), ends=st.booleans())
    def test_a_text_comes_back(self, text: str, padding: bool, ends: bool) -> None:
        tokenizer = enter("fp32").ttml.common.data.CharTokenizer(text, padding, ends)
        assert tokenizer.decode(tokenizer.encode(text)) == text
        assert tokenizer.vocab_size == len(set(text)) + padding + 2 * ends
        assert [tokenizer.stoi[token] for token in tokenizer.itos] == list(range(tokenizer.vocab_size))


class TestSchedulers:
    def test_warm_up_hold_and_decay(self, fp32: Any) -> None:
        common = fp32.ttml.common
        config = common.config.SchedulerConfig(
            {
                "scheduler_config": {"max_lr": 1.0, "min_lr": 0.1, "warmup_steps": 4, "hold_steps": 2},
                "training_config": {"total_steps": 12},
            }
        )
        schedule = common.schedulers.SpeedrunScheduler(config)
        rates = [schedule.lr_at(step) for step in (0, 2, 4, 6, 9, 12, 20)]
        assert rates == pytest.approx([0, 0.5, 1, 1, 0.55, 0.1, 0.1])
        assert schedule.beta1_at(3) is None
        config.beta1_warmup_steps = 10
        assert schedule.beta1_at(5) == pytest.approx(0.9)
        optimizer = fp32.ttml.optimizers.NoOp(fp32.ttml.modules.LinearLayer(32, 32).parameters())
        common.schedulers.OptimParamSetter(optimizer).set_lr(0.25)
        assert optimizer.get_lr() == 0.25


class TestHelpers:
    def test_a_summary_names_every_parameter(self, world: Any, capsys: pytest.CaptureFixture[str]) -> None:
        layer = world.ttml.modules.LinearLayer(32, 64)
        layer.bias.tensor.set_requires_grad(False)
        world.ttml.common.utils.summary(layer)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split("|")[0].strip() for line in lines[:2]] == [
            "LinearLayer/weight",
            "LinearLayer/bias",
        ]
        assert [line.split("|")[-1].strip() for line in lines[:2]] == ["trained", "frozen"]
        assert lines[2] == "Total params: 2,112, trained: 2,048, frozen: 64"

    def test_a_meter_counts_by_the_clock(self, fp32: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        times = iter([10.0, 11.0, 12.0, 14.0])
        monkeypatch.setattr("ttml_emulation.utils.time.time", lambda: next(times))
        config = SimpleNamespace(batch_size=4, gradient_accumulation_steps=2, seq_len=32)
        meter = fp32.ttml.common.utils.PerformanceMeter(config, window_size=3)
        assert meter.get_metrics() == (0, 0)
        for _ in range(4):
            meter.step()
        assert meter.get_metrics() == (3 * 8 / 3, 3 * 8 * 32 / 3)

    def test_flat_settings_choose_the_other_adamw(self, world: Any) -> None:
        model = world.ttml.modules.LinearLayer(32, 32)
        settings = {"training_config": {"learning_rate": 0.5, "use_moreh_adamw": True}}
        optimizer = world.ttml.common.utils.create_optimizer(model, settings)
        assert isinstance(optimizer, world.ttml.optimizers.MorehAdamW)

    def test_markers_change_nothing(self, world: Any) -> None:
        profiler = world.ttml.common.profiler_utils
        leaf = tensor(world, np.ones((1, 1, 1, 32)))
        x = profiler.profiler_marker_start(leaf, "zone")
        x = profiler.profiler_marker_end(profiler.profiler_marker(x, "inside") * 2.0, "zone")
        x.backward(False)
        np.testing.assert_array_equal(numpy(world, leaf.get_grad_tensor()), np.full((1, 1, 1, 32), 2))
        assert profiler.profiler_marker(None, "step", dump_results=True) is None
        context = world.ttml.autograd.AutoContext.get_instance()
        context.get_profiler().read_results(context.get_device(), "x", dump_results=True)
        context.close_profiler()
        assert world.ttml.core.TTProfiler is type(context.get_profiler())

    def test_an_optimizer_that_is_registered_and_not_emulated(self, world: Any) -> None:
        world.ttml.common.muon_optimizer.register()
        parameters = world.ttml.modules.LinearLayer(32, 32).parameters()
        with pytest.raises(NotImplementedError, match=r"ttml\.optimizers\.Muon is not emulated"):
            world.ttml.optimizers.create_optimizer({"type": "MuonWithAdamW"}, parameters)
        with pytest.raises(RuntimeError, match="the optimizer AdamWComposite is not emulated"):
            world.ttml.optimizers.create_optimizer({"type": "AdamWComposite"}, parameters)

    def test_an_optimizer_of_ones_own(
        self, world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from ttml_emulation.optimizers import registry

        monkeypatch.setattr(registry, "_factories", dict(registry._factories))
        optimizers = world.ttml.optimizers

        class Halve(optimizers.OptimizerBase):  # type: ignore[misc,name-defined]  # a class made at run time
            def __init__(self, config: Any, parameters: Any) -> None:
                super().__init__(parameters)
                self.named = parameters
                self.set_lr(config["lr"])

            def step(self) -> None:
                self.set_steps(self.get_steps() + 1)
                for value in self.named.values():
                    value.assign(value * self.get_lr())

        optimizers.register_optimizer("Halve", Halve)
        layer = world.ttml.modules.LinearLayer(32, 32, False)
        before = numpy(world, layer.get_weight())
        optimizer = optimizers.create_optimizer({"type": "Halve", "lr": 0.5}, layer.parameters())
        optimizer.step()
        np.testing.assert_array_equal(numpy(world, layer.get_weight()), before / 2)
        optimizer.print_stats()
        assert capsys.readouterr().out == "Halve: lr 0.5, 1 steps, 1 parameters\n"

    def test_the_generators_state_can_be_put_back(self, world: Any) -> None:
        context = world.ttml.autograd.AutoContext.get_instance()
        state = context.get_generator_state()
        drawn = [context.draw_seed() for _ in range(3)]
        context.set_generator_state(state)
        assert [context.draw_seed() for _ in range(3)] == drawn

    def test_a_models_weights_are_drawn_again(self, world: Any) -> None:
        nanogpt = world.ttml.models.nanogpt
        model = nanogpt.create_nanogpt(nanogpt.NanoGPTConfig(32, 32, 64, 1, 2, 0.0))
        parameters = model.parameters()
        for value in parameters.values():
            value.assign(world.ttml.core.ones_like(value))
        nanogpt.initialize_weights_gpt2(parameters)
        for name, value in parameters.items():
            array = numpy(world, value)
            if name.endswith("weight"):
                assert array.std() == pytest.approx(0.02, rel=0.06)
            else:
                np.testing.assert_array_equal(array, 0 if name.endswith("bias") else 1)
