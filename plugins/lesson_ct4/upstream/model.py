"""Read the model configuration of a tt-train checkpoint, and check that its arrays fit."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from lesson_ct4.data.tokenizer import BEG, END, PAD, CharTokenizer
from lesson_ct4.upstream.plain_data import DAMAGED, Member, Record, shown
from lesson_runner.model.errors import LessonError

Arrays = dict[str, NDArray[Any]]

_TOKENIZER = "ttml.common.data.CharTokenizer"
_CONFIGS = ("__main__.ModelConfig", "model_builders.ModelConfig")
_OTHERS = "only tt-train's character-level NanoGPT can be imported"
_HEAD, _TABLE = "NanoGPT/fc/weight", "NanoGPT/tok_emb/weight"
_TIED = (1, "Enabled")
"""``WeightTyingType.Enabled``, by value and by name."""


def model_fields(config: object) -> dict[str, object]:
    """
    Return the attributes of a ``ModelConfig``, including those of its ``spec`` (newer versions).

    Raises:
        LessonError: it is not a ``ModelConfig``, or describes another kind of model.
    """
    if not isinstance(config, Record) or config.kind not in _CONFIGS:
        raise LessonError("it has no model_config", fix=DAMAGED)
    spec = config.fields.get("spec")
    fields = {**config.fields, **(spec.fields if isinstance(spec, Record) else {})}
    for name, wanted in (("model_type", "gpt2"), ("positional_embedding_type", "trainable")):
        if fields.get(name, wanted) != wanted:
            raise LessonError(f"its {name} is {shown(fields[name])}, not {wanted!r}", fix=_OTHERS)
    return fields


def tokenizer_of(value: object) -> CharTokenizer:
    """
    Return our tokenizer with the ids of tt-train's.

    Raises:
        LessonError: there is no tokenizer, or its ids differ from ours.
    """
    if value is None:
        raise LessonError("it has no tokenizer: it was trained on tokenized data", fix=_OTHERS)
    if not isinstance(value, Record) or value.kind != _TOKENIZER:
        raise LessonError("its tokenizer is not tt-train's CharTokenizer", fix=_OTHERS)
    itos, stoi = value.fields.get("itos"), value.fields.get("stoi")
    if not isinstance(itos, list) or not all(isinstance(symbol, str) for symbol in itos):
        raise LessonError("its tokenizer has no list of characters", fix=DAMAGED)
    characters = itos[1:-2]
    if any(len(character) != 1 or "\ud800" <= character <= "\udfff" for character in characters):
        raise LessonError("its tokenizer has tokens that are not single characters", fix=_OTHERS)
    ours = CharTokenizer(characters)
    if itos != ours.itos or not characters:
        raise LessonError(f"its tokens are not {PAD}, the sorted characters, {BEG}, {END}", fix=_OTHERS)
    known = stoi if isinstance(stoi, dict) else {}
    if len(known) != len(ours.stoi) or any(
        type(known.get(symbol)) is not int or known[symbol] != number for symbol, number in ours.stoi.items()
    ):
        raise LessonError("its tokenizer's two tables contradict each other", fix=DAMAGED)
    return ours


def parameters_of(arrays: Arrays, fields: dict[str, object], vocab_size: int) -> tuple[Arrays, list[str]]:
    """
    Return the model's parameters in bfloat16, and messages to show the user.

    The device stores weights in bfloat16. tt-train writes them as float32, and rounds them when loading.

    Args:
        fields: the result of :func:`model_fields`.
        vocab_size: vocabulary size of the tokenizer, padded to whole tiles.

    Raises:
        LessonError: a parameter is missing or unexpected, has another shape, or is not finite.
    """
    blocks, width = number(fields, "num_blocks"), number(fields, "embedding_dim")
    if blocks > len(arrays):
        raise LessonError(f"it has {len(arrays)} parameters, too few for its {blocks} blocks", fix=DAMAGED)
    wanted = _shapes(
        blocks, width, number(fields, "max_sequence_length"), vocab_size, bool(fields.get("bias", True))
    )
    notes = []
    if len(arrays.keys() & {_HEAD, _TABLE}) == 1 and _is_tied(fields):
        shared = arrays[(arrays.keys() & {_HEAD, _TABLE}).pop()]
        arrays = {**arrays, _HEAD: shared, _TABLE: shared}
        notes.append("input and output share one table (weight_tying); here each gets its own copy")
    for name in sorted(wanted.keys() ^ arrays.keys()):
        what = "is missing" if name in wanted else "does not belong to the model"
        raise LessonError(
            f"the parameter {shown(name)[1:-1]} {what}: it has {len(arrays)}, "
            f"a model of {blocks} blocks has {len(wanted)}",
            fix=_OTHERS,
        )
    if rounded := sum([_rounds(arrays[name]) for name in wanted]):
        notes.append(f"{rounded} of {len(wanted)} parameters were rounded to bfloat16, as tt-train does too")
    return {name: _half(name, arrays[name], shape) for name, shape in wanted.items()}, notes


def number(fields: dict[str, object], name: str) -> int:
    """
    Return a positive integer from a configuration.

    Raises:
        LessonError: it is not an integer, or below 1.
    """
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise LessonError(
            f"its {name} is {shown(value)}, but should be a whole number, 1 or more", fix=DAMAGED
        )
    return value


def _is_tied(fields: dict[str, object]) -> bool:
    tying = fields.get("weight_tying")
    return isinstance(tying, Member) and tying.value in _TIED


def _shapes(blocks: int, width: int, length: int, vocab_size: int, bias: bool) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of NanoGPT's parameters; ``bias`` applies to the layer norms only."""
    norms = ("gamma", "beta") if bias else ("gamma",)
    sizes = {
        _HEAD: (vocab_size, width),
        _TABLE: (vocab_size, width),
        "NanoGPT/pos_emb/weight": (length, width),
    }
    sizes |= {f"NanoGPT/ln_f_{norm}": (1, width) for norm in norms}
    layers = {
        "attention/qkv_linear": (3 * width, width),
        "attention/out_linear": (width, width),
        "mlp/fc1": (4 * width, width),
        "mlp/fc2": (width, 4 * width),
    }
    for block in range(blocks):
        at = f"NanoGPT/blocks/{block}"
        sizes |= {f"{at}/{layer}/{norm}": (1, width) for layer in ("ln1", "ln2") for norm in norms}
        for layer, (rows, columns) in layers.items():
            sizes |= {f"{at}/{layer}/weight": (rows, columns), f"{at}/{layer}/bias": (1, rows)}
    return {name: (1, 1, *size) for name, size in sizes.items()}


def _half(name: str, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if values.shape != shape:
        raise LessonError(
            f"{name} has the shape {list(values.shape)}, but its configuration requires {list(shape)}",
            fix=DAMAGED,
        )
    with np.errstate(all="ignore"):
        half = np.ascontiguousarray(values.astype(ml_dtypes.bfloat16))
    if not np.isfinite(half.astype(np.float32)).all():
        raise LessonError(f"{name} has values that are not finite", fix="use a checkpoint of an earlier step")
    return half


def _rounds(values: NDArray[Any]) -> bool:
    """Return whether conversion to bfloat16 changes the values."""
    if values.dtype.kind != "f" and values.dtype != ml_dtypes.bfloat16:
        raise LessonError(f"a parameter is {values.dtype.name}, but should be float32", fix=DAMAGED)
    with np.errstate(all="ignore"):
        return bool((values.astype(ml_dtypes.bfloat16).astype(values.dtype) != values).any())
