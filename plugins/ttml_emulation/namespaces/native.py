"""`_ttml`, the part of `ttml` that is C++ on a board; the Python package `ttml` builds on it."""

from __future__ import annotations

from typing import Any

from .. import (
    context,
    core,
    distributed,
    enums,
    memory,
    modules,
    optimizers,
    parallelism,
    placement,
    recompute,
    tensor,
)
from ..missing import absent_class
from ..ops import (
    attention,
    binary,
    dropout,
    embedding,
    layernorm,
    linear,
    loss,
    multi_head_utils,
    random,
    reshape,
    sample,
    unary,
)
from .build import Tree, public


def _absent() -> dict[str, Any]:
    """Return an empty module, which only exists so that it can be imported."""
    return {}


NATIVE: Tree = {
    "NamedParameters": modules.NamedParameters,
    "autograd": {
        **public(context, "AutoContext"),
        **public(enums, "GradMode", "PreferredPrecision"),
        **public(parallelism, "DistributedConfig", "ParallelismContext"),
        **public(parallelism, "DistributedConfig", "ParallelismContext"),
        **public(tensor, "AutocastTensor", "Tensor", "create_tensor"),
    },
    "core": {
        **public(core, "clip_grad_norm", "empty_like", "ones_like", "zeros_like"),
        "TTProfiler": context.Profiler,
        "distributed": {
            **public(placement, "MeshToTensor", "TensorToMesh"),
            **public(
                distributed,
                "all_reduce",
                "concat_mesh_to_tensor_composer",
                "create_mesh_composer",
                "create_mesh_composer_config",
                "disable_fabric",
                "enable_fabric",
                "replicate_tensor_to_mesh_mapper",
                "shard_tensor_to_mesh_mapper",
                "synchronize_gradients",
            ),
        },
        "utils": {
            **public(memory, "DRAMUsage"),
            "MemoryUsageTracker": public(memory, *memory.TRACKER),
        },
    },
    "models": {
        **public(enums, "RunnerType", "WeightTyingType"),
        **public(modules, "BaseTransformer"),
        **public(recompute, "memory_efficient_runner"),
        # Upstream's package always imports these.
        **{name: absent_class("_ttml.models", name) for name in ("KvCache", "KvCacheConfig")},
        "distributed": _absent(),
        "gpt2": _absent(),
        "linear_regression": _absent(),
        "llama": _absent(),
        "mlp": _absent(),
    },
    "modules": {
        **public(enums, "InferenceMode", "RunMode"),
        **public(modules, "LinearLayer", "ModuleBase"),
    },
    "ops": {
        **public(enums, "ReduceType"),
        **public(random, "rand_", "randn"),
        "attention": public(
            attention, "scaled_dot_product_attention", "scaled_dot_product_attention_composite"
        ),
        "binary": public(binary, "add", "div", "mul", "sub"),
        "distributed": _absent(),
        "dropout": public(dropout, "dropout"),
        "embedding": public(embedding, "embedding"),
        "layernorm": public(layernorm, "composite_layernorm", "layernorm"),
        "linear": public(linear, "linear"),
        "loss": public(loss, "cross_entropy_loss", "mse_loss"),
        "matmul": _absent(),
        "moe": _absent(),
        "multi_head_utils": public(multi_head_utils, "heads_creation", "heads_fusion"),
        "reshape": public(reshape, "reshape"),
        "rmsnorm": _absent(),
        "rope": _absent(),
        "sample": public(sample, "sample_op"),
        "unary": public(unary, "gelu", "mean", "relu", "silu"),
    },
    "optimizers": public(optimizers, *optimizers.__all__),
}
