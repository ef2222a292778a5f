"""Scripts for a board, in the style of each era; they do not know the emulation."""

FIRST_ERA = '''\
"""Builds its model of the native classes, trains it, saves it, and generates from what it saved."""
import pickle
import sys

import ml_dtypes
import numpy as np
import ttnn
import ttml
import _ttml
from ttml.common.config import TrainingConfig as BaseConfig, load_config
from ttml.common.data import CharTokenizer, build_causal_mask
from ttml.common.utils import create_optimizer, get_tt_metal_home, round_up_to_tile

Tensor = ttml.autograd.Tensor
TRACKER = ttml.core.utils.MemoryUsageTracker


class TrainingConfig(BaseConfig):
    pass


class Bigrams(_ttml.modules.ModuleBase):
    """Native modules register nothing by themselves."""

    def __init__(self, vocab, width):
        super().__init__()
        self.create_name("Bigrams")
        table = np.random.normal(0, 0.02, (1, 1, vocab, width)).astype(ml_dtypes.bfloat16)
        self.table = Tensor.from_numpy(table, layout=ttnn.Layout.TILE)
        self.head = _ttml.modules.LinearLayer(width, vocab, False)
        self.register_tensor(self.table, "table")
        self.register_module(self.head, "head")
        try:
            self.register_module(self.head, "head")
        except RuntimeError:
            self.override_module(self.head, "head")

    def __call__(self, ids):
        hidden = ttml.ops.unary.silu(ttml.ops.embedding.embedding(ids, self.table))
        return self.head(hidden)


ctx = ttml.autograd.AutoContext.get_instance()
config = TrainingConfig(load_config("tiny.yaml", f"{get_tt_metal_home()}/tt-train/configs/training_configs"))
ctx.open_device()
ctx.set_seed(config.seed)
np.random.seed(config.seed)
text = open(sys.argv[1]).read()
tokenizer = CharTokenizer(text)
vocab = round_up_to_tile(tokenizer.vocab_size, 32)
guard = TRACKER.begin_capture()
model = Bigrams(vocab, 64)
TRACKER.snapshot("MODEL_CREATION")
print("bytes", 2 * sum(int(np.prod(p.shape())) for p in model.parameters().values()),
      TRACKER.get_dram_usage("MODEL_CREATION").total_allocations
      - TRACKER.get_dram_usage("MODEL_CREATION").total_deallocations)
settings = {"learning_rate": config.lr, "use_moreh_adamw": True}
optimizer = create_optimizer(model, {"training_config": settings})
TRACKER.end_capture("OPTIMIZER_CREATION")
TRACKER.print_memory_usage()
TRACKER.clear()
guard.release()
ids = np.array(tokenizer.encode(text), dtype=np.uint32)
for step in range(config.steps):
    starts = np.random.randint(0, len(ids) - 33, config.batch_size)
    x, y = (np.stack([ids[s + d : s + d + 32] for s in starts]) for d in (0, 1))
    optimizer.zero_grad()
    logits = model(Tensor.from_numpy(x.reshape(-1, 1, 1, 32), layout=ttnn.Layout.ROW_MAJOR))
    target = Tensor.from_numpy(y, layout=ttnn.Layout.ROW_MAJOR, new_type=ttnn.DataType.UINT32)
    loss = ttml.ops.loss.cross_entropy_loss(logits, target, reduce=ttml.ops.ReduceType.MEAN)
    loss = ttml.ops.binary.mul(loss, 1.0)
    value = float(loss.get_value().item())
    loss.backward(False)
    ctx.reset_graph()
    ttml.core.clip_grad_norm(model.parameters(), 1.0, 2.0, False)
    optimizer.step()
    print(f"Step: {step + 1}, Loss: {value:.6f}")
state = {name: value.to_numpy(ttnn.DataType.FLOAT32) for name, value in model.parameters().items()}
print(sorted(state), optimizer.get_name())
with open("saved.pkl", "wb") as file:
    pickle.dump({"state": state, "tokenizer": tokenizer, "config": config, "head": model.head}, file)

with open("saved.pkl", "rb") as file:
    saved = pickle.load(file)
again = Bigrams(vocab, 64)
for name, array in saved["state"].items():
    restored = Tensor.from_numpy(array.astype(ml_dtypes.bfloat16), new_type=ttnn.DataType.BFLOAT16)
    again.parameters()[name].assign(restored)
assert (saved["head"].get_weight_numpy() == model.head.get_weight_numpy()).all()
again.eval()
current = ttnn.from_buffer(
    buffer=[saved["tokenizer"].stoi["t"]] * 32, shape=[1, 1, 1, 32], dtype=ttnn.uint32,
    device=ctx.get_device(), layout=ttnn.ROW_MAJOR_LAYOUT,
)
said = []
for _ in range(6):
    logits = again(Tensor(current, False))
    last = ttnn.slice(logits.get_value(), [0, 0, 31, 0], [1, 1, 32, vocab])
    chosen = int(ttnn.argmax(last, dim=3, keepdim=True).item())
    said.append(min(chosen, tokenizer.vocab_size - 1))
    new = ttnn.from_buffer(buffer=[chosen], shape=[1, 1, 1, 1], dtype=ttnn.uint32,
                           device=ctx.get_device(), layout=ttnn.ROW_MAJOR_LAYOUT)
    current = ttnn.concat([ttnn.slice(current, [0, 0, 0, 1], [1, 1, 1, 32]), new], dim=3)
    ttnn.deallocate(new)
    ctx.reset_graph()
print("said", repr(saved["tokenizer"].decode(said)))
ctx.close_device()
'''

