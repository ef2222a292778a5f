"""`ttml.models.nanogpt`: the character model of the lessons.

`tok_emb` + `pos_emb`, dropout, then x + attention(ln1(x)) and x + mlp(ln2(x)) in each block, a final
normalization and the head. With 6 layers, width 384, 256 positions and 96 tokens it has 10,819,584
parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch

from . import numerics
from .context import AutoContext
from .enums import GradMode, RunMode, RunnerType, WeightTyingType
from .evaluation import TILE, Affine, BlockWeights, Evaluation, Prepared, Weights
from .layers import (
    AbstractModuleBase,
    Embedding,
    LinearLayer,
    ModuleList,
    Parameter,
    constant,
    normal,
)
from .modules import ModuleBase, NamedParameters, parameter_from
from .ops import binary
from .ops.attention import is_causal_attention, scaled_dot_product_attention
from .ops.dropout import dropout
from .ops.layernorm import layernorm
from .ops.multi_head_utils import heads_creation, heads_fusion
from .ops.unary import gelu
from .recompute import memory_efficient_runner
from .rows import LazyTensor
from .tensor import Tensor
from .values import Value

Mask = Tensor | Value | None
_Kind = TypeVar("_Kind")


@dataclass
class NanoGPTExperimentalConfig:
    """Switches that affect the speed on a board and have no effect here."""

    use_composite_layernorm: bool = False


@dataclass
class NanoGPTConfig:
    """The configuration of a NanoGPT. The first seven fields exist in every version of `ttml`."""

    vocab_size: int = 50304
    block_size: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    dropout: float = 0.2
    bias: bool = True
    """Whether normalizations have a `beta`; linear layers in blocks always have a bias."""
    runner_type: RunnerType = RunnerType.Default
    weight_tying: WeightTyingType = WeightTyingType.Disabled
    positional_embedding_type: str = "trainable"
    experimental: NanoGPTExperimentalConfig = field(default_factory=NanoGPTExperimentalConfig)

    def check(self) -> None:
        """Raise ValueError if the configuration is invalid."""
        for name in ("block_size", "n_embd"):
            if getattr(self, name) <= 0 or getattr(self, name) % TILE:
                raise ValueError(f"{name} must be a positive multiple of {TILE}, not {getattr(self, name)}")
        if self.n_head <= 0 or self.n_embd % self.n_head:
            raise ValueError(f"n_embd {self.n_embd} must be a multiple of n_head {self.n_head}")
        if self.positional_embedding_type != "trainable":
            raise ValueError(
                f"only trainable positional embeddings are emulated, not {self.positional_embedding_type!r}"
            )


class _Module(AbstractModuleBase):
    """A module with dropout that depends on the run mode."""

    def __init__(self, probability: float = 0.0) -> None:
        super().__init__()
        self._dropout = probability

    @property
    def drops_out(self) -> bool:
        """Whether dropout is active: in TRAIN mode, with a probability above 0."""
        return self.get_run_mode() is RunMode.TRAIN and self._dropout != 0

    def drop(self, x: Tensor) -> Tensor:
        """Apply dropout in TRAIN mode."""
        return dropout(x, self._dropout) if self.drops_out else x


class TrainablePositionalEmbedding(_Module):
    """Adds a learned embedding for each position, then applies dropout."""

    def __init__(self, sequence_length: int, embedding_dim: int, dropout: float = 0.0) -> None:
        super().__init__(dropout)
        self._length = sequence_length
        self.weight = Parameter(normal()((1, 1, sequence_length, embedding_dim)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape `[B, 1, T, E]`; ValueError unless T is the sequence length of the model."""
        if x.shape()[2] != self._length:
            raise ValueError(
                f"the sequence has {x.shape()[2]} positions; the model requires exactly {self._length}"
            )
        return self.drop(binary.add(x, self.weight.tensor))


