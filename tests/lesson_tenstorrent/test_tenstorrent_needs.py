"""Which blocks need a board, as plans say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint, lesson_text, plan_lesson
from lesson_tenstorrent import plugin

NEED = [
    "tt-smi",
    "sudo tt-smi -r 0",
    "watch -n 1 tt-smi",
    "echo x && tt-smi -s | head",
    "$ tt-smi -ls",
    "ls /dev/tenstorrent",
    "docker run --device /dev/tenstorrent:/dev/tenstorrent image",
    "cd ~/tt-metal\n./build_Release/programming_examples/hello",
    "pytest -svv models/demos/wormhole/x.py",
    "cd $HOME/tt-metal && python3 train.py",
    "tt-metal\npython3 app.py",
    "python3 ~/tt-metal/ttnn/tutorials/add.py",
    "python3 run.py --tt-device p150",
    "MESH_DEVICE=N300 vllm serve x",
    "python - <<'END'\nimport ttnn\nttnn.open_device(device_id=0)\nEND",
]
NO_NEED = [
    "tt-smi --version",
    "# tt-smi",
    "ls  # tt-smi",
    "pip install tt-smi",
    "echo tt-smi",
    "cd ~/tt-metal && git pull",
    "pytest tests/",
    "pytest models/",
    "python3 app.py",
    "export MESH_DEVICE=N300",
    "python -c 'import ttnn'",
]
PYTHON = [
    ("import ttnn\nd = ttnn.open_mesh_device(shape)", True),
    ("import ttnn\nd = ttnn.CreateDevice(0)", True),
    ("n = ttnn.GetNumAvailableDevices()", True),
    ("ttml.autograd.AutoContext.get_instance().open_device()", True),
    ("import ttnn\nprint(ttnn.__version__)", False),
    ("dev = serial.open_device('x')", False),
]


@pytest.mark.parametrize(
    ("language", "code", "needed"),
    [
        *(("bash", code, True) for code in NEED),
        *(("bash", code, False) for code in NO_NEED),
        *(("python", code, needed) for code, needed in PYTHON),
    ],
)
def test_which_blocks_need_a_board(tmp_path: Path, language: str, code: str, needed: bool) -> None:
    step = "<!-- step\nid: one\nexpect: [{contains: x}]\n-->\n```bash\necho x\n```\n\n"
    text = lesson_text(f"{step}```{language}\n{code}\n```")
    plugins = Plugins(points=[ModuleEntryPoint(plugin, "tenstorrent")])
    plan = plan_lesson(text, tmp_path, plugins=plugins)
    block = plan.blocks[1]
    found = {need.kind for need in plugins.block_needs(block.block, plan.lesson)}
    assert found == ({"board"} if needed else set())
