"""Builds the modules `ttml` and `ttnn` out of the emulation's parts: where each name lives on a board."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from . import (
    context,
    core,
    data,
    device,
    distributed,
    enums,
    modules,
    nanogpt,
    optimizers,
    tensor,
    ttnn_ops,
    utils,
    values,
)
from .ops import (
    attention,
    binary,
    dropout,
    embedding,
    layernorm,
    linear,
    loss,
    multi_head_utils,
    reshape,
    sample,
    unary,
)

Tree = Mapping[str, Any]
"""A module's names; a value that is a `dict` becomes a module below it."""

_NANOGPT = {
    name: getattr(nanogpt, name)
    for name in (
        "MLP",
        "MultiHeadAttention",
        "NanoGPT",
        "NanoGPTConfig",
        "NanoGPTExperimentalConfig",
        "TrainablePositionalEmbedding",
        "create_nanogpt",
    )
}

TTML: Tree = {
    "NamedParameters": modules.NamedParameters,
    "autograd": {
        "AutoContext": context.AutoContext,
        "AutocastTensor": tensor.AutocastTensor,
        "GradMode": enums.GradMode,
        "PreferredPrecision": enums.PreferredPrecision,
        "Tensor": tensor.Tensor,
        "create_tensor": tensor.create_tensor,
    },
    "common": {
        "data": {"CharTokenizer": data.CharTokenizer, "build_causal_mask": data.build_causal_mask},
        "utils": {name: getattr(utils, name) for name in utils.__all__},
    },
    "core": {
        "clip_grad_norm": core.clip_grad_norm,
        "distributed": {
            "concat_mesh_to_tensor_composer": distributed.concat_mesh_to_tensor_composer,
            "enable_fabric": distributed.enable_fabric,
            "shard_tensor_to_mesh_mapper": distributed.shard_tensor_to_mesh_mapper,
            "synchronize_gradients": distributed.synchronize_gradients,
        },
        "empty_like": core.empty_like,
        "ones_like": core.ones_like,
        "zeros_like": core.zeros_like,
    },
    "models": {
        "RunnerType": enums.RunnerType,
        "WeightTyingType": enums.WeightTyingType,
        "nanogpt": _NANOGPT,
    },
    "modules": {
        "AbstractModuleBase": modules.AbstractModuleBase,
        "Embedding": modules.Embedding,
        "InferenceMode": enums.InferenceMode,
        "LinearLayer": modules.LinearLayer,
        "ModuleBase": modules.ModuleBase,
        "ModuleList": modules.ModuleList,
        "Parameter": modules.Parameter,
        "RunMode": enums.RunMode,
    },
    "ops": {
        "ReduceType": enums.ReduceType,
        "attention": {
            "scaled_dot_product_attention": attention.scaled_dot_product_attention,
            "scaled_dot_product_attention_composite": attention.scaled_dot_product_attention_composite,
        },
        "binary": {"add": binary.add, "div": binary.div, "mul": binary.mul, "sub": binary.sub},
        "dropout": {"dropout": dropout.dropout},
        "embedding": {"embedding": embedding.embedding},
        "layernorm": {
            "composite_layernorm": layernorm.composite_layernorm,
            "layernorm": layernorm.layernorm,
        },
        "linear": {"linear": linear.linear},
        "loss": {"cross_entropy_loss": loss.cross_entropy_loss, "mse_loss": loss.mse_loss},
        "multi_head_utils": {
            "heads_creation": multi_head_utils.heads_creation,
            "heads_fusion": multi_head_utils.heads_fusion,
        },
        "reshape": {"reshape": reshape.reshape},
        "sample": {"sample_op": sample.sample_op},
        "unary": {"gelu": unary.gelu, "mean": unary.mean, "relu": unary.relu, "silu": unary.silu},
    },
    "optimizers": {name: getattr(optimizers, name) for name in optimizers.__all__},
}

TTNN: Tree = {
    "DataType": enums.DataType,
    "Layout": enums.Layout,
    "MeshDevice": device.MeshDevice,
    "ROW_MAJOR_LAYOUT": enums.Layout.ROW_MAJOR,
    "TILE_LAYOUT": enums.Layout.TILE,
    "Tensor": values.Value,
    "bfloat16": enums.DataType.BFLOAT16,
    "device": {"is_blackhole": ttnn_ops.is_blackhole, "is_wormhole_b0": ttnn_ops.is_wormhole_b0},
    "float32": enums.DataType.FLOAT32,
    "int32": enums.DataType.INT32,
    "uint32": enums.DataType.UINT32,
} | {
    name: getattr(ttnn_ops, name)
    for name in (
        "add",
        "argmax",
        "clone",
        "concat",
        "deallocate",
        "from_buffer",
        "full",
        "full_like",
        "get_arch_name",
        "get_num_devices",
        "lt",
        "multiply",
        "reshape",
        "slice",
        "subtract",
        "topk",
        "typecast",
        "where",
    )
}


def build(name: str, tree: Tree) -> dict[str, ModuleType]:
    """Return the module `name` and those below it, by full name; nothing is imported or registered."""
    module = ModuleType(name, f"`{name.replace('_ttml', 'ttml')}`, emulated on PyTorch.")
    # Python takes a module with a path for a package, and a spec is what `importlib.util.find_spec` returns.
    module.__path__ = []
    module.__spec__ = ModuleSpec(name, loader=None, is_package=True)
    built = {name: module}
    for key, value in tree.items():
        if isinstance(value, dict):
            below = build(f"{name}.{key}", value)
            built |= below
            value = below[f"{name}.{key}"]
        setattr(module, key, value)
    return built
