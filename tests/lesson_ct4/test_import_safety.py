"""Malicious pickles are refused, and nothing in them is executed."""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lesson_ct4 import upstream_files as theirs

from lesson_ct4.upstream.convert import import_upstream
from lesson_ct4.upstream.pickle_reader import MAX_OPCODES, PickleReader
from lesson_runner.model.errors import LessonError

WATCHED = """
import sys
import encodings.raw_unicode_escape  # what protocol 0 writes texts in
import lesson_ct4.upstream.convert as convert
from lesson_runner.model.errors import LessonError
before, seen, watching = set(sys.modules), [], False
harmless = ("open", "os.fspath", "sys.", "object.__", "gc.")
def hook(event, arguments):
    if watching and not event.startswith(harmless):
        seen.append(event)
sys.addaudithook(hook)
watching = True
try:
    convert.import_upstream(convert.Path(sys.argv[1]))
    said = "imported"
except LessonError as error:
    said = str(error)
watching = False
import json
print(json.dumps({"said": said, "events": seen, "modules": sorted(set(sys.modules) - before - {"json"})}))
"""
"""Reads a file, and reports every audit event (imports, processes, compiling …) and every new module."""


class Calls:
    """Pickled as a call of any function, as attackers do."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


class State:
    """Pickled as an object of a class of tt-train, with any state."""

    def __init__(self, cls: Any, state: Any) -> None:
        self.made, self.state = cls, state

    def __reduce__(self) -> Any:
        return self.made, (), self.state


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def crafted(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def looked_up(module: str, name: str, then: bytes = b"") -> bytes:
    return crafted(text(module), text(name), b"\x93", then)


def proto(version: int, value: Any) -> bytes:
    return theirs.pickled(value, protocol=version)


def with_tokenizer(value: Any) -> bytes:
    tokenizer = theirs.tokenizer()
    vars(tokenizer)["itos"] = value
    return theirs.pickled(theirs.first_version(tokenizer=tokenizer))


def raw_state(state: bytes) -> bytes:
    """Return a ``ModelConfig`` with the state given as instructions."""
    return crafted(text("__main__"), text("ModelConfig"), b"\x93)\x81", state, b"b")


def system(harm: Path) -> Calls:
    import os

    return Calls(os.system, f"touch {harm}")


ATTACKS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a call": (lambda harm: proto(4, system(harm)), "it refers to posix.system"),
    "a call, protocol 0": (lambda harm: proto(0, system(harm)), "it refers to posix.system"),
    "a call, protocol 2": (lambda harm: proto(2, system(harm)), "it refers to posix.system"),
    "eval": (lambda harm: proto(4, Calls(eval, f"open({str(harm)!r}, 'w')")), "it refers to builtins.eval"),
    "eval of Python 2": (lambda _: proto(2, Calls(eval, "1")), "it refers to __builtin__.eval"),
    "open": (lambda harm: proto(4, Calls(open, str(harm), "w")), "it refers to "),
    "a process": (lambda harm: proto(4, Calls(subprocess.Popen, ["touch", str(harm)])), "subprocess.Popen"),
    "deep in the tokenizer": (lambda harm: with_tokenizer([["a", {"b": system(harm)}]]), "posix.system"),
    "next to the weights": (
        lambda harm: proto(4, theirs.first_version(optimizer_state=system(harm))),
        "it refers to posix.system",
    ),
    "in the stream's last record": (
        lambda harm: theirs.stream(state={"a": system(harm)}),
        "it refers to posix.system",
    ),
    "another module to import": (lambda _: looked_up("antigravity", "geohash"), "antigravity.geohash"),
    "an attribute of an attribute": (
        lambda _: looked_up("ttml.common.data", "CharTokenizer.__init__.__globals__"),
        "it refers to ttml.common.data.CharTokenizer.__init__.__globals__",
    ),
    "a name split elsewhere": (
        lambda _: looked_up("numpy.core", "multiarray.scalar", b"K\x01\x85R"), "a number: tt-train does not"
    ),
    "names that are no text": (lambda _: crafted(b"K\x01K\x02\x93"), "a name that is not text"),
    "names to break a terminal": (lambda _: looked_up("a\x1b]0;\nb", "c"), r"a\x1b]0;\nb.c"),
    "escapes in a name": (lambda _: b"cposi\\x78\nsystem\n.", "it refers to posi"),
    "a name of half a line": (lambda _: b"cposix\nsystem", "it is cut short"),
    "a name without end": (lambda _: crafted(b"c" + b"a" * 5000 + b"\nb\n"), "it refers to aaaa"),
    "getattr of a module": (
        lambda _: crafted(text("builtins"), text("getattr"), b"\x93", text("numpy"), text("ndarray"), b"\x93"
                          + text("__subclasses__") + b"\x86R"),
        "getattr: tt-train does not write it like this",
    ),
    "an object of a class": (
        lambda _: crafted(text("numpy"), text("ndarray"), b"\x93)\x81"), "making an object"
    ),
    "a class that is called": (
        lambda _: looked_up("__main__", "ModelConfig", b"K\x01\x85R"), "ModelConfig: tt-train"
    ),
    "arrays of objects": (
        lambda harm: proto(4, {"model_state": {"a": np.array([system(harm)], dtype=object)}}),
        "it has an array with elements that are not numbers",
    ),
    "structured arrays": (
        lambda _: proto(4, np.zeros(2, dtype=[("a", "f4"), ("b", "O")])), "elements that are not numbers"
    ),
    "sub-arrays": (
        lambda _: crafted(text("numpy"), text("dtype"), b"\x93", text("f4"), b"\x89\x88\x87R",
                          b"(K\x03", text("<"), b"K\x01NNK\x01K\x01K\x00tb"),
        "the state of a data type",
    ),
    "numbers of the other byte order": (lambda _: proto(4, np.zeros(2, dtype=">f4")), "not little-endian"),
    "an array that is larger than its bytes": (
        lambda _: proto(4, np.zeros(8, np.float32)).replace(b"K\x08\x85", b"K\xff\x85"),
        "an array of shape [255] and type float32 has 32 bytes",
    ),
    "an array of negative size": (
        lambda _: proto(4, np.zeros(8, np.float32)).replace(b"K\x08\x85", b"J\xff\xff\xff\xff\x85"),
        "an invalid shape",
    ),
    "an array of another class": (
        lambda _: proto(4, np.zeros(8, np.float32)).replace(b"\x8c\x07ndarray", b"\x8c\x05dtype"),
        "an array of another class",
    ),
    "a persistent id": (lambda _: b"Pfile:///etc/passwd\n.", "the instruction PERSID at byte 0"),
    "a binary persistent id": (lambda _: crafted(text("x"), b"Q"), "the instruction BINPERSID"),
    "the extension registry": (lambda _: crafted(b"\x82\x01"), "the instruction EXT1 at byte 2"),
    "the larger extension registry": (lambda _: crafted(b"\x84\x01\x00\x00\x00"), "the instruction EXT4"),
    "an old instance": (lambda _: b"(S'id'\nios\nsystem\n.", "the instruction STRING"),
    "an old instance without arguments": (lambda _: b"(ios\nsystem\n.", "the instruction INST at byte 1"),
    "an old object": (lambda _: b"(cos\nsystem\no.", "it refers to os.system"),
    "a buffer from outside": (lambda _: b"\x80\x05\x97.", "the instruction NEXT_BUFFER"),
    "keyword arguments": (
        lambda _: crafted(text("__main__"), text("ModelConfig"), b"\x93)}\x92"), "the instruction NEWOBJ_EX"
    ),
    "a state that sets the class": (
        lambda _: proto(4, theirs.filled(theirs.ModelConfig, __class__=1)),
        "an attribute of __main__.ModelConfig",
    ),
    "a state that sets what sets states": (
        lambda _: raw_state(b"}" + text("__setstate__") + b"Ns"), "an attribute of __main__.ModelConfig"
    ),
    "a state with no names": (lambda _: raw_state(b"}" + text("a b") + b"Ns"), "an attribute of"),
    "a state of slots": (lambda _: raw_state(b"N}" + text("a") + b"Ns\x86"), "the state of __main__"),
    "two states": (lambda _: raw_state(b"}b}"), "the state of __main__.ModelConfig"),
    "a state for a dictionary": (lambda _: crafted(b"}}b"), "setting an object's state"),
    "a state for a function": (
        lambda _: crafted(text("_codecs"), text("encode"), b"\x93}b"), "setting an object's state"
    ),
    "another encoding": (
        lambda _: crafted(text("_codecs"), text("encode"), b"\x93", text("x"), text("rot13"), b"\x86R"),
        "a text that encodes bytes",
    ),
    "an encoding of what is no byte": (
        lambda _: crafted(text("_codecs"), text("encode"), b"\x93\x8c\x02\xc4\x80", text("latin1"), b"\x86R"),
        "a text that encodes bytes",
    ),
    "an array with another state": (
        lambda _: crafted(text("numpy.core.multiarray"), text("_reconstruct"), b"\x93", text("numpy"),
                          text("ndarray"), b"\x93K\x00\x85C\x01b\x87R}b"),
        "the state of an array",
    ),
    "an array from a buffer of another order": (
        lambda _: crafted(text("numpy.core.numeric"), text("_frombuffer"), b"\x93(C\x00NN", text("A"),
                          b"tR"),
        "an array: tt-train does not write it",
    ),
    "an old object of another base": (
        lambda _: crafted(text("copyreg"), text("_reconstructor"), b"\x93", text("__main__"),
                          text("ModelConfig"), b"\x93NN\x87R"),
        "making an object: tt-train does not write it",
    ),
    "an ordered dictionary of something": (
        lambda _: crafted(text("collections"), text("OrderedDict"), b"\x93N\x85R"), "an OrderedDict"
    ),
    "items for what is no dictionary": (lambda _: crafted(b"]K\x01K\x02s"), "SETITEMS does not fit"),
    "items for what is no list": (lambda _: crafted(b"}K\x01a"), "APPEND does not fit"),
    "a call of what is no name": (lambda _: crafted(b"K\x01)R"), "REDUCE does not fit"),
    "nothing on the stack": (lambda _: crafted(b"a"), "APPEND at byte 2 needs a value"),
    "a memo that was never filled": (lambda _: crafted(b"h\x07"), "BINGET at byte 2 needs a value"),
    "a mark that was never set": (lambda _: crafted(b"u"), "SETITEMS at byte 2 needs a value"),
    "two values": (lambda _: crafted(b"NN"), "STOP does not fit"),
    "an ordered dictionary of calls": (lambda _: proto(4, OrderedDict({"a": Calls(exit)})), "it refers to "),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused(tmp_path: Path, attack: str) -> None:
    make, message = ATTACKS[attack]
    harm = tmp_path / "harm"
    path = theirs.written(tmp_path / "x.pkl", make(harm))

    with pytest.raises(LessonError) as caught:
        import_upstream(path)

    assert message in str(caught.value)
    assert caught.value.fix
    assert str(caught.value).isprintable()
    assert not harm.exists()


@pytest.mark.parametrize(
    "attack", ["a call", "eval", "a process", "arrays of objects", "another module to import"]
)
def test_nothing_runs_and_nothing_is_imported(tmp_path: Path, attack: str) -> None:
    harm = tmp_path / "harm"
    path = theirs.written(tmp_path / "x.pkl", ATTACKS[attack][0](harm))

    told = watched(path)

    assert "cannot be imported" in told["said"]
    assert (told["events"], told["modules"]) == ([], [])
    assert not harm.exists()


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_good_file_runs_nothing_either(tmp_path: Path, protocol: int) -> None:
    path = theirs.written(tmp_path / "x.pkl", theirs.first_version(), protocol=protocol)

    assert watched(path) == {"said": "imported", "events": [], "modules": []}


def test_the_watch_sees_what_pickle_does(tmp_path: Path) -> None:
    """Otherwise the tests above would prove nothing."""
    harm = tmp_path / "harm"
    path = theirs.written(tmp_path / "x.pkl", ATTACKS["a call"][0](harm))
    told = watched(path, "import pickle; pickle.load(open(sys.argv[1], 'rb')); said = 'loaded'")

    assert "os.system" in told["events"]
    assert harm.exists()


def watched(path: Path, instead: str | None = None) -> Any:
    program = WATCHED
    if instead:
        program = program.replace(
            "    convert.import_upstream(convert.Path(sys.argv[1]))\n", f"    {instead}\n"
        )
        program = program.replace('    said = "imported"\n', "")
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_position_of_a_refused_instruction_is_reported(tmp_path: Path) -> None:
    data = theirs.pickled([0] * 10 + [system(tmp_path / "harm")], protocol=2)
    at = data.index(b"cposix\nsystem\n")

    with pytest.raises(LessonError, match=rf"it refers to posix\.system, .* \(at byte {at}\)"):
        PickleReader(data).read()


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = (value, value)
    return value


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a memo of any size": (
        lambda: crafted(b"N", b"r" + struct.pack("<I", 0xFFFFFFF0)), "not a checkpoint of tt-train"
    ),
    "a length of any size": (lambda: b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"x", "it is cut short"),
    "a text of any size": (lambda: b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x", "it is cut short"),
    "a frame of any size": (lambda: b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N", "it is cut short"),
    "a number of many digits": (lambda: b"I" + b"9" * 4000 + b"\n.", "a number is too large"),
    "a number of many bytes": (
        lambda: b"\x80\x04\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + b".",
        "a number is too large",
    ),
    "lists in lists": (
        lambda: b"\x80\x04" + b"]" * 90_000 + b"a" * 89_999 + b".", "not a checkpoint of tt-train"
    ),
    "too many instructions": (
        lambda: b"\x80\x04" + b"N" * (MAX_OPCODES + 1) + b".", "more than 200,000 instructions"
    ),
    "a key that takes for ever to hash": (
        lambda: crafted(b"}N", b"".join(b"\x94h" + bytes([n]) + b"\x86" for n in range(60)), b"Ns"),
        "a key that is not text",
    ),
    "a shape that takes for ever to compare": (
        lambda: proto(4, theirs.first_version(model_state={"a": {"data": np.ones(1), "shape": nested(60)}})),
        "is not the declared one",
    ),
    "a size that takes for ever to show": (lambda: sized(dropout_prob=nested(60)), "its dropout is a tuple"),
    "a number of heads that takes for ever to show": (lambda: sized(num_heads=nested(60)), "its n_head is"),
    "a width that takes for ever to divide": (lambda: sized(embedding_dim=2**62), "has the shape"),
    "a manifest that takes for ever to walk": (
        lambda: proto(4, {"format": 1, "header": {}, "manifest": dictionaries(60)}), "more than 10,000 parts"
    ),
    "arrays that share their bytes": (
        lambda: crafted(
            text("numpy._core.numeric"), text("_frombuffer"), b"\x93\x94",
            b"B" + struct.pack("<I", 1 << 16) + bytes(1 << 16) + b"\x94",
            text("numpy"), text("dtype"), b"\x93", text("f4"), b"\x89\x88\x87R\x94",
            b"(", (b"h\x00(h\x01h\x02M\x00\x40\x85" + text("C") + b"tR") * 5000, b"l",
        ),
        "its arrays are larger than the file",
    ),
    "texts that become bytes again and again": (
        lambda: crafted(
            text("_codecs"), text("encode"), b"\x93\x94X" + struct.pack("<I", 1 << 16) + b"a" * (1 << 16),
            b"\x94", text("latin1"), b"\x94(", b"h\x00h\x01h\x02\x86R" * 20_000, b"l",
        ),
        "its arrays are larger than the file",
    ),
    "states that are filled in again and again": (
        lambda: crafted(
            b"}\x94(", b"".join(text(f"a{n}") + b"N" for n in range(2000)), b"u",
            text("__main__"), text("ModelConfig"), b"\x93\x94(", b"h\x01)\x81h\x00b" * 20_000, b"l",
        ),
        "the state of __main__.ModelConfig",
    ),
}  # fmt: skip


def sized(**changed: Any) -> bytes:
    config = theirs.filled(theirs.ModelConfig, **{**theirs.MODEL, **changed})
    return proto(4, theirs.first_version(model_config=config))


def dictionaries(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value, "b": value}
    return value


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_takes_little_time_and_memory(tmp_path: Path, bomb: str) -> None:
    resource = pytest.importorskip("resource", reason="limits are set with it")
    make, message = BOMBS[bomb]
    path = theirs.written(tmp_path / "x.pkl", make())
    program = (
        "import resource, sys; import lesson_ct4.upstream.convert as convert;"
        "from lesson_runner.model.errors import LessonError\n"
        "used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: convert.import_upstream(convert.Path(sys.argv[1])); sys.exit(9)\n"
        "except LessonError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used)"
    )
    assert resource
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert message in done.stdout
    assert time.perf_counter() - began < 20
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    assert int(done.stdout.split()[-1]) * unit < 150e6


GOOD = {protocol: theirs.pickled(theirs.first_version(), protocol=protocol) for protocol in (0, 2, 4, 5)}
GOOD[6] = theirs.stream()


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_file_is_read_or_refused(data: st.DataObject) -> None:
    """Most bytes of a file are weights, so half of the changes target instructions."""
    content = bytearray(GOOD[data.draw(st.sampled_from(sorted(GOOD)))])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1) | st.integers(0, min(600, len(content) - 1)))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            content[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    check(bytes(content))


PARTS = [
    *(b"(", b")", b"]", b"}", b"N", b"K\x01", b"h\x00", b"h\x01", b"\x94", b"\x85", b"\x86", b"\x87", b"R"),
    *(b"a", b"e", b"s", b"u", b"t", b"l", b"d", b"b", b"\x81", b"\x93", b"."),
    *(text("model_state"), text("latin1"), text("f4") + b"\x89\x88\x87R"),
    *(
        text(module) + text(name) + b"\x93"
        for module, name in (
            *(("numpy", "dtype"), ("_codecs", "encode"), ("__main__", "ModelConfig")),
            *(("numpy._core.multiarray", "_reconstruct"), ("_ttml.models", "RunnerType")),
        )
    ),
]
"""Instructions, some with their arguments."""


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=40))
def test_any_order_of_instructions_is_read_or_refused(parts: list[bytes]) -> None:
    check(crafted(*parts))


def check(content: bytes) -> None:
    """The only outcomes are a checkpoint or an error with a fix."""
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".pkl") as file:
        Path(file.name).write_bytes(content)
        try:
            found = import_upstream(Path(file.name)).checkpoint
        except LessonError as error:
            found, refusal = None, error
    assert found.parameters if found else refusal.fix and str(refusal).isprintable()


def test_the_pickles_of_these_tests_are_real() -> None:
    """This reader returns the same as ``pickle`` for the good file."""
    with theirs.their_modules():
        whole = pickle.loads(GOOD[4])

    ours: Any = PickleReader(GOOD[4]).read()

    assert vars(whole["tokenizer"]) == ours["tokenizer"].fields
    assert whole["step"] == ours["step"]
    for name, entry in whole["model_state"].items():
        assert (entry["data"] == ours["model_state"][name]["data"].values).all()
        assert entry["shape"] == ours["model_state"][name]["shape"]
