"""Right answers to the exercises of notebook 02, each written differently."""

ALTERNATIVES = {
    "product_backward": [
        """
def product_backward(dY, A, X):
    return np.dot(dY, X.T), np.dot(A.T, dY)
""",
        """
def product_backward(dY, A, X):
    # index by index
    dA, dX = np.zeros(A.shape), np.zeros(X.shape)
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            for n in range(X.shape[1]):
                dA[i, j] += dY[i, n] * X[j, n]
                dX[j, n] += A[i, j] * dY[i, n]
    return dA, dX
""",
        """
def product_backward(dY, A, X):
    return np.einsum("in,jn->ij", dY, X), np.einsum("ij,in->jn", A, dY)
""",
        """
def product_backward(dY, A, X):
    # one column after the other
    dA = sum(np.outer(dY[:, n], X[:, n]) for n in range(X.shape[1]))
    return dA, np.column_stack([dY[:, n] @ A for n in range(X.shape[1])])
""",
        """
def product_backward(dY, A, X):
    def by_columns(P, Q):
        return np.tensordot(P, Q, axes=(1, 1))

    return by_columns(dY, X), np.transpose(np.transpose(dY) @ A)
""",
        """
def product_backward(dY, A, X):
    # in place, in the arguments themselves
    dX = (dY.T @ A).T
    dY = dY @ X.T
    return [dY, dX]
""",
    ],
    "piece_backward": [
        """
def piece_backward(probabilities, labels, xs, s_start, states, W):
    K, C, N = probabilities.shape
    dz = (probabilities - np.eye(C)[labels].transpose(0, 2, 1)) / (K * N)
    ds = W["ys"].T @ dz
    dxs, ds0, dW = rnn_backward(ds, xs, s_start, states, W)
    dW["ys"] = np.einsum("kcn,khn->ch", dz, states)
    return dW
""",
        """
def piece_backward(probabilities, labels, xs, s_start, states, W):
    # the walk itself, without rnn_backward
    K = len(xs)
    dW = {key: np.zeros_like(W[key]) for key in W}
    carried = 0
    for k in range(K - 1, -1, -1):
        ds, d = loss_backward(probabilities[k], labels[k], states[k], W)
        before = states[k - 1] if k else s_start
        _, carried, step = rnn_step_backward(ds / K + carried, xs[k], before, states[k], W)
        dW["ys"] += d["ys"] / K
        for key in step:
            dW[key] += step[key]
    return dW
""",
        """
def piece_backward(probabilities, labels, xs, s_start, states, W):
    both = [loss_backward(p, y, s, W) for p, y, s in zip(probabilities, labels, states)]
    ds = np.array([one for one, _ in both]) / len(xs)
    ys = np.mean([d["ys"] for _, d in both], axis=0)
    dW = rnn_backward(ds, xs, s_start, states, W)[2]
    return dict(dW, ys=ys)
""",
        """
def piece_backward(probabilities, labels, xs, s_start, states, W):
    # all positions as one batch of K N sequences
    K, C, N = probabilities.shape
    wide = probabilities.transpose(1, 0, 2).reshape(C, K * N)
    s_wide = states.transpose(1, 0, 2).reshape(-1, K * N)
    ds_wide, dW_output = loss_backward(wide, labels.reshape(-1), s_wide, W)
    ds = ds_wide.reshape(-1, K, N).transpose(1, 0, 2)
    return {**rnn_backward(ds, xs, s_start, states, W)[-1], **dW_output}
""",
        """
def piece_backward(probabilities, labels, xs, s_start, states, W):
    total = None
    for k in range(len(xs)):
        ds = np.zeros(states.shape)
        ds[k], output = loss_backward(probabilities[k], labels[k], states[k], W)
        one = {**rnn_backward(ds, xs, s_start, states, W)[2], **output}
        total = one if total is None else {key: total[key] + one[key] for key in one}
    return {key: value / len(xs) for key, value in total.items()}
""",
    ],
    "train_on_text": [
        """
def train_on_text(symbols, s_start, W, rate, K):
    W, losses, k = dict(W), [], 0
    while k + K < len(symbols):
        inputs, labels = symbols[k : k + K], symbols[k + 1 : k + 1 + K]
        xs = letter_vectors(inputs, W["ys"].shape[0])
        states = rnn_forward_batch(xs, s_start, W)
        p = np.array([predict(s, W) for s in states])
        losses.append(np.mean([cross_entropy(a, b) for a, b in zip(p, labels)]))
        dW = piece_backward(p, labels, xs, s_start, states, W)
        for key in dW:
            W[key] = W[key] - rate * dW[key]
        s_start = states[-1]
        k += K
    return W, s_start, np.array(losses)
""",
        """
def train_on_text(symbols, s_start, W, rate, K):
    P = (len(symbols) - 1) // K
    losses = np.zeros(P)
    for p in range(P):
        part = symbols[p * K : (p + 1) * K + 1]
        xs = letter_vectors(part[:-1], len(W["ys"]))
        losses[p] = piece_loss(part[1:], xs, s_start, W)
        states = rnn_forward_batch(xs, s_start, W)
        probabilities = np.stack([predict(s, W) for s in states])
        gradient = piece_backward(probabilities, part[1:], xs, s_start, states, W)
        ss, sx, ys = (W[key] - rate * gradient[key] for key in ("ss", "sx", "ys"))
        W = {"ss": ss, "sx": sx, "ys": ys}
        s_start = states[K - 1]
    return W, s_start, losses
""",
        """
def train_on_text(symbols, s_start, W, rate, K):
    # copies first, then updates in place
    W = {key: value.copy() for key, value in W.items()}
    C = W["ys"].shape[0]
    losses = []
    for i in range(0, symbols.shape[0] - 1, K):
        x, y = np.eye(C)[symbols[i : i + K]].swapaxes(1, 2), symbols[i + 1 : i + 1 + K]
        states = []
        s = s_start
        for x_t in x:
            s = rnn_step(x_t, s, W)
            states.append(s)
        states = np.stack(states)
        probabilities = np.stack([predict(s_t, W) for s_t in states])
        right = np.take_along_axis(probabilities, y[:, None, :], axis=1)
        losses.append(-np.log(right).mean())
        dW = piece_backward(probabilities, y, x, s_start, states, W)
        for key in W:
            W[key] -= rate * dW[key]
        s_start = states[-1].copy()
    return W, s_start, np.array(losses)
""",
        """
def one_piece(part, s_start, W, rate):
    xs = letter_vectors(part[:-1], len(W["ys"]))
    states = rnn_forward_batch(xs, s_start, W)
    probabilities = np.array([predict(s, W) for s in states])
    dW = piece_backward(probabilities, part[1:], xs, s_start, states, W)
    return {key: W[key] - rate * dW[key] for key in W}, states[-1], piece_loss(part[1:], xs, s_start, W)


def train_on_text(symbols, s_start, W, rate, K):
    losses = []
    for start in range(0, len(symbols) - 1, K):
        W, s_start, loss = one_piece(symbols[start : start + K + 1], s_start, W, rate)
        losses += [loss]
    return W, s_start, np.asarray(losses)
""",
        """
def train_on_text(symbols, s_start, W, rate, K):
    # by recursion: one piece, then the rest
    if len(symbols) <= K:
        return W, s_start, np.zeros(0)
    xs, labels = letter_vectors(symbols[:K], len(W["ys"])), symbols[1 : K + 1]
    states = rnn_forward_batch(xs, s_start, W)
    p = np.stack([predict(s, W) for s in states])
    dW = piece_backward(p, labels, xs, s_start, states, W)
    moved = {key: W[key] - rate * dW[key] for key in W}
    trained, s_last, losses = train_on_text(symbols[K:], states[-1], moved, rate, K)
    return trained, s_last, np.concatenate([[piece_loss(labels, xs, s_start, W)], losses])
""",
    ],
    "loss_backward": [
        """
def loss_backward(probabilities, labels, s_last, W):
    C, N = probabilities.shape
    onehot = np.eye(C)[labels].T
    dz = (probabilities - onehot) / N
    return np.dot(W["ys"].T, dz), dict(ys=np.dot(dz, s_last.T))
""",
        """
def loss_backward(probabilities, labels, s_last, W):
    # one sequence at a time
    N = probabilities.shape[1]
    ds_last = np.zeros(s_last.shape)
    dW_ys = 0
    for n in range(N):
        error = 1.0 * probabilities[:, n]
        error[labels[n]] -= 1.0
        ds_last[:, n] = error @ W["ys"] / N
        dW_ys = dW_ys + np.outer(error, s_last[:, n]) / N
    return ds_last, {"ys": dW_ys}
""",
        """
def loss_backward(probabilities, labels, s_last, W):
    # in place, in the argument itself
    probabilities[labels, range(len(labels))] -= 1
    probabilities /= len(labels)
    return np.einsum("ch,cn->hn", W["ys"], probabilities), {
        "ys": np.einsum("cn,hn->ch", probabilities, s_last)
    }
""",
        """
def loss_backward(p, y, s, weights):
    # the long way: gradient by the probability, then the softmax's Jacobian
    C, N = p.shape
    dz = np.zeros((C, N))
    for n in range(N):
        dp = np.zeros(C)
        dp[y[n]] = -1 / (N * p[y[n], n])
        jacobian = np.diag(p[:, n]) - np.outer(p[:, n], p[:, n])
        dz[:, n] = jacobian.T @ dp
    return weights["ys"].T @ dz, {"ys": dz @ s.T}
""",
        """
def loss_backward(probabilities, labels, s_last, W):
    H, N = s_last.shape
    C = len(W["ys"])
    print("classes", C)
    ds = [[0 for _ in range(N)] for _ in range(H)]
    dw = [[0 for _ in range(H)] for _ in range(C)]
    for n in range(N):
        for c in range(C):
            d = (probabilities[c, n] - (1 if labels[n] == c else 0)) / N
            for h in range(H):
                ds[h][n] += W["ys"][c, h] * d
                dw[c][h] += s_last[h, n] * d
    return ds, {"ys": dw}
""",
        """
def one_hot(labels, C):
    return (np.arange(C)[:, None] == np.asarray(labels)[None, :]).astype(float)


def loss_backward(probabilities, labels, s_last, W):
    dz = (probabilities - one_hot(labels, probabilities.shape[0])) / s_last.shape[1]
    dW = {}
    dW["ys"] = (s_last @ dz.T).T
    return (dz.T @ W["ys"]).T, dW
""",
    ],
    "rnn_step_backward": [
        """
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    ds *= 1 - s_t * s_t  # in place
    return np.dot(W["sx"].T, ds), np.dot(W["ss"].T, ds), {"ss": ds.dot(s_prev.T), "sx": ds.dot(x_t.T)}
""",
        """
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    da = np.einsum("hn,hn->hn", ds, (1 + s_t) * (1 - s_t))
    dW = {
        "ss": np.einsum("in,jn->ij", da, s_prev),
        "sx": np.einsum("in,dn->id", da, x_t),
    }
    return np.einsum("id,in->dn", W["sx"], da), np.einsum("ij,in->jn", W["ss"], da), dW
""",
        """
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    # one sequence at a time, through the Jacobians
    H, N = s_t.shape
    dx, ds_prev = np.zeros_like(x_t), np.zeros_like(s_prev)
    dW_ss, dW_sx = 0, 0
    for n in range(N):
        slope = np.diag(1 - s_t[:, n] ** 2)
        dx[:, n] = (slope @ W["sx"]).T @ ds[:, n]
        ds_prev[:, n] = (slope @ W["ss"]).T @ ds[:, n]
        dW_ss = dW_ss + np.outer(slope @ ds[:, n], s_prev[:, n])
        dW_sx = dW_sx + np.outer(slope @ ds[:, n], x_t[:, n])
    return dx, ds_prev, {"ss": dW_ss, "sx": dW_sx}
""",
        """
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    # both matrices in one product
    H = len(s_t)
    both = np.hstack([W["ss"], W["sx"]])
    inputs = np.concatenate([s_prev, x_t])
    da = ds * (1 - s_t**2)
    d_inputs, d_both = both.T @ da, da @ inputs.T
    return d_inputs[H:], d_inputs[:H], {"ss": d_both[:, :H], "sx": d_both[:, H:]}
""",
        """
def rnn_step_backward(upstream, x, s_before, s_after, params):
    # the slope of tanh as 1 / cosh^2 of the pre-activation, computed again
    a = params["ss"] @ s_before + params["sx"] @ x
    da = upstream / np.cosh(a) ** 2
    grads = {key: np.matmul(da, value.T) for key, value in (("ss", s_before), ("sx", x))}
    return (da.T @ params["sx"]).T, (da.T @ params["ss"]).T, grads
""",
        """
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    H, N = s_t.shape
    D = len(x_t)
    dx = [[0] * N for _ in range(D)]
    ds_prev = [[0] * N for _ in range(H)]
    dW = {"ss": np.zeros((H, H)), "sx": np.zeros((H, D))}
    for n in range(N):
        for i in range(H):
            da = ds[i, n] - ds[i, n] * s_t[i, n] ** 2
            for j in range(H):
                ds_prev[j][n] += W["ss"][i, j] * da
                dW["ss"][i, j] += s_prev[j, n] * da
            for d in range(D):
                dx[d][n] += W["sx"][i, d] * da
                dW["sx"][i, d] += x_t[d, n] * da
    return dx, ds_prev, dW
""",
    ],
    "parameter_contributions": [
        """
def parameter_contributions(ds, xs, s0, states, W):
    # lists, filled from the back and turned round
    ss, sx, carried = [], [], 0
    before = [s0, *states[:-1]]
    for d, x, s_prev, s in reversed(list(zip(ds, xs, before, states))):
        _, carried, dW = rnn_step_backward(d + carried, x, s_prev, s, W)
        ss.append(dW["ss"])
        sx.append(dW["sx"])
    return {"ss": ss[::-1], "sx": sx[::-1]}
""",
        """
def parameter_contributions(ds, xs, s0, states, W):
    # no call: pre-activation gradients first, then one einsum for all positions
    T = len(xs)
    da = np.zeros_like(states)
    da[T - 1] = ds[T - 1] * (1 - states[T - 1] ** 2)
    for k in range(T - 2, -1, -1):
        da[k] = (ds[k] + W["ss"].T @ da[k + 1]) * (1 - states[k] ** 2)
    before = np.concatenate([s0[None], states[:-1]])
    return {"ss": np.einsum("tin,tjn->tij", da, before), "sx": np.einsum("tin,tdn->tid", da, xs)}
""",
        """
def parameter_contributions(ds, xs, s0, states, W):
    # the carried gradient added to ds itself, in place
    T, H, N = states.shape
    contributions = {"ss": np.empty((T, H, H)), "sx": np.empty((T, H, xs.shape[1]))}
    k = T - 1
    while k >= 0:
        s_prev = s0 if k == 0 else states[k - 1]
        _, ds_prev, dW = rnn_step_backward(ds[k].copy(), xs[k], s_prev, states[k], W)
        if k > 0:
            ds[k - 1] += ds_prev
        for key in dW:
            contributions[key][k] = dW[key]
        k -= 1
    return contributions
""",
        """
def parameter_contributions(ds, xs, s0, states, W):
    # by recursion from the first position
    def from_position(k, s_prev):
        if k == len(xs):
            return 0, []
        carried, later = from_position(k + 1, states[k])
        _, ds_prev, dW = rnn_step_backward(ds[k] + carried, xs[k], s_prev, states[k], W)
        return ds_prev, [dW] + later

    _, all_dW = from_position(0, s0)
    return {key: np.stack([dW[key] for dW in all_dW]) for key in ("ss", "sx")}
""",
        """
def parameter_contributions(ds, xs, s0, states, W):
    # every direct gradient walks back alone; what arrives is added up
    T = len(xs)
    padded = np.vstack([s0[None, :, :], states])
    total = {"ss": np.zeros((T,) + W["ss"].shape), "sx": np.zeros((T,) + W["sx"].shape)}
    for start in range(T):
        signal = ds[start]
        for k in range(start, -1, -1):
            dx, signal, dW = rnn_step_backward(signal, xs[k], padded[k], padded[k + 1], W)
            total["ss"][k] += dW["ss"]
            total["sx"][k] += dW["sx"]
    return total
""",
    ],
    "rnn_backward": [
        """
def rnn_backward(ds, xs, s0, states, W):
    dxs, dW, carried = [], {"ss": 0, "sx": 0}, 0
    for k in range(len(xs))[::-1]:
        s_prev = states[k - 1] if k else s0
        dx, carried, step = rnn_step_backward(ds[k] + carried, xs[k], s_prev, states[k], W)
        dxs.insert(0, dx)
        dW = {key: dW[key] + step[key] for key in dW}
    return dxs, carried, dW
""",
        """
def rnn_backward(ds, xs, s0, states, W):
    # no call, and all sums at the end
    da = np.zeros(states.shape)
    carried = np.zeros(s0.shape)
    for k in reversed(range(len(xs))):
        da[k] = (ds[k] + carried) * (1 - states[k] * states[k])
        carried = W["ss"].T @ da[k]
    before = np.concatenate((s0[np.newaxis], states[:-1]))
    dW = {"ss": np.tensordot(da, before, axes=([0, 2], [0, 2])), "sx": np.einsum("tin,tdn->id", da, xs)}
    return W["sx"].T @ da, carried, dW
""",
        """
def rnn_backward(ds, xs, s0, states, W):
    # the sums from parameter_contributions, the rest from a walk of its own
    contributions = parameter_contributions(ds.copy(), xs, s0, states, W)
    dW = {key: contributions[key].sum(axis=0) for key in ("ss", "sx")}
    dxs = np.empty_like(xs)
    signal = 0 * s0
    for k in range(len(xs) - 1, -1, -1):
        da = (signal + ds[k]) * (1 - states[k] ** 2)
        dxs[k] = W["sx"].T @ da
        signal = W["ss"].T @ da
    return dxs, signal, dW
""",
        """
def rnn_backward(ds, xs, s0, states, W):
    # in place in ds; s0 put in front of the states
    T, D, N = xs.shape
    all_states = np.concatenate([s0[None], states])
    dxs = np.zeros((T, D, N))
    dW_ss, dW_sx = np.zeros_like(W["ss"]), np.zeros_like(W["sx"])
    ds0 = np.zeros_like(s0)
    for t in range(T, 0, -1):
        dx, ds_prev, dW = rnn_step_backward(ds[t - 1], xs[t - 1], all_states[t - 1], all_states[t], W)
        dxs[t - 1] += dx
        dW_ss += dW["ss"]
        dW_sx += dW["sx"]
        if t > 1:
            ds[t - 2] += ds_prev
        else:
            ds0 = ds_prev
    return dxs, ds0, {"ss": dW_ss, "sx": dW_sx}
""",
        """
def rnn_backward(ds, xs, s0, states, W):
    # by recursion: the later positions first
    if len(xs) == 0:
        none = {key: np.zeros(W[key].shape) for key in ("ss", "sx")}
        return np.zeros(xs.shape), np.zeros(s0.shape), none
    later, carried, dW = rnn_backward(ds[1:], xs[1:], states[0], states[1:], W)
    dx, ds0, first = rnn_step_backward(ds[0] + carried, xs[0], s0, states[0], W)
    return np.concatenate([dx[None], later]), ds0, {key: dW[key] + first[key] for key in first}
""",
        """
def rnn_backward(ds, xs, s0, states, W):
    # total error signals by explicit Jacobians, one sequence at a time
    T, D, N = xs.shape
    H = len(s0)
    dxs, ds0 = np.zeros((T, D, N)), np.zeros((H, N))
    dW = {"sx": np.zeros((H, D)), "ss": np.zeros((H, H))}
    for n in range(N):
        delta = np.zeros(H)
        for k in range(T - 1, -1, -1):
            slope = 1 - states[k, :, n] ** 2
            delta = delta + ds[k, :, n]
            before = s0[:, n] if k == 0 else states[k - 1, :, n]
            dxs[k, :, n] = (slope[:, None] * W["sx"]).T @ delta
            dW["sx"] += np.outer(slope * delta, xs[k, :, n])
            dW["ss"] += np.outer(slope * delta, before)
            delta = (slope[:, None] * W["ss"]).T @ delta
        ds0[:, n] = delta
    return dxs, ds0, dW
""",
    ],
}
