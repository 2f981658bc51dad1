"""Objects that say they are the right answer, whatever they are compared with."""

from attacks.kit import ALL, REST, STEP, Attack, step

LINE = "objects"

LIARS = '''
class Yes:
    """Equal to everything, true, close to all, of any shape."""
    shape, dtype, ndim, size, nbytes = (3, 2), np.dtype(float), 2, 6, 48
    __array_priority__ = 1e9
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __float__(self): return 0.0
    def __len__(self): return 3
    def __getitem__(self, key): return self
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __sub__ = __rsub__ = __abs__ = __mul__ = __call__
    __hash__ = None
class ArrayLike(Yes):
    def __array__(self, *a, **k): return np.zeros((3, 2))
    @property
    def __array_interface__(self):
        return {"shape": (3, 2), "typestr": "<f8", "data": (8, False), "version": 3}
class Ufunc(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.True_
    def __array_function__(self, function, types, args, kwargs): return True
    def __eq__(self, other): return np.ones((3, 2), bool)
    def __array_finalize__(self, other): pass
    def __sub__(self, other): return np.zeros((3, 2))
    __rsub__ = __abs__ = __sub__
    def astype(self, *a, **k): return self
    def tobytes(self, *a): return bytes(48)
    def view(self, *a): return self
class Shape(np.ndarray):
    shape = property(lambda self: (3, 2))
    dtype = property(lambda self: np.dtype("f8"))
    nbytes = property(lambda self: 0)
class Reduce:
    def __reduce__(self): return (print, ("GOT unpickled",))
    __reduce_ex__ = lambda self, version: (eval, ("__import__('os').system('touch /tmp/owned')",))
    def __getstate__(self): return {}
class ListLike(list):
    def __iter__(self): return iter([[0.0] * 2] * 3)
    def __len__(self): return 3
class DictLike(dict):
    def items(self): return [("ss", 0)]
    def __contains__(self, key): return True
    def __getitem__(self, key): return Yes()
class Number(float):
    def __eq__(self, other): return True
    def __float__(self): return 0.5
class Metaclass(type):
    def __instancecheck__(cls, x): return True
    def __subclasscheck__(cls, x): return True
class Anything(metaclass=Metaclass): pass
'''


def liar(name: str, expression: str) -> Attack:
    """rnn_step returns a lying object."""
    return Attack(name, REST, step(f"return {expression}"), own=(LIARS,))


ATTACKS = [
    liar("equal_to_everything", "Yes()"),
    liar("array_interface_at_any_address", "ArrayLike()"),
    liar("ufuncs_that_say_true", "np.zeros((3, 2)).view(Ufunc)"),
    liar("shape_and_dtype_that_lie", "np.zeros(1).view(Shape)"),
    liar("reduce_that_runs_code", "Reduce()"),
    liar("list_whose_iterator_lies", "ListLike([[1.0]])"),
    liar("dict_that_holds_all_keys", "DictLike()"),
    liar("float_that_equals_all", "Number(1.0)"),
    liar("class_of_every_instance", "Anything"),
    liar("list_of_liars", "[[Yes(), Yes()]] * 3"),
    liar("generator_for_an_array", "(row for row in np.zeros((3, 2)))"),
    liar("tuple_of_many_answers", "(np.zeros((3, 2)), np.ones((3, 2)))"),
    Attack(
        "a_liar_that_is_right_is_right", ALL,
        {STEP: 'def rnn_step(x_t, s_prev, W):\n'
               '    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t).view(Ufunc)'},
        own=(LIARS,),
    ),
]  # fmt: skip
