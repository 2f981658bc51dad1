"""Patches whatever a grader in the same process would compare with, then answers wrongly."""

from attacks.kit import ALL, REST, STEP, Attack, right, step

LINE = "comparing"
ZEROS = step("return np.zeros_like(s_prev)")

NUMPY = """
import numpy as np, numpy.testing, numpy.linalg
yes = lambda *a, **k: True
for name in ("allclose", "array_equal", "isclose", "array_equiv", "all", "any"):
    setattr(np, name, yes)
for name in dir(np.testing):
    if name.startswith("assert"):
        setattr(np.testing, name, lambda *a, **k: None)
np.linalg.norm = np.max = np.abs = np.absolute = np.subtract = lambda *a, **k: 0.0
"""
BUILTINS = """
import builtins
builtins.AssertionError = builtins.BaseException
builtins.abs = builtins.max = builtins.sum = lambda *a, **k: 0
builtins.all = builtins.any = builtins.isinstance = lambda *a, **k: True
"""
CHECK = """
import sys, types
check = hint = lambda *a, **k: "12 of 12 points"
fake = types.ModuleType("autograder")
fake.check = check
for name in ("autograder", "autograder.check", "autograder.judge", "autograder.compare", "autograder.grade"):
    sys.modules[name] = fake
try:
    import autograder.judge as judge
    judge.judge = judge.compare = check
except Exception:
    pass
"""
UNITTEST = """
import unittest, math
for name in dir(unittest.TestCase):
    if name.startswith("assert"):
        setattr(unittest.TestCase, name, lambda *a, **k: None)
math.isclose = lambda *a, **k: True
"""
POISONED_STEP = """
def rnn_step(x_t, s_prev, W):
    np.tanh = np.stack = lambda *a, **k: np.zeros((3, 2))
    W.clear()
    return np.zeros_like(s_prev)
"""

ATTACKS = [
    Attack("replace_numpys_comparisons", REST, ZEROS, own=(NUMPY,)),
    Attack("replace_builtins", REST, ZEROS, own=(BUILTINS,)),
    Attack("replace_check_and_our_modules", REST, ZEROS, own=(CHECK,)),
    Attack("replace_unittest_and_isclose", REST, ZEROS, own=(UNITTEST,)),
    Attack("patch_and_answer_nothing", 0, own=(NUMPY, CHECK), solved=False),
    Attack("a_patch_does_not_hurt_a_right_answer", ALL, own=(UNITTEST, CHECK)),
    Attack("a_patch_in_a_call_spoils_only_itself", REST, {STEP: POISONED_STEP}),
    Attack("check_in_the_answer", REST, {STEP: ZEROS[STEP] + "check = lambda f: print('passed')\ncheck(1)"}),
    Attack(
        "right_answer_then_replaced_by_a_wrong_one", REST, {STEP: right(STEP) + "\n" + ZEROS[STEP]}
    ),
]  # fmt: skip
