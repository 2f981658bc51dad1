"""Right answers to notebook 08, written differently."""

ALTERNATIVES = {
    "to_torch_lstm": [
        """
def to_torch_lstm(W):
    H, D = W["fx"].shape
    w_x, w_h, b = np.zeros((4 * H, D)), np.zeros((4 * H, H)), np.zeros(4 * H)
    for block, gate in enumerate(["i", "f", "c", "o"]):
        here = slice(block * H, (block + 1) * H)
        w_x[here], w_h[here], b[here] = W[gate + "x"], W[gate + "h"], W[gate + "b"].ravel()
    return {"weight_ih_l0": w_x, "weight_hh_l0": w_h, "bias_ih_l0": b / 2, "bias_hh_l0": b / 2}
""",
        """
def to_torch_lstm(W):
    names = {"weight_ih_l0": "x", "weight_hh_l0": "h", "bias_ih_l0": "b", "bias_hh_l0": "b"}
    parameters = {}
    for name, kind in names.items():
        array = np.concatenate([W["i" + kind], W["f" + kind], W["c" + kind], W["o" + kind]])
        parameters[name] = 0.5 * array.squeeze(axis=1) if kind == "b" else array
    return parameters
""",
        """
def to_torch_lstm(weights):
    rows = {kind: [] for kind in "xhb"}
    for gate in "ifco":
        for kind in rows:
            rows[kind].extend(np.asarray(weights[gate + kind]).tolist())
    half = [b[0] / 2 for b in rows["b"]]
    return dict(weight_ih_l0=rows["x"], weight_hh_l0=rows["h"], bias_ih_l0=half, bias_hh_l0=list(half))
""",
        """
def pile(W, kind):
    return np.r_[W["i" + kind], W["f" + kind], W["c" + kind], W["o" + kind]]

def to_torch_lstm(W):
    b = pile(W, "b")[:, 0]
    print("biases", b.shape)
    return {
        "bias_hh_l0": b - b / 2,
        "bias_ih_l0": b / 2,
        "weight_hh_l0": pile(W, "h"),
        "weight_ih_l0": pile(W, "x"),
    }
""",
        """
def to_torch_lstm(W):
    everything = np.hstack([np.vstack([W[g + k] for g in "fioc"]) for k in "xhb"])
    f, i, o, c = np.split(everything, 4)
    everything = np.vstack((i, f, c, o))
    D = W["fx"].shape[1]
    bias = everything[:, -1] * 0.5
    return {"weight_ih_l0": everything[:, :D], "weight_hh_l0": everything[:, D:-1],
            "bias_ih_l0": bias, "bias_hh_l0": bias.copy()}
""",
        """
def to_torch_lstm(W):
    H, D = len(W["fb"]), len(W["fx"][0])
    out = {"weight_ih_l0": np.stack([W[g + "x"] for g in "ifco"]).reshape(4 * H, D)}
    out["weight_hh_l0"] = np.stack([W[g + "h"] for g in "ifco"]).reshape(-1, H)
    out["bias_ih_l0"] = out["bias_hh_l0"] = np.hstack([W[g + "b"].flatten() for g in "ifco"]) / 2
    return out
""",
    ],
    "from_torch_lstm": [
        """
def from_torch_lstm(parameters, layer, reverse):
    ending = "_l" + str(int(layer)) + "_reverse" * bool(reverse)
    w_x, w_h = parameters["weight_ih" + ending], parameters["weight_hh" + ending]
    b = parameters["bias_ih" + ending] + parameters["bias_hh" + ending]
    H = w_h.shape[1]
    i, f, c, o = (slice(k * H, (k + 1) * H) for k in range(4))
    W = {}
    for gate, here in (("f", f), ("i", i), ("o", o), ("c", c)):
        W[gate + "h"], W[gate + "x"], W[gate + "b"] = w_h[here], w_x[here], b[here].reshape(H, 1)
    return W
""",
        """
def from_torch_lstm(parameters, layer, reverse):
    if reverse:
        own = {k: v for k, v in parameters.items() if k.endswith(f"_l{layer}_reverse")}
    else:
        own = {k: v for k, v in parameters.items() if k.endswith(f"_l{layer}")}
    x, h, b1, b2 = (next(v for k, v in own.items() if k.startswith(start))
                    for start in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    b = (b1 + b2).reshape(-1, 1)
    W = {}
    for kind, array in (("x", x), ("h", h), ("b", b)):
        for gate, block in zip("ifco", np.vsplit(array, 4)):
            W[gate + kind] = block.copy()
    return W
""",
        """
def cut(array, gate):
    H = len(array) // 4
    first = {"i": 0, "f": 1, "c": 2, "o": 3}[gate] * H
    return array[first:first + H]

def from_torch_lstm(parameters, layer, reverse):
    name = lambda kind: f"{kind}_l{layer}_reverse" if reverse else f"{kind}_l{layer}"
    bias = np.add(parameters[name("bias_ih")], parameters[name("bias_hh")])
    W = {gate + "x": cut(parameters[name("weight_ih")], gate) for gate in "fioc"}
    W.update({gate + "h": cut(parameters[name("weight_hh")], gate) for gate in "fioc"})
    W.update({gate + "b": cut(bias, gate)[:, np.newaxis] for gate in "fioc"})
    return W
""",
        """
def from_torch_lstm(parameters, layer, reverse):
    ending = "_l%d%s" % (layer, "_reverse" if reverse else "")
    H = parameters["weight_hh" + ending].shape[-1]
    x = parameters["weight_ih" + ending].reshape(4, H, -1)
    h = parameters["weight_hh" + ending].reshape(4, H, H)
    b = (parameters["bias_ih" + ending] + parameters["bias_hh" + ending]).reshape(4, H, 1)
    return {
        "ix": x[0], "fx": x[1], "cx": x[2], "ox": x[3],
        "ih": h[0], "fh": h[1], "ch": h[2], "oh": h[3],
        "ib": b[0], "fb": b[1], "cb": b[2], "ob": b[3],
    }
""",
        """
def from_torch_lstm(params, layer, reverse):
    s = f"_l{layer}"
    if reverse:
        s += "_reverse"
    H = len(params["bias_ih" + s]) // 4
    W = {}
    for row in range(4 * H):
        gate = "ifco"[row // H]
        W.setdefault(gate + "x", []).append(list(params["weight_ih" + s][row]))
        W.setdefault(gate + "h", []).append(list(params["weight_hh" + s][row]))
        W.setdefault(gate + "b", []).append([params["bias_ih" + s][row] + params["bias_hh" + s][row]])
    return W
""",
    ],
    "both_directions": [
        """
def both_directions(x, W, W_reverse):
    N, T, D = x.shape
    H = W["fh"].shape[0]
    zeros = np.zeros((H, N))
    y = np.empty((N, T, 2 * H))
    ahead, _ = lstm_forward(np.moveaxis(x, 0, -1), zeros, zeros, W)
    back, _ = lstm_forward(np.flip(np.moveaxis(x, 0, -1), axis=0), zeros, zeros, W_reverse)
    for t in range(T):
        y[:, t, :H] = ahead[t].T
        y[:, t, H:] = back[T - 1 - t].T
    return y
""",
        """
def both_directions(x, W, W_reverse):
    N, T, _ = x.shape
    H = len(W["fb"])
    y = np.zeros((N, T, 2 * H))
    for n in range(N):
        for weights, steps, first in ((W, range(T), 0), (W_reverse, range(T - 1, -1, -1), H)):
            h = c = np.zeros((H, 1))
            for t in steps:
                h, c = lstm_step(x[n, t][:, None], h, c, weights)
                y[n, t, first:first + H] = h[:, 0]
    return y
""",
        """
def read(x, weights):
    xs = np.einsum("ntd->tdn", x)
    start = np.zeros((len(weights["ib"]), x.shape[0]))
    return np.einsum("thn->nth", lstm_forward(xs, start, start.copy(), weights)[0])

def both_directions(x, W, W_reverse):
    return np.concatenate((read(x, W), read(x[:, ::-1], W_reverse)[:, ::-1]), axis=-1)
""",
        """
def both_directions(x, W, W_reverse):
    xs = x.swapaxes(0, 1).swapaxes(1, 2)
    H, N = len(W["oh"]), xs.shape[-1]
    h, c = np.zeros((H, N)), np.zeros((H, N))
    ahead = []
    for x_t in xs:
        h, c = lstm_step(x_t, h, c, W)
        ahead.append(h)
    h, c = np.zeros((H, N)), np.zeros((H, N))
    back = []
    for x_t in reversed(xs):
        h, c = lstm_step(x_t, h, c, W_reverse)
        back.insert(0, h)
    return np.array([np.vstack(pair) for pair in zip(ahead, back)]).transpose(2, 0, 1)
""",
        """
def both_directions(x, W, W_reverse):
    order = np.arange(x.shape[1])[::-1]
    zeros = np.zeros((len(W["fh"]), len(x)))
    xs = np.transpose(x, (1, 2, 0))
    a = lstm_forward(xs, zeros, zeros, W)[0]
    b = lstm_forward(xs[order], zeros, zeros, W_reverse)[0][order]
    print(a.shape, b.shape)
    return np.dstack([a.transpose(2, 0, 1), b.transpose(2, 0, 1)]).tolist()
""",
    ],
    "to_torch_gru": [
        """
def to_torch_gru(W):
    H, D = W["sx"].shape
    zeros = np.zeros(H)
    return {
        "weight_ih_l0": np.concatenate((W["rx"], -W["gx"], W["sx"])),
        "weight_hh_l0": np.concatenate((W["rs"], -W["gs"], W["ss"])),
        "bias_ih_l0": np.concatenate((W["rb"], -W["gb"], W["sb"])).ravel(),
        "bias_hh_l0": np.concatenate((zeros, zeros, W["ssb"].ravel())),
    }
""",
        """
def to_torch_gru(W):
    H, D = W["sx"].shape
    x, h, b = np.zeros((3, H, D)), np.zeros((3, H, H)), np.zeros((2, 3, H))
    for k, gate in enumerate("rgs"):
        x[k], h[k], b[0, k] = W[gate + "x"], W[gate + "s"], W[gate + "b"].T
    for array in (x, h, b[0]):
        array[1] *= -1
    b[1, 2] = W["ssb"][:, 0]
    return {"weight_ih_l0": x.reshape(-1, D), "weight_hh_l0": h.reshape(-1, H),
            "bias_ih_l0": b[0].flatten(), "bias_hh_l0": b[1].flatten()}
""",
        """
def to_torch_gru(W):
    V = dict(W)
    for name in ("gx", "gs", "gb"):
        V[name] = 0 - V[name]
    V["zero"] = np.zeros_like(V["ssb"])
    pick = lambda *names: np.vstack([V[name] for name in names])
    return {
        "bias_hh_l0": pick("zero", "zero", "ssb")[:, 0],
        "bias_ih_l0": pick("rb", "gb", "sb")[:, 0],
        "weight_hh_l0": pick("rs", "gs", "ss"),
        "weight_ih_l0": pick("rx", "gx", "sx"),
    }
""",
        """
def to_torch_gru(W):
    H = len(W["gb"])
    sign = np.repeat([1.0, -1.0, 1.0], H)
    ih = sign[:, None] * np.vstack([W["rx"], W["gx"], W["sx"]])
    hh = np.diag(sign) @ np.vstack([W["rs"], W["gs"], W["ss"]])
    bias = sign * np.hstack([W["rb"].T, W["gb"].T, W["sb"].T])[0]
    inside = np.pad(W["ssb"][:, 0], (2 * H, 0))
    return {"weight_ih_l0": ih, "weight_hh_l0": hh, "bias_ih_l0": bias, "bias_hh_l0": inside}
""",
        """
def to_torch_gru(W):
    rows_x, rows_s, b_x, b_s = [], [], [], []
    for gate in ("r", "g", "s"):
        for unit in range(len(W["gb"])):
            s = -1 if gate == "g" else +1
            rows_x.append([s * w for w in W[gate + "x"][unit]])
            rows_s.append([s * w for w in W[gate + "s"][unit]])
            b_x.append(s * W[gate + "b"][unit, 0])
            b_s.append(W["ssb"][unit, 0] if gate == "s" else 0.0)
    return {"weight_ih_l0": rows_x, "weight_hh_l0": rows_s, "bias_ih_l0": b_x, "bias_hh_l0": b_s}
""",
    ],
    "to_onnx_lstm": [
        """
def to_onnx_lstm(W, W_reverse):
    H, D = W["fx"].shape
    out = {"W": np.zeros((2, 4 * H, D)), "R": np.zeros((2, 4 * H, H)), "B": np.zeros((2, 8 * H))}
    for direction, weights in enumerate((W, W_reverse)):
        for block, gate in enumerate(["i", "o", "f", "c"]):
            here = slice(block * H, block * H + H)
            out["W"][direction, here] = weights[gate + "x"]
            out["R"][direction, here] = weights[gate + "h"]
            out["B"][direction, here] = weights[gate + "b"][:, 0]
    return out
""",
        """
def one_way(W, kind):
    return np.concatenate([W[gate + kind] for gate in "iofc"])

def to_onnx_lstm(W, W_reverse):
    b = np.stack([one_way(W, "b").ravel(), one_way(W_reverse, "b").ravel()])
    return {
        "B": np.concatenate([b, 0 * b], axis=1),
        "R": np.stack([one_way(W, "h"), one_way(W_reverse, "h")]),
        "W": np.stack([one_way(W, "x"), one_way(W_reverse, "x")]),
    }
""",
        """
def to_onnx_lstm(W, W_reverse):
    H = len(W["ib"])
    result = {}
    for name, kind in {"W": "x", "R": "h"}.items():
        blocks = [[V["i" + kind], V["o" + kind], V["f" + kind], V["c" + kind]] for V in (W, W_reverse)]
        result[name] = np.array(blocks).reshape(2, 4 * H, -1)
    both = [np.r_[V["ib"], V["ob"], V["fb"], V["cb"], np.zeros((4 * H, 1))].T for V in (W, W_reverse)]
    result["B"] = np.vstack(both)
    return result
""",
        """
def to_onnx_lstm(W, W_reverse):
    w, r, b = [], [], []
    for direction in [W, W_reverse]:
        w.append([row for gate in "iofc" for row in direction[gate + "x"].tolist()])
        r.append([row for gate in "iofc" for row in direction[gate + "h"].tolist()])
        b.append([x for gate in "iofc" for x in direction[gate + "b"][:, 0]])
        b[-1] += [0.0] * len(b[-1])
    return {"W": w, "R": r, "B": b}
""",
        """
def to_onnx_lstm(W, W_reverse):
    stacked = lambda kind: np.stack(
        [np.vstack([V[gate + kind] for gate in ("i", "o", "f", "c")]) for V in (W, W_reverse)]
    )
    Wb = np.squeeze(stacked("b"), axis=2)
    return dict(W=stacked("x"), R=stacked("h"), B=np.pad(Wb, ((0, 0), (0, Wb.shape[1]))))
""",
    ],
    "from_keras_gru": [
        """
def from_keras_gru(kernel, recurrent_kernel, bias):
    zx, rx, sx = np.split(kernel.T, 3)
    zs, rs, ss = np.split(recurrent_kernel.T, 3)
    zb, rb, _ = np.split((bias[0] + bias[1])[:, None], 3)
    H = len(zs)
    return {"gx": -zx, "gs": -zs, "gb": -zb, "rx": rx, "rs": rs, "rb": rb, "sx": sx, "ss": ss,
            "sb": bias[0][2 * H:].reshape(H, 1), "ssb": bias[1][2 * H:].reshape(H, 1)}
""",
        """
def from_keras_gru(kernel, recurrent_kernel, bias):
    H = recurrent_kernel.shape[0]
    W = {}
    for name, first in (("g", 0), ("r", H), ("s", 2 * H)):
        W[name + "x"] = np.transpose(kernel[:, first:first + H]).copy()
        W[name + "s"] = np.transpose(recurrent_kernel[:, first:first + H]).copy()
        W[name + "b"] = np.sum(bias[:, first:first + H], axis=0).reshape(-1, 1)
    for kind in "xsb":
        W["g" + kind] *= -1
    W["sb"] = bias[:1, 2 * H:].T
    W["ssb"] = bias[1:, 2 * H:].T
    return W
""",
        """
def from_keras_gru(k, u, b):
    H = len(u)
    k, u = k.reshape(len(k), 3, H), u.reshape(H, 3, H)
    b = b.reshape(2, 3, H, 1)
    return {
        "gx": -k[:, 0].T, "rx": k[:, 1].T, "sx": k[:, 2].T,
        "gs": -u[:, 0].T, "rs": u[:, 1].T, "ss": u[:, 2].T,
        "gb": -(b[0, 0] + b[1, 0]), "rb": b[0, 1] + b[1, 1], "sb": b[0, 2], "ssb": b[1, 2],
    }
""",
        """
def from_keras_gru(kernel, recurrent_kernel, bias):
    D, H = len(kernel), len(recurrent_kernel)
    W = {name: np.zeros((H, n)) for name, n in
         [("gx", D), ("rx", D), ("sx", D), ("gs", H), ("rs", H), ("ss", H),
          ("gb", 1), ("rb", 1), ("sb", 1), ("ssb", 1)]}
    for i in range(H):
        for d in range(D):
            W["gx"][i, d], W["rx"][i, d] = -kernel[d, i], kernel[d, H + i]
            W["sx"][i, d] = kernel[d, 2 * H + i]
        for j in range(H):
            W["gs"][i, j] = -recurrent_kernel[j, i]
            W["rs"][i, j] = recurrent_kernel[j, H + i]
            W["ss"][i, j] = recurrent_kernel[j, 2 * H + i]
        W["gb"][i] = -bias[0, i] - bias[1, i]
        W["rb"][i] = bias[0, H + i] + bias[1, H + i]
        W["sb"][i], W["ssb"][i] = bias[0, 2 * H + i], bias[1, 2 * H + i]
    return W
""",
        """
def from_keras_gru(kernel, recurrent_kernel, bias):
    everything = np.vstack([kernel, recurrent_kernel, bias]).T
    H, D = recurrent_kernel.shape[0], kernel.shape[0]
    W = {}
    for k, block in zip("grs", np.vsplit(everything, 3)):
        block = -block if k == "g" else block
        W[k + "x"], W[k + "s"], inner = np.hsplit(block, [D, D + H])
        W[k + "b"] = inner[:, [0]] if k == "s" else inner.sum(axis=1, keepdims=True)
        if k == "s":
            W["ssb"] = inner[:, [1]]
    return W
""",
    ],
}
