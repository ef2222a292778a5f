"""The documents to mutate: this project's lessons and samples, and what runs and certificates leave."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from tools.fuzz import folders

from lesson_runner.cli import invoke
from lesson_runner.testing import lesson_text

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples"
LESSON = lesson_text(
    """
    # Growing

    <!-- step
    id: grow
    capture: {beans: "beans: (\\\\d+)"}
    expect:
      - metric: {name: beans, min: 3}
      - contains: beans
      - file: {path: beans.txt, min_bytes: 1}
    claims: [{metric: {name: beans, min: 1, max: 9}, source: a book}]
    -->
    ```bash
    echo beans: 5 | tee beans.txt
    ```

    <!-- step
    id: tell
    needs: [grow]
    expect: [{regex: "beans"}, {json: {type: object}}, {lines: ["{...}"]}]
    -->
    ```bash
    echo '{"beans": 5}'
    ```
    """,
    id="growing",
)
POLICY = """# For a lesson without a board.
policy_version: 1
name: fuzzed
summary: one pass
classes: [host, emulated]
passes: 1
profiles: [default]
parameters: [dataset]
judgements: 1
valid_days: 100
versions: [{fact: metal.version, at_least: minTTMetalVersion, otherwise: skip}]
"""
SETTINGS = """select = ["*"]
ignore = ["unpinned-download"]
exclude = ["draft-*"]

[severity]
no-steps = "error"

[per-file-ignores]
"a.md" = ["dead-link"]
"""
_DIRECTIVE = re.compile(
    r"^<!-- (?:step|run|expect|skip|manual|ignore)\b.*?-->\n(?:```.*?^```\n)?", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class World:
    """A folder with a workspace: a lesson, a run of it, a run of another kind, a key and a certificate."""

    folder: Path
    certificate: Path
    """The folder of the certificate."""

    @property
    def run(self) -> Path:
        """The folder of the run whose record and evidence are mutated."""
        return self.folder / ".lesson" / "runs" / "00-mutated"

    @property
    def outside(self) -> Path:
        """A folder that no command may read or change."""
        return self.folder / "outside"

    def secrets(self) -> dict[str, bytes]:
        """Return what is in that folder, except what a document has put there."""
        return {path.name: path.read_bytes() for path in self.outside.iterdir() if path.is_file()}


def make_world(folder: Path) -> World:
    """Run and certify a lesson in an empty folder; it becomes the current one and holds ``LESSON_HOME``."""
    (folder / "growing.md").write_text(LESSON)
    (folder / "policy.yaml").write_text(POLICY)
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        made = invoke(["cert", "keys", "new", "me"])
        signed = invoke(["certify", "growing.md", "--policy", "policy.yaml", "--allow", "shell"])
    if made or signed:
        raise RuntimeError(f"the world cannot be made: {said.getvalue()}")
    world = World(folder, next((folder / ".lesson" / "certificates").iterdir()))
    ran = next((folder / ".lesson" / "runs").iterdir())
    ran.rename(world.run)
    _tell_of_training(world.run)
    shutil.copytree(world.run, world.run.with_name("01-whole"))
    world.outside.mkdir()
    (world.outside / "secret").write_text(folders.SECRET)
    os.mkfifo(world.outside / "pipe")
    return world


def _tell_of_training(run: Path) -> None:
    """Add to a run what training and generating leave, if reports read it."""
    record = json.loads((run / "record.json").read_text())
    like = record["steps"][0]
    metrics = {"steps": 3, "final_loss": 2.5, "seconds": 1.0, "validation_loss": 2.6}
    more: tuple[tuple[str, str, dict[str, str], dict[str, float]], ...] = (
        ("stage-1", "ct4.train", {"model_save_path": "one.pkl"}, metrics),
        ("text-1", "ct4.generate", {"model_path": "one.pkl_final.pkl"}, {"real_word_ratio": 0.5}),
        ("compare", "ct5.compare", {}, {}),
    )
    for id_, action, params, measured in more:
        new = {**like, "id": id_, "action": action, "params": params, "metrics": measured, "artifacts": {}}
        record["steps"].append({**new, "labels": ["emulated"], "verdicts": [], "claims": [], "expect": []})
        (run / "evidence" / id_).mkdir()
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    for name, content in evidence().items():
        (run / "evidence" / name).write_bytes(content)
        facts = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for told in (*events, *record["steps"]):
            if f"evidence/{name}" in told.get("artifacts", {}):  # else it would not be read
                told["artifacts"][f"evidence/{name}"] = facts
    (run / "record.json").write_text(json.dumps({**record, "run_id": run.name}))
    (run / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def evidence() -> Mapping[str, bytes]:
    """Return files of evidence that reports and metrics read, by path."""
    samples = {"prompt": "ROMEO:", "samples": ["\nBut soft"], "temperature": 0.8, "corpus": None, "top_k": 0}
    sizes = {"chips": 1, "batch_size": 4, "sequence_length": 8}
    run = {"checkpoint": "one", **sizes, "losses": [3, 2, 1], "seconds": [1, 1, 1]}
    return {
        "stage-1/loss.csv": b"step,loss,learning_rate,seconds\n1,4.0,0.1,0.5\n2,3.0,0.1,0.5\n3,2.0,0.1,0.5\n",
        "stage-1/training.json": json.dumps(metrics_of_training()).encode(),
        "text-1/samples.json": json.dumps(samples).encode(),
        "compare/comparison.json": json.dumps({"runs": [run, {**run, "chips": 2}]}).encode(),
        "grow/output.txt": b"beans: 5\n\x1b[31mred\x1b[0m\n",
    }


def metrics_of_training() -> dict[str, Any]:
    """Return a small ``training.json``."""
    return {"steps": 3, "reused_steps": 1, "parameters": 100, "seconds": 0.5, "config": {"batch_size": 4}}


def lessons() -> list[bytes]:
    """Return the project's lessons and its samples; there are far more samples, and they are small."""
    files = [*sorted((ROOT / "lessons").glob("*.md")), *sorted(SAMPLES.rglob("*.md"))]
    return [path.read_bytes() for path in files]