SECOND_ERA = '''\
"""Registers optimizers, initializes with ttml.init, marks the profile, and picks its optimizer by name."""
import sys
from dataclasses import dataclass, field
from typing import Union

import numpy as np
import ttnn
import ttml
import ttml.common.muon_optimizer

ttml.common.muon_optimizer.register()
from ttml.common.data import CharTokenizer
from ttml.common.profiler_utils import profiler_marker, profiler_marker_end, profiler_marker_start
from ttml.common.schedulers import OptimParamSetter, SpeedrunScheduler
from ttml.common.config import SchedulerConfig
from ttml.common.utils import create_optimizer, get_tt_metal_runtime_root, no_grad, summary
from ttml.models.deepseek import DeepSeek
from ttml.models.llama import Llama, LlamaConfig
from ttml.models.nanogpt import NanoGPT, NanoGPTConfig, NanoGPTExperimentalConfig, create_nanogpt
from ttml.modules import AbstractModuleBase, Embedding, LinearLayer, ModuleList, Parameter, RunMode
from ttnn.device import is_blackhole

Model = Union[NanoGPT, Llama, DeepSeek]


@dataclass
class ModelConfig:
    runner: ttml.models.RunnerType = ttml.models.RunnerType.from_string("memory_efficient")
    tying: ttml.models.WeightTyingType = ttml.models.WeightTyingType.Disabled
    experimental: NanoGPTExperimentalConfig = field(default_factory=NanoGPTExperimentalConfig)


class Block(AbstractModuleBase):
    def __init__(self, width):
        super().__init__()
        self.up = LinearLayer(width, width, True, weight_init=ttml.init.xavier_uniform(),
                              bias_init=ttml.init.zeros())
        self.scale = Parameter(ttml.init.ones()((1, 1, 1, width)))

    def forward(self, x):
        x = profiler_marker_start(x, "block")
        x = ttml.ops.binary.add(x, ttml.ops.unary.relu(self.up(x)) * self.scale.tensor)
        if self.get_run_mode() == RunMode.TRAIN:
            x = ttml.ops.dropout.dropout(x, 0.1)
        return profiler_marker_end(x, "block")


class Net(AbstractModuleBase):
    def __init__(self, vocab, width):
        super().__init__()
        self.emb = Embedding(vocab, width, weight_init=ttml.init.normal(0.0, 0.02))
        self.blocks = ModuleList([Block(width) for _ in range(2)])
        self.fc = LinearLayer(width, vocab, False, weight_init=ttml.init.normal(0.0, 0.02))

    def forward(self, ids, mask=None):
        x = self.emb(ids)
        for block in self.blocks:
            x = ttml.models.memory_efficient_runner(lambda x, mask: block(x), x, mask)
        return self.fc(x)


ctx = ttml.autograd.AutoContext.get_instance()
print("root", get_tt_metal_runtime_root(), is_blackhole(ctx.get_device()))
ctx.set_seed(42)
np.random.seed(42)
text = open(sys.argv[1]).read()
tokenizer = CharTokenizer(text)
tokens = np.array(tokenizer.encode(text), dtype=np.uint32)
config = ModelConfig()
gpt = create_nanogpt(NanoGPTConfig(vocab_size=32, block_size=32, n_embd=32, n_layer=1, n_head=1, dropout=0.1,
                                   bias=True, runner_type=config.runner, weight_tying=config.tying,
                                   experimental=config.experimental))
summary(gpt)
for model in (gpt, Net(32, 64)):
    optimizer = create_optimizer(model, {"training_config": {"optimizer": {
        "type": "AdamW", "lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01,
        "amsgrad": False, "stochastic_rounding": False}}})
    schedule = SpeedrunScheduler(SchedulerConfig({"scheduler_config": {"max_lr": 0.01, "warmup_steps": 2},
                                                  "training_config": {"total_steps": 8}}))
    setter = OptimParamSetter(optimizer)
    model.train()
    for step in range(8):
        setter.set_lr(schedule.lr_at(step + 1))
        picked = np.random.permutation(len(tokens) - 32)[:4]
        x, y = (np.stack([tokens[i + d : i + d + 32] for i in picked]) for d in (0, 1))
        profiler_marker(None, "dataloader_step_done")
        optimizer.zero_grad()
        logits = model(ttml.autograd.Tensor.from_numpy(x.reshape(4, 1, 1, 32), ttnn.Layout.ROW_MAJOR), None)
        loss = ttml.ops.loss.cross_entropy_loss(
            logits, ttml.autograd.Tensor.from_numpy(y, ttnn.Layout.ROW_MAJOR), ttml.ops.ReduceType.MEAN
        )
        loss.backward(False)
        ctx.reset_graph()
        optimizer.step()
        profiler_marker(None, f"iteration_{step}", dump_results=True)
        print(f"{type(model).__name__} Step: {step + 1}, Loss: {float(loss.get_value().item()):.6f}, "
              f"LR {optimizer.get_lr():.4f}")
    with no_grad():
        assert loss.get_value().shape[0] == 1
try:
    create_optimizer(gpt, {"training_config": {"optimizer": {"type": "MuonWithAdamW"}}})
except NotImplementedError as error:
    print(error)
try:
    LlamaConfig(hidden_size=32)
except NotImplementedError as error:
    print(error)
ctx.close_device()
'''

