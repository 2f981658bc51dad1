"""Right answers to the exercises of notebook 10, written differently; every one must pass."""

ALTERNATIVES = {
    "gru_step": [
        # six small products, einsum, the sigmoid by hand
        """
def gru_step(x_t, s_prev, W):
    H = s_prev.shape[0]
    def network(k):
        own = slice(k * H, (k + 1) * H)
        return np.einsum("ij,jn->in", W["s"][own], s_prev), np.dot(W["x"][own], x_t)
    gate = lambda k: 1 / (1 + np.exp(-np.clip(sum(network(k)), -500, 500)))
    g, r = gate(0), gate(1)
    past, word = network(2)
    new = np.tanh(word + np.multiply(r, past))
    return s_prev + g * (new - s_prev), r, g, new
""",
        # the sum first, and the candidate's past taken out again
        """
def gru_step(x_t, s_prev, W):
    past = W["s"] @ s_prev
    both = (past + W["x"] @ x_t).reshape(3, *s_prev.shape)
    g_t, r_t = sigmoid(both[:2])
    past = past[-len(s_prev):]
    candidate = np.tanh(both[2] - past + r_t * past)
    return (1 - g_t) * s_prev + g_t * candidate, r_t, g_t, candidate
""",
        # sequence by sequence
        """
def gru_step(input_, state, weights):
    columns, H = [], len(state)
    for x, s in zip(input_.T, state.T):
        from_x, from_s = weights["x"] @ x, weights["s"] @ s
        g = sigmoid(from_s[:H] + from_x[:H])
        r = sigmoid(from_s[H : 2 * H] + from_x[H : 2 * H])
        n = np.tanh(from_x[2 * H :] + r * from_s[2 * H :])
        columns.append([(1 - g) * s + g * n, r, g, n])
    return tuple(np.array([column[k] for column in columns]).T for k in range(4))
""",
        # PyTorch's z, and in place on an argument
        """
def gru_step(x_t, s_prev, W):
    gate, reset, n = np.vsplit(W["s"] @ s_prev, 3)
    gate_x, reset_x, n_x = np.vsplit(W["x"] @ x_t, 3)
    z = sigmoid(-gate - gate_x)
    r = sigmoid(reset_x + reset)
    n *= r
    n += n_x
    np.tanh(n, out=n)
    print("candidate", n.shape)
    s_prev *= z
    s_prev += (1 - z) * n
    return s_prev, r, 1 - z, n
""",
        # one product for the gates, of weights side by side; tanh by a sigmoid
        """
def gru_step(x_t, s_prev, W):
    H = len(s_prev)
    gates = sigmoid(np.hstack([W["s"], W["x"]])[: 2 * H] @ np.vstack([s_prev, x_t]))
    g_t, r_t = gates[:H], gates[H:]
    a = W["x"][2 * H :] @ x_t
    a = a + sum(r_t * W["s"][2 * H :, j : j + 1] * s_prev[j] for j in range(H))
    candidate = 2 * sigmoid(2 * a) - 1
    return s_prev - g_t * s_prev + g_t * candidate, r_t, g_t, candidate
""",
    ],
    "min_gru_step": [
        """
def min_gru_step(x_t, s_prev, W):
    z = sigmoid(np.dot(W["gx"], x_t))
    return s_prev + z * (np.dot(W["sx"], x_t) - s_prev)
""",
        """
def min_gru_step(x_t, s_prev, W):
    gate, new = np.split(np.concatenate([W["gx"], W["sx"]]) @ x_t, 2)
    return sigmoid(-gate) * s_prev + sigmoid(gate) * new
""",
        """
def min_gru_step(x, s, W):
    out = np.empty_like(s)
    for i in range(s.shape[0]):
        for n in range(s.shape[1]):
            g = sigmoid(W["gx"][i] @ x[:, n])
            out[i, n] = (1 - g) * s[i, n] + g * (W["sx"][i] @ x[:, n])
    return out
""",
        """
def min_gru_step(x_t, s_prev, W):
    g_t = sigmoid(np.einsum("hd,dn->hn", W["gx"], x_t))
    s_prev *= 1 - g_t
    s_prev += g_t * np.einsum("hd,dn->hn", W["sx"], x_t)
    return s_prev
""",
        """
def min_gru_step(x_t, s_prev, W):
    g = 0.5 * (1 + np.tanh((W["gx"] @ x_t) / 2))
    factor, write = 1 - g, g * (W["sx"] @ x_t)
    return factor * s_prev + write
""",
    ],
    "parallel_scan": [
        # doubling: every step looks 1, 2, 4, ... steps back
        """
def parallel_scan(factors, writes, s0):
    a, b = factors.copy(), writes.copy()
    b[0] = b[0] + a[0] * s0
    k = 1
    while k < len(a):
        b[k:] = b[k:] + a[k:] * b[:-k]
        a[k:] = a[k:] * a[:-k]
        k *= 2
    return b
""",
        # two loops over the levels, up and down, padded to a power of two
        """
def parallel_scan(factors, writes, s0):
    T = len(writes)
    size = 1
    while size < T:
        size *= 2
    a = np.ones((size, *writes.shape[1:]))
    b = np.zeros((size, *writes.shape[1:]))
    a[:T], b[:T] = factors, writes
    b[0] += a[0] * s0
    step = 1
    while step < size:
        right, left = slice(2 * step - 1, None, 2 * step), slice(step - 1, None, 2 * step)
        b[right] = a[right] * b[left] + b[right]
        a[right] = a[right] * a[left]
        step *= 2
    while step > 1:
        half = step // 2
        later, before = slice(step + half - 1, None, step), slice(step - 1, size - half, step)
        b[later] = b[later] + a[later] * b[before][: len(b[later])]
        step = half
    return b[:T]
""",
        # the start as a step of its own, whose factor is 0; halves by recursion over the pieces
        """
def parallel_scan(factors, writes, s0):
    def pieces(a, b):
        if len(a) == 1:
            return b
        odd = len(a) % 2
        last_a, last_b = a[-1:], b[-1:]
        if odd:
            a, b = a[:-1], b[:-1]
        a = a.reshape(len(a) // 2, 2, *a.shape[1:])
        b = b.reshape(len(b) // 2, 2, *b.shape[1:])
        ends = pieces(a[:, 0] * a[:, 1], a[:, 1] * b[:, 0] + b[:, 1])
        starts = np.concatenate([0 * ends[:1], ends[:-1]])
        inner = a[:, 0] * starts + b[:, 0]
        found = np.stack([inner, ends], axis=1).reshape(-1, *ends.shape[1:])
        if odd:
            found = np.concatenate([found, last_a * found[-1:] + last_b])
        return found

    a = np.concatenate([np.zeros_like(s0)[None], factors])
    b = np.concatenate([s0[None], writes])
    return pieces(a, b)[1:]
""",
        # blocks of four steps: all blocks at once, then the function itself for their ends
        """
def parallel_scan(factors, writes, s0):
    T, size = len(writes), 4
    count = -(-T // size)
    a = np.ones((count * size, *writes.shape[1:]))
    b = np.zeros(a.shape)
    a[:T], b[:T] = factors, writes
    a = a.reshape(count, size, *writes.shape[1:])
    b = b.reshape(count, size, *writes.shape[1:])
    for j in range(1, size):
        b[:, j] += a[:, j] * b[:, j - 1]
        a[:, j] *= a[:, j - 1]
    if count == 1:
        ends = a[:, -1] * s0 + b[:, -1]
    else:
        ends = parallel_scan(a[:, -1], b[:, -1], s0)
    starts = np.concatenate([s0[None], ends[:-1]])
    return (b + a * starts[:, None]).reshape(-1, *writes.shape[1:])[:T]
""",
        # lists of pieces in a function, einsum for the products, prints
        """
def parallel_scan(factors, writes, s0):
    print("steps", len(factors))
    product = lambda p, q: np.einsum("thn,thn->thn", p, q)
    writes = np.concatenate([factors[:1] * s0 + writes[:1], writes[1:]])

    def solve(a, b):
        T = len(a)
        if T == 1:
            return b.copy()
        m = T // 2
        i, j = 2 * np.arange(m), 2 * np.arange(m) + 1
        half = solve(product(a[j], a[i]), product(a[j], b[i]) + b[j])
        answer = np.zeros(b.shape)
        answer[j] = half
        answer[0] = b[0]
        rest = np.arange(2, T, 2)
        answer[rest] = product(a[rest], half[rest // 2 - 1]) + b[rest]
        return answer

    return solve(factors, writes)
""",
    ],
    "scan_backward": [
        # a loop from the end
        """
def scan_backward(dstates, factors, writes, s0, states):
    dfactors, dwrites = np.zeros_like(factors), np.zeros_like(writes)
    carry = 0
    for t in reversed(range(len(factors))):
        total = dstates[t] + carry
        dwrites[t] = total
        dfactors[t] = total * (states[t - 1] if t > 0 else s0)
        carry = factors[t] * total
    return dfactors, dwrites, carry
""",
        # in place on the argument
        """
def scan_backward(dstates, factors, writes, s0, states):
    for t in range(len(dstates) - 2, -1, -1):
        dstates[t] += factors[t + 1] * dstates[t + 1]
    previous = np.roll(states, 1, axis=0)
    previous[0] = s0
    return dstates * previous, dstates, factors[0] * dstates[0]
""",
        # the scan of the reversed arrays, the factors rolled
        """
def scan_backward(d, lam, w, s0, s):
    shifted = np.roll(lam, -1, axis=0)
    shifted[-1] = 1
    total = np.flip(parallel_scan(np.flip(shifted, 0), np.flip(d, 0), np.zeros(s0.shape)), 0)
    before = np.vstack([s0[np.newaxis], s[:-1]])
    print(total.shape, before.shape)
    return before * total, total, lam[0] * total[0]
""",
        # every pair of steps written out: what each state sends to each earlier write
        """
def scan_backward(dstates, factors, writes, s0, states):
    T = len(factors)
    total = np.zeros(factors.shape)
    for j in range(T):
        weight = np.ones(s0.shape)
        for t in range(j, T):
            if t > j:
                weight = weight * factors[t]
            total[j] += weight * dstates[t]
    before = np.array([s0, *states[:-1]])
    return total * before, total, total[0] * factors[0]
""",
        # lists that grow at the front; the start as one more state
        """
def scan_backward(dstates, factors, writes, s0, states):
    arriving = [dstates[-1]]
    for d, factor in zip(dstates[-2::-1], factors[:0:-1]):
        arriving.insert(0, d + factor * arriving[0])
    dw = np.array(arriving)
    all_states = np.concatenate((s0[None], states))
    df = np.einsum("thn,thn->thn", dw, all_states[: len(dw)])
    return df, dw, np.multiply(dw[0], factors[0])
""",
    ],
    "matrix_memory_step": [
        # einsum
        """
def matrix_memory_step(C_prev, n_prev, q_t, k_t, v_t, f_t, i_t):
    C = np.einsum("n,vkn->vkn", f_t[0], C_prev) + np.einsum("n,vn,kn->vkn", i_t[0], v_t, k_t)
    n = f_t * n_prev + i_t * k_t
    return C, n, np.einsum("vkn,kn->vn", C, q_t) / np.maximum(1.0, np.abs(np.einsum("kn,kn->n", n, q_t)))
""",
        # sequence by sequence
        """
def matrix_memory_step(C_prev, n_prev, q_t, k_t, v_t, f_t, i_t):
    V, K, N = C_prev.shape
    C_t, n_t, h_t = np.zeros((V, K, N)), np.zeros((K, N)), np.zeros((V, N))
    for b in range(N):
        C_t[..., b] = f_t[0, b] * C_prev[..., b] + i_t[0, b] * np.outer(v_t[:, b], k_t[:, b])
        n_t[:, b] = f_t[0, b] * n_prev[:, b] + i_t[0, b] * k_t[:, b]
        h_t[:, b] = C_t[..., b] @ q_t[:, b] / max(abs(float(n_t[:, b] @ q_t[:, b])), 1)
    return C_t, n_t, h_t
""",
        # the batch in front, matmul
        """
def matrix_memory_step(C_prev, n_prev, q_t, k_t, v_t, f_t, i_t):
    C = np.moveaxis(C_prev, 2, 0) * f_t[0][:, None, None]
    C = C + (v_t * i_t).T[:, :, None] @ k_t.T[:, None, :]
    n = n_prev * f_t + k_t * i_t
    fit = (n * q_t).sum(0)
    h = (C @ q_t.T[:, :, None])[:, :, 0].T
    h = np.where(np.abs(fit) > 1, h / np.abs(fit), h)
    return np.moveaxis(C, 0, 2), n, h
""",
        # in place on the arguments
        """
def matrix_memory_step(C_prev, n_prev, q_t, k_t, v_t, f_t, i_t):
    C_prev *= f_t
    C_prev += v_t[:, np.newaxis, :] * (i_t * k_t)[np.newaxis]
    n_prev *= f_t
    n_prev += i_t * k_t
    below = np.clip(np.abs((n_prev * q_t).sum(axis=0)), 1, None)
    return C_prev, n_prev, (C_prev * q_t[None]).sum(axis=1) / below
""",
        # the normaliser as one more row of the memory
        """
def matrix_memory_step(C_prev, n_prev, q_t, k_t, v_t, f_t, i_t):
    memory = np.concatenate([C_prev, n_prev[None]])
    values = np.concatenate([v_t, np.ones((1, v_t.shape[1]))])
    memory = f_t * memory + i_t * values[:, None] * k_t
    read = sum(memory[:, j] * q_t[j] for j in range(len(q_t)))
    return memory[:-1], memory[-1], read[:-1] / np.fmax(abs(read[-1]), 1)
""",
    ],
}
