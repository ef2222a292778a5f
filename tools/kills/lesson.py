"""The lesson whose runs are killed: a text, the shell with a process in the background, trainings, texts."""

from __future__ import annotations

import random

from lesson_runner.testing import lesson_text

STAGES = {"short": 120, "long": 300}
"""Steps of each stage; the stages share what does not depend on their length."""

WORDS = ("The", "east", "is", "Juliet", "and", "the", "sun", "arises", "to", "kill", "an", "envious", "moon")

_TEXT = """
<!-- step
id: text
uses: ct4.fetch-dataset
with: {name: text.txt, sha256: any, fallback: never}
expect: [metric: {name: bytes, min: 1}]
-->
```text
the text
```

<!-- step
id: shell
uses: shell
expect: [file: {path: notes.txt}]
-->
```bash
export NAME=Juliet
sleep 600 &
alias show='cat notes.txt'
count() { wc -l; }
for number in 1 2 3 4 5; do echo "$NAME $number"; sleep 0.05; done > notes.txt
```
"""
_STAGE = """
<!-- step
id: {id}
expect: [metric: {{name: steps, min: {steps}}}]
-->
```bash
lesson ct4 train --data_path data/text.txt --model_save_path {id} --max_steps {steps} --recipe tuned \
--warmup_steps 10 --n_layer 2 --n_embd 64 --n_head 2 --sequence_length 32 --batch_size 4 --dropout 0.1
```

<!-- step
id: {id}-text
expect: [metric: {{name: characters, min: 1}}]
-->
```bash
lesson ct4 generate --model_path {id} --max_new_tokens 60 --samples 2 --prompt "The "
```
"""
_END = """
<!-- step
id: end
uses: shell
expect: [contains: Juliet]
-->
```bash
echo "$NAME"
show | count
```
"""
LESSON = lesson_text(
    _TEXT + "".join(_STAGE.format(id=name, steps=steps) for name, steps in STAGES.items()) + _END,
    runner={"profiles": {"unchanged": {"summary": "no other numbers"}}},
)


def play() -> str:
    """Return a text to train on; it is the same every time."""
    draw = random.Random(1)
    return "".join(" ".join(draw.choices(WORDS, k=7)) + ".\n" for _ in range(400))
