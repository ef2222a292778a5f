"""
Safe implementations of the few functions that a checkpoint's pickle calls.

Arrays may come from any version of numpy: the module is ``numpy.core`` before 2.0 and ``numpy._core`` since.
Pickle protocol 5 uses ``_frombuffer``. numpy's own functions are not called, because they trust their input:
they create arrays of objects, and allocate memory for any shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from lesson_ct4.upstream.plain_data import (
    DAMAGED,
    ENUMS,
    RECORDS,
    UNSAFE,
    Array,
    Budget,
    Dtype,
    Member,
    Name,
    Record,
)
from lesson_runner.model.errors import LessonError

MAX_FIELDS = 100
"""Maximum number of attributes of an object; tt-train's largest has about 40."""
CODES = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"})
"""numpy's numeric types."""
BFLOAT16 = "ml_dtypes.bfloat16"

Arguments = tuple[object, ...]


def call(function: Name, arguments: Arguments, budget: Budget) -> object:
    """
    Return the result of calling an allowed name.

    Raises:
        LessonError: checkpoints do not call it, or not with these arguments.
    """
    if function.full in ENUMS:
        return _member(function, arguments)
    if function.full not in _CALLS:
        raise _unusual(function.full)
    return _CALLS[function.full](arguments, budget)


def new(cls: object, arguments: object) -> Record:
    """
    Return an empty record of an allowed class.

    Raises:
        LessonError: checkpoints have no instances of this class, or arguments were given.
    """
    if isinstance(cls, Name) and cls.full in RECORDS and arguments == ():
        return Record(cls.full)
    raise _unusual("making an object")


def build(target: object, state: object, budget: Budget) -> None:
    """
    Set the state of an object.

    Raises:
        LessonError: checkpoints do not have such an object or state.
    """
    if isinstance(target, Record):
        _fill_record(target, state)
    elif isinstance(target, Array):
        _fill_array(target, state, budget)
    elif isinstance(target, Dtype):
        _check_dtype(state)
    else:
        raise _unusual("setting an object's state")


def _fill_record(record: Record, state: object) -> None:
    if record.filled or not isinstance(state, dict) or len(state) > MAX_FIELDS:
        raise _unusual(f"the state of {record.kind}")
    for name in state:
        if not (isinstance(name, str) and name.isidentifier()) or name.startswith("__"):
            raise _unusual(f"an attribute of {record.kind}")
    record.fields, record.filled = dict(state), True


def _fill_array(array: Array, state: object, budget: Budget) -> None:
    if array.values is None and isinstance(state, tuple) and len(state) == 5:
        _, shape, dtype, fortran, data = state
        array.values = _values(data, dtype, shape, "F" if fortran is True else "C", budget)
    else:
        raise _unusual("the state of an array")


def _check_dtype(state: object) -> None:
    """Allow little-endian numbers only; types with fields or sub-arrays are structures."""
    if not (isinstance(state, tuple) and len(state) in (8, 9) and all(part is None for part in state[2:5])):
        raise _unusual("the state of a data type")
    if state[1] not in ("<", "|"):
        raise LessonError("its numbers are not little-endian", fix="save it on a little-endian machine")


def _reconstruct(arguments: Arguments, _: Budget) -> Array:
    if arguments[:2] != (Name("numpy.ndarray"), (0,)):
        raise _unusual("an array of another class")
    return Array()


def _frombuffer(arguments: Arguments, budget: Budget) -> Array:
    if len(arguments) != 4 or arguments[3] not in ("C", "F"):
        raise _unusual("an array")
    data, dtype, shape, order = arguments
    return Array(_values(data, dtype, shape, str(order), budget))


def _scalar(arguments: Arguments, budget: Budget) -> object:
    if len(arguments) != 2:
        raise _unusual("a number")
    return _values(arguments[1], arguments[0], (), "C", budget).item()


def _dtype(arguments: Arguments, _: Budget) -> Dtype:
    if len(arguments) == 3 and arguments[1:] == (False, True):
        code = arguments[0]
        if code == Name(BFLOAT16):
            return Dtype("bfloat16")
        if isinstance(code, str) and code in CODES:
            return Dtype(code)
    raise LessonError("it has an array with elements that are not numbers", fix=UNSAFE)


def _encode(arguments: Arguments, budget: Budget) -> bytes:
    """Return bytes that protocols 0 to 2 encode as latin-1 text."""
    if len(arguments) == 2 and isinstance(arguments[0], str) and arguments[1] == "latin1":
        budget.spend(len(arguments[0]))
        try:
            return arguments[0].encode("latin1")
        except UnicodeEncodeError:
            pass
    raise _unusual("a text that encodes bytes")


def _old_object(arguments: Arguments, _: Budget) -> Record:
    """Return a record as protocols 0 and 1 create it: ``copyreg._reconstructor(cls, object, None)``."""
    if len(arguments) == 3 and arguments[2] is None and arguments[1] in _OBJECT:
        return new(arguments[0], ())
    raise _unusual("making an object")


def _named_member(arguments: Arguments, _: Budget) -> Member:
    """Return a member that was pickled by its name: ``getattr(WeightTyingType, "Disabled")``."""
    if len(arguments) == 2 and isinstance(arguments[0], Name) and arguments[0].full in ENUMS:
        return _member(arguments[0], arguments[1:])
    raise _unusual("getattr")


def _ordered(arguments: Arguments, _: Budget) -> dict[str, object]:
    if arguments:
        raise _unusual("an OrderedDict")
    return {}


def _member(enum: Name, arguments: Arguments) -> Member:
    if len(arguments) == 1 and isinstance(arguments[0], (int, str)):
        return Member(enum.full.rpartition(".")[2], arguments[0])
    raise _unusual(enum.full)


def _values(data: object, dtype: object, shape: object, order: str, budget: Budget) -> np.ndarray[Any, Any]:
    if not (isinstance(data, (bytes, bytearray)) and isinstance(dtype, Dtype) and isinstance(shape, tuple)):
        raise _unusual("an array")
    sizes = [size for size in shape if type(size) is int and size > 0]
    if len(sizes) != len(shape) or len(sizes) > 8:
        raise LessonError("an array has an invalid shape", fix=DAMAGED)
    kind = np.dtype(ml_dtypes.bfloat16 if dtype.code == "bfloat16" else f"<{dtype.code}")
    if math.prod(sizes) * kind.itemsize != len(data):
        raise LessonError(
            f"an array of shape {sizes} and type {kind.name} has {len(data)} bytes", fix=DAMAGED
        )
    budget.spend(len(data))
    return np.frombuffer(data, dtype=kind).reshape(sizes, order="F" if order == "F" else "C")


def _unusual(what: str) -> LessonError:
    return LessonError(f"{what}: tt-train does not write it like this", fix=UNSAFE)


_OBJECT = (Name("builtins.object"), Name("__builtin__.object"))
_CALLS: dict[str, Callable[[Arguments, Budget], object]] = {
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "numpy._core.numeric._frombuffer": _frombuffer,
    "numpy.dtype": _dtype,
    "_codecs.encode": _encode,
    "copyreg._reconstructor": _old_object,
    "copy_reg._reconstructor": _old_object,
    "builtins.getattr": _named_member,
    "__builtin__.getattr": _named_member,
    "collections.OrderedDict": _ordered,
}
ALLOWED = RECORDS | ENUMS | _CALLS.keys() | {"numpy.ndarray", BFLOAT16} | {name.full for name in _OBJECT}
"""All names that a checkpoint may refer to. Any other name is an error."""
