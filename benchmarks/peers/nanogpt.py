"""
nanoGPT's model and training loop, as its users run them on a CPU, rewritten in plain PyTorch.

Kept from it: one tied matrix for embedding and head, PyTorch's fused causal attention with dropout
inside, exact GELU, normalizations without bias, two groups for AdamW (no decay for vectors), the joint norm
of the gradients clipped at 1, a new batch cut from the text for every step, ``generate`` that computes the
whole window again for every token. The settings are those of its character model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a model and of its batches."""

    vocabulary: int = 65
    block: int = 256
    layers: int = 6
    heads: int = 6
    width: int = 384
    batch: int = 4
    dropout: float = 0.2


class Attention(nn.Module):
    """Causal self-attention over several heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.dropout = shape.heads, shape.dropout
        self.inputs = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.outputs = nn.Linear(shape.width, shape.width, bias=False)
        self.drop = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape, ``[B, T, E]``."""
        batch, length, width = x.shape
        parts = self.inputs(x).split(width, dim=2)
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        mixed = functional.scaled_dot_product_attention(
            q, k, v, dropout_p=self.dropout if self.training else 0.0, is_causal=True
        )
        mixed = mixed.transpose(1, 2).contiguous().view(batch, length, width)
        out: Tensor = self.drop(self.outputs(mixed))
        return out


class Block(nn.Module):
    """One layer of the model."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.attention = Attention(shape)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width, bias=False),
            nn.GELU(),
            nn.Linear(4 * width, width, bias=False),
            nn.Dropout(shape.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape, ``[B, T, E]``."""
        x = x + self.attention(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class GPT(nn.Module):
    """The model: 10.7 million parameters at the default shape."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.block, shape.width)
        self.drop = nn.Dropout(shape.dropout)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width, bias=False)
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                residual = name.endswith(("outputs.weight", "mlp.2.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * shape.layers) if residual else 0.02)

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return logits and loss of ``[B, T]`` ids; without targets only the last position's logits."""
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.drop(self.tokens(ids) + self.positions(places))
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        if targets is None:
            return self.head(x[:, [-1], :]), None
        logits = self.head(x)
        return logits, functional.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))

    @torch.no_grad()
    def generate(self, ids: Tensor, count: int, temperature: float = 0.8, top_k: int = 40) -> Tensor:
        """Return ``[B, T + count]``: the window is computed again for every token."""
        for _ in range(count):
            logits, _ = self(ids[:, -self.shape.block :])
            scores = logits[:, -1, :] / temperature
            best, _ = torch.topk(scores, min(top_k, scores.shape[-1]))
            scores[scores < best[:, [-1]]] = -torch.inf
            drawn = torch.multinomial(functional.softmax(scores, dim=-1), num_samples=1)
            ids = torch.cat((ids, drawn), dim=1)
        return ids


class Training:
    """The training loop of one process: it cuts the next batch before this batch's gradients are needed."""

    def __init__(
        self, shape: Shape, text: NDArray[np.uint16], *, autocast: bool = False, compiled: bool = False
    ) -> None:
        torch.manual_seed(1337)
        self.shape, self.text, self.autocast = shape, text, autocast
        model = GPT(shape)
        matrices = [p for p in model.parameters() if p.dim() > 1]
        vectors = [p for p in model.parameters() if p.dim() < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
            lr=1e-3,
            betas=(0.9, 0.99),
        )
        self.parameters = list(model.parameters())
        self.model: nn.Module = torch.compile(model) if compiled else model  # type: ignore[assignment]
        self.batch = self._batch()

    def step(self) -> float:
        """Train one step; return its loss."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            _, loss = self.model(*self.batch)
        self.batch = self._batch()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    def _batch(self) -> tuple[Tensor, Tensor]:
        block = self.shape.block
        starts = torch.randint(len(self.text) - block, (self.shape.batch,)).tolist()
        rows = [torch.from_numpy(self.text[at : at + block + 1].astype(np.int64)) for at in starts]
        return torch.stack([row[:-1] for row in rows]), torch.stack([row[1:] for row in rows])
