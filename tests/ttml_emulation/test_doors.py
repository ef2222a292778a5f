"""The entry points: load, describe, install, and running a board's script."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.ttml_emulation.oracle import ids, numpy, tensor

import ttml_emulation

PLUGINS = Path(ttml_emulation.__file__).parents[1]

SCRIPT = '''\
"""Written for a board: it knows nothing of the emulation."""
import sys
import importlib.util
import ml_dtypes
import numpy as np
import ttnn
import _ttml
import ttml
from ttml.common.data import CharTokenizer, build_causal_mask
from ttml.models.nanogpt import NanoGPTConfig, create_nanogpt
import ttml.ops.loss

assert importlib.util.find_spec("ttml.autograd") is not None
assert _ttml.ops.__name__ == "_ttml.ops" and ttml.ops.__name__ == "ttml.ops"
steps = int(sys.argv[1])
text = "to be or not to be that is the question " * 20
tokenizer = CharTokenizer(text)
ctx = ttml.autograd.AutoContext.get_instance()
ttml.common.utils.set_seed(42)
ctx.open_device()
try:
    model = create_nanogpt(NanoGPTConfig(32, 32, 32, 1, 1, 0.1, True))
    config = ttml.optimizers.AdamWConfig.make(3e-3, 0.9, 0.99, 1e-8, 0.01)
    optimizer = ttml.optimizers.AdamW(model.parameters(), config)
    mask = ttml.autograd.Tensor.from_numpy(
        build_causal_mask(32).astype(ml_dtypes.bfloat16), layout=ttnn.Layout.TILE,
        new_type=ttnn.DataType.BFLOAT16
    )
    data = np.array(tokenizer.encode(text), dtype=np.uint32)
    for step in range(steps):
        x, y = (np.stack([data[i + s : i + s + 32] for i in (step, step + 7)]) for s in (0, 1))
        optimizer.zero_grad()
        logits = model(
            ttml.autograd.Tensor.from_numpy(x.reshape(2, 1, 1, 32), layout=ttnn.Layout.ROW_MAJOR), mask
        )
        loss = ttml.ops.loss.cross_entropy_loss(
            logits, ttml.autograd.Tensor.from_numpy(y, layout=ttnn.Layout.ROW_MAJOR), ttml.ops.ReduceType.MEAN
        )
        loss.backward(False)
        ctx.reset_graph()
        optimizer.step()
        print(f"Step: {step + 1}, Loss: {loss.get_value().item():.6f}")
    print(logits.dtype().name, __name__, sys.argv[1:])
finally:
    ctx.close_device()
'''


def python(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": str(PLUGINS), "OMP_WAIT_POLICY": "passive"} | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class TestLoad:
    def test_importing_the_package_imports_no_pytorch(self) -> None:
        heavy = "print(sorted({'torch', 'numpy', 'ml_dtypes'} & set(sys.modules)))"
        done = python("-c", f"import sys, ttml_emulation; {heavy}")
        assert (done.stdout, done.stderr) == ("[]\n", "")

    def test_loading_puts_nothing_in_sys_modules(self, world: Any) -> None:
        assert not {"ttml", "_ttml", "ttnn"} & set(sys.modules)

    def test_loading_again_gives_the_same_modules_and_context(self, world: Any) -> None:
        context = world.ttml.autograd.AutoContext.get_instance()
        context.open_device()
        again = ttml_emulation.load(world.numerics, world.matmul)
        assert again[0] is world.ttml
        assert again[0].autograd.AutoContext.get_instance() is context

    def test_other_numerics_start_afresh(self, device: Any) -> None:
        context = device.ttml.autograd.AutoContext.get_instance()
        context.open_device()
        ttml, _ = ttml_emulation.load("fp32")
        ttml.autograd.AutoContext.get_instance().open_device()

    @pytest.mark.parametrize("arguments", [("bf16",), ("device", "fast")])
    def test_unknown_names_are_errors(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match="known: "):
            ttml_emulation.load(*arguments)  # type: ignore[arg-type]  # that they are no known names is tested

    def test_a_description_gives_the_same_arithmetic_again(self, world: Any) -> None:
        described = ttml_emulation.describe()
        assert (described["numerics"], described["matmul"]) == (world.numerics, world.matmul)
        assert set(described) == {"numerics", "matmul", "device", "torch", "threads", "cpu_capability"}
        ttml_emulation.load(described["numerics"], described["matmul"])  # type: ignore[arg-type]  # texts of a record
        assert ttml_emulation.describe() == described

    def test_the_choice_is_timed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from ttml_emulation import numerics

        times = iter([2.0, 1.0])
        numerics.fastest_matmul.cache_clear()
        monkeypatch.setattr(numerics, "_seconds", lambda work: next(times))
        try:
            for _ in range(2):
                ttml_emulation.load("device")
                assert ttml_emulation.describe()["matmul"] == "fp32-then-round"
        finally:
            numerics.fastest_matmul.cache_clear()

    def test_describing_before_loading_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from ttml_emulation import numerics

        monkeypatch.setattr(numerics, "_current", None)
        with pytest.raises(RuntimeError, match="not loaded"):
            ttml_emulation.describe()


class TestScript:
    @pytest.mark.parametrize("numerics", ["device", pytest.param("fp32", marks=pytest.mark.slow)])
    def test_a_boards_script_runs_unmodified(self, tmp_path: Path, numerics: str) -> None:
        (tmp_path / "train.py").write_text(SCRIPT)
        done = python("-m", "ttml_emulation", "--numerics", numerics, str(tmp_path / "train.py"), "12")
        assert done.stderr == ""
        assert done.returncode == 0
        lines = done.stdout.splitlines()
        losses = [float(line.split("Loss: ")[1]) for line in lines[:12]]
        assert losses[0] == pytest.approx(np.log(32), rel=0.05)
        assert losses[-1] < losses[0]
        assert lines[12] == f"{'BFLOAT16' if numerics == 'device' else 'FLOAT32'} __main__ ['12']"

    @pytest.mark.slow
    def test_a_script_imports_its_neighbours_and_its_exit_code_counts(self, tmp_path: Path) -> None:
        (tmp_path / "neighbour.py").write_text("CODE = 7\n")
        (tmp_path / "script.py").write_text("import neighbour, sys\nsys.exit(neighbour.CODE)\n")
        assert python("-m", "ttml_emulation", str(tmp_path / "script.py"), cwd=Path("/")).returncode == 7

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "no script given"),
            (["missing.py"], "no such script: missing.py"),
            (["--numerics", "bf16", "x.py"], "device or fp32, not bf16"),
            (["--numerics"], "needs a value"),
            (["--fast", "x.py"], "unknown option --fast"),
        ],
    )
    def test_a_command_that_is_not_understood_is_one_line_and_2(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
    ) -> None:
        from ttml_emulation.__main__ import main

        assert main(arguments) == 2
        printed = capsys.readouterr().err
        assert message in printed
        assert printed.count("\n") == 1

    @pytest.mark.slow
    def test_the_core_checks_hold_without_wide_vectors(self) -> None:
        here = Path(__file__).parent
        done = python(
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            str(here / "test_ops.py"),
            "-k",
            "linear_without_bias or cross_entropy or layernorm",
            ONEDNN_MAX_CPU_ISA="AVX2",
            ATEN_CPU_CAPABILITY="avx2",
        )
        assert done.returncode == 0, done.stdout
        assert " passed" in done.stdout


class TestCommon:
    def test_tokens_are_sorted_characters_between_the_special_ones(self, world: Any) -> None:
        tokenizer = world.ttml.common.data.CharTokenizer("hello")
        assert tokenizer.itos == ["<PAD>", "e", "h", "l", "o", "<BEG>", "<END>"]
        assert tokenizer.vocab_size == 7
        assert tokenizer.encode("hole") == [2, 4, 3, 1]
        assert tokenizer.decode([2, 4, 3, 1]) == "hole"
        with pytest.raises(KeyError):
            tokenizer.encode("x")

    def test_the_causal_mask_is_lower_triangular(self, world: Any) -> None:
        mask = world.ttml.common.data.build_causal_mask(3)
        assert mask.dtype == np.float32
        np.testing.assert_array_equal(mask, [[[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]])

    def test_a_tile_is_32(self, world: Any) -> None:
        assert [world.ttml.common.utils.round_up_to_tile(n) for n in (1, 32, 68)] == [32, 32, 96]

    def test_the_loss_over_one_device_is_the_loss(self, world: Any) -> None:
        loss = tensor(world, np.full((1, 1, 1, 1), 1.5))
        assert world.ttml.common.utils.get_loss_over_devices(loss) == 1.5

    def test_a_configuration_opens_its_device(self, world: Any) -> None:
        world.ttml.common.utils.initialize_device({"device_config": {"mesh_shape": [1, 1]}})
        with pytest.raises(RuntimeError, match="after the device"):
            world.ttml.common.utils.initialize_device({})

    def test_both_forms_of_an_optimizers_configuration_are_read(self, world: Any) -> None:
        create = world.ttml.common.utils.create_optimizer
        model = world.ttml.modules.LinearLayer(32, 32)
        assert create(model, {"training_config": {"learning_rate": 0.5}}).get_lr() == 0.5
        nested = {"training_config": {"learning_rate": 0.5, "optimizer": {"type": "SGD", "lr": 0.25}}}
        assert (create(model, nested).get_name(), create(model, nested).get_lr()) == ("SGD", 0.25)
        with pytest.raises(ValueError, match="neither"):
            create(model, {"training_config": {}})


class TestTtnn:
    def test_picking_a_token_on_the_device(self, world: Any) -> None:
        ttnn = world.ttnn
        logits = np.zeros((1, 1, 32, 64))
        logits[0, 0, 5, :4] = [1, 3, 2, 4]
        value = tensor(world, logits).get_value()
        row = ttnn.slice(value, [0, 0, 5, 0], [1, 1, 6, 64])
        assert list(row.shape) == [1, 1, 1, 64]
        assert ttnn.argmax(row, dim=3, keepdim=True).item() == 3
        best, index = ttnn.topk(row, k=2, dim=-1, largest=True, sorted=True)
        np.testing.assert_array_equal(index.to_numpy().ravel(), [3, 1])
        limit = ttnn.slice(best, [0, 0, 0, 1], [1, 1, 1, 2])
        cut = ttnn.where(ttnn.lt(row, limit), ttnn.full_like(row, -1e9, dtype=ttnn.bfloat16), row)
        kept = cut.to_numpy().astype(np.float32).ravel()
        assert [kept[1], kept[3]] == [3, 4]
        assert kept[[0, 2]].max() < -9e8

    def test_arithmetic_and_copies(self, world: Any) -> None:
        ttnn = world.ttnn
        a = ttnn.from_buffer([1, 2, 3, 4], [2, 2], ttnn.uint32, None, ttnn.ROW_MAJOR_LAYOUT)
        assert a.dtype is ttnn.DataType.UINT32
        assert a.get_layout() is ttnn.Layout.ROW_MAJOR
        b = ttnn.typecast(a, ttnn.float32)
        total = ttnn.multiply(ttnn.add(b, ttnn.clone(b)), ttnn.subtract(b, 1.0))
        np.testing.assert_array_equal(total.to_numpy(), [[0, 4], [12, 24]])
        joined = ttnn.concat([ttnn.reshape(a, [4]), ttnn.reshape(a, [4])], dim=0)
        np.testing.assert_array_equal(joined.to_numpy(), [1, 2, 3, 4, 1, 2, 3, 4])

    def test_no_board_is_claimed(self, world: Any) -> None:
        ttnn = world.ttnn
        assert ttnn.get_arch_name() == "emulated"
        assert ttnn.get_num_devices() == 1
        assert not ttnn.device.is_blackhole(None)
        assert not ttnn.device.is_wormhole_b0(None)

    def test_an_id_tensor_goes_through_ttnn(self, world: Any) -> None:
        array = np.arange(32, dtype=np.uint32).reshape(1, 1, 1, 32)
        wrapped = world.ttml.autograd.create_tensor(world.ttnn.clone(ids(world, array).get_value()), False)
        np.testing.assert_array_equal(wrapped.to_numpy(), array)
        np.testing.assert_array_equal(numpy(world, wrapped), array.astype(np.float32))
