"""`ttml.common.schedulers`: learning rate schedules."""

from __future__ import annotations

from .config import SchedulerConfig
from .optimizers import OptimizerBase

__all__ = ["OptimParamSetter", "SpeedrunScheduler"]


class SpeedrunScheduler:
    """Linear warmup from 0, an optional hold, and a linear decay to the minimum rate."""

    def __init__(self, cfg: SchedulerConfig) -> None:
        self.cfg = cfg

    def lr_at(self, step: int) -> float:
        """Return the learning rate of a step; step 0 has the rate 0."""
        cfg = self.cfg
        warmup, last = max(0, cfg.warmup_steps), max(1, cfg.total_steps)
        held = warmup + max(0, cfg.hold_steps)
        if step <= warmup:
            return cfg.max_lr * step / max(1, warmup)
        if step <= held:
            return cfg.max_lr
        gone = (min(step, last) - held) / max(1, last - held)
        return cfg.max_lr + (cfg.min_lr - cfg.max_lr) * gone

    def beta1_at(self, step: int) -> float | None:
        """Return beta1 at a step; None if the configuration has no warmup for it."""
        cfg = self.cfg
        if cfg.beta1_warmup_steps <= 0:
            return None
        gone = min(step, cfg.beta1_warmup_steps) / cfg.beta1_warmup_steps
        return (1 - gone) * cfg.beta1_start + gone * cfg.beta1_end


class OptimParamSetter:
    """Sets an optimizer's learning rate."""

    def __init__(self, optim: OptimizerBase) -> None:
        self.optim = optim

    def set_lr(self, lr: float) -> None:
        """Set the learning rate."""
        self.optim.set_lr(float(lr))