class LayerNorm(AbstractModuleBase):
    """Layer normalization with `gamma` and optional `beta`, `[1, 1, 1, E]`."""

    def __init__(self, features: int, bias: bool = True) -> None:
        super().__init__()
        self.gamma = Parameter(constant(1)((1, 1, 1, features)))
        self.beta = Parameter(constant(0)((1, 1, 1, features))) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        return layernorm(x, self.gamma.tensor, self.beta.tensor if self.beta else None)


class MultiHeadAttention(_Module):
    """Multi-head attention; dropout is applied only after the output projection."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__(dropout)
        self.heads = heads
        self.qkv_linear = _linear(width, 3 * width)
        self.out_linear = _linear(width, width)

    def forward(self, x: Tensor, mask: Mask = None) -> Tensor:
        """Return the same shape `[B, 1, T, E]`."""
        q, k, v = heads_creation(self.qkv_linear(x), self.heads)
        mixed = heads_fusion(scaled_dot_product_attention(q, k, v, mask))
        return self.drop(self.out_linear(mixed))


class GPTMLP(_Module):
    """Two linear layers with a GELU between them; the hidden width is four times the width."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(dropout)
        self.fc1 = _linear(width, 4 * width)
        self.fc2 = _linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape `[B, 1, T, E]`."""
        return self.drop(self.fc2(gelu(self.fc1(x))))


class GPTBlock(AbstractModuleBase):
    """One transformer block."""

    def __init__(self, config: NanoGPTConfig) -> None:
        super().__init__()
        self.ln1 = LayerNorm(config.n_embd, config.bias)
        self.attention = MultiHeadAttention(config.n_embd, config.n_head, config.dropout)
        self.ln2 = LayerNorm(config.n_embd, config.bias)
        self.mlp = GPTMLP(config.n_embd, config.dropout)

    def forward(self, x: Tensor, mask: Mask = None) -> Tensor:
        """Return the same shape `[B, 1, T, E]`."""
        x = binary.add(x, self.attention(self.ln1(x), mask))
        return binary.add(x, self.mlp(self.ln2(x)))


class NanoGPT(AbstractModuleBase):
    """The model. Weights are drawn from N(0, 0.02) with numpy's global generator; seed it first."""

    def __init__(self, config: NanoGPTConfig) -> None:
        config.check()
        super().__init__()
        self.config = config
        self._last_evaluation: Evaluation | None = None
        self.fc = LinearLayer(config.n_embd, config.vocab_size, False, normal())
        self.tok_emb = Embedding(config.vocab_size, config.n_embd, normal())
        if config.weight_tying is WeightTyingType.Enabled:
            self.tok_emb.weight = self.fc.weight
        self.pos_emb = TrainablePositionalEmbedding(config.block_size, config.n_embd, config.dropout)
        self.blocks = ModuleList(GPTBlock(config) for _ in range(config.n_layer))
        self.ln_f_gamma = Parameter(constant(1)((1, 1, 1, config.n_embd)))
        self.ln_f_beta = Parameter(constant(0)((1, 1, 1, config.n_embd))) if config.bias else None

    def forward(self, idx: Tensor, mask: Mask = None) -> Tensor:
        """Return logits `[B, 1, T, V]` for ids `[B, 1, 1, T]` UINT32.

        `mask` is `[1, 1, T, T]`, 1 where attention is allowed. Always pass one: None means a causal mask here
        and in recent versions of `ttml`, but no mask in the first ones. Raises ValueError unless T is
        `block_size`.
        """
        if (evaluation := self._evaluation(idx, mask)) is not None:
            return LazyTensor(evaluation)
        x = self.pos_emb(self.tok_emb(idx))
        recompute = self.config.runner_type is RunnerType.MemoryEfficient
        for block in self.blocks:
            x = memory_efficient_runner(block, x, mask) if recompute else block(x, mask)
        beta = self.ln_f_beta.tensor if self.ln_f_beta else None
        logits: Tensor = self.fc(layernorm(x, self.ln_f_gamma.tensor, beta))
        return logits

    def _evaluation(self, idx: Tensor, mask: Mask) -> Evaluation | None:
        """Return a tile-by-tile evaluation of the logits; None if that is not possible.

        It is not possible if gradients or dropout are active, if the mask is not causal, on several chips, or
        if a part of the model was replaced by a module of another class. It is not used on a GPU, where a
        block costs no more than a tile. Errors in `idx` or `mask` are left to the operations.
        """
        length = self.config.block_size
        if (
            AutoContext.get_instance().get_gradient_mode() is not GradMode.DISABLED
            or numerics.current().device.type != "cpu"
            or any(tensor is not None and tensor.chips for tensor in (idx, mask))
            or idx.shape()[1:] != [1, 1, length]
            or (mask is not None and mask.data.shape[-1] != length)
            or not is_causal_attention(mask)
        ):
            return None
        weights = _weights(self)
        ids = idx.data[:, 0, 0].to(torch.int64).numpy()
        if weights is None or ids.min() < 0 or ids.max() >= weights.tokens.shape()[-2]:
            return None
        last = self._last_evaluation
        if last is None or not last.can_extend_to(ids) or not last.prepared.holds(weights):
            self._last_evaluation = Evaluation(Prepared(weights, len(ids) * TILE), ids, None)
        else:
            self._last_evaluation = Evaluation(last.prepared, ids, last)
        return self._last_evaluation

    def set_run_mode(self, mode: RunMode) -> None:
        """Set the mode here and in every submodule."""
        super().set_run_mode(mode)
        self._last_evaluation = None if mode is RunMode.TRAIN else self._last_evaluation


