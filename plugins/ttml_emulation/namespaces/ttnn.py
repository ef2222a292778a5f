"""`ttnn`: tensor types, and the operations that scripts for training and generation call."""

from __future__ import annotations

from .. import device, enums, ttnn_ops, values
from .build import Tree, public

TTNN: Tree = {
    **public(enums, "DataType", "Layout"),
    **public(device, "MeshDevice", "MeshShape"),
    "GetNumAvailableDevices": ttnn_ops.get_num_devices,
    "ROW_MAJOR_LAYOUT": enums.Layout.ROW_MAJOR,
    "TILE_LAYOUT": enums.Layout.TILE,
    "Tensor": values.Value,
    "bfloat16": enums.DataType.BFLOAT16,
    "device": public(ttnn_ops, "is_blackhole", "is_wormhole_b0"),
    "float32": enums.DataType.FLOAT32,
    "graph": {"RunMode": enums.GraphRunMode},
    "int32": enums.DataType.INT32,
    "uint32": enums.DataType.UINT32,
    **public(
        ttnn_ops,
        "add",
        "argmax",
        "clone",
        "concat",
        "deallocate",
        "empty",
        "fill",
        "from_buffer",
        "full",
        "full_like",
        "get_arch_name",
        "get_device_tensors",
        "get_device_tensors",
        "get_num_devices",
        "lt",
        "multiply",
        "ones",
        "reshape",
        "slice",
        "subtract",
        "topk",
        "typecast",
        "where",
        "zeros",
    ),
}
