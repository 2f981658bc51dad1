"""Right answers to the exercises of notebook 06, written differently; every one must pass."""

ALTERNATIVES = {
    "lstm_step_backward": [
        # one function a gate, numpy.dot, the derivative of tanh from cosh
        """
def lstm_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    def through(k, dz, dW):
        dW[k + "h"] = np.dot(dz, h_prev.T)
        dW[k + "x"] = np.dot(dz, x_t.T)
        dW[k + "b"] = dz.sum(1).reshape(-1, 1)
        return np.dot(W[k + "x"].T, dz), np.dot(W[k + "h"].T, dz)

    dW = {}
    memory = dc + dh * gates["o"] / np.cosh(c_t) ** 2
    sent = [
        through("o", dh * np.tanh(c_t) * gates["o"] * (1 - gates["o"]), dW),
        through("f", memory * c_prev * (gates["f"] - gates["f"] ** 2), dW),
        through("i", memory * gates["c"] * gates["i"] * (1 - gates["i"]), dW),
        through("c", memory * gates["i"] * (1 - gates["c"]) * (1 + gates["c"]), dW),
    ]
    return sum(s[0] for s in sent), sum(s[1] for s in sent), memory * gates["f"], dW
""",
        # in place on the argument, accumulators that start at the integer 0, prints
        """
def lstm_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    t = np.tanh(c_t)
    dc += dh * gates["o"] * (1 - t * t)
    print("memory gradient", dc.shape)
    d = {"f": dc * c_prev, "i": dc * gates["c"], "o": dh * t, "c": dc * gates["i"]}
    dx, dh_prev, dW = 0, 0, {}
    for k in d:
        d[k] *= (1 - gates[k] ** 2) if k == "c" else gates[k] * (1 - gates[k])
        dx = dx + W[k + "x"].T @ d[k]
        dh_prev = dh_prev + W[k + "h"].T @ d[k]
        dW.update({k + "h": d[k] @ h_prev.T, k + "x": d[k] @ x_t.T})
        dW[k + "b"] = d[k] @ np.ones((d[k].shape[1], 1))
    return dx, dh_prev, dc * gates["f"], dW
""",
        # stacked: one product for all four networks, and splits
        """
def lstm_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    H, N = dh.shape
    order = ["i", "f", "c", "o"]
    stacked = np.vstack([np.hstack([W[k + "h"], W[k + "x"], W[k + "b"]]) for k in order])
    read = np.vstack([h_prev, x_t, np.ones((1, N))])
    dc_all = dc + dh * gates["o"] * (1 - np.tanh(c_t) ** 2)
    dz = np.concatenate([
        dc_all * gates["c"] * gates["i"] * (1 - gates["i"]),
        dc_all * c_prev * gates["f"] * (1 - gates["f"]),
        dc_all * gates["i"] * (1 - gates["c"] ** 2),
        dh * np.tanh(c_t) * gates["o"] * (1 - gates["o"]),
    ])
    dread = stacked.T @ dz
    dW = {}
    for k, rows in zip(order, np.split(dz @ read.T, 4)):
        dW[k + "h"], dW[k + "x"], dW[k + "b"] = rows[:, :H], rows[:, H:-1], rows[:, -1:]
    return dread[H:-1], dread[:H], dc_all * gates["f"], dW
""",
        # einsum
        """
def lstm_step_backward(grad_h, grad_c, x, h, c_old, c_new, g, W):
    squashed = np.tanh(c_new)
    total = grad_c + grad_h * g["o"] * (1.0 - squashed**2)
    factors = {"f": c_old, "i": g["c"], "c": g["i"]}
    dz = {k: total * factor for k, factor in factors.items()}
    dz["o"] = grad_h * squashed
    for k in "fio":
        dz[k] = dz[k] * g[k] * (1 - g[k])
    dz["c"] = dz["c"] * (1 - g["c"] ** 2)
    dW = {}
    for k in dz:
        dW[k + "h"] = np.einsum("an,bn->ab", dz[k], h)
        dW[k + "x"] = np.einsum("an,dn->ad", dz[k], x)
        dW[k + "b"] = np.einsum("an->a", dz[k])[:, np.newaxis]
    dx = np.add.reduce([np.einsum("ad,an->dn", W[k + "x"], dz[k]) for k in dz])
    dh = np.add.reduce([np.einsum("ab,an->bn", W[k + "h"], dz[k]) for k in dz])
    return dx, dh, total * g["f"], dW
""",
        # one sequence after the other, outer products
        """
def lstm_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    dx, dh_prev, dc_prev = np.zeros_like(x_t), np.zeros_like(h_prev), np.zeros_like(c_prev)
    dW = {key: np.zeros_like(value) for key, value in W.items()}
    for n in range(dh.shape[1]):
        f, i, o, a = (gates[k][:, n] for k in "fioc")
        s = np.tanh(c_t[:, n])
        d = dc[:, n] + dh[:, n] * o * (1 - s**2)
        dc_prev[:, n] = d * f
        by_memory = [d * c_prev[:, n] * f * (1 - f), d * a * i * (1 - i), d * i * (1 - a**2)]
        dz = [*by_memory[:2], dh[:, n] * s * o * (1 - o), by_memory[2]]
        for k, z in zip("fioc", dz):
            dx[:, n] += z @ W[k + "x"]
            dh_prev[:, n] += z @ W[k + "h"]
            dW[k + "h"] += np.outer(z, h_prev[:, n])
            dW[k + "x"] += np.outer(z, x_t[:, n])
            dW[k + "b"][:, 0] += z
    return dx, dh_prev, dc_prev, dW
""",
        # lists where arrays are asked, tanh(c) from h and o is not at hand: from an exponential
        """
def lstm_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    e = np.exp(-2 * np.abs(c_t))
    squashed = np.sign(c_t) * (1 - e) / (1 + e)
    slope = 4 * e / (1 + e) ** 2
    whole = np.add(dc, np.multiply(np.multiply(dh, gates["o"]), slope))
    upstream = dict(f=whole * c_prev, i=whole * gates["c"], o=dh * squashed, c=whole * gates["i"])
    slopes = {k: g - g * g for k, g in gates.items() if k != "c"}
    slopes["c"] = 1 - gates["c"] * gates["c"]
    dz = {k: upstream[k] * slopes[k] for k in "fioc"}
    dW = {}
    for k in "cofi":
        dW[k + "b"] = [[row.sum()] for row in dz[k]]
        dW[k + "h"] = (h_prev @ dz[k].T).T.tolist()
        dW[k + "x"] = (x_t @ dz[k].T).T.tolist()
    dx = W["fx"].T @ dz["f"] + W["ix"].T @ dz["i"] + W["ox"].T @ dz["o"] + W["cx"].T @ dz["c"]
    dh_prev = W["fh"].T @ dz["f"] + W["ih"].T @ dz["i"] + W["oh"].T @ dz["o"] + W["ch"].T @ dz["c"]
    return dx.tolist(), dh_prev.tolist(), (whole * gates["f"]).tolist(), dW
""",
    ],
    "lstm_backward": [
        # initial states joined to the others, so that no position is special
        """
def lstm_backward(dhs, xs, h0, c0, hs, cs, gates, W):
    all_h, all_c = np.concatenate([h0[None], hs]), np.concatenate([c0[None], cs])
    dh, dc = np.zeros_like(h0), np.zeros_like(c0)
    dxs, total = [], {key: 0 for key in W}
    for t in range(len(xs), 0, -1):
        g = {k: gates[k][t - 1] for k in gates}
        dx, dh, dc, dW = lstm_step_backward(
            dhs[t - 1] + dh, dc, xs[t - 1], all_h[t - 1], all_c[t - 1], all_c[t], g, W
        )
        dxs.insert(0, dx)
        total = {key: total[key] + dW[key] for key in W}
    return np.array(dxs), dh, dc, total
""",
        # in place on the argument; a while loop; the weights added up at the end
        """
def lstm_backward(dhs, xs, h0, c0, hs, cs, gates, W):
    t = xs.shape[0] - 1
    dc = 0 * c0
    dxs = np.empty_like(xs)
    found = []
    while t >= 0:
        before = (h0, c0) if t == 0 else (hs[t - 1], cs[t - 1])
        step = lstm_step_backward(
            dhs[t], dc, xs[t], before[0], before[1], cs[t], {k: gates[k][t] for k in "fioc"}, W
        )
        dxs[t], dh, dc = step[0], step[1], step[2]
        found.append(step[3])
        if t > 0:
            dhs[t - 1] += dh
        t -= 1
    return dxs, dh, dc, {key: sum(d[key] for d in found) for key in W}
""",
        # all by itself, no step function, stacked, weight gradients in one product after the loop
        """
def lstm_backward(dhs, xs, h0, c0, hs, cs, gates, W):
    T, H, N = hs.shape
    U = np.concatenate([W[k + "h"] for k in "fioc"])
    X = np.concatenate([W[k + "x"] for k in "fioc"])
    dz = np.zeros((T, 4 * H, N))
    dh, dc = np.zeros((H, N)), np.zeros((H, N))
    squashed = np.tanh(cs)
    for t in reversed(range(T)):
        f, i, o, a = (gates[k][t] for k in "fioc")
        dh = dh + dhs[t]
        dc = dc + dh * o * (1 - squashed[t] ** 2)
        old = cs[t - 1] if t else c0
        dz[t, :H] = dc * old * f * (1 - f)
        dz[t, H : 2 * H] = dc * a * i * (1 - i)
        dz[t, 2 * H : 3 * H] = dh * squashed[t] * o * (1 - o)
        dz[t, 3 * H :] = dc * i * (1 - a**2)
        dh, dc = U.T @ dz[t], dc * f
    before = np.concatenate([h0[None], hs[:-1]])
    dU, dX, db = (
        np.einsum("tzn,thn->zh", dz, before),
        np.einsum("tzn,tdn->zd", dz, xs),
        dz.sum(axis=(0, 2))[:, None],
    )
    dW = {}
    for j, k in enumerate("fioc"):
        rows = slice(j * H, (j + 1) * H)
        dW[k + "h"], dW[k + "x"], dW[k + "b"] = dU[rows], dX[rows], db[rows]
    return np.matmul(X.T, dz), dh, dc, dW
""",
        # recursion from the first step to the last
        '''
def lstm_backward(dhs, xs, h0, c0, hs, cs, gates, W):
    def back(t):
        """What reaches the states before step t, and what the steps from t on give."""
        if t == len(xs):
            return 0 * h0, 0 * c0, [], {key: 0.0 * value for key, value in W.items()}
        dh, dc, dxs, dW = back(t + 1)
        h_prev, c_prev = (hs[t - 1], cs[t - 1]) if t else (h0, c0)
        here = {k: gates[k][t] for k in gates}
        dx, dh, dc, dW_t = lstm_step_backward(dhs[t] + dh, dc, xs[t], h_prev, c_prev, cs[t], here, W)
        return dh, dc, [dx] + dxs, {key: dW[key] + dW_t[key] for key in W}

    dh0, dc0, dxs, dW = back(0)
    return np.stack(dxs), dh0, dc0, dW
''',
        # zip over reversed arrays, a renamed signature, lists back
        """
def lstm_backward(upstream, inputs, h_first, c_first, visible, memory, g, weights):
    befores = list(zip([h_first, *visible[:-1]], [c_first, *memory[:-1]]))
    carried = [np.zeros(h_first.shape), np.zeros(c_first.shape)]
    dxs, dW = [], {}
    for t, (d, x, before, c) in reversed(list(enumerate(zip(upstream, inputs, befores, memory)))):
        gates_now = {k: g[k][t] for k in g}
        dx, *carried, dW_t = lstm_step_backward(
            d + carried[0], carried[1], x, before[0], before[1], c, gates_now, weights
        )
        dxs.append(dx)
        for key in dW_t:
            dW[key] = dW.get(key, 0) + np.asarray(dW_t[key])
    return [dx.tolist() for dx in dxs[::-1]], carried[0], carried[1], dW
""",
    ],
    "gradient_flow": [
        # rows collected in a list, turned round at the end; norm by hand
        """
def gradient_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    rows = [(np.sqrt((dh**2).sum(0)), np.sqrt((dc**2).sum(0)))]
    for t in range(len(xs) - 1, -1, -1):
        h, c = (hs[t - 1], cs[t - 1]) if t else (h0, c0)
        g = {k: gates[k][t] for k in gates}
        dx, dh, dc, dW = lstm_step_backward(dh, dc, xs[t], h, c, cs[t], g, W)
        rows.append((np.sqrt((dh**2).sum(0)), np.sqrt((dc**2).sum(0))))
    rows.reverse()
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
""",
        # all gradients kept first, one norm at the end
        """
def gradient_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    T, (H, N) = len(xs), dh.shape
    all_dh, all_dc = np.zeros((T + 1, H, N)), np.zeros((T + 1, H, N))
    all_dh[T], all_dc[T] = dh, dc
    states = np.concatenate([h0[None], hs])
    memories = np.concatenate([c0[None], cs])
    for t in range(T, 0, -1):
        g = {k: gates[k][t - 1] for k in "fioc"}
        _, all_dh[t - 1], all_dc[t - 1], _ = lstm_step_backward(
            all_dh[t], all_dc[t], xs[t - 1], states[t - 1], memories[t - 1], memories[t], g, W
        )
    return np.linalg.norm(all_dh, axis=1), np.linalg.norm(all_dc, axis=1)
""",
        # without the step function: only what the walk needs
        """
def gradient_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    norms = [[np.linalg.norm(d, axis=0) for d in (dh, dc)]]
    for t in reversed(range(len(xs))):
        f, i, o, a = [gates[k][t] for k in "fioc"]
        s = np.tanh(cs[t])
        dc = dc + dh * o * (1 - s**2)
        old = c0 if t == 0 else cs[t - 1]
        dh = (
            W["fh"].T @ (dc * old * f * (1 - f))
            + W["ih"].T @ (dc * a * i * (1 - i))
            + W["oh"].T @ (dh * s * o * (1 - o))
            + W["ch"].T @ (dc * i * (1 - a**2))
        )
        dc = dc * f
        norms.insert(0, [np.linalg.norm(d, axis=0) for d in (dh, dc)])
    norms = np.array(norms)
    return norms[:, 0], norms[:, 1]
""",
        # one sequence and one step at a time, lists back
        """
def gradient_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    T, N = len(xs), dh.shape[1]
    first, second = [[0.0] * N for _ in range(T + 1)], [[0.0] * N for _ in range(T + 1)]
    for n in range(N):
        one = slice(n, n + 1)
        d, e = dh[:, one], dc[:, one]
        first[T][n], second[T][n] = float(np.linalg.norm(d)), float(np.linalg.norm(e))
        for t in reversed(range(T)):
            h, c = (hs[t - 1][:, one], cs[t - 1][:, one]) if t > 0 else (h0[:, one], c0[:, one])
            g = {k: gates[k][t][:, one] for k in gates}
            _, d, e, _ = lstm_step_backward(d, e, xs[t][:, one], h, c, cs[t][:, one], g, W)
            first[t][n], second[t][n] = float(np.linalg.norm(d)), float(np.linalg.norm(e))
    return first, second
""",
        # the pair as one column, and the transposed Jacobian of the step
        """
def gradient_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    H, N = dh.shape
    result = np.zeros((2, len(xs) + 1, N))
    for n in range(N):
        pair = np.concatenate([dh[:, n], dc[:, n]])
        result[:, len(xs), n] = np.hypot.reduce(pair.reshape(2, H), axis=1)
        for t in reversed(range(len(xs))):
            f, i, o, a = (gates[k][t][:, [n]] for k in "fioc")
            c_prev = (cs[t - 1] if t else c0)[:, [n]]
            s = np.tanh(cs[t][:, [n]])
            A = c_prev * f * (1 - f) * W["fh"] + a * i * (1 - i) * W["ih"] + i * (1 - a * a) * W["ch"]
            q = o * (1 - s * s)
            J = np.block([
                [q * A + s * o * (1 - o) * W["oh"], np.diagflat(q * f)],
                [A, np.diagflat(f)],
            ])
            pair = J.T @ pair
            result[:, t, n] = np.hypot.reduce(pair.reshape(2, H), axis=1)
    return result[0], result[1]
""",
    ],
    "peephole_step_backward": [
        # one function a gate, the derivative of tanh from cosh
        """
def peephole_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    dW = {}

    def through(k, dz, memory=None):
        dW[k + "h"], dW[k + "x"] = np.dot(dz, h_prev.T), np.dot(dz, x_t.T)
        if memory is None:
            return np.dot(W[k + "x"].T, dz), np.dot(W[k + "h"].T, dz), 0
        dW[k + "p"] = (dz * memory).sum(1).reshape(-1, 1)
        return np.dot(W[k + "x"].T, dz), np.dot(W[k + "h"].T, dz), W[k + "p"] * dz

    f, i, o, a = (gates[k] for k in "fioc")
    x_o, h_o, c_o = through("o", dh * np.tanh(c_t) * (o - o**2), c_t)
    memory = dc + dh * o / np.cosh(c_t) ** 2 + c_o
    x_f, h_f, c_f = through("f", memory * c_prev * (f - f**2), c_prev)
    x_i, h_i, c_i = through("i", memory * a * (i - i**2), c_prev)
    x_c, h_c, _ = through("c", memory * i * (1 - a) * (1 + a))
    return x_f + x_i + x_o + x_c, h_f + h_i + h_o + h_c, memory * f + c_f + c_i, dW
""",
        # in place on the argument, accumulators that start at the integer 0, prints
        """
def peephole_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    t = np.tanh(c_t)
    dc += dh * gates["o"] * (1 - t * t)
    d = {"o": dh * t * gates["o"] * (1 - gates["o"])}
    dc += W["op"] * d["o"]
    print(dc.shape)
    dx, dh_prev, dc_prev, dW = 0, 0, dc * gates["f"], {"op": (d["o"] * c_t) @ np.ones((c_t.shape[1], 1))}
    for k, factor in (("f", c_prev), ("i", gates["c"])):
        d[k] = dc * factor * gates[k] * (1 - gates[k])
        dc_prev = dc_prev + W[k + "p"] * d[k]
        dW[k + "p"] = (d[k] * c_prev) @ np.ones((c_t.shape[1], 1))
    d["c"] = dc * gates["i"] * (1 - gates["c"] ** 2)
    for k in d:
        dx, dh_prev = dx + W[k + "x"].T @ d[k], dh_prev + W[k + "h"].T @ d[k]
        dW[k + "h"], dW[k + "x"] = d[k] @ h_prev.T, d[k] @ x_t.T
    return dx, dh_prev, dc_prev, dW
""",
        # peepholes as diagonal matrices, all read in one product
        """
def peephole_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    H, D = W["fx"].shape
    f, i, o, a = gates["f"], gates["i"], gates["o"], gates["c"]
    squashed = np.tanh(c_t)
    dz_o = dh * squashed * o * (1 - o)
    total = dc + dh * o * (1 - squashed**2) + np.diag(W["op"][:, 0]).T @ dz_o
    dz = np.vstack([total * c_prev * f * (1 - f), total * a * i * (1 - i), total * i * (1 - a * a), dz_o])
    none = np.zeros((H, H))
    looks = [np.diag(W["fp"][:, 0]), np.diag(W["ip"][:, 0]), none, none]
    all_weights = np.vstack([np.hstack([W[k + "h"], W[k + "x"], p]) for k, p in zip("fico", looks)])
    home = all_weights.T @ dz
    dW = {}
    for k, rows in zip("fico", np.split(dz @ np.vstack([h_prev, x_t, c_prev]).T, 4)):
        dW[k + "h"], dW[k + "x"] = rows[:, :H], rows[:, H : H + D]
        if k in "fi":
            dW[k + "p"] = np.diag(rows[:, H + D :])[:, None]
    dW["op"] = np.diag(dz_o @ c_t.T)[:, None]
    return home[H : H + D], home[:H], home[H + D :] + total * f, dW
""",
        # einsum, renamed arguments
        """
def peephole_step_backward(gh, gc, x, h, c_old, c_new, g, weights):
    squashed = np.tanh(c_new)
    dz = {"o": gh * squashed * g["o"] * (1 - g["o"])}
    total = gc + g["o"] * gh * (1 - squashed**2) + np.einsum("ai,an->an", weights["op"], dz["o"])
    dz["c"] = np.multiply(total * g["i"], 1 - g["c"] ** 2)
    dz["f"] = total * c_old * g["f"] * (1 - g["f"])
    dz["i"] = total * g["c"] * g["i"] * (1 - g["i"])
    grads = {k + "x": np.einsum("an,dn->ad", dz[k], x) for k in dz}
    grads |= {k + "h": np.einsum("an,bn->ab", dz[k], h) for k in dz}
    seen = {"f": c_old, "i": c_old, "o": c_new}
    grads |= {k + "p": np.einsum("an,an->a", dz[k], seen[k])[:, None] for k in seen}
    to_x = sum(np.einsum("ad,an->dn", weights[k + "x"], dz[k]) for k in dz)
    to_h = sum(np.einsum("ab,an->bn", weights[k + "h"], dz[k]) for k in dz)
    to_c = total * g["f"] + sum(np.einsum("ai,an->an", weights[k + "p"], dz[k]) for k in "fi")
    return to_x, to_h, to_c, grads
""",
        # sequence by sequence
        """
def peephole_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    dx, dh_prev, dc_prev = np.zeros(x_t.shape), np.zeros(dh.shape), np.zeros(dc.shape)
    dW = {key: np.zeros(weights.shape) for key, weights in W.items()}
    p = {k: W[k + "p"][:, 0] for k in "fio"}
    for n in range(dh.shape[1]):
        f, i, o, a = (gates[k][:, n] for k in "fioc")
        old, new = c_prev[:, n], c_t[:, n]
        t = np.tanh(new)
        z_o = dh[:, n] * t * o * (1 - o)
        total = dc[:, n] + dh[:, n] * o * (1 - t**2) + p["o"] * z_o
        z_f, z_i = total * old * f * (1 - f), total * a * i * (1 - i)
        dc_prev[:, n] = total * f + p["f"] * z_f + p["i"] * z_i
        z_c = total * i * (1 - a**2)
        for k, z, seen in (("f", z_f, old), ("i", z_i, old), ("o", z_o, new), ("c", z_c, 0)):
            dx[:, n] += z @ W[k + "x"]
            dh_prev[:, n] += z @ W[k + "h"]
            dW[k + "h"] += np.outer(z, h_prev[:, n])
            dW[k + "x"] += np.outer(z, x_t[:, n])
            if k != "c":
                dW[k + "p"][:, 0] += z * seen
    return dx, dh_prev, dc_prev, dW
""",
    ],
}
