"""Scripts written for a board, run by `python -m ttml_emulation` as real processes."""

from __future__ import annotations

import os
import pickletools
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.ttml_emulation import scripts
from tests.ttml_emulation.test_doors import PLUGINS, python

TEXT = "to be or not to be, that is the question\n" * 30
SLOW = pytest.mark.slow
"""Slow variants of what the quick tests cover: each process has to import PyTorch."""
TRAINING = "training_config: {seed: 7, max_steps: 12, batch_size: 8, learning_rate: 0.02, num_epochs: 1}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a text, and a tree with configurations like tt-metal's."""
    (tmp_path / "text.txt").write_text(TEXT)
    configs = tmp_path / "tree" / "tt-train" / "configs" / "training_configs"
    configs.mkdir(parents=True)
    (configs / "tiny.yaml").write_text(TRAINING)
    return tmp_path


def run(home: Path, script: str, *options: str, numerics: str = "device") -> list[str]:
    (home / "script.py").write_text(script)
    done = python(
        *("-m", "ttml_emulation", "--numerics", numerics, *options, "script.py", "text.txt"),
        cwd=home,
        TT_METAL_HOME=str(home / "tree"),
        TT_METAL_RUNTIME_ROOT=str(home / "tree"),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout.splitlines()


def losses(lines: list[str], start: str = "Step: ") -> list[float]:
    return [float(line.split("Loss: ")[1].split(",")[0]) for line in lines if line.startswith(start)]


@pytest.mark.slow
@pytest.mark.parametrize("numerics", ["device", pytest.param("fp32", marks=SLOW)])
def test_the_first_era_trains_saves_and_generates(home: Path, numerics: str) -> None:
    lines = run(home, scripts.FIRST_ERA, numerics=numerics)
    steps = losses(lines)
    assert len(steps) == 12
    assert steps[-1] < 0.7 * steps[0]
    assert "['Bigrams/head/weight', 'Bigrams/table'] MorehAdamW" in lines
    stored, counted = map(int, lines[0].split()[1:])
    assert counted == stored * (1 if numerics == "device" else 2)  # exact: 2 or 4 bytes per parameter
    assert lines[1] == "Memory of the emulation's tensors in this process; it differs on a board"
    (said,) = [line for line in lines if line.startswith("said ")]
    assert len(said) >= len("said '......'")
    # The saved file refers to the board's modules, not to the emulation, so that both can read it.
    saved = pickletools.genops((home / "saved.pkl").read_bytes())
    names = {str(value) for code, value, _ in saved if code.name == "SHORT_BINUNICODE"}
    assert {"ttml.common.data", "CharTokenizer", "_ttml.modules", "LinearLayer"} <= names
    assert not [name for name in names if "emulation" in name]


@pytest.mark.slow
def test_the_second_era_trains(home: Path) -> None:
    lines = run(home, scripts.SECOND_ERA)
    assert f"root {home / 'tree'} False" in lines
    assert [line for line in lines if line.startswith("Total params: ")]
    for model in ("NanoGPT", "Net"):
        steps = losses(lines, f"{model} Step: ")
        assert len(steps) == 8
        assert steps[-1] < steps[0]
    rates = [line.split("LR ")[1] for line in lines if line.startswith("Net Step")]
    assert rates[:3] == ["0.0050", "0.0100", "0.0083"]  # warmup over two steps, then decay to 0 at the last
    assert rates[-1] == "0.0000"
    assert "ttml.optimizers.Muon is not emulated (see docs/emulation.md)" in lines
    assert "ttml.models.llama.LlamaConfig is not emulated (see docs/emulation.md)" in lines


class TestLayOver:
    def lay(self, home: Path) -> Path:
        package = home / "tree" / "tt-train" / "sources" / "ttml" / "ttml"
        package.mkdir(parents=True)
        for name, text in scripts.OVERLAY.items():
            (package / name).write_text(text)
        return package.parent

    @pytest.mark.slow
    @pytest.mark.parametrize("folder", ["tree", "tree/tt-train/sources/ttml"])
    def test_a_python_package_stands_on_the_native_modules(self, home: Path, folder: str) -> None:
        self.lay(home)
        (line,) = run(home, scripts.OVER_THE_NATIVE, "--ttml", folder)
        assert line == "['Net/layer/bias', 'Net/layer/weight', 'Net/scale'] 1.0"

    @pytest.mark.slow
    def test_without_the_option_the_package_is_not_used(self, home: Path) -> None:
        self.lay(home)
        assert run(home, "import ttml\nprint(hasattr(ttml, '__file__'), hasattr(ttml, 'common'))\n") == [
            "False True"
        ]

    @pytest.mark.slow
    def test_a_folder_without_one_is_an_error(self, home: Path) -> None:
        (home / "script.py").write_text("")
        done = python("-m", "ttml_emulation", "--ttml", "tree", "script.py", cwd=home)
        assert (done.returncode, done.stdout) == (2, "")
        assert "no ttml/__init__.py in tree" in done.stderr


class TestErrors:
    """Errors in a script look the same as under `python SCRIPT`."""

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "text",
        [
            "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('y') from error\n",
            pytest.param("import sys\nsys.exit('enough')\n", marks=SLOW),
            pytest.param("Dear Python,\nthis is a letter.\n", marks=SLOW),
            pytest.param("raise KeyboardInterrupt\n", marks=SLOW),
        ],
    )
    def test_the_traceback_and_the_exit_code_are_pythons(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "script.py").write_text(text)
        plain = python("script.py", cwd=tmp_path)
        ours = python("-m", "ttml_emulation", "script.py", cwd=tmp_path)
        wanted = 128 - plain.returncode if plain.returncode < 0 else plain.returncode
        assert (ours.returncode, ours.stdout, ours.stderr) == (wanted, plain.stdout, plain.stderr)

    @pytest.mark.slow
    def test_an_interrupt_ends_it(self, tmp_path: Path) -> None:
        (tmp_path / "script.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
        with subprocess.Popen(
            [sys.executable, "-m", "ttml_emulation", "script.py"],
            env=os.environ | {"PYTHONPATH": str(PLUGINS)},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.1)  # until it sleeps
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert errors.endswith("KeyboardInterrupt\n")


MISSING = [
    ("import ttml; ttml.ops.rope.rope", "AttributeError", "ttml.ops.rope.rope"),
    ("import ttml; ttml.optimizers.Muon", "AttributeError", "ttml.optimizers.Muon"),
    ("import _ttml; _ttml.ops.rmsnorm.rmsnorm", "AttributeError", "_ttml.ops.rmsnorm.rmsnorm"),
    ("import ttnn; ttnn.matmul", "AttributeError", "ttnn.matmul"),
    ("import ttml.trainers", "ModuleNotFoundError", "ttml.trainers"),
    ("import ttml.models.qwen3.weights", "ModuleNotFoundError", "ttml.models.qwen3"),
    ("from ttml import datasets", "ImportError", "ttml.datasets"),
    ("from ttnn.device import Arch", "ImportError", "ttnn.device.Arch"),
    ("import ttml._ttml.fsdp", "ImportError", "ttml._ttml.fsdp"),
    (
        "import ttml; ttml.autograd.AutoContext.get_instance().get_ccl_resources()",
        "AttributeError",
        "ttml.autograd.AutoContext.get_ccl_resources",
    ),
    ("import ttnn; ttnn.full([1], 1.0).volume()", "AttributeError", "ttnn.Tensor.volume"),
    ("import ttml; ttml.autograd.Tensor().expand()", "AttributeError", "ttml.autograd.Tensor.expand"),
    (
        "import ttml; ttml.autograd.AutoContext.get_instance().get_device().sfpu()",
        "AttributeError",
        "ttnn.MeshDevice.sfpu",
    ),
    (
        "import ttml, ttnn; ttml.core.utils.MemoryUsageTracker.begin_capture(ttnn.graph.RunMode.NO_DISPATCH)",
        "NotImplementedError",
        "ttml.core.utils.MemoryUsageTracker with RunMode.NO_DISPATCH",
    ),
    (
        "import ttml; ttml.core.utils.MemoryUsageTracker.get_l1_usage_all()",
        "NotImplementedError",
        "ttml.core.utils.MemoryUsageTracker.get_l1_usage_all",
    ),
]


class TestMissing:
    @pytest.mark.slow
    def test_what_is_not_emulated_says_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "script.py").write_text(
            "".join(
                f"try:\n    {statement}\nexcept {kind} as error:\n    print(error)\n"
                for statement, kind, _ in MISSING
            )
        )
        done = python("-m", "ttml_emulation", "script.py", cwd=tmp_path)
        wanted = [f"{symbol} is not emulated (see docs/emulation.md)" for _, _, symbol in MISSING]
        assert (done.stdout.splitlines(), done.stderr) == (wanted, "")

    @pytest.mark.slow
    def test_scripts_that_probe_for_versions_get_an_answer(self, tmp_path: Path) -> None:
        (tmp_path / "script.py").write_text(
            "import ttml, ttnn\n"
            "print([hasattr(ttml, n) for n in ('manual_seed', 'Mesh', '__version__')])\n"
            "print(hasattr(ttml.autograd.AutoContext.get_instance(), 'set_gradient_mode'))\n"
            "print(getattr(ttml.optimizers, 'RemoteOptimizer', None))\n"
        )
        done = python("-m", "ttml_emulation", "script.py", cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("[False, True, False]\nTrue\nNone\n", "")


UPSTREAM = os.environ.get("LESSON_TEST_TT_TRAIN", "")
STAND_INS = {
    "datasets.py": "load_dataset = None\n",
    "transformers.py": "AutoTokenizer = PreTrainedTokenizerFast = None\n",
}
"""The first era's `common/data.py` imports these at its top; its trainer calls neither."""


@pytest.mark.skipif(not UPSTREAM, reason="LESSON_TEST_TT_TRAIN names no tt-metal tree to take ttml from")
@pytest.mark.parametrize("over", [True, False], ids=["its own ttml", "our ttml"])
def test_upstreams_trainer_trains_and_generates(tmp_path: Path, over: bool) -> None:
    tree = Path(UPSTREAM).resolve()
    trainer = tree / "tt-train" / "sources" / "examples" / "nano_gpt" / "train_nanogpt.py"
    if over and not (tree / "tt-train" / "sources" / "ttml" / "ttml" / "__init__.py").is_file():
        pytest.skip(f"{tree} has the trainer, and no package ttml")
    (tmp_path / "text.txt").write_text(TEXT)
    for name, text in STAND_INS.items():
        (tmp_path / name).write_text(text)
    optimizer = "optimizer: {type: AdamW, lr: 0.003, beta1: 0.9, beta2: 0.999, epsilon: 1.0e-8}"
    (tmp_path / "training.yaml").write_text(
        "training_config:\n  batch_size: 8\n  max_steps: 12\n  num_epochs: 9\n  model_save_interval: 10\n"
        f"  learning_rate: 0.003\n  model_config: {tmp_path / 'model.yaml'}\n  {optimizer}\n"
    )
    (tmp_path / "model.yaml").write_text(
        "transformer_config: {model_type: gpt2, num_heads: 2, embedding_dim: 64, dropout_prob: 0.1,"
        " num_blocks: 2, max_sequence_length: 32}\n"
    )

    def call(*flags: str) -> str:
        done = python(
            *("-m", "ttml_emulation", *(["--ttml", str(tree)] if over else []), str(trainer)),
            *("-c", str(tmp_path / "training.yaml"), *flags),
            cwd=tmp_path,
            PYTHONPATH=os.pathsep.join([str(PLUGINS), str(tmp_path)]),
            TT_METAL_HOME=str(tree),
            TT_METAL_RUNTIME_ROOT=str(tree),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    trained = call("--data_path", "text.txt", "--model_save_path", "saved/tiny", "--fresh", "--track_memory")
    steps = losses(trained.splitlines())
    assert len(steps) == 12
    assert steps[-1] < 0.85 * steps[0]
    assert "FIRST_ITERATION_COMPLETE" in trained
    said = call(
        *("--prompt", "to be", "--model_path", "saved/tiny_final.pkl", "--max_new_tokens", "12"),
    )
    assert "Checkpoint loaded from step 12" in said
    assert "Generated text:" in said
