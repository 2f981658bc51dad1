"""Values on the wire: what may pass, what comes out, and what is refused."""

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from needs import TORCH
from safetensors.numpy import load, save

from autograder.answers import wire
from autograder.answers.outcome import Opaque

LIMIT = 1 << 20


def same(a, b):
    if isinstance(a, np.ndarray):
        return (
            type(b) is np.ndarray and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        )
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def both(value):
    """What the wire makes of a value, the same by either way."""
    sent = wire.unpack(wire.pack(value), LIMIT)
    assert same(sent, wire.normalise(value))
    return sent


DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
values = st.recursive(
    arrays | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), max_size=5), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(values)
def test_what_is_sent_arrives(value):
    assert same(both(value), value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_value_or_a_wire_error(blob):
    with contextlib.suppress(wire.WireError):
        wire.unpack(blob, LIMIT)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_blob_gives_a_value_or_a_wire_error(data):
    blob = bytearray(wire.pack(({"W": np.eye(3)}, [np.arange(4), None])))
    for _ in range(data.draw(st.integers(1, 4))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(wire.WireError):
        wire.unpack(bytes(blob), LIMIT)


def test_a_blob_is_what_the_library_calls_safetensors():
    tensors = load(wire.pack({"W": np.arange(6, dtype=np.float32).reshape(2, 3), "empty": np.zeros((0, 2))}))
    assert set(tensors) == {"message", "0", "1"}
    assert same(tensors["0"], np.arange(6, dtype=np.float32).reshape(2, 3))
    assert same(tensors["1"], np.zeros((0, 2)))
    assert json.loads(tensors["message"].tobytes())["value"] == ["d", ["W", "empty"], [0, 1]]


def test_numbers_become_arrays_without_axes():
    sent = both([True, 3, 2.5, np.float32(1.5), np.int8(-2), 10**30])
    assert [a.dtype.name for a in sent] == ["bool", "int64", "float64", "float32", "int8", "float64"]
    assert all(a.shape == () for a in sent)
    assert sent[-1] == 1e30


def test_not_a_number_and_infinity_pass():
    np.testing.assert_array_equal(both(np.array([np.nan, np.inf, -np.inf])), [np.nan, np.inf, -np.inf])


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4)[::-1, ::-2],
        np.arange(12.0).reshape(3, 4).T,
        np.broadcast_to(np.arange(3.0), (4, 3)),
        np.arange(5, dtype=">f8"),
        np.arange(5, dtype=np.longdouble),
        np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix),
        np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    ],
)
def test_views_and_subclasses_arrive_as_plain_contiguous_arrays(array):
    sent = both(array)
    assert type(sent) is np.ndarray
    assert sent.flags.c_contiguous and sent.flags.writeable and sent.dtype.isnative
    np.testing.assert_array_equal(sent, np.asarray(array))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("text", "str"),
        (b"bytes", "bytes"),
        (2j, "complex"),
        (np.array([1j]), "array of complex128"),
        (np.array([object()]), "array of object"),
        (np.array(["a"]), "array of str32"),
        (np.zeros(2, [("a", float)]), "array of void64"),
        (np.array("2020-01-01", "M8[D]"), "array of datetime64[D]"),
        ({1, 2}, "set"),
        (range(3), "range"),
        (print, "builtin_function_or_method"),
        (10**400, "int"),
    ],
)
def test_what_is_no_array_is_known_by_its_type_only(value, name):
    assert both(value) == Opaque(name)


def test_opaque_stays_what_it_is():
    assert both([Opaque("Tensor")]) == [Opaque("Tensor")]


def test_keys_become_text_of_bounded_length():
    assert list(both({1: 0.0, None: 0.0, "\ud800": 0.0, "k" * 999: 0.0})) == ["1", "None", "?", "k" * 200]


