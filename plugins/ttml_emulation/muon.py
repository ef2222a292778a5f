"""`ttml.common.muon_optimizer`: recent scripts register this optimizer even if they use another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from .missing import NotEmulatedCallError, message
from .modules import NamedParameters
from .optimizers import register_optimizer


def register() -> None:
    """Register `MuonWithAdamW`; using it raises NotEmulatedCallError."""
    register_optimizer("MuonWithAdamW", _refuse)


def _refuse(config: Mapping[str, Any], params: NamedParameters) -> NoReturn:  # noqa: ARG001
    raise NotEmulatedCallError(message("ttml.optimizers.Muon"))
