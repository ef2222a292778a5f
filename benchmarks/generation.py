"""
Generating text with the lesson's model on the emulated ``ttml``, compared with nanoGPT and transformers.

nanoGPT computes the whole window again for every token; transformers keeps keys and values, and cannot go
beyond the block. The model is not trained first: the text does not change how long generating takes.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks import models
from benchmarks.turns import Result, Timing, Way, in_turns

if TYPE_CHECKING:
    from benchmarks.peers.nanogpt import Shape

OURS = "emulated ttml"
PROMPT = "ROMEO:\nBut"


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this case."""
    models.size_options(parser)
    parser.add_argument("--tokens", type=int, default=200, help="new tokens after a short prompt; 200")
    parser.add_argument("--beyond", type=int, default=20, help="new tokens after a full block; 20")


def run(options: argparse.Namespace) -> Iterator[Result]:
    """Measure."""
    from ttml_emulation import tuning

    tuning.prepare()  # before PyTorch is imported; the peers benefit as well
    shape = models.shape_of(options)
    with models.emulated(shape, options.matmul) as (session, training):
        ways = models.wanted({**_peers(shape), OURS: lambda: _ours(session, training)}, options)

        def measure(prompt: str, count: int) -> list[Timing]:
            fits = len(prompt) + count <= shape.block
            calls = {name: _call(way, prompt, count) for name, way in ways.items() if fits or name != _CACHED}
            return in_turns(calls, options.turns, items=count)

        what = f"{options.tokens} new tokens after {len(PROMPT)}, a token"
        yield Result(what, measure(PROMPT, options.tokens), rate="tokens")
        yield Result(f"the first token after {len(PROMPT)}", measure(PROMPT, 1))
        full = (PROMPT * shape.block)[: shape.block]
        what = f"{options.beyond} new tokens beyond the block of {shape.block}, a token"
        yield Result(what, measure(full, options.beyond), rate="tokens")


_CACHED = "transformers' GPT-2"
Generate = Callable[[str, int], object]


def _call(generate: Generate, prompt: str, count: int) -> Way:
    """Return a call that changes the first letter of the prompt each time, so that no cache can help."""
    turns = itertools.count()

    def way() -> None:
        start = next(turns) % len(prompt)
        generate(prompt[start:] + prompt[:start], count)

    return way


def _ours(session: Any, training: Any) -> Generate:
    from lesson_ct4.generation.generate import generate, load_model

    model = load_model(training.checkpoint(), session)
    return lambda prompt, count: generate(model, prompt, session, max_new_tokens=count)


def _peers(shape: Shape) -> dict[str, Callable[[], Generate]]:
    import torch

    def ids(prompt: str) -> torch.Tensor:
        return torch.tensor([[models.ALPHABET.index(letter) for letter in prompt]])

    def nanogpt() -> Generate:
        from benchmarks.peers.nanogpt import GPT

        torch.manual_seed(1337)
        model = GPT(shape).eval()
        return lambda prompt, count: model.generate(ids(prompt), count)

    def cached() -> Generate:
        from benchmarks.peers import gpt2

        model = gpt2.build(shape).eval()
        return lambda prompt, count: gpt2.generate(model, ids(prompt), count)

    makers: dict[str, Callable[[], Generate]] = {"nanoGPT": nanogpt}
    if models.installed("transformers"):
        makers[_CACHED] = cached
    return makers
