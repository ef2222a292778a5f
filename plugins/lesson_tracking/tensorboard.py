"""
TensorBoard's event files, through tensorboardX.

tensorboardX only writes, and needs no more than numpy and protobuf; the ``tensorboard`` package brings a web
server and gRPC, which only the machine that shows the files has to have.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from textwrap import indent

from lesson_tracking.sinks import Value

FLUSH_SECONDS = 10
"""How far the files may lag behind, for those who watch a run."""


class TensorBoardSink:
    """
    One event file.

    Raises:
        ImportError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path) -> None:
        library = import_module("tensorboardX")
        # It would print a line for every loss that is not a number.
        logging.getLogger("tensorboardX").setLevel(logging.ERROR)
        self._writer = library.SummaryWriter(str(folder), flush_secs=FLUSH_SECONDS)

    def numbers(self, step: str, at: int, values: Mapping[str, float]) -> None:
        """Write each as a scalar of its own."""
        for name, value in values.items():
            self._writer.add_scalar(f"{step}/{name}", value, at)

    def text(self, name: str, text: str) -> None:
        """Write a text that is shown as it is: TensorBoard takes texts for Markdown."""
        self._writer.add_text(name, indent(text, "    ", lambda _: True), 0)

    def close(self, status: str, labels: tuple[str, ...], settings: Mapping[str, Value]) -> None:
        """Write the settings for the HPARAMS page, and the labels for that of the texts too."""
        self.text("run/status", status)
        self.text("run/labels", ", ".join(labels) or "none")
        # Not with `add_hparams`, which would make a second run of it, in a folder below this one.
        hparams = import_module("tensorboardX.summary").hparams
        values = {**settings, "labels": ", ".join(labels), "status": status}
        for summary in hparams(values, {}):
            self._writer.file_writer.add_summary(summary)
        self._writer.close()