OVERLAY = {
    "__init__.py": '''\
"""A Python package laid over the native modules, as a board's is: what it has itself counts first."""
import sys
import types

import ttnn
import _ttml

sys.modules[__name__ + "._ttml"] = _ttml
from . import modules


def lay(source, target, seen):
    if source.__name__ in seen:
        return
    seen.add(source.__name__)
    for name in dir(source):
        value = getattr(source, name)
        if name.startswith("_") or hasattr(target, name) and not isinstance(value, types.ModuleType):
            continue
        if isinstance(value, types.ModuleType):
            full = f"{target.__name__}.{name}"
            below = sys.modules.setdefault(full, types.ModuleType(full))
            setattr(target, name, below)
            lay(value, below, seen)
        else:
            setattr(target, name, value)


lay(_ttml, sys.modules[__name__], set())
''',
    "modules.py": '''\
"""Registers attributes, in the way of the first era."""
from ._ttml.modules import ModuleBase, RunMode
from . import _ttml


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor


class Registering(ModuleBase):
    def __init__(self):
        super().__init__()
        object.__setattr__(self, "_registered", set())
        self.create_name(type(self).__name__)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        if "_registered" not in self.__dict__:
            return
        if isinstance(value, ModuleBase):
            kind, given = "module", value
        elif isinstance(value, Parameter):
            kind, given = "tensor", value.tensor
        else:
            return
        try:
            getattr(self, f"register_{kind}")(given, name)
        except RuntimeError:
            getattr(self, f"override_{kind}")(given, name)
        self._registered.add(name)

    def __call__(self, *args):
        return self.forward(*args)
''',
}

OVER_THE_NATIVE = """\
import numpy as np
import _ttml
import ttml
import ttnn
from ttml._ttml.autograd import GradMode
from ttml.modules import Parameter, Registering, RunMode

assert ttml.__file__ and not hasattr(ttml, "common") and ttml._ttml is _ttml
assert ttml.ops.binary.add is _ttml.ops.binary.add and GradMode is ttml.autograd.GradMode
assert not hasattr(_ttml, "common") and not hasattr(_ttml.modules, "Parameter")


class Net(Registering):
    def __init__(self):
        super().__init__()
        self.layer = ttml.modules.LinearLayer(32, 32)
        self.layer = ttml.modules.LinearLayer(32, 32, True)
        self.scale = Parameter(ttml.autograd.Tensor.from_numpy(np.ones((1, 1, 1, 32), dtype=np.float32),
                                                               new_type=ttnn.DataType.BFLOAT16))

    def forward(self, x):
        out = self.layer(x) * self.scale.tensor
        return ttml.ops.dropout.dropout(out, 0.5) if self.get_run_mode() == RunMode.TRAIN else out


net = Net()
optimizer = ttml.optimizers.SGD(net.parameters(), ttml.optimizers.SGDConfig.make(0.1, 0.0, 0.0, 0.0, False))
x = ttml.autograd.Tensor.from_numpy(np.ones((1, 1, 32, 32), dtype=np.float32))
net.eval()
before = net(x).to_numpy(ttnn.DataType.FLOAT32)
out = ttml.ops.unary.mean(net(x))
out.backward(False)
optimizer.step()
print(sorted(net.parameters()), (net(x).to_numpy(ttnn.DataType.FLOAT32) < before).mean())
"""
