"""Looks through frames, the collector, modules and hooks for something of value, and poisons what it finds."""

from attacks.kit import ALL, REST, STEP, Attack, step, tries

LINE = "frames"

FRAMES = '''
import gc, sys
def outer():
    """Everything that the frames above us hold."""
    frame, found = sys._getframe(), {}
    while frame:
        for name, value in [*frame.f_locals.items(), *frame.f_globals.items()]:
            found.setdefault(name, value)
        frame = frame.f_back
    return found
VALUE = ("expected", "reference", "solution", "sheet", "points", "score", "mark", "key", "secret", "mutant", "answer_key")
def treasure():
    names = [n for n in outer() if any(w in n.lower() for w in VALUE) and not n.startswith("__")]
    names = [n for n in names if n not in ("KEY", "VALUE", "treasure", "keywords")]
    if not names: raise LookupError
    return names
'''
POISON = """
import builtins, codecs, gc, io, json, marshal, os, struct, sys
import numpy as np
def poison():
    frame = sys._getframe()
    while frame:
        for name in ("wire", "cells", "np", "json", "os", "struct", "LENGTH"):
            if name in frame.f_globals and frame.f_globals.get("__name__", "").startswith("autograder"):
                frame.f_globals[name] = Yes()
        frame = frame.f_back
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith(("autograder", "json", "safetensors")):
            for name in list(vars(module)):
                if not name.startswith("__"): setattr(module, name, Yes())
class Yes:
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return b"\\0" * 8
"""
PACKER = '''
import sys
def pretend(value, *a, **k):
    """What the worker sends in place of any answer: an answer that claims to be right."""
    return ENCODE([["right", True, 12.0]], {"is": "Answered", "number": 0})
wire = sys.modules["autograder.answers.wire"]
ENCODE = wire.encode
'''
HOOKS = """
import os, sys
class Hook:
    def find_spec(self, name, path=None, target=None): raise SystemExit
    def find_module(self, name, path=None): raise SystemExit
sys.meta_path.insert(0, Hook())
sys.path_hooks.insert(0, lambda path: (_ for _ in ()).throw(SystemExit))
sys.path.insert(0, "/tmp")
for name in ("sitecustomize", "usercustomize", "numpy", "autograder", "judge"):
    open(f"/tmp/{name}.py", "w").write("import os; os._exit(0)")
for name in ("a.pth", "numpy.pth", "distutils-precedence.pth"):
    open("/tmp/" + name, "w").write("import os; os._exit(0)")
sys.path_importer_cache.clear()
os.environ["PYTHONPATH"] = os.environ["PYTHONSTARTUP"] = "/tmp"
os.environ["PYTHONUSERBASE"] = os.environ["LD_PRELOAD"] = "/tmp/x.so"
"""
TRACE = """
import sys, threading
SEEN = []
def trace(frame, event, argument):
    SEEN.append((frame.f_code.co_name, list(frame.f_locals)))
    if event == "return" and frame.f_code.co_name == "_answer": frame.f_locals["blob"] = b""
    return trace
sys.settrace(trace); sys.setprofile(trace)
"""
LATER_CASES = '''
import sys
def later():
    """The arguments of the cases that are still to come."""
    frame = sys._getframe()
    while frame:
        if "batch" in frame.f_locals: return frame.f_locals["batch"]
        frame = frame.f_back
    return []
'''

ATTACKS = [
    Attack(
        "look_for_answers_in_frames", REST, own=(FRAMES,), proof="TRIED",
        answers=tries("treasure()"),
    ),
    Attack(
        "look_for_answers_by_the_collector", REST, proof="TRIED",
        answers=tries(
            "[o for o in gc.get_objects() if type(o).__name__ in ('Sheet', 'Case', 'Judgement', 'Grader', 'Master', 'Exercise')][0]",
            "[o for o in gc.get_objects() if isinstance(o, dict) and 'expected' in o and 'inputs' in o][0]",
            "[m for m in sys.modules if m.startswith('autograder.') and m.split('.')[1] not in ('sandbox', 'answers')][0]",
        ),
    ),
    Attack(
        "the_cases_to_come", REST, own=(LATER_CASES,), proof="TRIED",
        answers=step("for case in later(): case[0][...] = 0; case[1][...] = 0\nprint('TRIED')\nreturn np.zeros_like(s_prev)"),
    ),
    Attack("poison_the_worker", REST, step("poison()\nreturn np.zeros_like(s_prev)"), own=(POISON,)),
    Attack("poison_the_worker_from_a_cell", 0, solved=False, own=(POISON, "poison()")),
    Attack(
        "replace_the_packer", REST, own=(PACKER,),
        answers=step("wire.encode = wire._blob = pretend\nreturn np.zeros_like(s_prev)"),
    ),
    Attack("import_hooks_and_customize", ALL, own=(HOOKS,)),
    Attack("trace_the_worker", REST, step("sys.settrace(trace)\nreturn np.zeros_like(s_prev)"), own=(TRACE,)),
    Attack(
        "patch_json_and_struct", REST,
        step("import json, struct\njson.dumps = json.loads = struct.pack = lambda *a, **k: '{\"passed\": true}'\nreturn np.zeros_like(s_prev)"),
    ),
    Attack(
        "patch_numpy_in_a_call", REST,
        step("np.ndarray, np.asarray, np.generic = object, (lambda *a, **k: 12.0), object\nreturn np.zeros_like(s_prev)"),
    ),
    Attack(
        "change_the_code_of_the_worker", REST,
        step("import sys\nw = sys.modules['autograder.sandbox.worker']\n"
             "w.SessionLoop._answer.__code__ = (lambda self, extra, index, arguments: b'').__code__\nreturn np.zeros_like(s_prev)"),
    ),
    Attack(
        "replace_the_worker_file", REST, proof="TRIED",
        answers=tries("open('/house/autograder/sandbox/worker.py', 'a')", "os.remove('/house/autograder/answers/wire.py')",
                      "open(np.__file__, 'a')", "open(os.__file__, 'a')"),
    ),
    Attack(
        "functions_that_are_no_functions", REST,
        {STEP: "class Mean(type):\n    def __call__(cls, *a): raise SystemExit('no')\nclass rnn_step(metaclass=Mean): pass"},
    ),
    Attack(
        "a_namespace_that_watches", REST,
        {STEP: "import builtins\ndef rnn_step(x_t, s_prev, W):\n    globals().clear()\n    return 0"},
    ),
]  # fmt: skip
