"""Right answers to the exercises of notebook 01, written differently."""

ALTERNATIVES = {
    "rnn_step": [
        """
def rnn_step(x_t, s_prev, W):
    return np.tanh(np.dot(W["ss"], s_prev) + np.dot(W["sx"], x_t))
""",
        """
def rnn_step(x_t, s_prev, W):
    return np.tanh(
        np.einsum("ij,jn->in", W["ss"], s_prev) + np.einsum("ij,jn->in", W["sx"], x_t)
    )
""",
        '''
def rnn_step(x_t, s_prev, W):
    """One product of weights side by side, (1.4)."""
    side_by_side = np.hstack([W["ss"], W["sx"]])
    return np.tanh(side_by_side @ np.concatenate([s_prev, x_t], axis=0))
''',
        """
def rnn_step(x, s, weights):
    z = weights["sx"] @ x
    z += weights["ss"] @ s
    np.tanh(z, out=z)
    return z
""",
        '''
def rnn_step(x_t, s_prev, W):
    """Loops, a list, and an accumulator that starts at the integer 0."""
    H, D = W["sx"].shape
    rows = []
    for i in range(H):
        total = 0
        for j in range(H):
            total = total + W["ss"][i, j] * s_prev[j]
        for d in range(D):
            total = total + W["sx"][i, d] * x_t[d]
        rows.append(np.tanh(total))
    return rows
''',
        """
def squash(z):
    return 2 / (1 + np.exp(-2 * z)) - 1

def rnn_step(x_t, s_prev, W):
    print(x_t.shape, s_prev.shape)
    return squash(np.matmul(W["ss"], s_prev) + np.matmul(W["sx"], x_t))
""",
        """
def rnn_step(x_t, s_prev, W):
    return np.tanh((s_prev.T @ W["ss"].T + x_t.T @ W["sx"].T).T)
""",
    ],
    "rnn_forward": [
        """
def rnn_forward(xs, s0, W):
    states = []
    s = s0
    for x in xs:
        s = rnn_step(x, s, W)
        states.append(s)
    return np.stack(states)
""",
        '''
def rnn_forward(xs, s0, W):
    """Without rnn_step, and lists of arrays."""
    states = [s0]
    for x in xs:
        states.append(np.tanh(W["ss"] @ states[-1] + W["sx"] @ x))
    return states[1:]
''',
        '''
def rnn_forward(xs, s0, W):
    """Columns of one sequence."""
    s = s0.reshape(-1, 1)
    out = np.zeros((xs.shape[0], s0.shape[0]))
    for t in range(xs.shape[0]):
        s = np.tanh(W["ss"] @ s + W["sx"] @ xs[t].reshape(-1, 1))
        out[t] = s[:, 0]
    return out
''',
        '''
def rnn_forward(xs, s0, W):
    """One buffer that has s0 in front; all inputs multiplied at once."""
    T = len(xs)
    buffer = np.empty((T + 1, len(s0)))
    buffer[0] = s0
    from_inputs = xs @ W["sx"].T
    for t in range(T):
        buffer[t + 1] = np.tanh(W["ss"] @ buffer[t] + from_inputs[t])
    return buffer[1:]
''',
        '''
def rnn_forward(xs, s0, W):
    """By recursion on the length."""
    if len(xs) == 0:
        return np.zeros((0, len(s0)))
    first = rnn_step(xs[0], s0, W)
    return np.concatenate([[first], rnn_forward(xs[1:], first, W)])
''',
        """
from itertools import accumulate

def rnn_forward(xs, s0, W):
    steps = accumulate(xs, lambda s, x: rnn_step(x, s, W), initial=s0)
    return np.array(list(steps)[1:])
""",
        '''
def rnn_forward(xs, s0, W):
    """The initial state changed in place, and copies kept."""
    kept = {}
    for t, x in enumerate(xs):
        s0[:] = rnn_step(x, s0, W)
        kept[t] = s0.copy()
    return np.vstack([kept[t] for t in sorted(kept)])
''',
    ],
    "rnn_forward_batch": [
        '''
def rnn_forward_batch(xs, s0, W):
    """One sequence after the other."""
    T, D, N = xs.shape
    states = np.zeros((T, s0.shape[0], N))
    for n in range(N):
        states[:, :, n] = rnn_forward(xs[:, :, n], s0[:, n], W)
    return states
''',
        """
def rnn_forward_batch(xs, s0, W):
    return np.stack(
        [rnn_forward(xs[..., n], s0[..., n], W) for n in range(s0.shape[1])], axis=-1
    )
""",
        """
def rnn_forward_batch(xs, s0, W):
    states, s = [], s0
    for x in xs:
        s = np.tanh(W["ss"] @ s + W["sx"] @ x)
        states.append(s)
    return states
""",
        '''
def rnn_forward_batch(xs, s0, W):
    """All inputs at once, by einsum; the result written in place."""
    states = np.einsum("hd,tdn->thn", W["sx"], xs)
    s = s0
    for t in range(states.shape[0]):
        states[t] += W["ss"] @ s
        s = np.tanh(states[t], out=states[t])
    return states
''',
        '''
def rnn_forward_batch(xs, s0, W):
    """Sequences as rows inside, columns outside."""
    rows, s = np.transpose(xs, (2, 0, 1)), s0.T
    out = np.zeros((s.shape[0], rows.shape[1], s.shape[1]))
    for t in range(rows.shape[1]):
        s = np.tanh(s @ W["ss"].T + rows[:, t] @ W["sx"].T)
        out[:, t] = s
    return out.transpose(1, 2, 0)
''',
        """
def rnn_forward_batch(xs, s0, W):
    states = np.zeros((0, *s0.shape))
    t = 0
    while t < len(xs):
        print("step", t)
        s0 = rnn_step(xs[t], s0, W)
        states = np.concatenate([states, s0[None]])
        t += 1
    return states
""",
    ],
    "predict": [
        """
def predict(s_last, W):
    z = W["ys"] @ s_last
    e = np.exp(z - np.max(z, axis=0))
    return e / np.sum(e, axis=0)
""",
        '''
def predict(s_last, W):
    """Column by column."""
    z = np.dot(W["ys"], s_last)
    columns = []
    for n in range(z.shape[1]):
        e = np.exp(z[:, n] - max(z[:, n]))
        columns.append(e / sum(e))
    return np.array(columns).T
''',
        '''
def predict(s_last, W):
    """By logarithms."""
    z = W["ys"] @ s_last
    return np.exp(z - np.logaddexp.reduce(z, axis=0))
''',
        '''
def predict(s_last, W):
    """Each probability from differences of logits alone."""
    z = np.einsum("ch,hn->cn", W["ys"], s_last)
    with np.errstate(over="ignore"):
        return 1 / np.exp(z[None, :, :] - z[:, None, :]).sum(axis=1)
''',
        """
def predict(s_last, W):
    z = W["ys"] @ s_last
    z -= z.max(axis=0)
    np.exp(z, out=z)
    z /= z.sum(axis=0)
    return z
""",
        """
def shares(logits):
    best = logits.max()
    raised = [np.exp(logit - best) for logit in logits]
    return [r / sum(raised) for r in raised]

def predict(s, weights):
    z = weights["ys"] @ s
    print("logits", z.shape)
    return list(zip(*[shares(column) for column in z.T]))
""",
    ],
    "cross_entropy": [
        """
def cross_entropy(probabilities, labels):
    total = 0
    for n, label in enumerate(labels):
        total -= np.log(probabilities[label, n])
    return total / len(labels)
""",
        '''
def cross_entropy(probabilities, labels):
    """With one-hot columns."""
    one_hot = np.eye(probabilities.shape[0])[:, labels]
    return -np.sum(one_hot * np.log(probabilities)) / probabilities.shape[1]
''',
        """
def cross_entropy(p, y):
    return float(np.mean(-np.log(np.take_along_axis(p, y[None, :], axis=0))))
""",
        """
def cross_entropy(probabilities, labels):
    return np.log(1 / probabilities[labels, range(len(labels))]).mean()
""",
        """
def cross_entropy(probabilities, labels):
    picked = np.diag(probabilities[labels])
    return -np.average(np.log(picked))
""",
        '''
def cross_entropy(probabilities, labels):
    """A tiny number inside the logarithm, as many write it."""
    picked = np.choose(labels, probabilities)
    print(picked)
    return np.array(-np.log(picked + 1e-15).sum() / labels.size)
''',
    ],
    "cross_entropy_grad": [
        """
def cross_entropy_grad(probabilities, labels):
    true = np.eye(len(probabilities))[labels].T
    return (probabilities - true) / len(labels)
""",
        """
def cross_entropy_grad(p, y):
    dz = np.zeros(p.shape)
    for n in range(p.shape[1]):
        for c in range(p.shape[0]):
            dz[c, n] = (p[c, n] - (1 if c == y[n] else 0)) / p.shape[1]
    return dz
""",
        """
def cross_entropy_grad(probabilities, labels):
    is_label = np.arange(len(probabilities))[:, None] == labels
    return np.where(is_label, probabilities - 1, probabilities) / labels.size
""",
        '''
def cross_entropy_grad(probabilities, labels):
    """By the chain rule, through the Jacobian of the softmax, sequence by sequence."""
    columns = []
    for p, y in zip(probabilities.T, labels):
        by_probability = np.zeros(len(p))
        by_probability[y] = -1 / p[y]
        columns.append((np.diag(p) - np.outer(p, p)) @ by_probability)
    return np.stack(columns, axis=1) / len(labels)
''',
        """
def cross_entropy_grad(probabilities, labels):
    probabilities /= len(labels)  # in place, on a changed argument
    probabilities[labels, range(len(labels))] -= 1 / len(labels)
    return probabilities
""",
        """
def one_hot(labels, C):
    hot = np.zeros((C, len(labels)))
    for n, label in enumerate(labels):
        hot[label][n] = 1
    return hot

def cross_entropy_grad(probabilities, labels):
    C, N = np.shape(probabilities)
    return np.divide(np.subtract(probabilities, one_hot(labels, C)), N)
""",
    ],
    "softsign_step": [
        """
def softsign_step(x_t, s_prev, W):
    a = W["sb"] + W["sx"] @ x_t + W["ss"] @ s_prev
    d = 1 + abs(a)
    return a / d, 1 / d**2
""",
        """
def softsign_step(x, s, W):
    a = np.hstack([W["ss"], W["sx"], W["sb"]]) @ np.vstack([s, x, np.ones((1, s.shape[1]))])
    new = np.where(a > 0, a / (1 + np.abs(a)), -np.abs(a) / (1 + np.abs(a)))
    return new, np.square(1 - np.abs(new))
""",
        '''
def softsign_step(x_t, s_prev, W):
    """Unit by unit, sequence by sequence."""
    H, N = s_prev.shape
    s_t, slope = np.zeros((H, N)), np.zeros((H, N))
    for i in range(H):
        for n in range(N):
            a = W["ss"][i] @ s_prev[:, n] + W["sx"][i] @ x_t[:, n] + W["sb"][i, 0]
            if a >= 0:
                s_t[i, n] = a / (1 + a)
                slope[i, n] = (1 - s_t[i, n]) ** 2
            else:
                s_t[i, n] = a / (1 - a)
                slope[i, n] = (1 + s_t[i, n]) ** 2
    return s_t, slope
''',
        """
def softsign_step(x_t, s_prev, W):
    a = rnn_sum(x_t, s_prev, W)
    a += W["sb"]
    s_t = a / (1.0 + np.sign(a) * a)
    return [s_t, 1 - 2 * np.sign(s_t) * s_t + s_t * s_t]

def rnn_sum(x_t, s_prev, W):
    return np.einsum("ij,jn->in", W["ss"], s_prev) + np.dot(W["sx"], x_t)
""",
        """
def softsign_step(x_t, s_prev, W):
    columns = []
    for n in range(x_t.shape[1]):
        a = W["ss"] @ s_prev[:, n] + W["sx"] @ x_t[:, n] + W["sb"][:, 0]
        columns.append(a)
    a_t = np.array(columns).T
    size = np.sqrt(a_t**2)
    print(size.max())
    s_t = a_t / (size + 1)
    return s_t, (1 + size) ** -2.0
""",
    ],
}
