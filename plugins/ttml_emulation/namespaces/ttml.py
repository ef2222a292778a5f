"""`ttml`: the names of `_ttml`, plus those that are Python on a board."""

from __future__ import annotations

from .. import (
    config,
    data,
    enums,
    initializers,
    layers,
    mesh,
    muon,
    nanogpt,
    profiling,
    schedulers,
    utils,
)
from ..missing import absent_class
from .build import Tree, merged, public
from .native import NATIVE

PYTHON: Tree = {
    **public(mesh, "Mesh", "close_device_mesh", "maybe_mesh", "mesh", "open_device_mesh", "sync_gradients"),
    **public(mesh, "Mesh", "close_device_mesh", "maybe_mesh", "mesh", "open_device_mesh", "sync_gradients"),
    "common": {
        "config": public(config, *config.__all__),
        "data": public(data, *data.__all__),
        "muon_optimizer": public(muon, "register"),
        "profiler_utils": public(profiling, *profiling.__all__),
        "schedulers": public(schedulers, *schedulers.__all__),
        "utils": public(utils, *utils.__all__),
    },
    "init": {
        "calculate_gain": initializers.calculate_gain,
        **{
            name + place: getattr(initializers, name + place)
            for name in (
                "constant",
                "kaiming_normal",
                "kaiming_uniform",
                "normal",
                "ones",
                "uniform",
                "xavier_normal",
                "xavier_uniform",
                "zeros",
            )
            for place in ("", "_")
        },
    },
    "models": {
        # Scripts import the classes of all models, including those they do not use.
        "deepseek": {
            name: absent_class("ttml.models.deepseek", name)
            for name in ("DeepSeek", "DeepSeekConfig", "calculate_flops_per_token")
        },
        "llama": {
            name: absent_class("ttml.models.llama", name)
            for name in ("Llama", "LlamaConfig", "LlamaRopeScalingConfig")
        },
        "nanogpt": {
            **public(layers, "Embedding"),
            **public(
                nanogpt,
                "GPTBlock",
                "GPTMLP",
                "MultiHeadAttention",
                "NanoGPT",
                "NanoGPTConfig",
                "NanoGPTExperimentalConfig",
                "TrainablePositionalEmbedding",
                "create_nanogpt",
                "initialize_weights_gpt2",
            ),
        },
    },
    "modules": {
        **public(
            layers,
            "AbstractModuleBase",
            "Buffer",
            "Embedding",
            "LinearLayer",
            "ModuleDict",
            "ModuleList",
            "Parameter",
        ),
        **public(enums, "InferenceMode", "RunMode"),
    },
}

TTML: Tree = merged(NATIVE, PYTHON)
