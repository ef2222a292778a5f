"""
Build the model and its optimizer with ``ttml``, and copy their state to and from numpy.

This module only calls what every version of ``ttml`` has, and checks for everything else first.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from lesson_ct4.config import TrainConfig
from lesson_ct4.device.session import Session
from lesson_ct4.training.checkpoint import Array, OptimizerState, Tensors
from lesson_runner.model.errors import LessonError


def build_model(session: Session, config: TrainConfig, vocab_size: int) -> Any:
    """
    Return a NanoGPT with initial weights drawn from ``config.seed``.

    Args:
        vocab_size: padded to whole tiles, see
            :attr:`lesson_ct4.data.tokenizer.CharTokenizer.padded_vocab_size`.
    """
    nanogpt = session.ttml.models.nanogpt
    settings = nanogpt.NanoGPTConfig(
        vocab_size=vocab_size,
        block_size=config.sequence_length,
        n_embd=config.n_embd,
        n_layer=config.n_layer,
        n_head=config.n_head,
        dropout=config.dropout,
        bias=config.bias,
    )
    # Older versions draw weights from numpy's global generator, newer ones from the device's.
    numpy_state = np.random.get_state()
    np.random.seed(config.seed)
    session.seed(config.seed)
    try:
        return nanogpt.create_nanogpt(settings)
    finally:
        np.random.set_state(numpy_state)


def build_optimizer(session: Session, config: TrainConfig, model: Any) -> Any:
    """Return AdamW for all parameters; weight decay applies to all, because ``ttml`` has no groups."""
    optimizers = session.ttml.optimizers
    settings = optimizers.AdamWConfig.make(
        config.learning_rate, config.beta1, config.beta2, config.epsilon, config.weight_decay
    )
    return optimizers.AdamW(model.parameters(), settings)


def clip_gradients(session: Session, parameters: Any, max_norm: float) -> None:
    """
    Scale all gradients so that their global norm is at most ``max_norm``.

    Raises:
        LessonError: this version of ``ttml`` cannot clip gradients.
    """
    for home in (session.ttml.core, session.ttml.autograd):  # versions differ
        if clip := getattr(home, "clip_grad_norm", None):
            clip(parameters, max_norm, 2.0, False)
            return
    raise LessonError(
        "this version of ttml cannot clip gradients", fix="leave out --clip_grad_norm, or update tt-metal"
    )


def require_averaged(session: Session, parameters: Any) -> None:
    """
    Check that averaging gave all chips the same gradient; do nothing on a single chip.

    In some versions, averaging silently does nothing until it is set up, and each chip would train its own
    model. Only the smallest gradient is compared, because it is the fastest to read.

    Raises:
        HardwareError: the chips' gradients differ.
    """
    if session.chips.count == 1:
        return
    found = [
        (math.prod(tensor.shape()), name, tensor)
        for name, tensor in parameters.items()
        if tensor.is_grad_initialized() and hasattr(tensor, "get_grad_tensor")
    ]
    if found:
        _, name, tensor = min(found, key=lambda item: item[:2])
        session.read_one(tensor.get_grad_tensor(), f"the gradient of {name}")


def count_parameters(model: Any) -> int:
    """Return the number of trainable numbers; 10,819,584 for the lesson's model."""
    return sum(math.prod(tensor.shape()) for tensor in model.parameters().values())


def read_parameters(session: Session, model: Any) -> Tensors:
    """Return every parameter by name, in the type that the device stores: bfloat16 or float32."""
    return {name: _read(session, tensor, name) for name, tensor in model.parameters().items()}


def write_parameters(session: Session, model: Any, arrays: Tensors) -> None:
    """
    Replace every parameter.

    Raises:
        LessonError: a name, shape or data type does not match; no parameter is replaced then.
    """
    _assign(session, dict(model.parameters().items()), arrays, "parameter")


def read_optimizer(session: Session, optimizer: Any) -> OptimizerState | None:
    """Return AdamW's moments and step count; ``None`` if this version of ``ttml`` does not expose them."""
    if not hasattr(optimizer, "get_state_dict"):
        return None
    moments: dict[str, Tensors] = {}
    numbers: dict[str, int | float] = {}
    for key, value in optimizer.get_state_dict().items():
        if isinstance(value, (int, float)):
            numbers[key] = value
        elif hasattr(value, "items"):
            moments[key] = {
                name: _read(session, tensor, f"{key} of {name}") for name, tensor in value.items()
            }
        else:
            return None
    return OptimizerState(moments, numbers) if moments and "steps" in numbers else None


def write_optimizer(session: Session, optimizer: Any, saved: OptimizerState) -> None:
    """
    Replace the optimizer's moments and step count.

    Raises:
        LessonError: a name, shape or data type does not match.
    """
    state = dict(optimizer.get_state_dict().items())
    known = {key for key, value in state.items() if hasattr(value, "items")}
    if known != set(saved.moments):
        raise LessonError(
            f"the optimizer has the moments {sorted(known)}, the checkpoint has {sorted(saved.moments)}"
        )
    for key in known:
        _assign(session, dict(state[key].items()), saved.moments[key], key)
    optimizer.set_state_dict({**state, **saved.numbers})


def _read(session: Session, tensor: Any, what: str) -> Array:
    value = session.read_one(tensor, what)
    half = tensor.dtype() == session.ttnn.DataType.BFLOAT16
    return value.astype(ml_dtypes.bfloat16) if half else value


def _assign(session: Session, targets: dict[str, Any], arrays: Tensors, what: str) -> None:
    for name in sorted(targets.keys() ^ arrays.keys()):
        where = "the model" if name in targets else "the checkpoint"
        raise LessonError(f"the {what} {name} is only in {where}", fix="train again with these settings")
    for name, tensor in targets.items():
        have, want = list(arrays[name].shape), list(tensor.shape())
        if have != want:
            raise LessonError(f"the {what} {name} has shape {have}, the model's has {want}")
        kinds = "bfloat16" if tensor.dtype() == session.ttnn.DataType.BFLOAT16 else "float32"
        if arrays[name].dtype.name != kinds:
            raise LessonError(
                f"the {what} {name} is {arrays[name].dtype.name}, the model's is {kinds}",
                fix="use the --numerics that the checkpoint was trained with",
            )
    for name, tensor in targets.items():
        tensor.assign(session.tiled(arrays[name], tensor.dtype()))