def _pieces(pattern: re.Pattern[str]) -> list[bytes]:
    texts = (content.decode("utf-8", "replace") for content in lessons())
    return list(dict.fromkeys(match[0].encode() for text in texts for match in pattern.finditer(text)))


def directives() -> list[bytes]:
    """Return every directive of these documents, with its block."""
    return _pieces(_DIRECTIVE)


def frontmatters() -> list[bytes]:
    """Return the frontmatter of each of these documents."""
    return _pieces(re.compile(r"\A---\n.*?\n---\n", re.DOTALL))


def checkpoints(folder: Path) -> list[bytes]:
    """Return small checkpoints; none if the packages that read them are not installed."""
    if find_spec("safetensors") is None or find_spec("ml_dtypes") is None:
        return []
    from tests.lesson_ct4.test_checkpoint import small

    from lesson_ct4.training.checkpoint import save_checkpoint

    save_checkpoint(folder / "seed.safetensors", small())
    return [(folder / "seed.safetensors").read_bytes()]


def seeds(world: World) -> dict[str, list[bytes]]:
    """Return the documents to mutate, by kind."""
    bundle = next(world.certificate.glob("*.jsonl"))
    record, events = (world.run / name for name in ("record.json", "events.jsonl"))
    kinds: dict[str, Callable[[], list[bytes]]] = {
        "lesson": lessons,
        "directive": directives,
        "frontmatter": frontmatters,
        "checkpoint": lambda: checkpoints(world.folder),
        "record": lambda: [record.read_bytes()],
        "events": lambda: [events.read_bytes()],
        "evidence": lambda: list(evidence().values()),
        "bundle": lambda: [bundle.read_bytes()],
        "signed": lambda: [bundle.read_bytes(), *_signed_files(world.certificate)],
        "policy": lambda: [
            POLICY.encode(),
            *(path.read_bytes() for path in ROOT.glob("runner/lesson_runner/certify/policies/*")),
        ],
        "settings": lambda: [SETTINGS.encode()],
        "folder": lambda: folders.ORIGINALS,
    }
    found = {kind: make() for kind, make in kinds.items()}
    return {kind: documents for kind, documents in found.items() if documents}


def _signed_files(certificate: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((certificate / "evidence").rglob("*.json"))]
