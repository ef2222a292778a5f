"""The autograd tape: recorded operations, and the backward pass over them.

The tape is a list of nodes in the order in which they were recorded. The inputs of an operation are always
recorded before it. Walking from the newest node to the oldest therefore visits each node after all nodes that
use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Node:
    """One recorded operation: a function that computes its inputs' gradients, and the inputs' nodes."""

    __slots__ = ("backward", "links", "number", "spent")

    def __init__(self, number: int, backward: Callable[[], None], links: list[Node]) -> None:
        self.number = number
        self.backward: Callable[[], None] | None = backward
        self.links = links
        self.spent = ""  # why `backward` is gone

    def release(self, reason: str) -> None:
        """Drop everything that the node keeps alive, and remember the reason."""
        self.backward = None
        self.links = []
        self.spent = reason


class Tape:
    """The operations recorded so far."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._count = 0

    def record(self, backward: Callable[[], None], links: Sequence[Node | None]) -> Node:
        """Append a node; `links` are the nodes of the inputs (None for a leaf)."""
        node = Node(self._count, backward, [link for link in links if link is not None])
        self._count += 1
        self._nodes.append(node)
        return node

    def reset(self) -> None:
        """Drop every recorded operation and everything it keeps alive."""
        for node in self._nodes:
            node.release("the graph was reset")
        self._nodes.clear()


def run_backward(roots: Sequence[Node], retain_graph: bool) -> None:
    """Run the nodes that `roots`, one on each chip, depend on, newest first.

    Raises RuntimeError if a node has already run without `retain_graph`, or was dropped by `Tape.reset`.
    """
    reached = {root.number: root for root in roots}
    pending = list(roots)
    while pending:
        for link in pending.pop().links:
            if link.number not in reached:
                reached[link.number] = link
                pending.append(link)
    for number in sorted(reached, reverse=True):
        node = reached.pop(number)
        if node.backward is None:
            raise RuntimeError(f"backward cannot run: {node.spent}")
        node.backward()
        if not retain_graph:
            node.release("backward was already called without retain_graph")
