"""Right answers to notebook 09, written differently."""

ALTERNATIVES = {
    "char_batches": [
        """
def char_batches(codes, N, T):
    length = (len(codes) - 1) // (N * T) * T
    inputs = np.stack([codes[n * length : (n + 1) * length] for n in range(N)], axis=1)
    targets = np.stack([codes[n * length + 1 : (n + 1) * length + 1] for n in range(N)], axis=1)
    return inputs.reshape(-1, T, N), targets.reshape(-1, T, N)
""",
        """
def char_batches(codes, N, T):
    B = int(np.floor((codes.size - 1) / (N * T)))
    inputs = np.empty((B, T, N), dtype=codes.dtype)
    targets = np.empty_like(inputs)
    for b in range(B):
        for t in range(T):
            for n in range(N):
                place = n * B * T + b * T + t
                inputs[b, t, n] = codes[place]
                targets[b, t, n] = codes[place + 1]
    return inputs, targets
""",
        """
def char_batches(text, streams, window):
    B = (len(text) - 1) // (streams * window)
    starts = np.arange(streams) * B * window
    places = (np.arange(B) * window)[:, None, None] + np.arange(window)[None, :, None] + starts[None, None, :]
    return text[places], text[places + 1]
""",
        """
def char_batches(codes, N, T):
    codes = list(codes)
    B, rest = divmod(len(codes) - 1, N * T)
    windows, following = [], []
    for b in range(B):
        begins = [n * B * T + b * T for n in range(N)]
        windows.append([[codes[begin + t] for begin in begins] for t in range(T)])
        following.append([[codes[begin + t + 1] for begin in begins] for t in range(T)])
    print(rest, "left over")
    return np.array(windows), np.array(following)
""",
        """
def cut(codes, N, T, B):
    return np.moveaxis(codes[: N * B * T].reshape(N, B, T), 0, -1)

def char_batches(codes, N, T):
    B = (len(codes) - 1) // (N * T)
    return cut(codes, N, T, B), cut(codes[1:], N, T, B)
""",
        """
def char_batches(codes, N, T):
    pairs = np.stack([codes[:-1], codes[1:]])
    B = pairs.shape[1] // (N * T)
    pairs = pairs[:, : B * N * T].reshape(2, N, B, T)
    inputs, targets = np.einsum("pnbt->pbtn", pairs)
    return inputs.copy(), targets.copy()
""",
    ],
    "sample": [
        """
def sample(logits, temperature, u):
    z = logits / temperature
    z = z - np.max(z, axis=0, keepdims=True)
    p = np.exp(z)
    p /= np.sum(p, axis=0, keepdims=True)
    chosen = np.argmax(np.cumsum(p, axis=0) > u, axis=0)
    return p, chosen
""",
        """
def sample(logits, temperature, u):
    C, N = logits.shape
    p, chosen = np.zeros((C, N)), np.zeros(N, dtype=int)
    for n in range(N):
        largest = max(logits[:, n])
        weights = [np.exp((z - largest) / temperature) for z in logits[:, n]]
        p[:, n] = np.array(weights) / sum(weights)
        end = 0.0
        for k in range(C):
            end += p[k, n]
            if end > u[n]:
                chosen[n] = k
                break
    return p, chosen
""",
        """
def sample(z, tau, u):
    scaled = z / tau
    log_sum = np.logaddexp.reduce(scaled, axis=0)
    p = np.exp(scaled - log_sum)
    chosen = [int(np.searchsorted(np.cumsum(column), place, side="right"))
              for column, place in zip(p.T, u)]
    return p, np.array(chosen)
""",
        """
def sample(logits, temperature, u):
    logits -= logits.max(axis=0)
    logits /= temperature
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    lower = np.tril(np.ones((len(logits), len(logits)))) @ logits
    return logits, np.sum(lower <= u[None, :], axis=0)
""",
        """
def softmax(z):
    e = np.exp(z - z.max(0))
    return e / e.sum(0)

def sample(logits, temperature, u):
    probabilities = softmax(logits / temperature)
    print(probabilities.sum(axis=0))
    ends = probabilities.cumsum(axis=0)
    starts = np.vstack([np.zeros(len(u)), ends[:-1]])
    hit = (starts <= u) & (u < ends)
    return probabilities, hit.T.nonzero()[1]
""",
        """
def sample(logits, temperature, u):
    p = 1 / np.exp((logits[None] - logits[:, None]) / temperature).sum(axis=1)
    chosen = tuple(next(k for k in range(len(p)) if p[: k + 1, n].sum() > u[n]) for n in range(len(u)))
    return p, list(chosen)
""",
    ],
    "connectivity": [
        """
def connectivity(xs, k, W, V):
    T, C, N = xs.shape
    zeros = np.zeros((W["fb"].shape[0], N))
    hs, cs, gates = lstm_forward(xs, zeros, zeros, W)
    p = foretell(hs, V)[-1]
    wanted = np.eye(C)[:, k]
    dhs = np.concatenate([np.zeros_like(hs[:-1]), (V["yh"].T @ (p - wanted))[None]])
    dxs, _, _, _ = lstm_backward(dhs, xs, zeros, zeros, hs, cs, gates, W)
    norms = np.sqrt((dxs**2).sum(axis=1))
    return norms / norms.sum(axis=0, keepdims=True)
""",
        """
def connectivity(xs, k, W, V):
    columns = []
    for n in range(len(k)):
        x = xs[:, :, n : n + 1]
        h0 = np.zeros((len(W["fb"]), 1))
        hs, cs, gates = lstm_forward(x, h0, h0, W)
        d = foretell(hs[-1], V)[:, 0]
        d[k[n]] = d[k[n]] - 1
        dhs = np.zeros(hs.shape)
        dhs[-1, :, 0] = d @ V["yh"]
        dx = lstm_backward(dhs, x, h0, h0, hs, cs, gates, W)[0]
        lengths = [np.linalg.norm(row) for row in dx[:, :, 0]]
        columns.append(np.array(lengths) / sum(lengths))
    return np.array(columns).T
""",
        """
def connectivity(xs, k, W, V):
    # by the probability itself: a factor for each text, which no share keeps
    N = len(k)
    s = np.zeros((len(W["ib"]), N))
    hs, cs, gates = lstm_forward(xs, s, s, W)
    p = foretell(hs[-1], V)
    p_k = p[k, np.arange(N)]
    dlogits = -p * p_k
    dlogits[k, np.arange(N)] += p_k
    dhs = 0 * hs
    dhs[-1] = np.einsum("ch,cn->hn", V["yh"], dlogits)
    dxs = lstm_backward(dhs, xs, s, s, hs, cs, gates, W)[0]
    size = np.einsum("tcn,tcn->tn", dxs, dxs) ** 0.5
    return size / size.sum(0)
""",
        """
def connectivity(xs, k, W, V):
    start = np.zeros((len(W["cb"]), xs.shape[2]))
    forward = lstm_forward(xs, start, start, W)
    hs = forward[0]
    out = V["yh"][k].T - V["yh"].T @ foretell(hs[-1], V)
    dhs = np.zeros_like(hs)
    dhs[len(hs) - 1] += out
    dxs = lstm_backward(dhs, xs, start, start, *forward, W)[0]
    print("largest slope", np.abs(dxs).max())
    lengths = np.linalg.norm(dxs, axis=1)
    return np.stack([lengths[:, n] / lengths[:, n].sum() for n in range(len(k))], axis=1)
""",
        """
def connectivity(inputs, came, lstm, read_out):
    N = inputs.shape[-1]
    zero = np.zeros((lstm["fh"].shape[0], N))
    hs, cs, gates = lstm_forward(inputs, zero, zero, lstm)
    z = read_out["yh"] @ hs[-1] + read_out["yb"]
    e = np.exp(z - z.max(axis=0))
    one_hot_came = (np.arange(len(z))[:, None] == came[None, :]).astype(float)
    dz = one_hot_came - e / e.sum(axis=0)
    dhs = np.where(np.arange(len(hs))[:, None, None] == len(hs) - 1, read_out["yh"].T @ dz, 0.0)
    back = lstm_backward(dhs, inputs, zero, zero, hs, cs, gates, lstm)
    r = np.hypot.reduce(back[0], axis=1)
    return r / np.sum(r, axis=0)
""",
    ],
    "cell_probe": [
        """
def cell_probe(cs, y, cs_new, penalty):
    H, P = cs.shape
    m, s = np.mean(cs, axis=1)[:, None], np.std(cs, axis=1)[:, None]
    Z = (cs - m) / s
    A = Z @ Z.T + P * penalty * np.eye(H)
    w = np.linalg.inv(A) @ (Z @ y)
    scores = w @ ((cs_new - m) / s) + np.mean(y)
    return w[:, None], scores
""",
        """
def cell_probe(cs, y, cs_new, penalty):
    mean, deviation = cs.mean(1), cs.std(1)
    Z = (cs.T - mean) / deviation
    P, H = Z.shape
    rows = np.vstack([Z, np.sqrt(P * penalty) * np.eye(H)])
    wanted = np.concatenate([y - y.mean(), np.zeros(H)])
    w, *_ = np.linalg.lstsq(rows, wanted, rcond=None)
    return w.reshape(-1, 1), (cs_new.T - mean) / deviation @ w + y.mean()
""",
        """
def comparable(raw, mean, deviation):
    return (raw - mean) / deviation

def cell_probe(cs, y, cs_new, penalty):
    footing = cs.mean(axis=1, keepdims=True), np.sqrt(cs.var(axis=1, keepdims=True))
    Z = comparable(cs, *footing)
    P = Z.shape[1]
    # one weight more, for a memory that is always 1, and no penalty on it
    Z1 = np.vstack([Z, np.ones((1, P))])
    no_penalty = np.diag([penalty] * len(Z) + [0.0])
    wb = np.linalg.solve(Z1 @ Z1.T / P + no_penalty, Z1 @ y / P)
    new = comparable(cs_new, *footing)
    return wb[:-1, None], wb[:-1] @ new + wb[-1]
""",
        """
def cell_probe(memories, y, unseen, lam):
    Z = memories - memories.mean(axis=1, keepdims=True)
    s = np.sqrt(np.mean(Z * Z, axis=1, keepdims=True))
    Z = Z / s
    U, S, Vt = np.linalg.svd(Z / np.sqrt(len(y)), full_matrices=False)
    w = U @ (S / (S**2 + lam) * (Vt @ (y - y.mean()) / np.sqrt(len(y))))
    print("weights", w.round(3))
    new = (unseen - memories.mean(axis=1, keepdims=True)) / s
    return w.reshape(len(memories), 1), np.einsum("h,hq->q", w, new) + y.mean()
""",
        """
def cell_probe(cs, y, cs_new, penalty):
    # by the positions: as many equations as there are positions
    mean, deviation = cs.mean(axis=1, keepdims=True), cs.std(axis=1, keepdims=True)
    Z = (cs - mean) / deviation
    P = len(y)
    a = np.linalg.solve(Z.T @ Z / P + penalty * np.eye(P), (y - sum(y) / P) / P)
    w = Z @ a
    scores = [float(w @ column) + sum(y) / P for column in ((cs_new - mean) / deviation).T]
    return w[:, np.newaxis], scores
""",
        """
def cell_probe(cs, y, cs_new, penalty):
    cs_new -= cs.mean(axis=1, keepdims=True)
    cs_new /= cs.std(axis=1, keepdims=True)
    Z = (cs - cs.mean(axis=1, keepdims=True)) / cs.std(axis=1, keepdims=True)
    L = np.linalg.cholesky(np.cov(Z, bias=True).reshape(len(cs), len(cs)) + penalty * np.eye(len(cs)))
    w = np.linalg.solve(L.T, np.linalg.solve(L, Z @ (y[:, None] - y.mean()) / len(y)))
    return w, (w * cs_new).sum(axis=0) + y.mean()
""",
    ],
    "entropy_slope": [
        """
def entropy_slope(logits, temperature):
    z = logits - logits.max(axis=0)
    p = np.exp(z / temperature)
    p = p / p.sum(axis=0)
    return ((p * z**2).sum(axis=0) - (p * z).sum(axis=0) ** 2) / temperature**3
""",
        """
def entropy_slope(logits, temperature):
    u = logits / temperature
    u = u - u.max(axis=0)
    p = np.exp(u) / np.exp(u).sum(axis=0)
    log_p = u - np.log(np.exp(u).sum(axis=0))
    du = -(logits - logits.max(axis=0)) / temperature**2
    dp = p * (du - (p * du).sum(axis=0))
    return -((log_p + 1) * dp).sum(axis=0)
""",
        """
def entropy_slope(logits, tau):
    slopes = []
    for z in logits.T:
        e = np.exp((z - max(z)) / tau)
        p = e / sum(e)
        middle = sum(p * z)
        slopes.append(sum(p_k * (z_k - middle) ** 2 for p_k, z_k in zip(p, z)) / tau**3)
    return slopes
""",
        """
def entropy_slope(logits, temperature):
    # half of the mean squared distance of two draws
    z = logits / temperature
    p = np.exp(z - np.logaddexp.reduce(z, axis=0))
    apart = (z[:, None] - z[None, :]) ** 2
    return np.einsum("in,jn,ijn->n", p, p, apart) / 2 / temperature
""",
        """
def softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)

def entropy_slope(logits, temperature):
    logits /= temperature
    p = softmax(logits)
    print(entropy(logits, 1.0))
    logits -= np.sum(p * logits, axis=0)
    return np.sum(p * logits**2, axis=0) / temperature
""",
        """
def entropy_slope(logits, temperature):
    z = logits / temperature
    p = np.exp(z - np.logaddexp.reduce(z, axis=0))
    # the covariance of what is drawn with its own logarithm
    surprise = -(z - np.logaddexp.reduce(z, axis=0))
    S = (p * surprise).sum(axis=0)
    return (p * (surprise - S) ** 2).sum(axis=0) / temperature
""",
    ],
}
