"""Right answers to notebook 11, written differently: what was broken is mended in other ways."""

ALTERNATIVES = {
    "fix_time_first": [
        """
def fix_time_first(batch):
    return np.moveaxis(batch, 0, -1)
""",
        """
def fix_time_first(batch):
    N, T, D = batch.shape
    return batch.reshape(N, T * D).T.reshape(T, D, N)
""",
        """
def fix_time_first(batch):
    return np.stack(list(batch), axis=2)
""",
        """
def fix_time_first(batch):
    N, T, D = batch.shape
    xs = np.empty((T, D, N))
    for n in range(N):
        for t in range(T):
            xs[t, :, n] = batch[n, t]
    return xs
""",
        """
def fix_time_first(batch):
    return np.swapaxes(np.swapaxes(batch, 0, 1), 1, 2)
""",
        """
def fix_time_first(batch):
    return [[[batch[n, t, d] for n in range(len(batch))] for d in range(batch.shape[2])]
            for t in range(batch.shape[1])]
""",
    ],
    "fix_forward": [
        """
def fix_forward(xs, s0, W):
    states = []
    s = s0.copy()
    for x_t in xs:
        s[:] = np.tanh(W["ss"] @ s + W["sx"] @ x_t)
        states.append(s.copy())
    return np.stack(states)
""",
        """
def fix_forward(xs, s0, W):
    states = np.zeros((len(xs), *s0.shape))
    for t, x_t in enumerate(xs):
        before = states[t - 1] if t else s0
        states[t] = np.tanh(W["ss"] @ before + W["sx"] @ x_t)
    return states
""",
        """
def fix_forward(xs, s0, W):
    states = [s0]
    for x_t in xs:
        states.append(np.tanh(W["ss"] @ states[-1] + W["sx"] @ x_t))
    return np.array(states[1:])
""",
        """
def fix_forward(inputs, start, weights):
    joined = np.hstack([weights["ss"], weights["sx"]])
    kept, s = [], start
    for x in inputs:
        s = np.tanh(joined @ np.vstack([s, x]))
        kept += [s]
    return kept
""",
        """
def fix_forward(xs, s0, W):
    from_inputs = W["sx"] @ xs
    s = s0
    for t in range(len(xs)):
        s = np.tanh(from_inputs[t] + W["ss"] @ s)
        from_inputs[t] = s
    return from_inputs
""",
    ],
    "fix_backward": [
        """
def fix_backward(dstates, xs, s0, states, W):
    dW = {"ss": np.zeros_like(W["ss"]), "sx": np.zeros_like(W["sx"])}
    dxs = np.zeros_like(xs)
    ds = np.zeros_like(s0)
    for t in reversed(range(len(xs))):
        s_prev = states[t - 1] if t > 0 else s0
        ds += dstates[t]
        da = ds * (1 - states[t] ** 2)
        dW["ss"] += da @ s_prev.T
        dW["sx"] += da @ xs[t].T
        dxs[t] = W["sx"].T @ da
        ds = W["ss"].T @ da
    return dxs, ds, dW
""",
        """
def fix_backward(dstates, xs, s0, states, W):
    dW = {key: 0 for key in W}
    dxs = []
    carried = 0
    before = np.concatenate([s0[None], states[:-1]])
    for ds, x_t, s_prev, s_t in list(zip(dstates, xs, before, states))[::-1]:
        da = (ds + carried) * (1 - s_t * s_t)
        dW = {"ss": dW["ss"] + da @ s_prev.T, "sx": dW["sx"] + da @ x_t.T}
        dxs.append(W["sx"].T @ da)
        carried = W["ss"].T @ da
    return np.array(dxs[::-1]), carried, dW
""",
        """
def fix_backward(dstates, xs, s0, states, W):
    T = len(xs)
    das = np.zeros_like(states)
    ds = np.zeros_like(s0)
    for t in range(T - 1, -1, -1):
        das[t] = (dstates[t] + ds) * (1 - states[t] ** 2)
        ds = W["ss"].T @ das[t]
    before = np.concatenate([s0[None], states[:-1]])
    dW = {"ss": np.einsum("tin,tjn->ij", das, before), "sx": np.einsum("tin,tjn->ij", das, xs)}
    return W["sx"].T @ das, ds, dW
""",
        """
def fix_backward(dstates, xs, s0, states, W):
    arriving = dstates.copy()
    dW = {"ss": np.zeros_like(W["ss"]), "sx": np.zeros_like(W["sx"])}
    dxs = np.zeros_like(xs)
    for t in reversed(range(len(xs))):
        da = arriving[t] * (1 - states[t] ** 2)
        s_prev = s0 if t == 0 else states[t - 1]
        dW["ss"] += da @ s_prev.T
        dW["sx"] += da @ xs[t].T
        dxs[t] = W["sx"].T @ da
        home = W["ss"].T @ da
        if t > 0:
            arriving[t - 1] += home
    return dxs, home, dW
""",
        """
def fix_backward(dstates, xs, s0, states, W):
    def back(t, ds):
        if t < 0:
            return [], ds, {"ss": 0 * W["ss"], "sx": 0 * W["sx"]}
        da = (dstates[t] + ds) * (1 - states[t] ** 2)
        dxs, ds0, dW = back(t - 1, W["ss"].T @ da)
        s_prev = states[t - 1] if t else s0
        dW["ss"] = dW["ss"] + da @ s_prev.T
        dW["sx"] = dW["sx"] + da @ xs[t].T
        return dxs + [W["sx"].T @ da], ds0, dW

    dxs, ds0, dW = back(len(xs) - 1, 0 * s0)
    return np.stack(dxs), ds0, dW
""",
    ],
    "fix_clip": [
        """
def fix_clip(dW, max_norm):
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in dW.values()))
    if norm <= max_norm:
        return dW, norm
    return {key: max_norm / norm * gradient for key, gradient in dW.items()}, norm
""",
        """
def fix_clip(dW, max_norm):
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in dW.values()))
    scale = min(1.0, max_norm / (norm + 1e-12))
    return {key: scale * gradient for key, gradient in dW.items()}, norm
""",
        """
def fix_clip(dW, max_norm):
    norm = np.linalg.norm([np.linalg.norm(gradient) for gradient in dW.values()])
    scale = 1.0 if norm == 0 else np.minimum(1.0, max_norm / norm)
    clipped = {}
    for key in dW:
        clipped[key] = dW[key] * scale
    return clipped, norm
""",
        """
def fix_clip(dW, max_norm):
    squares = 0.0
    for gradient in dW.values():
        squares += float((gradient * gradient).sum())
    norm = squares**0.5
    too_long = max(1.0, norm / max_norm)
    return {key: gradient / too_long for key, gradient in dW.items()}, norm
""",
        """
def fix_clip(dW, max_norm):
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in dW.values()))
    scale = np.clip(max_norm / (norm + 1e-6), 0, 1)
    return {key: scale * gradient for key, gradient in dW.items()}, norm
""",
    ],
    "fix_gated_backward": [
        """
def fix_gated_backward(ds, x_t, s_prev, g_t, candidate, W):
    dg = ds * (candidate - s_prev)
    dz = dg * (g_t - g_t**2)
    da = ds * g_t * (1 - candidate**2)
    dx = W["gx"].T @ dz + W["sx"].T @ da
    ds_prev = ds * (1 - g_t) + W["gs"].T @ dz + W["ss"].T @ da
    return dx, ds_prev, {"gs": dz @ s_prev.T, "gx": dz @ x_t.T, "ss": da @ s_prev.T, "sx": da @ x_t.T}
""",
        """
def fix_gated_backward(ds, x_t, s_prev, g_t, candidate, W):
    z = W["gs"] @ s_prev + W["gx"] @ x_t
    dz = ds * (candidate - s_prev) * sigmoid(z) * (1 - sigmoid(z))
    da = ds * g_t * (1 - candidate**2)
    dx = W["gx"].T @ dz + W["sx"].T @ da
    ds_prev = ds * (1 - g_t) + W["gs"].T @ dz + W["ss"].T @ da
    return dx, ds_prev, {"gs": dz @ s_prev.T, "gx": dz @ x_t.T, "ss": da @ s_prev.T, "sx": da @ x_t.T}
""",
        """
def fix_gated_backward(ds, x_t, s_prev, g_t, candidate, W):
    def slope(g):
        return g * (1 - g)

    kept = 1 - g_t
    dz = ds * candidate * slope(g_t) - ds * s_prev * slope(g_t)
    da = ds * g_t - ds * g_t * candidate * candidate
    joined = np.vstack([dz, da])
    by_state = np.vstack([W["gs"], W["ss"]])
    by_input = np.vstack([W["gx"], W["sx"]])
    H = len(ds)
    dS, dX = joined @ s_prev.T, joined @ x_t.T
    dW = {"gs": dS[:H], "ss": dS[H:], "gx": dX[:H], "sx": dX[H:]}
    return by_input.T @ joined, ds * kept + by_state.T @ joined, dW
""",
        """
def fix_gated_backward(ds, x_t, s_prev, g_t, candidate, W):
    dz = ds * (candidate - s_prev) * g_t * (1 - g_t)
    da = ds * g_t * (1 - candidate) * (1 + candidate)
    dW = {}
    for k, d in (("g", dz), ("s", da)):
        dW[k + "s"] = np.einsum("in,jn->ij", d, s_prev)
        dW[k + "x"] = np.einsum("in,jn->ij", d, x_t)
    dx = sum(W[k + "x"].T @ d for k, d in (("g", dz), ("s", da)))
    ds_prev = sum((W[k + "s"].T @ d for k, d in (("g", dz), ("s", da))), start=(1 - g_t) * ds)
    return dx, ds_prev, dW
""",
        """
def fix_gated_backward(ds, x_t, s_prev, g_t, candidate, W):
    half = 2 * g_t - 1
    dz = ds * (candidate - s_prev) * (1 - half**2) / 4
    da = ds * g_t * (1 - candidate**2)
    dx = W["gx"].T @ dz + W["sx"].T @ da
    ds_prev = ds - ds * g_t + W["gs"].T @ dz + W["ss"].T @ da
    dW = {"gs": dz @ s_prev.T, "gx": dz @ x_t.T, "ss": da @ s_prev.T, "sx": da @ x_t.T}
    return dx, ds_prev, dW
""",
    ],
    "fix_lstm_step": [
        """
def fix_lstm_step(x_t, h_prev, c_prev, W):
    z = W["h"] @ h_prev + W["x"] @ x_t + W["b"]
    H = len(h_prev)
    gates = {k: sigmoid(z[j * H : (j + 1) * H]) for j, k in enumerate("fio")}
    gates["c"] = np.tanh(z[3 * H :])
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    return gates["o"] * np.tanh(c_t), c_t, gates
""",
        """
def fix_lstm_step(x_t, h_prev, c_prev, W):
    z = W["h"] @ h_prev + W["x"] @ x_t + W["b"]
    f, i, c, o = np.split(z, 4)
    c, o = o, c
    gates = {"f": sigmoid(f), "i": sigmoid(i), "o": sigmoid(o), "c": np.tanh(c)}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    return gates["o"] * np.tanh(c_t), c_t, gates
""",
        """
def fix_lstm_step(x_t, h_prev, c_prev, W):
    z = dict(zip("fioc", np.split(W["h"] @ h_prev + W["x"] @ x_t + W["b"], 4)))
    gates = {k: np.tanh(v) if k == "c" else sigmoid(v) for k, v in z.items()}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    return gates["o"] * np.tanh(c_t), c_t, gates
""",
        """
def fix_lstm_step(x_t, h_prev, c_prev, W):
    H, N = h_prev.shape
    f, i, o, c = (W["h"] @ h_prev + W["x"] @ x_t + W["b"]).reshape(4, H, N)
    f, i, o = (1 / (1 + np.exp(-z)) for z in (f, i, o))
    c = np.tanh(c)
    memory = f * c_prev + i * c
    return o * np.tanh(memory), memory, {"c": c, "o": o, "i": i, "f": f}
""",
        """
def fix_lstm_step(x_t, h_prev, c_prev, W):
    weights = np.hstack([W["h"], W["x"], W["b"]])
    z = weights @ np.vstack([h_prev, x_t, np.ones((1, x_t.shape[1]))])
    squashed, a = np.split(z, [3 * len(h_prev)])
    f, i, o = np.split(0.5 + 0.5 * np.tanh(squashed / 2), 3)
    candidate = np.tanh(a)
    c_t = i * candidate + f * c_prev
    return np.tanh(c_t) * o, c_t, {"f": f, "i": i, "o": o, "c": candidate}
""",
    ],
    "fix_lstm_backward": [
        """
def fix_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    f, i, o, c = (gates[k] for k in "fioc")
    shown = np.tanh(c_t)
    dc = dc + dh * o * (1 - shown**2)
    df = dc * c_prev * f * (1 - f)
    di = dc * c * i * (1 - i)
    do = dh * shown * o * (1 - o)
    da = dc * i * (1 - c**2)
    dz = np.concatenate([df, di, do, da])
    dW = {"h": dz @ h_prev.T, "x": dz @ x_t.T, "b": dz.sum(axis=1, keepdims=True)}
    return W["x"].T @ dz, W["h"].T @ dz, dc * f, dW
""",
        """
def fix_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    f, i, o, c = (gates[k] for k in "fioc")
    dc = dc + dh * o / np.cosh(c_t) ** 2
    dz = np.concatenate([
        dc * c_prev * f * (1 - f),
        dc * c * i * (1 - i),
        dh * np.tanh(c_t) * o * (1 - o),
        dc * i * (1 - c**2),
    ])
    dW = {"h": dz @ h_prev.T, "x": dz @ x_t.T, "b": dz @ np.ones((dz.shape[1], 1))}
    return W["x"].T @ dz, W["h"].T @ dz, dc * f, dW
""",
        """
def fix_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    f, i, o, c = (gates[k] for k in "fioc")
    h_t = o * np.tanh(c_t)
    total = dc + dh * (o - h_t * np.tanh(c_t))
    dz = {
        "f": total * c_prev * (f - f * f),
        "i": total * c * (i - i * i),
        "o": dh * h_t * (1 - o),
        "c": total * i * (1 - c * c),
    }
    H = len(dh)
    dx, dh_prev = 0, 0
    dW = {key: np.zeros_like(W[key]) for key in W}
    for k, name in enumerate("fioc"):
        rows = slice(k * H, (k + 1) * H)
        dW["h"][rows] = dz[name] @ h_prev.T
        dW["x"][rows] = dz[name] @ x_t.T
        dW["b"][rows] = dz[name].sum(axis=1, keepdims=True)
        dx = dx + W["x"][rows].T @ dz[name]
        dh_prev = dh_prev + W["h"][rows].T @ dz[name]
    return dx, dh_prev, total * f, dW
""",
        """
def fix_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    f, i, o, c = gates["f"], gates["i"], gates["o"], gates["c"]
    dc = dc + dh * o * (1 - np.tanh(c_t)) * (1 + np.tanh(c_t))
    dz = np.vstack([dc * c_prev * f * (1 - f), dc * c * i * (1 - i), dh * np.tanh(c_t) * o * (1 - o),
                    dc * i * (1 - c**2)])
    dW = {"h": np.einsum("zn,hn->zh", dz, h_prev), "x": np.einsum("zn,dn->zd", dz, x_t)}
    dW["b"] = dz.sum(axis=1)[:, None]
    return np.einsum("zd,zn->dn", W["x"], dz), np.einsum("zh,zn->hn", W["h"], dz), f * dc, dW
""",
        """
def fix_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    slope = {k: gates[k] * (1 - gates[k]) for k in "fio"}
    slope["c"] = 1 - gates["c"] ** 2
    from_shown = dh * gates["o"]
    into_memory = dc + from_shown - from_shown * np.tanh(c_t) ** 2
    other = {"f": c_prev, "i": gates["c"], "c": gates["i"]}
    dz = [slope[k] * (dh * np.tanh(c_t) if k == "o" else into_memory * other[k]) for k in "fioc"]
    dz = np.concatenate(dz, axis=0)
    dW = dict(h=dz @ h_prev.T, x=dz @ x_t.T, b=np.sum(dz, 1, keepdims=True))
    return (dz.T @ W["x"]).T, (dz.T @ W["h"]).T, into_memory * gates["f"], dW
""",
    ],
    "fix_masked_forward": [
        """
def fix_masked_forward(xs, lengths, s0, W):
    states = []
    s = s0
    for t, x_t in enumerate(xs):
        is_word = t < lengths
        new = np.tanh(W["ss"] @ s + W["sx"] @ x_t)
        s = is_word * new + (1 - is_word) * s
        states.append(s)
    return np.stack(states)
""",
        """
def fix_masked_forward(xs, lengths, s0, W):
    states = np.zeros((len(xs), *s0.shape))
    s = s0.copy()
    for t in range(len(xs)):
        on = np.flatnonzero(lengths > t)
        s[:, on] = np.tanh(W["ss"] @ s[:, on] + W["sx"] @ xs[t][:, on])
        states[t] = s
    return states
""",
        """
def fix_masked_forward(xs, lengths, s0, W):
    s, states = s0, []
    for x_t in xs:
        s = np.tanh(W["ss"] @ s + W["sx"] @ x_t)
        states.append(s)
    states = np.array(states)
    for n, length in enumerate(lengths):
        states[length:, :, n] = states[length - 1, :, n]
    return states
""",
        """
def fix_masked_forward(xs, lengths, s0, W):
    columns = []
    for n in range(len(lengths)):
        s, column = s0[:, n], []
        for t in range(len(xs)):
            if t < lengths[n]:
                s = np.tanh(W["ss"] @ s + W["sx"] @ xs[t, :, n])
            column.append(s)
        columns.append(column)
    return np.transpose(columns, (1, 2, 0))
""",
        """
def fix_masked_forward(xs, lengths, s0, W):
    s, states = s0, [s0]
    for t, x_t in enumerate(xs):
        change = np.tanh(W["ss"] @ states[-1] + W["sx"] @ x_t) - states[-1]
        states.append(states[-1] + (t < lengths)[None, :] * change)
    return np.stack(states[1:])
""",
    ],
    "fix_temperature": [
        """
def fix_temperature(logits, temperature):
    e = np.exp((logits - logits.max(axis=0)) / temperature)
    return e / e.sum(axis=0)
""",
        """
def fix_temperature(logits, temperature):
    z = logits / temperature
    return np.exp(z - np.logaddexp.reduce(z, axis=0))
""",
        """
def fix_temperature(logits, temperature):
    columns = []
    for z in logits.T:
        e = np.exp((z - max(z)) / temperature)
        columns.append(e / sum(e))
    return np.transpose(columns)
""",
        """
def fix_temperature(logits, temperature):
    z = logits / temperature
    log_p = z - z.max(axis=0) - np.log(np.exp(z - z.max(axis=0)).sum(axis=0))
    return np.exp(log_p)
""",
        """
def fix_temperature(logits, temperature):
    z = logits / temperature
    return 1 / np.exp(np.clip(z[None, :, :] - z[:, None, :], -700, 700)).sum(axis=1)
""",
    ],
    "fix_adam_step": [
        """
def fix_adam_step(W, dW, m, v, t, learning_rate):
    new_W, new_m, new_v = {}, {}, {}
    for key in W:
        new_m[key] = 0.9 * m[key] + 0.1 * dW[key]
        new_v[key] = 0.999 * v[key] + 0.001 * dW[key] ** 2
        rate = learning_rate / (1 - 0.9**t)
        new_W[key] = W[key] - rate * new_m[key] / (np.sqrt(new_v[key] / (1 - 0.999**t)) + 1e-8)
    return new_W, new_m, new_v
""",
        """
def fix_adam_step(W, dW, m, v, t, learning_rate):
    m = {key: m[key] + 0.1 * (dW[key] - m[key]) for key in W}
    v = {key: v[key] + 0.001 * (dW[key] * dW[key] - v[key]) for key in W}
    rate = learning_rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    small = 1e-8 * np.sqrt(1 - 0.999**t)
    return {key: W[key] - rate * m[key] / (np.sqrt(v[key]) + small) for key in W}, m, v
""",
        """
def fix_adam_step(W, dW, m, v, t, learning_rate):
    def running(old, new, keep):
        kept = {key: keep * old[key] + (1 - keep) * new[key] for key in W}
        return kept, {key: kept[key] / (1 - keep**t) for key in W}

    m, mean = running(m, dW, 0.9)
    v, square = running(v, {key: dW[key] ** 2 for key in W}, 0.999)
    return {k: W[k] - learning_rate * mean[k] / (square[k] ** 0.5 + 1e-8) for k in W}, m, v
""",
        """
def fix_adam_step(W, dW, m, v, t, learning_rate):
    beta1, beta2 = 0.9, 0.999
    m = {key: beta1 * m[key] + (1 - beta1) * dW[key] for key in W}
    v = {key: beta2 * v[key] + (1 - beta2) * dW[key] ** 2 for key in W}
    unbias1, unbias2 = 1 / (1 - beta1**t), 1 / (1 - beta2**t)
    new_W = {}
    for key, weights in W.items():
        new_W[key] = weights - learning_rate * (unbias1 * m[key]) / (np.sqrt(unbias2 * v[key]) + 1e-8)
    return new_W, m, v
""",
        """
def fix_adam_step(W, dW, m, v, t, learning_rate):
    m = {key: 0.9 * m[key] + 0.1 * dW[key] for key in W}
    v = {key: 0.999 * v[key] + 0.001 * dW[key] ** 2 for key in W}
    weight_m = sum(0.1 * 0.9**k for k in range(t))
    weight_v = sum(0.001 * 0.999**k for k in range(t))
    step = {key: m[key] / weight_m / (np.sqrt(v[key] / weight_v) + 1e-8) for key in W}
    return {key: W[key] - learning_rate * step[key] for key in W}, m, v
""",
    ],
}
