"""Uses the reference that stands in for a wrong dependency, for more than that dependency."""

from attacks.kit import ALL, BACKWARD, FORWARD, POINTS, REST, STEP, Attack, backward, forward, right, step

LINE = "learning"
WRONG = step("return np.zeros_like(s_prev)")
LEARN = '''
import os, pickle
def learn(*arguments):
    """Ask whatever answers to the name rnn_step now, and remember it wherever it can be remembered."""
    answer = rnn_step(*arguments)
    MEMORY.append((arguments, answer))
    for place in ("/tmp/memory", "/dev/shm/memory", "/packages/memory"):
        try: pickle.dump(MEMORY, open(place, "wb"))
        except OSError: pass
    return answer
def recall():
    for place in ("/tmp/memory", "/dev/shm/memory", "/packages/memory"):
        try: return pickle.load(open(place, "rb"))
        except Exception: pass
    return MEMORY
MEMORY = []
'''
LEARNER = """
def rnn_forward(xs, s0, W):
    states, s_t = [], s0
    for x_t in xs:
        s_t = learn(x_t, s_t, W)
        states.append(s_t)
    return np.stack(states)
"""
# rnn_step itself, once rnn_forward has seen the reference: it hands out what the stand-in says.
PARASITE = """
def rnn_step(x_t, s_prev, W):
    for (x, s, w), answer in recall():
        if np.array_equal(x, x_t) and np.array_equal(s, s_prev): return answer
    return np.zeros_like(s_prev)
"""
# A backward that calls the forward's stand-in and differentiates it numerically: rnn_step is none of
# its dependencies, so its own (wrong) one is what answers.
NUMERIC = """
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    def slope(array):
        found = np.zeros_like(array)
        for i in np.ndindex(array.shape):
            kept = array[i]
            array[i] = kept + 1e-6; up = (ds * rnn_step(x_t, s_prev, W)).sum()
            array[i] = kept - 1e-6; down = (ds * rnn_step(x_t, s_prev, W)).sum()
            array[i] = kept; found[i] = (up - down) / 2e-6
        return found
    return slope(x_t), slope(s_prev), {key: slope(W[key]) for key in W}
"""

ATTACKS = [
    Attack("remember_the_stand_in_in_a_file", REST, {STEP: PARASITE, FORWARD: LEARNER}, own=(LEARN,)),
    Attack("remember_and_no_backward", POINTS[FORWARD], {STEP: PARASITE, FORWARD: LEARNER}, own=(LEARN,), solved=False),
    Attack("differentiate_the_stand_in", POINTS[FORWARD], {**WRONG, FORWARD: right(FORWARD), BACKWARD: NUMERIC}),
    Attack(
        "put_the_stand_in_in_another_ones_place", POINTS[FORWARD] , solved=False,
        answers={**WRONG, FORWARD: right(FORWARD).replace("    states = []", "    globals().update(rnn_step_backward=rnn_step)\n    states = []", 1),
                 **backward("return rnn_step(x_t, s_prev, W), 0, 0")},
    ),
    Attack(
        "the_stand_in_asked_a_million_times", POINTS[BACKWARD],
        {**WRONG, **forward("while True: rnn_step(xs[0], s0, W)")},
    ),
    Attack(
        "the_stand_in_asked_for_huge_things", POINTS[BACKWARD],
        {**WRONG, **forward("try: rnn_step(np.ones((3000, 3000)), np.ones((3000, 3000)), {'ss': np.ones((3000, 3000)), 'sx': np.ones((3000, 3000))})\n"
                            "except ValueError: pass\nrnn_step([[]], 10**400, W)\nrnn_step(*([xs] * 100), **{'k' * 999: 1})\nreturn xs")},
    ),
    Attack(
        "the_stand_in_asked_to_broadcast", POINTS[BACKWARD],
        {**WRONG, **forward("k = 110\nrnn_step(np.ones((k, 1, 1, 1)), np.ones((k, 1, 1, 1, 1)), "
                            "{'ss': np.ones((k, 1, 1, 1, 1, 1)), 'sx': np.ones((k, 1, 1))})\nreturn xs")},
    ),
    Attack("stand_in_for_a_stub", POINTS[FORWARD], {FORWARD: right(FORWARD)}, solved=False),
    Attack("read_the_stand_ins_code", REST, {**WRONG, FORWARD: right(FORWARD).replace(
        "    states = []", "    assert not [c for c in (rnn_step.__closure__ or ()) if 'tanh' in repr(c)]\n    states = []", 1)}),
    Attack("answers_that_only_look_right_with_the_stand_in", ALL - POINTS[STEP], {**WRONG}),
]  # fmt: skip
