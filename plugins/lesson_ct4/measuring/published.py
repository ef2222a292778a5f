"""Published measurements on a board, for comparison."""

from __future__ import annotations

BOARD_NAME = "published: p300c, ttml v0.73, batch 64"
BOARD_CURVE = (
    (1, 4.656),
    (50, 3.05),
    (500, 2.297),
    (1000, 1.867),
    (1500, 1.609),
    (2000, 1.516),
    (2500, 1.445),
    (3000, 1.406),
)
"""Training loss in nats at a step: tiny Shakespeare, 6 layers, 384 wide, block 256, batch 64, learning rate
3e-4, dropout 0.2, on one p300c with tt-metal v0.73. From the lesson ct4-finetuning-basics of
tenstorrent/tt-vscode-toolkit, as of August 2026; step 50 is from its lesson ct5, which starts with the same
training. Values are of single steps, not means."""
