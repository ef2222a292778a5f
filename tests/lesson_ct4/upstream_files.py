"""Checkpoint files as tt-train writes them, made by Python's own pickler from classes of the same names."""

from __future__ import annotations

import contextlib
import enum
import io
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TEXT = "ROMEO:\nBut soft, what light through yonder window breaks?\n\nJULIET:\nAy me!\n\n" * 40
WIDTH, LENGTH, VOCABULARY = 32, 32, 64
"""Of the tiny model; TEXT has 36 characters, which makes two tiles of 32 with the special tokens."""


def _class(module: str, name: str) -> Any:
    """Return an empty class that is pickled by this name."""
    return type(name, (), {"__module__": module, "__qualname__": name})


def _enum(module: str, name: str, members: list[str]) -> Any:
    # The functional API takes the name of the module.
    return enum.Enum(name, [(member, n) for n, member in enumerate(members)], module=module, qualname=name)


CharTokenizer = _class("ttml.common.data", "CharTokenizer")
ModelConfig = _class("__main__", "ModelConfig")
ModelExperimentalConfig = _class("__main__", "ModelExperimentalConfig")
TrainingConfig = _class("__main__", "TrainingConfig")
BuilderConfig = _class("model_builders", "ModelConfig")
GPT2Spec = _class("model_builders", "GPT2Spec")
LlamaSpec = _class("model_builders", "LlamaSpec")
WeightTying = _enum("_ttml.models", "WeightTyingType", ["Disabled", "Enabled"])
RunnerType = _enum("ttml._ttml.models", "RunnerType", ["MemoryEfficient", "Default"])
_CLASSES = (
    *(
        CharTokenizer,
        ModelConfig,
        ModelExperimentalConfig,
        TrainingConfig,
        BuilderConfig,
        GPT2Spec,
        LlamaSpec,
    ),
    *(WeightTying, RunnerType),
)


@contextlib.contextmanager
def their_modules(*more: Any) -> Iterator[None]:
    """Let the pickler find classes and functions in the modules that they claim to be from."""
    with pytest.MonkeyPatch.context() as patch:
        for item in (*_CLASSES, *more):
            if item.__module__ != "__main__" and not getattr(sys.modules.get(item.__module__), "ours", False):
                module: Any = types.ModuleType(item.__module__)
                module.ours = True
                patch.setitem(sys.modules, item.__module__, module)
                top = item.__module__.partition(".")[0]
                if top not in sys.modules:
                    patch.setitem(sys.modules, top, types.ModuleType(top))
            patch.setattr(sys.modules[item.__module__], item.__qualname__, item, raising=False)
        yield


class _Pickler(pickle.Pickler):
    """Writes arrays with the function names of another version of numpy."""

    def __init__(self, file: Any, protocol: int, core: str) -> None:
        super().__init__(file, protocol)
        self.core, self.version = core, protocol
        self.functions = {
            "multiarray": _function(f"{core}.multiarray", "_reconstruct"),
            "numeric": _function(f"{core}.numeric", "_frombuffer"),
        }

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return NotImplemented
        if self.version >= 5 and value.dtype.kind == "f":
            content = (bytearray(value.tobytes()), value.dtype, value.shape, "C")
            return self.functions["numeric"], content
        reduced: Any = value.__reduce__()
        return self.functions["multiarray"], *reduced[1:]


def _function(module: str, name: str) -> Any:
    def function() -> None:
        """Never called: only its name is written."""

    function.__module__, function.__name__, function.__qualname__ = module, name, name
    return function


def pickled(value: Any, *, protocol: int = 4, core: str | None = None) -> bytes:
    """Return the pickle of a value; ``core`` is ``numpy.core`` or ``numpy._core``."""
    file = io.BytesIO()
    pickler: Any = pickle.Pickler(file, protocol) if core is None else _Pickler(file, protocol, core)
    with their_modules(*getattr(pickler, "functions", {}).values()):
        pickler.dump(value)
    return file.getvalue()


def filled(cls: Any, **fields: Any) -> Any:
    """Return an object with these attributes."""
    made = cls()
    vars(made).update(fields)
    return made


def tokenizer(text: str = TEXT) -> Any:
    """Return the equivalent of ``CharTokenizer(text)`` of tt-train."""
    itos = ["<PAD>", *sorted(set(text)), "<BEG>", "<END>"]
    return filled(CharTokenizer, stoi={symbol: number for number, symbol in enumerate(itos)}, itos=itos)


