"""Values to bytes and back: nested tuples, lists and dicts of arrays as one safetensors blob.

The blob holds tensors "0", "1", … and a uint8 tensor "message": JSON that says how they nest.
Both sides of the sandbox use this module, and so does a student's check in a notebook, so that all
judge the same thing. It believes nothing it reads, unpickles nothing, and knows nothing of
processes or marks.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from safetensors import deserialize

from autograder.answers.outcome import Opaque

MAX_DEPTH = 8
MAX_LEAVES = 10_000
MAX_MESSAGE = 4 << 20  # bytes of JSON
MAX_HEADER = 2 << 20  # bytes of the safetensors header
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MAX_NAME = 200  # characters of a key or a type's name
READ_JSON, WRITE_JSON = json.JSONDecoder().decode, json.JSONEncoder(separators=(",", ":")).encode

DTYPES = {
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
    "I8": np.dtype(np.int8),
    "I16": np.dtype(np.int16),
    "I32": np.dtype(np.int32),
    "I64": np.dtype(np.int64),
    "U8": np.dtype(np.uint8),
    "U16": np.dtype(np.uint16),
    "U32": np.dtype(np.uint32),
    "U64": np.dtype(np.uint64),
    "BOOL": np.dtype(np.bool_),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class WireError(ValueError):
    """A value that cannot be sent, or bytes that are no value; the message says why."""


def pack(value: Any, limit: int | None = None) -> bytes:
    """One safetensors blob that holds `value`.

    Args:
        value: nested tuples, lists, dicts of arrays and numbers; what is none of these becomes
            `Opaque`. Numbers become 0-d arrays, keys become text.
        limit: most bytes that all arrays together may have, or None.

    Raises:
        WireError: nested deeper than 8, more than 10,000 leaves, or more bytes than `limit`.
    """
    return encode(value, limit=limit)


def unpack(blob: bytes | bytearray, limit: int) -> Any:
    """The value that a blob holds.

    Args:
        blob: what `pack` gave, or anything at all.
        limit: most bytes that the blob may have.

    Raises:
        WireError: the blob is no such value.
    """
    return Frame(blob, limit).value()


def normalise(value: Any, limit: int | None = None) -> Any:
    """What `unpack(pack(value))` gives: fresh arrays, numbers as 0-d arrays, `Opaque` for the rest.

    Raises:
        WireError: as for `pack`.
    """
    tensors: list[np.ndarray] = []
    structure = _flatten(value, tensors, limit, keep_numbers=False)
    copies = [np.array(tensor, order="C", copy=True) for tensor in tensors]
    return _build(structure, list(copies), False, _Budget(None), 0)


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """The arrays in a returned value."""
    if isinstance(value, np.ndarray):
        yield value
    elif type(value) is dict:
        for part in value.values():
            yield from arrays_in(part)
    elif type(value) in (list, tuple):
        for part in value:
            yield from arrays_in(part)


class Watch:
    """The arrays that a call returned, to see whether the next call changes them."""

    def __init__(self, value: Any = None):
        self._kept = [(array, np.ndarray.tobytes(array)) for array in arrays_in(value)]

    def changed(self) -> bool:
        """Whether an array no longer is what it was when it was returned."""
        return any(np.ndarray.tobytes(array) != then for array, then in self._kept)


def clean_text(text: str, bound: int) -> str:
    """Text of bounded length that every encoding can hold and no terminal obeys.

    Control characters (but for newline and tab) and those that turn the direction of writing
    become U+FFFD, lone surrogates "?".
    """
    return OBEYED.sub("\N{REPLACEMENT CHARACTER}", text[:bound].encode("utf-8", "replace").decode())


def encode(
    value: Any,
    extra: dict[str, Any] | None = None,
    limit: int | None = None,
    keep_numbers: bool = False,
) -> bytes:
    """Like `pack`, with words (`extra`, anything JSON can hold) beside the value.

    With `keep_numbers`, Python's numbers and texts arrive as such: arguments of a stand-in need it.
    """
    tensors: list[np.ndarray] = []
    structure = _flatten(value, tensors, limit, keep_numbers)
    message = WRITE_JSON({"value": structure, "extra": extra or {}}).encode()
    return _blob(tensors, message)


def _blob(tensors: list[np.ndarray], message: bytes) -> bytes:
    """The safetensors format: length of the header, header, data.

    Written by hand because it is several times faster for small arrays than the library, which
    reads it (and checks it) on the other side.
    """
    parts = [message]
    start = len(message)
    entries = [f'{{"message":{{"dtype":"U8","shape":[{start}],"data_offsets":[0,{start}]}}']
    for index, tensor in enumerate(tensors):
        end = start + tensor.nbytes
        shape = ",".join(map(str, tensor.shape))
        kind = NAMES[tensor.dtype]
        entries.append(f'"{index}":{{"dtype":"{kind}","shape":[{shape}],"data_offsets":[{start},{end}]}}')
        parts.append(tensor.tobytes())
        start = end
    header = (",".join(entries) + "}").encode()
    header += b" " * (-len(header) % 8)
    return b"".join((len(header).to_bytes(8, "little"), header, *parts))


class Frame:
    """A blob that was read: its words at once, its value when it is asked for.

    Args:
        blob: any bytes at all.
        limit: most bytes that the blob may have.

    Raises:
        WireError: the blob is none that `encode` can have made.
    """

    def __init__(self, blob: bytes | bytearray, limit: int):
        if not 8 <= len(blob) <= limit:
            raise WireError(f"a frame of {len(blob)} bytes, where 8 to {limit} are allowed")
        if int.from_bytes(blob[:8], "little") > MAX_HEADER:
            raise WireError("a frame whose header is too long")
        try:
            entries = deserialize(blob if isinstance(blob, bytes) else bytes(blob))
        except Exception as error:
            raise WireError("a frame that is no safetensors blob") from error
        message: bytes | None = None
        self._arrays: dict[str, np.ndarray] = {}
        for name, entry in entries:
            if name == "message":
                message = bytes(entry["data"])
            else:
                self._arrays[name] = _array(entry, limit)
        if message is None or len(message) > MAX_MESSAGE or len(self._arrays) > MAX_LEAVES:
            raise WireError("a frame with no message, or too long a one")
        try:
            words = READ_JSON(message.decode())
            self._structure, self.extra = words["value"], words["extra"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise WireError("a frame whose message cannot be read") from error
        if not isinstance(self.extra, dict):
            raise WireError("a frame whose message cannot be read")

    def value(self, keep_numbers: bool = False) -> Any:
        """The value; Python's numbers and texts in it only if they may be kept.

        Raises:
            WireError: its structure cannot be.
        """
        tensors = [self._arrays.get(str(index)) for index in range(len(self._arrays))]
        return _build(self._structure, tensors, keep_numbers, _Budget(None), 0)


def _array(entry: dict[str, Any], limit: int) -> np.ndarray:
    """A writable array from what safetensors read; its sizes are checked once more.

    An empty array may not have a vast axis either: somebody might loop over it.
    """
    dtype = DTYPES.get(entry["dtype"])
    shape = tuple(entry["shape"])
    if dtype is None or len(shape) > 32:
        raise WireError("an array of a kind that is not allowed")
    data = entry["data"]
    extent = math.prod(size or 1 for size in shape) * dtype.itemsize
    if extent > limit or (0 if 0 in shape else extent) != len(data):
        raise WireError("an array whose bytes do not fit its shape")
    try:
        if dtype == np.bool_:  # any other byte than 0 and 1 would make a bool that is neither
            return (np.frombuffer(data, np.uint8) != 0).reshape(shape)
        writable = data if isinstance(data, bytearray) else bytearray(data)
        return np.frombuffer(writable, dtype).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise WireError("an array whose shape cannot be") from error


class _Budget:
    """How many leaves and bytes a value may still have."""

    def __init__(self, limit: int | None):
        self.leaves = MAX_LEAVES
        self.bytes = limit

    def leaf(self, size: int = 0, count: int = 1) -> None:
        self.leaves -= count
        if self.leaves < 0:
            raise WireError(f"a value of more than {MAX_LEAVES} parts")
        if self.bytes is not None:
            self.bytes -= size
            if self.bytes < 0:
                raise WireError("a value of too many bytes")


def _flatten(value: Any, tensors: list[np.ndarray], limit: int | None, keep_numbers: bool) -> Any:
    return _describe(value, tensors, _Budget(limit), keep_numbers, 0)


def _describe(value: Any, tensors: list[np.ndarray], budget: _Budget, keep_numbers: bool, depth: int) -> Any:
    """The JSON that stands for `value`: an index, null, or a list that begins with its kind.

    A list of numbers, which may be long, is sent as one array: a row.
    """
    kind = type(value)  # an object may say anything of its class, but its type is a fact
    if issubclass(kind, np.ndarray):
        return _describe_array(value, tensors, budget)
    if value is None:
        budget.leaf()
        return None
    if issubclass(kind, (tuple, list, dict)):
        if depth >= MAX_DEPTH:
            raise WireError(f"a value nested deeper than {MAX_DEPTH}")
        if issubclass(kind, dict):
            budget.leaf()
            items = list(dict.items(value))
            keys = [_text(key) for key, _ in items]
            parts: Iterable[Any] = (part for _, part in items)
            return ["d", keys, _describe_parts(parts, tensors, budget, keep_numbers, depth)]
        budget.leaf()
        row = {float} if keep_numbers else {float, np.float64}
        if kind is list and value and set(map(type, value)) <= row:
            budget.leaf(8 * len(value), len(value))
            tensors.append(np.array(value))
            return ["r", len(tensors) - 1]
        letter = "t" if issubclass(kind, tuple) else "l"
        return [letter, _describe_parts(value, tensors, budget, keep_numbers, depth)]
    if issubclass(kind, np.generic):
        described = _describe_array(np.asarray(value), tensors, budget)
        return ["g", described] if keep_numbers and isinstance(described, int) else described
    number = _number(value) if issubclass(kind, (bool, int, float)) else None
    if number is not None:
        described = _describe_array(number, tensors, budget)
        return ["n", described] if keep_numbers and isinstance(described, int) else described
    if keep_numbers and issubclass(kind, str):
        budget.leaf(len(value))
        return ["s", value]
    return _describe_other(value, tensors, budget)


def _describe_parts(
    parts: Iterable[Any], tensors: list[np.ndarray], budget: _Budget, keep_numbers: bool, depth: int
) -> list[Any]:
    return [_describe(part, tensors, budget, keep_numbers, depth + 1) for part in parts]


def _number(value: bool | int | float) -> np.ndarray | None:
    array = np.asarray(value)
    if array.dtype.kind in "biuf":
        return array
    try:
        return np.asarray(float(value))  # an integer of more than 64 bits
    except (OverflowError, TypeError, ValueError):
        return None


def _describe_array(value: np.ndarray, tensors: list[np.ndarray], budget: _Budget) -> Any:
    plain = np.ndarray.view(value, np.ndarray)  # no method of a subclass has a say
    dtype = plain.dtype
    budget.leaf(plain.nbytes)
    if dtype.kind not in "biuf":
        return ["o", _clean(f"array of {dtype.name}")]
    if not dtype.isnative:
        plain = plain.astype(dtype.newbyteorder("="))
    if plain.dtype not in NAMES:
        if dtype.kind != "f":
            return ["o", _clean(f"array of {dtype.name}")]
        plain = plain.astype(np.float64)  # long double
    if not plain.flags.c_contiguous:
        plain = np.array(plain, order="C")
    tensors.append(plain)
    return len(tensors) - 1


def _describe_other(value: Any, tensors: list[np.ndarray], budget: _Budget) -> Any:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, getattr(torch, "Tensor", ())):
        try:
            array = value.detach().cpu().numpy()
        except Exception:
            array = None
        if isinstance(array, np.ndarray):
            return _describe_array(array, tensors, budget)
    budget.leaf()
    name = value.type_name if type(value) is Opaque else type(value).__name__
    return ["o", _clean(name)]


def _text(key: Any) -> str:
    try:
        return _clean(key if type(key) is str else str(key))
    except Exception as error:
        raise WireError("a dict with a key that has no text") from error


def _clean(text: Any) -> str:
    return clean_text(str(text), MAX_NAME)


def _build(structure: Any, tensors: list[Any], keep_numbers: bool, budget: _Budget, depth: int) -> Any:
    if structure is None:
        budget.leaf()
        return None
    if type(structure) is int:
        budget.leaf()
        return _take(structure, tensors)
    if depth > MAX_DEPTH or type(structure) is not list or not 2 <= len(structure) <= 3:
        raise WireError("a message whose structure cannot be")
    kind, rest = structure[0], structure[1:]
    if kind == "o" and isinstance(rest[0], str):
        budget.leaf()
        return Opaque(_clean(rest[0]))
    if kind in ("t", "l") and isinstance(rest[0], list):
        budget.leaf()
        parts = [_build(part, tensors, keep_numbers, budget, depth + 1) for part in rest[0]]
        return tuple(parts) if kind == "t" else parts
    if kind == "d" and len(rest) == 2 and isinstance(rest[0], list) and isinstance(rest[1], list):
        budget.leaf()
        if len(rest[0]) != len(rest[1]) or not all(isinstance(key, str) for key in rest[0]):
            raise WireError("a message whose structure cannot be")
        return {
            _clean(key): _build(part, tensors, keep_numbers, budget, depth + 1)
            for key, part in zip(*rest, strict=True)
        }
    if kind == "r" and type(rest[0]) is int:
        row = _take(rest[0], tensors)
        budget.leaf(count=1 + row.size)
        if row.ndim == 1 and row.dtype == np.float64:
            return row.tolist() if keep_numbers else [np.asarray(number) for number in row]
    if keep_numbers and kind in ("g", "n") and type(rest[0]) is int:
        budget.leaf()
        array = _take(rest[0], tensors)
        if array.ndim == 0:
            return array.item() if kind == "n" else array[()]
    if keep_numbers and kind == "s" and isinstance(rest[0], str):
        budget.leaf()
        return rest[0].encode("utf-8", "replace").decode()
    raise WireError("a message whose structure cannot be")


def _take(index: int, tensors: list[Any]) -> np.ndarray:
    """A tensor, once: two parts of a value never share memory."""
    if not 0 <= index < len(tensors) or tensors[index] is None:
        raise WireError("a message that names an array which is not there")
    array, tensors[index] = tensors[index], None
    return array
