"""`ttml.common.config`: training, device and model settings, from the YAML files of a tt-train tree.

Each class takes the content or the path of a file, and reads its own section. The defaults are those of
`ttml`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .paths import get_tt_metal_home

__all__ = [
    "DeviceConfig",
    "SchedulerConfig",
    "TrainingConfig",
    "TransformerConfig",
    "get_device_config",
    "get_model_config",
    "get_training_config",
    "load_config",
    "yaml_deep_update",
]

Yaml = Mapping[str, Any] | str


def load_config(path: str, configs_root: str | None = None) -> dict[str, Any]:
    """Return a YAML file's mapping.

    A relative path is relative to `configs_root`, by default `tt-train/configs` in the tt-metal tree.
    Environment variables in it (`${TT_METAL_RUNTIME_ROOT}`) are expanded. Raises FileNotFoundError.
    """
    import yaml  # only needed by scripts with YAML files

    root = Path(configs_root or f"{get_tt_metal_home()}/tt-train/configs")
    found: dict[str, Any] = yaml.safe_load((root / os.path.expandvars(path)).read_text("utf-8"))
    return found


def _section(given: Yaml, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (load_config(given) if isinstance(given, str) else given).get(name) or {}
    return found


class DeviceConfig:
    """The section `device_config`: the mesh, the chips' ids, and the kinds of parallelism."""

    def __init__(self, yaml_config: Yaml) -> None:
        section = _section(yaml_config, "device_config")
        self.mesh_shape: list[int] = section.get("mesh_shape", [1, 1])
        self.device_ids: list[int] | None = section.get("device_ids")
        self.enable_tp: bool = section.get("enable_tp", False)
        self.enable_ddp: bool = section.get("enable_ddp", False)

    def total_devices(self) -> int:
        """Return the number of chips."""
        return self.mesh_shape[0] * self.mesh_shape[1]


class TrainingConfig:
    """The section `training_config`; ValueError for a `tokenizer_type` that is not `char` or `bpe`."""

    def __init__(self, yaml_config: Yaml) -> None:
        section = _section(yaml_config, "training_config")
        self.seed = int(section.get("seed", 42))
        self.batch_size = int(section.get("batch_size", 64))
        self.validation_batch_size = int(section.get("validation_batch_size", max(self.batch_size // 2, 1)))
        self.steps = int(section.get("max_steps", 1000))
        self.epochs = int(section.get("num_epochs", 1))
        self.eval_every = int(section.get("eval_every", 200))
        self.save_every = int(section.get("model_save_interval", 500))
        self.gradient_accumulation_steps = int(section.get("gradient_accumulation_steps", 1))
        self.model_config: str | None = section.get("model_config")
        tokenizer = section.get("tokenizer_type", "bpe")
        if tokenizer not in ("bpe", "char"):
            raise ValueError(f"unknown tokenizer_type {tokenizer!r}; known: bpe, char")
        self.use_bpe = tokenizer == "bpe"
        self.lr = float(section.get("learning_rate", 3e-4))
        self.beta1 = float(section.get("beta1", 0.9))
        self.beta2 = float(section.get("beta2", 0.999))
        self.eps = float(section.get("eps", 1e-8))
        self.weight_decay = float(section.get("weight_decay", 0.01))
        self.checkpoint_dir = str(section.get("checkpoint_dir", "checkpoints"))


class TransformerConfig:
    """The section `transformer_config`, with the settings that NanoGPT needs."""

    def __init__(self, yaml_config: Yaml) -> None:
        section = _section(yaml_config, "transformer_config")
        self.model_type = section.get("model_type", "gpt2")
        self.runner_type = section.get("runner_type", "default")
        self.num_heads = int(section.get("num_heads", 6))
        self.embedding_dim = int(section.get("embedding_dim", 384))
        self.dropout_prob = float(section.get("dropout_prob", 0.2))
        self.num_blocks = int(section.get("num_blocks", 6))
        self.vocab_size = int(section.get("vocab_size", 96))
        self.weight_tying = section.get("weight_tying")
        self.max_sequence_length = int(section.get("max_sequence_length", 128))


class SchedulerConfig:
    """The section `scheduler_config`, and `total_steps` of `training_config`."""

    def __init__(self, yaml_config: Yaml) -> None:
        section = _section(yaml_config, "scheduler_config")
        self.max_lr = float(section.get("max_lr", 0.001))
        self.min_lr = float(section.get("min_lr", 0.0))
        self.warmup_steps = int(section.get("warmup_steps", 100))
        self.hold_steps = int(section.get("hold_steps", 0))
        self.total_steps = int(_section(yaml_config, "training_config").get("total_steps", 1000))
        self.beta1_start = float(section.get("beta1_start", 0.85))
        self.beta1_end = float(section.get("beta1_end", 0.95))
        self.beta1_warmup_steps = int(section.get("beta1_warmup_steps", 0))


def get_training_config(training_config_src: str, configs_root: str | None = None) -> TrainingConfig:
    """Return the training settings in a file of `configs/training_configs`."""
    return TrainingConfig(
        load_config(training_config_src, configs_root or _below("configs/training_configs"))
    )


def get_device_config(device_config_src: str, configs_root: str | None = None) -> DeviceConfig:
    """Return the device settings in a file of `configs/training_configs`."""
    return DeviceConfig(load_config(device_config_src, configs_root or _below("configs/training_configs")))


def get_model_config(model_config_src: str, configs_root: str | None = None) -> TransformerConfig:
    """Return the model settings in a file of the tt-train tree."""
    return TransformerConfig(load_config(model_config_src, configs_root or _below("")))


def _below(folder: str) -> str:
    return f"{get_tt_metal_home()}/tt-train/{folder}"


def yaml_deep_update(original: dict[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    """Update `original` recursively with `updates`, and return it."""
    for key, value in updates.items():
        below = original.get(key)
        if isinstance(value, Mapping) and isinstance(below, dict):
            value = yaml_deep_update(below, value)
        original[key] = value
    return original