def weights(*, blocks: int = 1, bias: bool = True, seed: int = 0) -> dict[str, Any]:
    """Return the parameters of a tiny NanoGPT, in float32 that bfloat16 can hold; the norms' gains are 1."""
    tables = {
        "fc/weight": (VOCABULARY, WIDTH),
        "tok_emb/weight": (VOCABULARY, WIDTH),
        "pos_emb/weight": (LENGTH, WIDTH),
    }
    norms = ["ln_f_gamma"] + ["ln_f_beta"] * bias
    for block in (f"blocks/{number}" for number in range(blocks)):
        for name, rows, columns in (
            ("attention/qkv_linear", 3 * WIDTH, WIDTH),
            ("attention/out_linear", WIDTH, WIDTH),
            ("mlp/fc1", 4 * WIDTH, WIDTH),
            ("mlp/fc2", WIDTH, 4 * WIDTH),
        ):
            tables |= {f"{block}/{name}/weight": (rows, columns), f"{block}/{name}/bias": (1, rows)}
        norms += [f"{block}/{norm}/gamma" for norm in ("ln1", "ln2")]
        norms += [f"{block}/{norm}/beta" for norm in ("ln1", "ln2")] * bias
    random = np.random.default_rng(seed)
    made = {
        name: random.integers(-8, 8, (1, 1, *shape)).astype(np.float32) / 64 for name, shape in tables.items()
    }
    made |= {name: np.full((1, 1, 1, WIDTH), name.endswith("gamma"), np.float32) for name in norms}
    return {f"NanoGPT/{name}": values for name, values in made.items()}


MODEL = {
    "model_type": "gpt2",
    "model_path": "",
    "vocab_size": VOCABULARY,
    "embedding_dim": WIDTH,
    "num_blocks": 1,
    "num_heads": 1,
    "dropout_prob": 0.2,
    "max_sequence_length": LENGTH,
}
FIRST_TRAINING = {
    "seed": 42,
    "batch_size": 64,
    "gradient_accumulation_steps": 2,
    "steps": 5000,
    "max_steps": 5000,
    "lr": 3e-4,
    "learning_rate": 3e-4,
    "weight_decay": 0.02,
    "scheduler_type": "warmup_linear",
    "use_clip_grad_norm": True,
    "clip_grad_norm_max_norm": 0.5,
    "data_path": "data/shakespeare.txt",
    "use_moreh_adamw": True,
}
LATER_TRAINING = {
    "seed": 5489,
    "batch_size": 32,
    "gradient_accumulation_steps": 1,
    "max_steps": 4000,
    "scheduler_type": "warmup_linear",
    "use_clip_grad_norm": False,
    "clip_grad_norm_max_norm": 1.0,
}


def first_version(**changed: Any) -> dict[str, Any]:
    """Return what ``train_nanogpt.py`` of early 2026 pickles; ``changed`` replaces parts of it."""
    state = changed.pop("weights", None) or weights()
    return {
        "step": 1500,
        "model_state": {
            name: {"data": values, "layout": 1, "shape": values.shape} for name, values in state.items()
        },
        "tokenizer": tokenizer(),
        "model_config": filled(ModelConfig, **MODEL, bias=True),
        "training_config": filled(TrainingConfig, **FIRST_TRAINING),
    } | changed


def later_version(*, tying: Any = WeightTying.Disabled, model: Any = (), **changed: Any) -> dict[str, Any]:
    """Return what ``train_nanogpt.py`` of summer 2026 pickles."""
    more = {
        "bias": True,
        "runner_type": RunnerType.Default,
        "weight_tying": tying,
        "positional_embedding_type": "trainable",
        "experimental": filled(ModelExperimentalConfig, use_composite_layernorm=False),
        "intermediate_dim": None,
    }
    config = filled(ModelConfig, **{**MODEL, **more, **dict(model)})
    training = filled(TrainingConfig, **LATER_TRAINING)
    return first_version(**{"model_config": config, "training_config": training, **changed})


def stream(
    *, protocol: int = 4, state: Any = None, spec: Any = None, header: Any = (), form: int = 1
) -> bytes:
    """Return the file that ``ttml.checkpointing.save_checkpoint`` writes: model and AdamW."""
    state = weights() if state is None else state
    spec = filled(GPT2Spec, bias=True, positional_embedding_type="trainable") if spec is None else spec
    config = {
        **MODEL,
        "vocab_size": len(tokenizer().itos),
        "weight_tying": WeightTying.Disabled,
        "spec": spec,
    }
    parts = {
        "step": 700,
        "tokenizer": tokenizer(),
        "model_config": filled(BuilderConfig, **config),
        **dict(header),
    }
    leaf = {"named_parameters": {name: {"layout": "TILE", "dtype": "BFLOAT16"} for name in state}}
    manifest = {"model": leaf, "optimizer": {"steps": 700, "exp_avg": leaf, "exp_avg_sq": leaf, "lr": 3e-4}}
    records = [{"format": form, "header": parts, "manifest": manifest}, *(3 * [*state.values()])]
    return b"".join(pickled(record, protocol=protocol) for record in records)


def written(path: Path, value: Any, **how: Any) -> Path:
    """Write the pickle of a value, or bytes unchanged."""
    path.write_bytes(value if isinstance(value, bytes) else pickled(value, **how))
    return path