def test_text_cannot_move_a_terminals_cursor_or_turn_its_writing():
    assert (
        wire.clean_text("a\x1b[2Jb\r\x00\u202ec\n\td\x9b", 99) == "a\ufffd[2Jb\ufffd\ufffd\ufffdc\n\td\ufffd"
    )


class Liar(np.ndarray):
    shape = property(lambda self: (99,))
    dtype = property(lambda self: np.dtype(complex))

    def __array__(self, *args, **kwargs):
        return np.ones(3)

    def view(self, *args):
        return np.ones(3)

    def tobytes(self, *args):
        return b"lies"

    def __eq__(self, other):
        return True

    __hash__ = None


def test_an_array_that_lies_is_read_from_its_buffer():
    sent = wire.unpack(wire.pack(np.array([5.0, 6.0]).view(Liar)), LIMIT)
    np.testing.assert_array_equal(sent, [5.0, 6.0])


class Claims:
    __array__ = __array_interface__ = property(lambda self: np.ones(3))
    __class__ = np.ndarray  # type: ignore[assignment]


def test_an_object_that_claims_to_be_an_array_is_none():
    assert both(Claims()) == Opaque("Claims")


def test_what_nests_too_deeply_is_refused():
    value: list = []
    inner = value
    for _ in range(wire.MAX_DEPTH - 1):
        inner.append([])
        inner = inner[0]
    both(value)
    inner.append([])
    with pytest.raises(wire.WireError, match="deeper"):
        wire.pack(value)
    value.append(value)
    with pytest.raises(wire.WireError, match="deeper"):
        wire.normalise(value)


def test_too_many_parts_are_refused():
    both([None] * (wire.MAX_LEAVES - 1))
    with pytest.raises(wire.WireError, match="more than"):
        wire.pack([None] * wire.MAX_LEAVES)


def test_too_many_bytes_are_refused_before_they_are_copied():
    vast = np.broadcast_to(np.float64(1.0), (1 << 20, 1 << 20))
    with pytest.raises(wire.WireError, match="bytes"):
        wire.pack(vast, limit=LIMIT)
    with pytest.raises(wire.WireError, match="bytes"):
        wire.normalise(vast, limit=LIMIT)


def test_numbers_and_texts_are_kept_only_where_both_sides_agree():
    blob = wire.encode([2, 2.5, "tanh", np.float32(1.0)], {"do": "call"}, keep_numbers=True)
    frame = wire.Frame(blob, LIMIT)
    kept = frame.value(keep_numbers=True)
    assert kept == [2, 2.5, "tanh", 1.0]
    assert [type(k) for k in kept] == [int, float, str, np.float32]
    assert frame.extra == {"do": "call"}
    with pytest.raises(wire.WireError):
        frame.value()


def forged(structure, extra="{}", **tensors):
    message = f'{{"value": {structure}, "extra": {extra}}}'.encode()
    return save({"message": np.frombuffer(message, np.uint8), **tensors})


@pytest.mark.parametrize(
    "structure",
    [
        "0",
        "-1",
        "true",
        "1.5",
        '"text"',
        "{}",
        "[]",
        '["t"]',
        '["z", []]',
        '["t", 3]',
        '["d", [1], [null]]',
        '["d", ["a"], []]',
        '["o", 3]',
        '["t", [], [], []]',
        '["n", null]',
        "[" * 100_000 + "]" * 100_000,
        '["t", [' * 10 + "null" + "]]" * 10,
        '["l", [' + "null," * 20_000 + "null]]",
        "9" * 10_000,
        '{"a": NaN',
    ],
)
def test_a_forged_structure_is_refused(structure):
    with pytest.raises(wire.WireError):
        wire.unpack(forged(structure), LIMIT)


