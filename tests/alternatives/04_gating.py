"""Right answers to notebook 04, written differently."""

ALTERNATIVES = {
    "gate": [
        """
def gate(x_t, s_prev, W):
    z = np.dot(W["gs"], s_prev) + np.dot(W["gx"], x_t)
    return 0.5 * (1 + np.tanh(z / 2))
""",
        """
def gate(x, s, weights):
    stacked = np.hstack([weights["gs"], weights["gx"]])
    return sigmoid(stacked @ np.vstack([s, x]))
""",
        """
def gate(x_t, s_prev, W):
    H, N = len(s_prev), len(s_prev[0])
    g = np.empty((H, N))
    for i in range(H):
        for n in range(N):
            total = sum(W["gs"][i, j] * s_prev[j, n] for j in range(H))
            total += sum(W["gx"][i, j] * x_t[j, n] for j in range(len(x_t)))
            g[i, n] = sigmoid(total)
    return g
""",
        """
def gate(x_t, s_prev, W):
    z = np.einsum("ij,jn->in", W["gs"], s_prev)
    z += np.einsum("ij,jn->in", W["gx"], x_t)
    print("gates of shape", z.shape)
    np.clip(z, -700, 700, out=z)
    return 1.0 / (1.0 + np.exp(-z))
""",
        """
def weigh(W, s, x, first):
    return W[first + "s"] @ s + W[first + "x"] @ x

def gate(x_t, s_prev, W):
    return np.array([[sigmoid(z) for z in row] for row in weigh(W, s_prev, x_t, "g")])
""",
        """
def gate(x_t, s_prev, W):
    s_prev = W["gs"].dot(s_prev)
    x_t = np.matmul(W["gx"], x_t)
    return 1 - sigmoid(-(s_prev + x_t))
""",
    ],
    "gated_step": [
        """
def gated_step(x_t, s_prev, W):
    g_t = sigmoid(W["gs"] @ s_prev + W["gx"] @ x_t)
    candidate = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
    return s_prev + g_t * (candidate - s_prev), g_t, candidate
""",
        """
def gated_step(x_t, s_prev, W):
    g = gate(x_t, s_prev, W)
    c = 2 * sigmoid(2 * (W["ss"].dot(s_prev) + W["sx"].dot(x_t))) - 1
    new = np.where(True, (1 - g) * s_prev, 0)
    new += g * c
    return [new, g, c]
""",
        """
def gated_step(x_t, s_prev, W):
    H, N = s_prev.shape
    s_t, g_t, candidate = np.zeros((H, N)), np.zeros((H, N)), np.zeros((H, N))
    for n in range(N):
        column = slice(n, n + 1)
        g_t[:, column] = gate(x_t[:, column], s_prev[:, column], W)
        candidate[:, n] = np.tanh(W["ss"] @ s_prev[:, n] + W["sx"] @ x_t[:, n])
        for i in range(H):
            s_t[i, n] = (1 - g_t[i, n]) * s_prev[i, n] + g_t[i, n] * candidate[i, n]
    return s_t, g_t, candidate
""",
        """
def gated_step(x_t, s_prev, W):
    both = np.vstack([s_prev, x_t])
    rows = np.vstack([np.hstack([W["gs"], W["gx"]]), np.hstack([W["ss"], W["sx"]])])
    z, a = np.split(rows @ both, 2)
    g_t, candidate = sigmoid(z), np.tanh(a)
    s_t = s_prev.copy()
    s_t *= 1 - g_t
    s_t += g_t * candidate
    return s_t, g_t, candidate
""",
        """
def write(W, s, x):
    e = np.exp(-2 * np.abs(W["ss"] @ s + W["sx"] @ x))
    return np.sign(W["ss"] @ s + W["sx"] @ x) * (1 - e) / (1 + e)

def gated_step(x_t, s_prev, W):
    g_t = gate(x_t, s_prev, W)
    keep = 1 - g_t
    new = write(W, s_prev, x_t)
    return np.add(np.multiply(keep, s_prev), np.multiply(g_t, new)), g_t, new
""",
        """
def gated_step(x_t, s_prev, W):
    print("one step")
    g_t = gate(x_t, s_prev, W)
    candidate = np.tanh(np.einsum("ij,jn->in", W["ss"], s_prev) + np.matmul(W["sx"], x_t))
    return np.stack([s_prev, candidate])[0] * (1 - g_t) + candidate * g_t, g_t.tolist(), candidate
""",
    ],
    "gated_forward": [
        """
def gated_forward(xs, s0, W):
    T, (H, N) = len(xs), s0.shape
    states, gates, candidates = (np.zeros((T, H, N)) for _ in range(3))
    for k in range(T):
        before = states[k - 1] if k else s0
        states[k], gates[k], candidates[k] = gated_step(xs[k], before, W)
    return states, gates, candidates
""",
        """
def gated_forward(xs, s0, W):
    steps = []
    for x_t in xs:
        steps.append(gated_step(x_t, steps[-1][0] if steps else s0, W))
    return tuple(np.array(part) for part in zip(*steps))
""",
        """
def gated_forward(xs, s0, W):
    if len(xs) == 0:
        empty = np.zeros((0,) + s0.shape)
        return empty, empty, empty
    first = [part[None] for part in map(np.asarray, gated_step(xs[0], s0, W))]
    rest = gated_forward(xs[1:], first[0][0], W)
    return tuple(np.concatenate([a, b]) for a, b in zip(first, rest))
""",
        """
def gated_forward(xs, s0, W):
    s, states, gates, candidates = s0.copy(), [], [], []
    for t in range(xs.shape[0]):
        g = sigmoid(W["gs"] @ s + W["gx"] @ xs[t])
        c = np.tanh(W["ss"] @ s + W["sx"] @ xs[t])
        s = s + g * (c - s)
        states.append(s.tolist())
        gates.append(g.tolist())
        candidates.append(c.tolist())
    return states, gates, candidates
""",
        """
def gated_forward(xs, s0, W):
    with_start = np.zeros((len(xs) + 1, *s0.shape))
    with_start[0] = s0
    gates, candidates = np.zeros_like(with_start[1:]), np.zeros_like(with_start[1:])
    for k, x_t in enumerate(xs):
        with_start[k + 1], gates[k], candidates[k] = gated_step(x_t, with_start[k], W)
    return with_start[1:], gates, candidates
""",
        """
def gated_forward(xs, s0, W):
    zs = np.einsum("ij,tjn->tin", W["gx"], xs)
    inputs = np.einsum("ij,tjn->tin", W["sx"], xs)
    states = np.empty_like(zs)
    for k in range(len(xs)):
        zs[k] = sigmoid(zs[k] + W["gs"] @ s0)
        inputs[k] = np.tanh(inputs[k] + W["ss"] @ s0)
        s0 = (1 - zs[k]) * s0 + zs[k] * inputs[k]
        states[k] = s0
    return states, zs, inputs
""",
    ],
    "gated_step_backward": [
        """
def gated_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    da = (1 - candidate) * (1 + candidate) * g_t * ds
    dz = (g_t - g_t**2) * (candidate - s_prev) * ds
    dW = {}
    for name, d in (("g", dz), ("s", da)):
        dW[name + "s"] = np.dot(d, s_prev.T)
        dW[name + "x"] = np.dot(d, x_t.T)
    return W["gx"].T.dot(dz) + W["sx"].T.dot(da), ds - ds * g_t + W["gs"].T.dot(dz) + W["ss"].T.dot(da), dW
""",
        """
def gated_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    H, N = ds.shape
    dx, ds_prev = np.zeros_like(x_t), np.zeros_like(s_prev)
    dW = {key: 0 for key in W}
    for n in range(N):
        d, s, g, c, x = ds[:, n], s_prev[:, n], g_t[:, n], candidate[:, n], x_t[:, n]
        to_s = np.diag(1 - g) + np.diag(g * (1 - c**2)) @ W["ss"]
        to_s = to_s + np.diag((c - s) * g * (1 - g)) @ W["gs"]
        ds_prev[:, n] = to_s.T @ d
        to_x = np.diag(g * (1 - c**2)) @ W["sx"] + np.diag((c - s) * g * (1 - g)) @ W["gx"]
        dx[:, n] = d @ to_x
        dW["ss"] = dW["ss"] + np.outer(d * g * (1 - c**2), s)
        dW["sx"] = dW["sx"] + np.outer(d * g * (1 - c**2), x)
        dW["gs"] = dW["gs"] + np.outer(d * (c - s) * g * (1 - g), s)
        dW["gx"] = dW["gx"] + np.outer(d * (c - s) * g * (1 - g), x)
    return dx, ds_prev, dW
""",
        """
def gated_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    rows = np.vstack([np.hstack([W["gs"], W["gx"]]), np.hstack([W["ss"], W["sx"]])])
    both = np.vstack([s_prev, x_t])
    d = np.vstack([ds * (candidate - s_prev) * g_t * (1 - g_t), ds * g_t * (1 - candidate**2)])
    H = len(ds)
    back = rows.T @ d
    dR = d @ both.T
    dW = {"gs": dR[:H, :H], "gx": dR[:H, H:], "ss": dR[H:, :H], "sx": dR[H:, H:]}
    return back[H:], back[:H] + (1 - g_t) * ds, dW
""",
        """
def gated_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    dz = ds * candidate
    dz -= ds * s_prev
    dz *= g_t
    dz *= 1 - g_t
    ds_prev = ds.copy()
    ds_prev *= 1 - g_t
    ds *= g_t
    ds *= 1 - candidate * candidate
    ds_prev += W["ss"].T @ ds
    ds_prev += W["gs"].T @ dz
    dW = dict(gs=dz @ s_prev.T, gx=dz @ x_t.T, ss=ds @ s_prev.T, sx=ds @ x_t.T)
    print("done")
    return W["sx"].T @ ds + W["gx"].T @ dz, ds_prev, dW
""",
        """
def gated_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    a = np.einsum("in,in,in->in", ds, g_t, 1 - candidate**2)
    z = np.einsum("in,in,in,in->in", ds, candidate - s_prev, g_t, 1 - g_t)
    dW = {}
    for key in W:
        dW[key] = np.einsum("in,jn->ij", z if key[0] == "g" else a, s_prev if key[1] == "s" else x_t)
    dx = np.einsum("ij,in->jn", W["sx"], a) + np.einsum("ij,in->jn", W["gx"], z)
    ds_prev = np.einsum("ij,in->jn", W["ss"], a) + np.einsum("ij,in->jn", W["gs"], z)
    return dx, np.add(ds_prev, ds * (1 - g_t)), dW
""",
        """
def gated_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    z = W["gs"] @ s_prev + W["gx"] @ x_t
    a = W["ss"] @ s_prev + W["sx"] @ x_t
    g = sigmoid(z)
    dz = ds * (np.tanh(a) - s_prev) * g * sigmoid(-z)
    da = ds * g / np.cosh(a) ** 2
    ds_prev = ds * sigmoid(-z) + W["ss"].T @ da + W["gs"].T @ dz
    dW = {"ss": (s_prev @ da.T).T, "sx": (x_t @ da.T).T, "gs": (s_prev @ dz.T).T, "gx": (x_t @ dz.T).T}
    return (da.T @ W["sx"] + dz.T @ W["gx"]).T, ds_prev, dW
""",
    ],
    "gated_backward": [
        """
def gated_backward(dstates, xs, s0, states, gates, candidates, W):
    before = np.concatenate([s0[None], states[:-1]])
    dW, carry, dxs = {key: 0 for key in W}, 0, []
    for k in range(len(xs) - 1, -1, -1):
        d = dstates[k] + carry
        dx, carry, step = gated_step_backward(d, xs[k], before[k], gates[k], candidates[k], W)
        dxs.insert(0, dx)
        dW = {key: dW[key] + step[key] for key in W}
    return np.array(dxs), carry, dW
""",
        """
def gated_backward(dstates, xs, s0, states, gates, candidates, W):
    carry = np.zeros(s0.shape)
    das, dzs = np.zeros_like(dstates), np.zeros_like(dstates)
    before = np.concatenate([s0[None], states[:-1]])
    for k in reversed(range(len(xs))):
        total = dstates[k] + carry
        das[k] = total * gates[k] * (1 - candidates[k] ** 2)
        dzs[k] = total * (candidates[k] - before[k]) * gates[k] * (1 - gates[k])
        carry = total * (1 - gates[k]) + W["ss"].T @ das[k] + W["gs"].T @ dzs[k]
    dW = {
        "gs": np.einsum("tin,tjn->ij", dzs, before), "gx": np.einsum("tin,tjn->ij", dzs, xs),
        "ss": np.einsum("tin,tjn->ij", das, before), "sx": np.einsum("tin,tjn->ij", das, xs),
    }
    dxs = np.einsum("ij,tin->tjn", W["sx"], das) + np.einsum("ij,tin->tjn", W["gx"], dzs)
    return dxs, carry, dW
""",
        """
def gated_backward(dstates, xs, s0, states, gates, candidates, W):
    T = len(xs)
    dxs = np.zeros_like(xs)
    dW = dict((key, np.zeros_like(W[key])) for key in W)
    for t in range(T - 1, -1, -1):
        if t > 0:
            s_prev = states[t - 1]
        else:
            s_prev = s0
        dxs[t], back, grads = gated_step_backward(dstates[t], xs[t], s_prev, gates[t], candidates[t], W)
        if t > 0:
            dstates[t - 1] += back
        else:
            ds0 = back
        for key in grads:
            dW[key] = dW[key] + grads[key]
    return dxs, ds0, dW
""",
        """
def gated_backward(dstates, xs, s0, states, gates, candidates, W):
    if len(xs) == 0:
        return np.zeros_like(xs), np.zeros_like(s0), {key: np.zeros_like(W[key]) for key in W}
    later = states[0]
    dxs, carry, dW = gated_backward(dstates[1:], xs[1:], later, states[1:], gates[1:], candidates[1:], W)
    dx, ds0, step = gated_step_backward(dstates[0] + carry, xs[0], s0, gates[0], candidates[0], W)
    return np.concatenate([dx[None], dxs]), ds0, {key: dW[key] + step[key] for key in W}
""",
        """
def gated_backward(dstates, xs, s0, states, gates, candidates, W):
    carry = np.zeros_like(s0)
    dxs, dWs = [None] * len(xs), []
    for k in range(len(xs))[::-1]:
        start = s0 if k == 0 else states[k - 1]
        dxs[k], carry, dW = gated_step_backward(carry + dstates[k], xs[k], start, gates[k], candidates[k], W)
        dWs.append(dW)
    print("steps:", len(dWs))
    return dxs, carry, {key: sum(dW[key] for dW in dWs) for key in W}
""",
        """
def gated_backward(dstates, xs, s0, states, gates, candidates, W):
    T, D, N = xs.shape
    H = len(s0)
    jacobians = []
    before = [s0] + [states[k] for k in range(T - 1)]
    totals = [np.array(dstates[T - 1])]
    for k in range(T - 1, -1, -1):
        handed = np.zeros((H, N))
        for n in range(N):
            s, g, c = before[k][:, n], gates[k][:, n], candidates[k][:, n]
            J = np.diag(1 - g) + (g * (1 - c**2))[:, None] * W["ss"]
            J = J + ((c - s) * g * (1 - g))[:, None] * W["gs"]
            handed[:, n] = J.T @ totals[0][:, n]
        totals.insert(0, handed + (dstates[k - 1] if k > 0 else 0))
    dxs = np.zeros((T, D, N))
    dW = {key: np.zeros(W[key].shape) for key in W}
    for k in range(T):
        dxs[k], _, step = gated_step_backward(totals[k + 1], xs[k], before[k], gates[k], candidates[k], W)
        for key in W:
            dW[key] += step[key]
    return dxs, totals[0], dW
""",
    ],
    "reset_step_backward": [
        """
def reset_step_backward(ds, x_t, s_prev, r_t, g_t, candidate, W):
    d = {}
    d["s"] = (1 - candidate) * (1 + candidate) * g_t * ds
    d["g"] = (g_t - g_t**2) * (candidate - s_prev) * ds
    d["r"] = (r_t - r_t**2) * W["ss"].dot(s_prev) * d["s"]
    behind = {**d, "s": d["s"] * r_t}
    dW, dx, ds_prev = {}, 0, ds - g_t * ds
    for name in "rgs":
        dW[name + "s"] = behind[name] @ s_prev.T
        dW[name + "x"] = d[name] @ x_t.T
        dx = dx + W[name + "x"].T @ d[name]
        ds_prev = ds_prev + W[name + "s"].T @ behind[name]
    return dx, ds_prev, dW
""",
        """
def reset_step_backward(ds, x_t, s_prev, r_t, g_t, candidate, W):
    dx, ds_prev = np.zeros_like(x_t), np.zeros_like(s_prev)
    dW = {key: np.zeros(W[key].shape) for key in W}
    for n in range(ds.shape[1]):
        d, s, x = ds[:, n], s_prev[:, n], x_t[:, n]
        r, g, c = r_t[:, n], g_t[:, n], candidate[:, n]
        by_a, by_z = np.diag(g * (1 - c**2)), np.diag((c - s) * g * (1 - g))
        by_u = by_a @ np.diag((W["ss"] @ s) * r * (1 - r))
        total = np.diag(1 - g) + by_a @ np.diag(r) @ W["ss"] + by_z @ W["gs"] + by_u @ W["rs"]
        ds_prev[:, n] = total.T @ d
        dx[:, n] = d @ (by_a @ W["sx"] + by_z @ W["gx"] + by_u @ W["rx"])
        dW["ss"] += np.outer(d @ by_a * r, s)
        dW["sx"] += np.outer(d @ by_a, x)
        dW["gs"] += np.outer(d @ by_z, s)
        dW["gx"] += np.outer(d @ by_z, x)
        dW["rs"] += np.outer(d @ by_u, s)
        dW["rx"] += np.outer(d @ by_u, x)
    return dx, ds_prev, dW
""",
        """
def reset_step_backward(ds, x_t, s_prev, r_t, g_t, candidate, W):
    H = len(ds)
    product = W["ss"] @ s_prev
    da = ds * g_t * (1 - candidate * candidate)
    dproduct, dr = da * r_t, da * product
    gates = np.vstack([ds * (candidate - s_prev) * g_t * (1 - g_t), dr * r_t * (1 - r_t)])
    by_state, by_input = np.vstack([W["gs"], W["rs"]]), np.vstack([W["gx"], W["rx"]])
    dx = by_input.T @ gates + W["sx"].T @ da
    ds_prev = by_state.T @ gates + W["ss"].T @ dproduct + (1 - g_t) * ds
    in_s, in_x = gates @ s_prev.T, gates @ x_t.T
    dW = dict(gs=in_s[:H], rs=in_s[H:], gx=in_x[:H], rx=in_x[H:], ss=dproduct @ s_prev.T, sx=da @ x_t.T)
    return [dx, ds_prev, dW]
""",
        """
def reset_step_backward(ds, x_t, s_prev, r_t, g_t, candidate, W):
    print("backward")
    dz = ds * (candidate - s_prev)
    dz *= g_t
    dz *= 1 - g_t
    ds_prev = (1 - g_t) * ds
    ds *= g_t
    ds *= 1 - candidate**2
    du = ds * np.einsum("ij,jn->in", W["ss"], s_prev)
    du *= r_t
    du *= 1 - r_t
    dW = {"sx": np.einsum("in,jn->ij", ds, x_t)}
    dx = W["sx"].T.dot(ds)
    ds *= r_t
    dW["ss"] = np.einsum("in,jn->ij", ds, s_prev)
    ds_prev += W["ss"].T.dot(ds)
    for key, d in (("g", dz), ("r", du)):
        dW[key + "s"], dW[key + "x"] = d.dot(s_prev.T), d.dot(x_t.T)
        ds_prev += W[key + "s"].T.dot(d)
        dx += W[key + "x"].T.dot(d)
    return dx, ds_prev, dW
""",
        """
def back_through(d, weights, went_in):
    return d @ went_in.T, weights.T @ d

def reset_step_backward(d, x, s, r, g, c, W):
    a = W["ss"] @ s * r + W["sx"] @ x
    da = d * g / np.cosh(a) ** 2
    dz = d * (np.tanh(a) - s) * g * sigmoid(-(W["gs"] @ s + W["gx"] @ x))
    du = da * (W["ss"] @ s) * r * sigmoid(-(W["rs"] @ s + W["rx"] @ x))
    dW, to_s, to_x = {}, [(1 - g) * d], []
    ways = {"ss": (da * r, s), "gs": (dz, s), "rs": (du, s), "sx": (da, x), "gx": (dz, x), "rx": (du, x)}
    for key, (d, went_in) in ways.items():
        dW[key], back = back_through(d, W[key], went_in)
        (to_s if key[1] == "s" else to_x).append(back)
    return sum(to_x), sum(to_s), dW
""",
    ],
}
