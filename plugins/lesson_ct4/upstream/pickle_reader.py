"""
Read pickles without executing them.

A pickle is a program for a small stack machine. Python's own unpickler imports and calls whatever the program
names. This reader only supports the instructions that tt-train's checkpoints use. Any other instruction, and
any name that is not in :data:`lesson_ct4.upstream.calls.ALLOWED`, is an error. Allowed names are never
imported; :mod:`lesson_ct4.upstream.calls` implements their effect. Time and memory are bounded by the size of
the file.

``pickle.Unpickler`` with a strict ``find_class`` would still look up attributes, grow its memo to any index
in the file, and hash any nested key, and it could not report the position of a refused name.
"""

from __future__ import annotations

import io
import pickletools

from lesson_ct4.upstream.calls import ALLOWED, build, call, new
from lesson_ct4.upstream.plain_data import DAMAGED, UNSAFE, Budget, Name, shown
from lesson_runner.model.errors import LessonError

MAX_OPCODES = 200_000
"""Maximum for a whole file; the lesson's model needs about 5,000."""
MAX_BITS = 64

_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
_NUMBERS = frozenset({"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"})
_VALUES = frozenset(
    {
        *("FLOAT", "BINFLOAT", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    }
)
_SINGLES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_OTHERS = frozenset(
    {
        *("PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "TUPLE", "EMPTY_LIST", "LIST", "APPEND", "APPENDS"),
        *("EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"),
    }
)
_KNOWN = _NUMBERS | _VALUES | _SINGLES.keys() | _TUPLES.keys() | _PUT | _GET | _OTHERS
"""
What Python's pickler writes for a checkpoint. Excluded are persistent ids, the extension registry, strings
and instances of Python 2, sets, out-of-band buffers, and instructions that only hand-made pickles have.
"""


class PickleReader:
    """Reads the pickles of one file, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)
        self._size = len(data)
        self._budget = Budget(2 * len(data))  # once for text that encodes bytes, once for arrays
        self._opcodes = 0
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}

    @property
    def place(self) -> int:
        """Number of bytes read so far."""
        return self._stream.tell()

    def read(self) -> object:
        """
        Return the value of the next pickle: plain values, and the classes of :mod:`.plain_data`.

        Raises:
            LessonError: it is not a pickle, is cut short, or does not have the form that tt-train writes.
        """
        self._stack, self._marks, self._memo = [], [], {}
        while True:
            place = self.place
            name, argument = self._opcode(place)
            if name == "STOP" and len(self._stack) == 1:
                return self._stack.pop()
            try:
                self._do(name, argument)
            except (IndexError, KeyError):
                raise LessonError(
                    f"{name} at byte {place} needs a value that is not on the stack or in the memo",
                    fix=DAMAGED,
                ) from None
            except LessonError as error:
                raise LessonError(f"{error} (at byte {place})", fix=error.fix) from None

    def _opcode(self, place: int) -> tuple[str, object]:
        """Return the next instruction and its argument."""
        code = self._stream.read(1)
        if not code:
            raise LessonError(f"it is cut short: it ends at byte {place}", fix=DAMAGED)
        opcode = _OPCODES.get(code)
        if opcode is None:
            raise LessonError(
                f"it is not a pickle, or it is damaged: byte {place} is {code[0]:#04x}", fix=DAMAGED
            )
        if opcode.name not in _KNOWN:
            raise LessonError(
                f"the instruction {opcode.name} at byte {place} is refused: checkpoints do not use it",
                fix=UNSAFE,
            )
        self._opcodes += 1
        if self._opcodes > MAX_OPCODES:
            raise LessonError(f"it has more than {MAX_OPCODES:,} instructions", fix=UNSAFE)
        try:
            if opcode.name == "GLOBAL":  # pickletools would interpret escape sequences, pickle does not
                return opcode.name, (self._line(), self._line())
            return opcode.name, None if opcode.arg is None else opcode.arg.reader(self._stream)
        except ValueError as error:
            what = "cut short" if self.place == self._size else "not a pickle, or damaged"
            raise LessonError(f"it is {what}: {opcode.name} at byte {place}: {error}", fix=DAMAGED) from None

    def _line(self) -> str:
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise ValueError("the line has no end")
        return line[:-1].decode()

    def _do(self, name: str, argument: object) -> None:
        stack = self._stack
        if name in _NUMBERS or name in _VALUES:
            if isinstance(argument, int) and argument.bit_length() > MAX_BITS:
                raise LessonError("a number is too large", fix=DAMAGED)
            stack.append(argument)
        elif name in _SINGLES:
            stack.append(_SINGLES[name])
        elif name in _TUPLES:
            count = _TUPLES[name]
            stack.append(tuple([stack.pop() for _ in range(count)][::-1]))
        elif name in _PUT or name == "MEMOIZE":
            self._memo[len(self._memo) if name == "MEMOIZE" else _index(argument)] = stack[-1]
        elif name in _GET:
            stack.append(self._memo[_index(argument)])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            stack.append(self._global(argument))
        elif name in ("REDUCE", "NEWOBJ", "BUILD"):
            self._object(name)
        elif name == "MARK":
            self._marks.append(len(stack))
        elif name not in ("PROTO", "FRAME"):
            self._container(name)

    def _container(self, name: str) -> None:
        stack = self._stack
        if name in ("EMPTY_LIST", "EMPTY_DICT"):
            stack.append([] if name == "EMPTY_LIST" else {})
        elif name in ("TUPLE", "LIST"):
            items = self._marked()
            stack.append(tuple(items) if name == "TUPLE" else items)
        elif name in ("APPEND", "APPENDS"):
            items = self._marked() if name == "APPENDS" else [stack.pop()]
            target = stack[-1]
            if not isinstance(target, list):
                raise _misplaced(name)
            target += items
        elif name == "DICT":
            items = self._marked()
            stack.append({})
            _set_items(stack[-1], items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._marked() if name == "SETITEMS" else [stack.pop(), stack.pop()][::-1]
            _set_items(stack[-1], items)
        else:  # STOP with more or less than one value on the stack
            raise _misplaced(name)

    def _global(self, argument: object) -> Name:
        """Return a name, if it is allowed; nothing is imported."""
        if isinstance(argument, tuple):
            module, name = argument
        else:
            name, module = self._stack.pop(), self._stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise LessonError("a name that is not text is refused", fix=UNSAFE)
        full = f"{module[:200]}.{name[:200]}"
        if full not in ALLOWED:
            raise LessonError(f"it refers to {shown(full)[1:-1]}, which checkpoints do not use", fix=UNSAFE)
        return Name(full)

    def _object(self, name: str) -> None:
        top = self._stack.pop()
        target = self._stack[-1]
        if name == "BUILD":
            build(target, top, self._budget)
        elif name == "NEWOBJ":
            self._stack[-1] = new(target, top)
        elif isinstance(target, Name) and isinstance(top, tuple):
            self._stack[-1] = call(target, top, self._budget)
        else:
            raise _misplaced(name)

    def _marked(self) -> list[object]:
        """Pop everything above the last mark."""
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items


def _set_items(target: object, items: list[object]) -> None:
    if not isinstance(target, dict) or len(items) % 2:
        raise _misplaced("SETITEMS")
    for key, value in zip(items[::2], items[1::2], strict=True):
        # A hostile file can make hashing other keys arbitrarily slow; tt-train has only text keys.
        if not isinstance(key, str):
            raise LessonError("a dictionary has a key that is not text", fix=UNSAFE)
        target[key] = value


def _index(argument: object) -> int:
    if not isinstance(argument, int) or argument < 0:
        raise LessonError("a memo index is not a number", fix=DAMAGED)
    return argument


def _misplaced(name: str) -> LessonError:
    return LessonError(f"{name} does not fit the values on the stack", fix=DAMAGED)
