"""The names that `ttml` and `ttnn` have on a board for training NanoGPT and generating, to measure coverage.

Each line is a module or class and its names, taken from tt-metal's public sources from January to July 2026.
No version has all of them. `ttml` includes `_ttml`.
"""

from __future__ import annotations

_TTML = """
ttml: NamedParameters Mesh open_device_mesh close_device_mesh mesh maybe_mesh sync_gradients
ttml.autograd: AutoContext Tensor AutocastTensor Graph GraphNode NodeId ParallelismContext DistributedConfig
ttml.autograd: GradMode PreferredPrecision create_tensor callback Function
ttml.autograd.AutoContext: get_instance set_seed get_seed get_generator_state set_generator_state open_device
ttml.autograd.AutoContext: close_device get_device reset_graph set_gradient_mode get_gradient_mode
ttml.autograd.AutoContext: add_backward_node get_profiler close_profiler initialize_parallelism_context
ttml.autograd.AutoContext: get_parallelism_context is_parallelism_context_initialized
ttml.autograd.AutoContext: initialize_distributed_context get_distributed_context
ttml.autograd.AutoContext: initialize_socket_manager get_socket_manager get_ccl_resources
ttml.autograd.Tensor: from_numpy to_numpy to_string shape dtype get_value set_value assign backward get_grad
ttml.autograd.Tensor: get_grad_rw get_grad_tensor set_grad set_grad_from_tensor add_grad is_grad_initialized
ttml.autograd.Tensor: get_requires_grad set_requires_grad get_node set_node clean_node get_shape get_rank
ttml.autograd.Tensor: tensor
ttml.modules: ModuleBase AbstractModuleBase RunMode InferenceMode LinearLayer Embedding Parameter Buffer
ttml.modules: ModuleList ModuleDict
ttml.modules.ModuleBase: get_name create_name parameters train eval set_run_mode get_run_mode register_tensor
ttml.modules.ModuleBase: register_module override_tensor override_module
ttml.modules.LinearLayer: get_weight get_weight_numpy
ttml.models: RunnerType WeightTyingType BaseTransformer memory_efficient_runner KvCache KvCacheConfig
ttml.models: gpt2 mlp distributed llama linear_regression
ttml.models.nanogpt: NanoGPT NanoGPTConfig NanoGPTExperimentalConfig create_nanogpt initialize_weights_gpt2
ttml.models.llama: Llama LlamaConfig LlamaRopeScalingConfig
ttml.models.deepseek: DeepSeek DeepSeekConfig calculate_flops_per_token
ttml.ops: ReduceType randn rand_
ttml.ops.binary: add mul sub div
ttml.ops.dropout: dropout
ttml.ops.embedding: embedding
ttml.ops.layernorm: layernorm composite_layernorm
ttml.ops.linear: linear
ttml.ops.loss: cross_entropy_loss mse_loss nll_loss
ttml.ops.multi_head_utils: heads_creation heads_fusion
ttml.ops.attention: scaled_dot_product_attention scaled_dot_product_attention_composite
ttml.ops.reshape: reshape
ttml.ops.sample: sample_op
ttml.ops.unary: gelu relu silu mean
ttml.ops: rmsnorm rope matmul moe distributed
ttml.optimizers: OptimizerBase SGD SGDConfig AdamW AdamWConfig MorehAdamW AdamWFullPrecision
ttml.optimizers: AdamWFullPrecisionConfig Muon MuonConfig NoOp RemoteOptimizer create_optimizer
ttml.optimizers: register_optimizer
ttml.optimizers.OptimizerBase: zero_grad step set_lr get_lr get_steps set_steps get_state_dict set_state_dict
ttml.optimizers.OptimizerBase: get_name print_stats
ttml.core: clip_grad_norm empty_like zeros_like ones_like TTProfiler
ttml.core.distributed: enable_fabric shard_tensor_to_mesh_mapper concat_mesh_to_tensor_composer
ttml.core.distributed: create_mesh_composer create_mesh_composer_config synchronize_gradients
ttml.core.distributed: SocketManager SocketType DistributedContext
ttml.core.utils: DRAMUsage
ttml.core.utils.MemoryUsageTracker: begin_capture end_capture snapshot get_dram_usage get_dram_usage_all
ttml.core.utils.MemoryUsageTracker: get_l1_usage get_l1_usage_all get_trace_names print_memory_usage clear
ttml.init: uniform normal constant zeros ones xavier_uniform xavier_normal kaiming_uniform kaiming_normal
ttml.init: uniform_ normal_ constant_ zeros_ ones_ xavier_uniform_ xavier_normal_ kaiming_uniform_
ttml.init: kaiming_normal_
ttml.init: calculate_gain
ttml.common.config: TrainingConfig DeviceConfig TransformerConfig SchedulerConfig load_config yaml_deep_update
ttml.common.config: get_training_config get_device_config get_model_config get_multihost_config
ttml.common.config: MultiHostConfig
ttml.common.data: CharTokenizer build_causal_mask get_batch prepare_data load_shakespeare_text
ttml.common.muon_optimizer: register MuonWithAdamW
ttml.common.profiler_utils: profiler_marker profiler_marker_start profiler_marker_end
ttml.common.schedulers: SpeedrunScheduler OptimParamSetter LinearScheduler CosineAnnealingScheduler
ttml.common.schedulers: SequentialScheduler
ttml.common.trainer: train
ttml.common.utils: set_seed no_grad round_up_to_tile build_logits_mask initialize_device create_optimizer
ttml.common.utils: get_loss_over_devices get_tt_metal_home get_tt_metal_runtime_root summary PerformanceMeter
ttml: lazy sharding fsdp datasets trainers checkpointing manual_seed
"""

_TTNN = """
ttnn: Tensor MeshDevice MeshShape Layout DataType ROW_MAJOR_LAYOUT TILE_LAYOUT bfloat16 float32 uint32 int32
ttnn: from_buffer empty zeros ones full full_like fill clone deallocate typecast reshape slice concat argmax
ttnn: topk lt where add subtract multiply
ttnn: get_arch_name get_num_devices get_device_tensors PlacementShard cluster
ttnn.graph: RunMode
ttnn.device: is_blackhole is_wormhole_b0 Arch
ttnn.Tensor: item get_layout shape dtype layout
ttnn.MeshDevice: compute_with_storage_grid_size arch shape get_num_devices
ttnn.DataType: BFLOAT16 FLOAT32 UINT32 INT32 BFLOAT8_B BFLOAT4_B
"""


def names() -> dict[str, list[str]]:
    """Return the names of each module and class, in the order of the list."""
    found: dict[str, list[str]] = {}
    for line in (_TTML + _TTNN).strip().splitlines():
        if line:
            holder, _, held = line.partition(":")
            found.setdefault(holder, []).extend(held.split())
    return found
