"""Right answers to notebook 05, written differently."""

ALTERNATIVES = {
    "lstm_gates": [
        """
def lstm_gates(x_t, h_prev, W):
    forget = sigmoid(np.dot(W["fh"], h_prev) + np.dot(W["fx"], x_t))
    into = sigmoid(np.dot(W["ih"], h_prev) + np.dot(W["ix"], x_t))
    out = sigmoid(np.dot(W["oh"], h_prev) + np.dot(W["ox"], x_t))
    new = np.tanh(np.dot(W["ch"], h_prev) + np.dot(W["cx"], x_t))
    return {"o": out, "i": into, "f": forget, "c": new}
""",
        """
def lstm_gates(x_t, h_prev, W):
    total = lambda g: np.einsum("ij,jn->in", W[g + "h"], h_prev) + np.einsum("ij,jn->in", W[g + "x"], x_t)
    return {g: np.tanh(total(g)) if g == "c" else sigmoid(total(g)) for g in "fioc"}
""",
        """
def lstm_gates(x_t, h_prev, W):
    stacked = np.vstack([np.hstack([W[g + "h"], W[g + "x"]]) for g in "fioc"])
    f, i, o, c = np.split(stacked @ np.vstack([h_prev, x_t]), 4)
    return dict(f=sigmoid(f), i=sigmoid(i), o=sigmoid(o), c=np.tanh(c))
""",
        """
def lstm_gates(x, h, weights):
    gates = {}
    for name in ["f", "i", "o", "c"]:
        z = weights[name + "x"] @ x
        z += weights[name + "h"] @ h
        if name == "c":
            np.tanh(z, out=z)
        else:
            z = 0.5 * (1 + np.tanh(z / 2))
        print(name, z.shape)
        gates[name] = z
    return gates
""",
        """
def lstm_gates(x_t, h_prev, W):
    H, N = h_prev.shape
    gates = {}
    for g in "fioc":
        gates[g] = np.zeros((H, N))
        for n in range(N):
            for unit in range(H):
                total = 0
                for k in range(H):
                    total += W[g + "h"][unit, k] * h_prev[k, n]
                for k in range(len(x_t)):
                    total += W[g + "x"][unit, k] * x_t[k, n]
                gates[g][unit, n] = np.tanh(total) if g == "c" else sigmoid(total)
    return gates
""",
        """
def squash(z, name):
    return 2 * sigmoid(2 * z) - 1 if name == "c" else sigmoid(z)

def lstm_gates(x_t, h_prev, W):
    # transposed throughout, as batch-first code does it
    gates = {}
    for name in ("c", "o", "i", "f"):
        z = x_t.T @ W[name + "x"].T + h_prev.T @ W[name + "h"].T
        gates[name] = squash(z, name).T
    return gates
""",
        """
def lstm_gates(x_t, h_prev, W):
    gates = {g: (W[g + "h"] @ h_prev + W[g + "x"] @ x_t) for g in "fioc"}
    for g in "fio":
        gates[g] = 1 / (1 + np.exp(-gates[g]))
    gates["c"] = np.tanh(gates["c"])
    return gates
""",
    ],
    "lstm_step": [
        """
def lstm_step(x_t, h_prev, c_prev, W):
    g = lstm_gates(x_t, h_prev, W)
    c = g["f"] * c_prev + g["i"] * g["c"]
    return g["o"] * np.tanh(c), c, g
""",
        """
def shown(memory, gate):
    squashed = 1 - 2 / (np.exp(2 * memory) + 1)
    return squashed * gate

def lstm_step(x_t, h_prev, c_prev, W):
    gates = lstm_gates(x_t, h_prev, W)
    print("forget gate", gates["f"].mean())
    c_t = c_prev + gates["i"] * gates["c"] - (1 - gates["f"]) * c_prev
    return shown(c_t, gates["o"]), c_t, gates
""",
        """
def lstm_step(x_t, h_prev, c_prev, W):
    f = sigmoid(W["fh"] @ h_prev + W["fx"] @ x_t)
    i = sigmoid(W["ih"] @ h_prev + W["ix"] @ x_t)
    o = sigmoid(W["oh"] @ h_prev + W["ox"] @ x_t)
    c = np.tanh(W["ch"] @ h_prev + W["cx"] @ x_t)
    c_t = np.multiply(f, c_prev) + np.multiply(i, c)
    h_t = np.multiply(o, np.tanh(c_t))
    return [h_t, c_t, {"f": f, "i": i, "o": o, "c": c}]
""",
        """
def lstm_step(x_t, h_prev, c_prev, W):
    gates = lstm_gates(x_t, h_prev, W)
    f, i, o, candidate = (gates[name] for name in "fioc")
    c_t = np.zeros_like(c_prev)
    h_t = np.zeros_like(c_prev)
    for unit, n in np.ndindex(*c_prev.shape):
        c_t[unit, n] = f[unit, n] * c_prev[unit, n] + i[unit, n] * candidate[unit, n]
        h_t[unit, n] = o[unit, n] * np.tanh(c_t[unit, n])
    return h_t, c_t, gates
""",
        """
def lstm_step(x, h, c, W):
    gates = lstm_gates(x, h, W)
    c *= gates["f"]
    c += gates["i"] * gates["c"]
    h[:] = gates["o"] * np.tanh(c)
    return h, c, gates
""",
        """
def lstm_step(x_t, h_prev, c_prev, W):
    gates = lstm_gates(x_t, h_prev, W)
    pairs = np.stack([gates["f"], gates["i"]])
    c_t = np.einsum("khn,khn->hn", pairs, np.stack([c_prev, gates["c"]]))
    h_t = gates["o"] * np.sinh(c_t) / np.cosh(c_t)
    return h_t, c_t, gates
""",
    ],
    "lstm_forward": [
        """
def lstm_forward(xs, h0, c0, W):
    hs, cs, all_gates = [], [], {name: [] for name in "fioc"}
    h, c = h0, c0
    for x_t in xs:
        h, c, gates = lstm_step(x_t, h, c, W)
        hs.append(h)
        cs.append(c)
        for name in all_gates:
            all_gates[name].append(gates[name])
    return np.array(hs), np.array(cs), {name: np.array(values) for name, values in all_gates.items()}
""",
        """
def lstm_forward(xs, h0, c0, W):
    steps = []
    state = h0, c0
    for t in range(xs.shape[0]):
        steps.append(lstm_step(xs[t], *state, W))
        state = steps[-1][:2]
    hs, cs, gates = zip(*steps)
    return np.stack(hs), np.stack(cs), {k: np.stack([g[k] for g in gates]) for k in "cofi"}
""",
        """
def lstm_forward(xs, h0, c0, W):
    if len(xs) == 0:
        H, N = h0.shape
        empty = np.zeros((0, H, N))
        return empty, empty, dict.fromkeys("fioc", empty)
    h, c, gates = lstm_step(xs[0], h0, c0, W)
    hs, cs, later = lstm_forward(xs[1:], h, c, W)
    return (
        np.concatenate([h[None], hs]),
        np.concatenate([c[None], cs]),
        {name: np.concatenate([gates[name][None], later[name]]) for name in gates},
    )
""",
        """
def lstm_forward(xs, h0, c0, W):
    (T, D, N), H = xs.shape, h0.shape[0]
    hs, cs = np.empty((T + 1, H, N)), np.empty((T + 1, H, N))
    hs[0], cs[0] = h0, c0
    gates = {"f": np.empty((T, H, N)), "i": np.empty((T, H, N))}
    gates.update(o=np.empty((T, H, N)), c=np.empty((T, H, N)))
    for t in range(1, T + 1):
        hs[t], cs[t], step_gates = lstm_step(xs[t - 1], hs[t - 1], cs[t - 1], W)
        for gate, value in step_gates.items():
            gates[gate][t - 1, :, :] = value
    return hs[1:], cs[1:], gates
""",
        """
def lstm_forward(xs, h0, c0, W):
    stacked = np.vstack([np.hstack([W[g + "h"], W[g + "x"]]) for g in "fioc"])
    H = len(h0)
    from_inputs = stacked[:, H:] @ xs
    hs, cs, zs = [], [], []
    h, c = h0, c0
    for z in from_inputs:
        z = z + stacked[:, :H] @ h
        z = np.concatenate([sigmoid(z[: 3 * H]), np.tanh(z[3 * H :])])
        c = z[:H] * c + z[H : 2 * H] * z[3 * H :]
        h = z[2 * H : 3 * H] * np.tanh(c)
        hs.append(h); cs.append(c); zs.append(z)
    f, i, o, candidate = np.split(np.array(zs), 4, axis=1)
    return np.array(hs), np.array(cs), {"f": f, "i": i, "o": o, "c": candidate}
""",
        """
def lstm_forward(xs, h0, c0, W):
    hs, cs = [], []
    gates = {"f": [], "i": [], "o": [], "c": []}
    h0, c0 = h0.copy(), c0.copy()
    for t, x_t in enumerate(xs):
        print("position", t)
        h_new, c_new, g = lstm_step(x_t, h0, c0, W)
        h0[...] = h_new
        c0[...] = c_new
        hs.append(h_new.tolist())
        cs.append(c_new.tolist())
        for k in g:
            gates[k].append(g[k].tolist())
    return hs, cs, gates
""",
    ],
    "stack_parameters": [
        """
def stack_parameters(W):
    return np.vstack([np.hstack([W[g + "h"], W[g + "x"]]) for g in "fioc"])
""",
        """
def stack_parameters(W):
    left = np.concatenate([W["fh"], W["ih"], W["oh"], W["ch"]], axis=0)
    right = np.concatenate([W["fx"], W["ix"], W["ox"], W["cx"]], axis=0)
    return np.concatenate([left, right], axis=1)
""",
        """
def stack_parameters(W):
    H, D = W["fx"].shape
    stacked = np.zeros((4 * H, H + D))
    for k, gate in enumerate(["f", "i", "o", "c"]):
        stacked[k * H : (k + 1) * H, :H] = W[gate + "h"]
        stacked[k * H : (k + 1) * H, H:] = W[gate + "x"]
    return stacked
""",
        """
def stack_parameters(W):
    return np.block([[W["fh"], W["fx"]], [W["ih"], W["ix"]], [W["oh"], W["ox"]], [W["ch"], W["cx"]]])
""",
        """
def stack_parameters(weights):
    rows = []
    for gate in "fioc":
        for unit in range(weights[gate + "h"].shape[0]):
            rows.append(list(weights[gate + "h"][unit]) + list(weights[gate + "x"][unit]))
    return rows
""",
        """
def stack_parameters(W):
    by_gate = np.stack([np.c_[W[g + "h"], W[g + "x"]] for g in "fioc"])
    print(by_gate.shape)
    return by_gate.reshape(-1, by_gate.shape[-1])
""",
        """
def stack_parameters(W):
    columns = np.r_[
        np.stack([W[g + "h"].T for g in "fioc"], axis=1).reshape(W["fh"].shape[1], -1),
        np.stack([W[g + "x"].T for g in "fioc"], axis=1).reshape(W["fx"].shape[1], -1),
    ]
    return columns.T
""",
    ],
    "peephole_step": [
        """
def peephole_step(x_t, h_prev, c_prev, W):
    inside = lambda k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t
    gates = {k: sigmoid(inside(k) + W[k + "p"] * c_prev) for k in "fi"}
    gates["c"] = np.tanh(inside("c"))
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    gates["o"] = sigmoid(inside("o") + W["op"] * c_t)
    return gates["o"] * np.tanh(c_t), c_t, gates
""",
        """
def peephole_step(x_t, h_prev, c_prev, W):
    stacked = lambda k: np.hstack([W[k + "h"], W[k + "x"], np.diag(W[k + "p"][:, 0])])
    before = np.vstack([h_prev, x_t, c_prev])
    f, i = sigmoid(stacked("f") @ before), sigmoid(stacked("i") @ before)
    new = np.tanh(np.hstack([W["ch"], W["cx"]]) @ before[: -len(c_prev)])
    c = f * c_prev + i * new
    o = sigmoid(stacked("o") @ np.vstack([h_prev, x_t, c]))
    return o * np.tanh(c), c, dict(o=o, c=new, i=i, f=f)
""",
        """
def peephole_step(x_t, h_prev, c_prev, W):
    H, N = c_prev.shape
    f, i, o, new, c, h = (np.empty((H, N)) for _ in range(6))
    for n in range(N):
        for u in range(H):
            z = {k: W[k + "h"][u] @ h_prev[:, n] + W[k + "x"][u] @ x_t[:, n] for k in "fioc"}
            f[u, n] = sigmoid(z["f"] + W["fp"][u, 0] * c_prev[u, n])
            i[u, n] = sigmoid(z["i"] + W["ip"][u, 0] * c_prev[u, n])
            new[u, n] = np.tanh(z["c"])
            c[u, n] = f[u, n] * c_prev[u, n] + i[u, n] * new[u, n]
            o[u, n] = sigmoid(z["o"] + W["op"][u, 0] * c[u, n])
            h[u, n] = o[u, n] * np.tanh(c[u, n])
    return h, c, {"f": f, "i": i, "o": o, "c": new}
""",
        """
def peephole_step(x_t, h_prev, c_prev, W):
    z = {k: np.einsum("ij,jn->in", W[k + "h"], h_prev) for k in "fioc"}
    for k in z:
        z[k] += np.einsum("ij,jn->in", W[k + "x"], x_t)
    for k in "fi":
        z[k] += np.einsum("i,in->in", W[k + "p"].ravel(), c_prev)
    c_prev *= sigmoid(z["f"])
    c_prev += sigmoid(z["i"]) * np.tanh(z["c"])
    z["o"] += np.einsum("i,in->in", W["op"].ravel(), c_prev)
    gates = {k: np.tanh(v) if k == "c" else sigmoid(v) for k, v in z.items()}
    return gates["o"] * np.tanh(c_prev), c_prev, gates
""",
        """
def door(W, name, x, h, memory=None):
    total = np.dot(W[name + "h"], h) + np.dot(W[name + "x"], x)
    return total if memory is None else total + np.broadcast_to(W[name + "p"], memory.shape) * memory


def peephole_step(x, h, c, weights):
    forget, enter = sigmoid(door(weights, "f", x, h, c)), sigmoid(door(weights, "i", x, h, c))
    new = np.tanh(door(weights, "c", x, h))
    memory = c * forget + new * enter
    show = sigmoid(door(weights, "o", x, h, memory))
    print(memory.shape)
    return (show * np.tanh(memory)).tolist(), memory.tolist(), {"f": forget, "i": enter, "o": show, "c": new}
""",
    ],
}
