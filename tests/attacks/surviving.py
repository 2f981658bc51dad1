"""Tries to outlive an exercise and answer for the next, or to carry knowledge from one to another."""

from attacks.kit import ALL, BACKWARD, FORWARD, REST, STEP, Attack, backward, forward, right, step, tries

LINE = "surviving"
DAEMON = """
import os, threading, time, signal, atexit
def survive():
    for way in (lambda: os.fork(), lambda: threading.Thread(target=watch, daemon=True).start(),
                lambda: signal.setitimer(signal.ITIMER_REAL, 0.1), lambda: signal.alarm(1), lambda: os.setsid()):
        try: way()
        except BaseException: pass
    atexit.register(watch)
    signal.signal(signal.SIGALRM, lambda *a: watch())
def watch():
    while True:
        os.write(3, b"\\0" * 64); time.sleep(0.01)
"""
NOTE = """
import os, tempfile
PLACES = ["/tmp/note", "/dev/shm/note", "/var/tmp/note", "/packages/note", "/house/note", "note", "/run/note"]
def leave(text):
    for place in PLACES:
        try: open(place, "a").write(text)
        except OSError: pass
def find():
    for place in PLACES:
        try: return open(place).read()
        except OSError: pass
    return ""
"""
REPLACE_OTHERS = """
def rnn_step(x_t, s_prev, W):
    global rnn_forward, rnn_step_backward
    def rnn_forward(xs, s0, W): return np.zeros((5, 3, 2))
    def rnn_step_backward(*a): return 0, 0, {"ss": 0, "sx": 0}
    np.stack = np.tanh = None
    return np.zeros_like(s_prev)
"""
COUNTS = """
calls = 0
def rnn_step(x_t, s_prev, W):
    global calls
    calls += 1
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t) if calls % 2 else np.zeros_like(s_prev)
"""
FIRST_ONLY = """
seen = []
def rnn_step(x_t, s_prev, W):
    seen.append(1)
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t) if len(seen) <= 3 else np.random.normal(size=s_prev.shape)
"""
# The backward is given s_t, the forward's right answer: remember it, and hand it out as the forward's.
THIEF = """
known = {}
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    known[x_t.tobytes()] = s_t.copy()
    dz = ds * (1 - s_t**2)
    return W["sx"].T @ dz, W["ss"].T @ dz, {"ss": dz @ s_prev.T, "sx": dz @ x_t.T}
"""

ATTACKS = [
    Attack("a_daemon_that_answers_for_the_next", REST, step("survive()\nreturn np.zeros_like(s_prev)"), own=(DAEMON,)),
    Attack("a_note_for_the_next_session", REST, own=(NOTE,), proof="TRIED",
           answers=tries("find() or 1 / 0", "leave('from a call') or 1 / 0")),
    Attack("replace_the_other_answers", REST, {STEP: REPLACE_OTHERS}),
    Attack("an_answer_that_spoils_numpy_for_the_next", ALL - 3, forward("np.tanh = lambda z: z\nnp.multiply = None\nreturn np.zeros((1,))")),
    Attack("right_every_other_time", REST, {STEP: COUNTS}),
    Attack("right_for_the_first_calls", REST, {STEP: FIRST_ONLY}),
    Attack("the_forwards_answers_from_the_backwards_arguments", REST,
           {**step("return known.get(x_t.tobytes(), np.zeros_like(s_prev))"), BACKWARD: THIEF}),
    Attack("locks_for_the_next", REST, proof="TRIED",
           answers=tries("__import__('fcntl').flock(open(np.__file__), 6) or 'locked'",
                         "__import__('fcntl').lockf(open(np.__file__), 5) or 'locked'")),
    Attack("answers_borrowed_from_the_backward", ALL, {BACKWARD: right(BACKWARD), FORWARD: right(FORWARD)},
           own=("shared = []\nimport atexit\natexit.register(print, 'GOT')",)),
    Attack("backward_that_spoils_what_it_was_given", ALL - 5, backward("for a in (ds, x_t, s_prev, s_t, *W.values()): a[...] = 0\nreturn ds, x_t, W")),
]  # fmt: skip