def create_nanogpt(config: NanoGPTConfig) -> NanoGPT:
    """Return a new model; ValueError if the configuration is invalid."""
    return NanoGPT(config)


def _linear(fan_in: int, fan_out: int) -> LinearLayer:
    return LinearLayer(fan_in, fan_out, True, normal(), constant(0))


def initialize_weights_gpt2(parameters: NamedParameters) -> None:
    """Draw weights from N(0, 0.02) with numpy's global generator, set biases to 0, and keep norms."""
    for name, tensor in parameters.items():
        shape = tuple(tensor.shape())
        if "weight" in name:
            tensor.assign(normal()(shape))
        elif "bias" in name:
            tensor.assign(parameter_from(np.zeros(shape, dtype=np.float32)))


class _OtherModuleError(Exception):
    """A part of the model is not a class of this module, or has active dropout."""


def _own(module: object, kind: type[_Kind]) -> _Kind:
    """Return `module`; _OtherModuleError unless it is exactly of class `kind` without active dropout."""
    if type(module) is not kind or (isinstance(module, _Module) and module.drops_out):
        raise _OtherModuleError
    return module


def _weights(model: NanoGPT) -> Weights | None:
    """Return the parameters of a model with only classes of this module and no dropout; else None."""
    try:
        return Weights(
            _own(model.tok_emb, Embedding).weight.tensor,
            _own(model.pos_emb, TrainablePositionalEmbedding).weight.tensor,
            tuple(_block_weights(_own(block, GPTBlock)) for block in model.blocks),
            _affine(model.ln_f_gamma, model.ln_f_beta),
            _linear_weights(model.fc),
        )
    except _OtherModuleError:
        return None


def _block_weights(block: GPTBlock) -> BlockWeights:
    ln1, ln2 = _own(block.ln1, LayerNorm), _own(block.ln2, LayerNorm)
    attention, mlp = _own(block.attention, MultiHeadAttention), _own(block.mlp, GPTMLP)
    return BlockWeights(
        attention.heads,
        _affine(ln1.gamma, ln1.beta),
        _linear_weights(attention.qkv_linear),
        _linear_weights(attention.out_linear),
        _affine(ln2.gamma, ln2.beta),
        _linear_weights(mlp.fc1),
        _linear_weights(mlp.fc2),
    )


def _linear_weights(layer: ModuleBase) -> Affine:
    layer = _own(layer, LinearLayer)
    return _affine(layer.weight, layer.bias)


def _affine(weight: Parameter, bias: Parameter | None) -> Affine:
    return Affine(weight.tensor, bias.tensor if bias else None)
