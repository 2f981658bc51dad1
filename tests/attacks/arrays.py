"""Arrays of every odd kind, in place of an answer."""

from attacks.kit import ALL, REST, STEP, Attack, backward, right, step

LINE = "arrays"
ODD = {
    "object_array": "np.full((3, 2), None)",
    "object_array_of_arrays": "np.array([np.zeros(2)] * 3 + [None], object)[:3]",
    "structured_array": "np.zeros((3, 2), [('a', float), ('b', int)])",
    "zero_dimensional": "np.array(0.0)",
    "nan": "np.full_like(s_prev, np.nan)",
    "inf": "np.full_like(s_prev, np.inf)",
    "huge_numbers": "np.full_like(s_prev, 1e308)",
    "tiny_numbers": "np.full_like(s_prev, 5e-324)",
    "half_precision_overflow": "np.full(s_prev.shape, 65504, np.float16)",
    "negative_strides": "np.zeros((6, 4))[::-2, ::-2]",
    "memory_mapped": "np.memmap('/tmp/x', float, 'w+', shape=s_prev.shape)",
    "broadcast_to_a_terabyte": "np.broadcast_to(0.0, (10**6, 10**6))",
    "no_entries_vast_axes": "np.zeros((10**9, 0, 10**9))",
    "masked": "np.ma.masked_all(s_prev.shape)",
    "matrix": "np.asmatrix(np.zeros(s_prev.shape))",
    "record_array": "np.zeros((3, 2), 'f8').view(np.recarray)",
    "complex": "np.zeros(s_prev.shape, complex)",
    "bool": "np.ones(s_prev.shape, bool)",
    "bool_of_other_bytes": "np.full(s_prev.shape, 7, np.uint8).view(bool)",
    "largest_integers": "np.full(s_prev.shape, 2**64 - 1, np.uint64)",
    "big_endian": "np.zeros(s_prev.shape, '>f8')",
    "long_double": "np.full(s_prev.shape, np.longdouble('1e4000'))",
    "text": "np.full(s_prev.shape, '0.5')",
    "dates": "np.zeros(s_prev.shape, 'M8[s]')",
    "readonly": "np.broadcast_to(np.zeros(2), (3, 2))",
    "thirty_two_axes": "np.zeros((1,) * 32)",
    "nested_lists": "[[[[[[[[[[0]]]]]]]]]]",
    "endless_list": "[0.0] * 10**6",
    "list_in_itself": "[loop := [], loop.append(loop)]",
    "int_beyond_floats": "10**5000",
    "dict_of_odd_keys": "{1: 0, None: 1, ('a',): 2, b'x': 3, 'k' * 10**6: 4}",
    "ragged": "[[0.0], [0.0, 1.0], []]",
}
HUGE_GRADIENT = "return 1e308 * x_t, 1e308 * s_prev, {k: 1e308 * v for k, v in W.items()}"

ATTACKS = [
    *(Attack(f"returns_{name}", REST, step(f"return {text}")) for name, text in ODD.items()),
    Attack("gradients_that_overflow", ALL - 5, backward(HUGE_GRADIENT)),
    Attack(
        "gradients_of_nan", ALL - 5, backward("return np.nan * x_t, np.nan * s_prev, {k: np.nan * v for k, v in W.items()}")
    ),
    Attack(
        "right_but_backwards_in_memory", ALL,
        {STEP: right(STEP).replace("return np.tanh(pre_activation)", "return np.tanh(pre_activation)[::-1][::-1]")},
    ),
]  # fmt: skip