def test_a_list_of_numbers_travels_as_one_array_and_arrives_as_a_list():
    rows = [[0.1, float("nan")], [np.float64(2.5), float("inf")], [1, 2.0], [True], []]
    arrived = both(rows)
    assert [[str(number[()]) for number in row] for row in arrived] == [
        ["0.1", "nan"],
        ["2.5", "inf"],
        ["1", "2.0"],
        ["True"],
        [],
    ]
    assert len(load(wire.pack([[0.5] * 100] * 3))) == 1 + 3
    kept = wire.Frame(wire.encode([0.1, 2.0], keep_numbers=True), LIMIT).value(keep_numbers=True)
    assert kept == [0.1, 2.0] and {type(number) for number in kept} == {float}


def test_a_list_of_too_many_numbers_is_refused():
    both([0.5] * (wire.MAX_LEAVES - 1))
    for way in (wire.pack, wire.normalise):
        with pytest.raises(wire.WireError, match="more than"):
            way([0.5] * wire.MAX_LEAVES)


@pytest.mark.parametrize("row", [np.ones((2, 2)), np.array(1.0), np.ones(3, np.float32), np.ones(1 << 14)])
def test_a_forged_row_is_refused(row):
    with pytest.raises(wire.WireError):
        wire.unpack(forged('["r", 0]', **{"0": row}), LIMIT)


def test_one_array_cannot_stand_for_two():
    with pytest.raises(wire.WireError):
        wire.unpack(forged('["t", [0, 0]]', **{"0": np.ones(2)}), LIMIT)


def test_extra_must_be_words():
    with pytest.raises(wire.WireError):
        wire.unpack(forged("null", "[]"), LIMIT)


def raw(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\0" * 7,
        struct.pack("<Q", 1 << 62) + b"{}",
        raw(b"{}"),
        raw(b"[" * 50_000),
        raw({"message": {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]}}, b"123"),
        raw({"message": {"dtype": "U8", "shape": [1 << 62], "data_offsets": [0, 3]}}, b"123"),
        raw({"message": {"dtype": "U8", "shape": [-3], "data_offsets": [0, 3]}}, b"123"),
        raw({"message": {"dtype": "O", "shape": [3], "data_offsets": [0, 3]}}, b"123"),
        raw({"message": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, b"12"),
    ],
)
def test_a_forged_blob_is_refused(blob):
    with pytest.raises(wire.WireError):
        wire.unpack(blob, LIMIT)


def test_a_blob_over_the_limit_is_refused():
    with pytest.raises(wire.WireError, match="bytes"):
        wire.unpack(wire.pack(np.zeros(1000)), 1000)


def test_an_empty_array_with_a_vast_axis_is_refused():
    message = b'{"value": 0, "extra": {}}'
    header = {
        "0": {"dtype": "F64", "shape": [1 << 60, 0], "data_offsets": [0, 0]},
        "message": {"dtype": "U8", "shape": [len(message)], "data_offsets": [0, len(message)]},
    }
    with pytest.raises(wire.WireError):
        wire.unpack(raw(header, message), LIMIT)


def test_a_bool_is_true_or_false_whatever_its_byte():
    message = b'{"value": 0, "extra": {}}'
    size = len(message)
    header = {
        "message": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]},
        "0": {"dtype": "BOOL", "shape": [3], "data_offsets": [size, size + 3]},
    }
    sent = wire.unpack(raw(header, message + b"\x00\x01\x07"), LIMIT)
    assert sent.tobytes() == b"\x00\x01\x01"


def test_arrays_of_an_unpacked_value_can_be_written_and_share_nothing():
    array = np.ones(3)
    first, second = wire.normalise((array, array))
    first[0] = 7
    assert array[0] == 1 and second[0] == 1
    first, second = wire.unpack(wire.pack((array, array)), LIMIT)
    first[0] = 7
    assert second[0] == 1


def test_a_tensor_of_torch_arrives_as_an_array():
    torch = pytest.importorskip("torch", reason=TORCH)
    sent = both([torch.ones(2, requires_grad=True) * 2, torch.ones(2, dtype=torch.bfloat16)])
    np.testing.assert_array_equal(sent[0], np.array([2, 2], np.float32))
    assert sent[1] == Opaque("Tensor")
