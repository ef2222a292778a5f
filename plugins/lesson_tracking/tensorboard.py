"""
Write TensorBoard's event files with tensorboardX.

tensorboardX only writes, and needs only numpy and protobuf; the ``tensorboard`` package includes a web server
and gRPC, which only the machine that displays the files needs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from textwrap import indent

from lesson_tracking.sinks import Value

FLUSH_SECONDS = 10
"""Seconds that the files may lag behind a running training."""


class TensorBoardSink:
    """
    A sink that writes one event file.

    Raises:
        ImportError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path) -> None:
        library = import_module("tensorboardX")
        # It would print a line for every loss that is NaN.
        logging.getLogger("tensorboardX").setLevel(logging.ERROR)
        self._writer = library.SummaryWriter(str(folder), flush_secs=FLUSH_SECONDS)

    def numbers(self, step: str, at: int, values: Mapping[str, float]) -> None:
        """Write each number as a separate scalar."""
        for name, value in values.items():
            self._writer.add_scalar(f"{step}/{name}", value, at)

    def text(self, name: str, text: str) -> None:
        """Write a text, indented so that TensorBoard does not render it as Markdown."""
        self._writer.add_text(name, indent(text, "    ", lambda _: True), 0)

    def close(self, status: str, labels: tuple[str, ...], settings: Mapping[str, Value]) -> None:
        """Write the settings for the HPARAMS page, and status and labels for the text page too."""
        self.text("run/status", status)
        self.text("run/labels", ", ".join(labels) or "none")
        # Do not use `add_hparams`: it would create a second run in a folder below this one.
        hparams = import_module("tensorboardX.summary").hparams
        values = {**settings, "labels": ", ".join(labels), "status": status}
        for summary in hparams(values, {}):
            self._writer.file_writer.add_summary(summary)
        self._writer.close()
