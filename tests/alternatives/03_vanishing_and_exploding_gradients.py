"""Right answers to notebook 03, written differently."""

ALTERNATIVES = {
    "step_jacobian": [
        """
def step_jacobian(s_t, W):
    return np.diag((1 - s_t**2).ravel()) @ W["ss"]
""",
        """
def step_jacobian(s_t, W):
    return np.einsum("i,ij->ij", 1 - s_t[:, 0] ** 2, W["ss"])
""",
        """
def step_jacobian(s_t, W):
    H = len(s_t)
    jacobian = [[0] * H for _ in range(H)]
    for i in range(H):
        for j in range(H):
            jacobian[i][j] = (1 - s_t[i, 0] * s_t[i, 0]) * W["ss"][i, j]
    return jacobian
""",
        """
def slope_of(state):
    return (1 + state) * (1 - state)

def step_jacobian(state, weights):
    print("slopes", slope_of(state).shape)
    return np.multiply(weights["ss"], slope_of(state))
""",
        """
def step_jacobian(s_t, W):
    s_t *= -s_t
    s_t += 1
    return s_t * W["ss"]
""",
        """
def step_jacobian(s_t, W):
    # Column by column: the derivative by one old unit is that column of W, through the tanh.
    columns = []
    for column in W["ss"].T:
        columns.append(column / np.cosh(np.arctanh(s_t[:, 0])) ** 2)
    return np.stack(columns, axis=1)
""",
        """
def step_jacobian(s_t, W):
    return (W["ss"].T * (1 - np.square(s_t)).T).T
""",
    ],
    "jacobian_product": [
        """
def jacobian_product(states, W):
    product = step_jacobian(states[0], W)
    for k in range(1, len(states)):
        product = np.dot(step_jacobian(states[k], W), product)
    return product
""",
        """
def jacobian_product(states, W):
    product = np.identity(states.shape[1])
    for s_t in states[::-1]:
        product = product @ step_jacobian(s_t, W)
    return product
""",
        """
from functools import reduce

def jacobian_product(states, W):
    jacobians = [step_jacobian(s_t, W) for s_t in states]
    return reduce(lambda product, J: J @ product, jacobians)
""",
        """
def jacobian_product(states, W):
    # Backward, one row of the product at a time: (3.6) started at each unit of s_T.
    rows = np.eye(states.shape[1])
    for s_t in reversed(states):
        rows = (rows * (1 - s_t.T**2)) @ W["ss"]
    return rows
""",
        """
def jacobian_product(states, W):
    H = states.shape[1]
    product = []
    for j in range(H):
        nudge = np.zeros((H, 1))
        nudge[j] = 1
        for s_t in states:
            nudge = (1 - s_t**2) * (W["ss"] @ nudge)
        product.append(nudge[:, 0])
    return np.array(product).T
""",
        """
def jacobian_product(states, W):
    if len(states) == 1:
        return step_jacobian(states[0], W)
    return step_jacobian(states[-1], W) @ jacobian_product(states[:-1], W)
""",
        """
def jacobian_product(states, W):
    jacobians = (1 - states**2) * W["ss"]
    if len(jacobians) == 1:
        return jacobians[0]
    return np.linalg.multi_dot(jacobians[::-1])
""",
    ],
    "gradient_norms": [
        """
def gradient_norms(ds_last, states, W):
    norms = []
    delta = ds_last
    for s_t in states[::-1]:
        norms.append(np.linalg.norm(delta, axis=0))
        delta = W["ss"].T @ (delta * (1 - s_t**2))
    return np.stack(norms[::-1])
""",
        """
def gradient_norms(ds_last, states, W):
    T, H, N = states.shape
    norms = [[0] * N for _ in range(T)]
    for n in range(N):
        delta = list(ds_last[:, n])
        for k in range(T - 1, -1, -1):
            norms[k][n] = sum(d * d for d in delta) ** 0.5
            da = [(1 - states[k, i, n] ** 2) * delta[i] for i in range(H)]
            delta = [sum(W["ss"][i, j] * da[i] for i in range(H)) for j in range(H)]
    return norms
""",
        """
def gradient_norms(ds_last, states, W):
    deltas = np.zeros_like(states)
    deltas[-1] = ds_last
    for k in range(len(states) - 1, 0, -1):
        deltas[k - 1] = np.einsum("ij,in->jn", W["ss"], (1 - states[k] ** 2) * deltas[k])
    return np.sqrt(np.einsum("kin,kin->kn", deltas, deltas))
""",
        """
def gradient_norms(ds_last, states, W):
    norms = np.zeros((states.shape[0], states.shape[2]))
    for k in range(len(states))[::-1]:
        norms[k] = np.sqrt((ds_last * ds_last).sum(axis=0))
        ds_last -= ds_last * states[k] ** 2
        ds_last[:] = W["ss"].T.dot(ds_last)
    return norms
""",
        """
def step_back(delta, s_t, W):
    return np.tensordot(W["ss"], delta - delta * s_t**2, axes=(0, 0))

def gradient_norms(ds_last, states, W):
    norms = np.empty((len(states), states.shape[2]))
    delta = ds_last
    for k in reversed(range(len(states))):
        norms[k] = np.hypot.reduce(delta, axis=0)
        delta = step_back(delta, states[k], W)
    return norms
""",
        """
def gradient_norms(ds_last, states, W):
    T, _, N = states.shape
    columns = []
    for n in range(N):
        delta, column = ds_last[:, n : n + 1], []
        for k in reversed(range(T)):
            column.insert(0, np.linalg.norm(delta))
            delta = step_jacobian(states[k][:, n : n + 1], W).T @ delta
        columns.append(column)
    return np.transpose(columns)
""",
    ],
    "clip_by_global_norm": [
        """
def clip_by_global_norm(gradients, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients.values()]))
    if norm <= max_norm:
        return gradients, norm
    return {key: g * (max_norm / norm) for key, g in gradients.items()}, norm
""",
        """
def clip_by_global_norm(gradients, max_norm):
    total = 0
    for key in gradients:
        total += (gradients[key] ** 2).sum()
    norm = total**0.5
    clipped = {}
    for key in gradients:
        clipped[key] = gradients[key] / max(1, norm / max_norm)
    return clipped, norm
""",
        """
def clip_by_global_norm(gradients, max_norm):
    norm = np.sqrt(sum(np.vdot(g, g) for g in gradients.values()))
    for g in gradients.values():
        g *= min(1.0, max_norm / (norm + 1e-6))
    return gradients, float(norm)
""",
        """
import math

def squared_length(array):
    return sum(entry * entry for row in array.tolist() for entry in row)

def clip_by_global_norm(gradients, max_norm):
    norm = math.sqrt(math.fsum(map(squared_length, gradients.values())))
    print(f"norm {norm:.3f}")
    if norm > max_norm:
        gradients = {key: (array * max_norm / norm).tolist() for key, array in gradients.items()}
    return gradients, norm
""",
        """
def clip_by_global_norm(g, limit):
    norm = np.linalg.norm([np.linalg.norm(array) for array in g.values()])
    factor = np.where(norm > limit, limit / norm, 1.0)
    return dict(zip(g.keys(), [factor * array for array in g.values()])), norm
""",
        """
def clip_by_global_norm(gradients, max_norm):
    keys = sorted(gradients)
    flat = np.hstack([gradients[key].flatten() for key in keys])
    norm = np.sqrt(flat @ flat)
    if norm > max_norm:
        flat = flat / norm * max_norm
    clipped, start = {}, 0
    for key in keys:
        end = start + gradients[key].size
        clipped[key] = flat[start:end].reshape(gradients[key].shape)
        start = end
    return clipped, np.array(norm)
""",
    ],
    "leaky_jacobian": [
        """
def leaky_jacobian(x_t, s_prev, alpha, W):
    c = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
    return np.eye(len(alpha)) * (1 - alpha) + np.einsum("i,ij->ij", (alpha * (1 - c * c))[:, 0], W["ss"])
""",
        """
def leaky_jacobian(x_t, s_prev, alpha, W):
    J = alpha / np.cosh(W["ss"] @ s_prev + W["sx"] @ x_t) ** 2 * W["ss"]
    J[np.diag_indices(len(J))] += 1 - alpha[:, 0]
    return J
""",
        """
def leaky_jacobian(x_t, s_prev, alpha, W):
    s_t = leaky_step(x_t, s_prev, alpha, W)
    squashed = (s_t - (1 - alpha) * s_prev) / alpha
    simple = np.diag(1 - squashed[:, 0] ** 2) @ W["ss"]
    return np.diag(alpha[:, 0]) @ simple + np.identity(len(alpha)) - np.diag(alpha[:, 0])
""",
        """
def leaky_jacobian(x_t, s_prev, pace, weights):
    # One old unit at a time: where does its nudge go?
    c = rnn_step(x_t, s_prev, weights)
    columns = []
    for j in range(len(s_prev)):
        nudge = np.zeros_like(s_prev)
        nudge[j] = 1
        columns.append((1 - pace) * nudge + pace * (1 - c**2) * (weights["ss"] @ nudge))
    return np.hstack(columns)
""",
        """
def leaky_jacobian(x_t, s_prev, alpha, W):
    H, D = W["sx"].shape
    J = [[0] * H for _ in range(H)]
    for i in range(H):
        total = sum(W["ss"][i, j] * s_prev[j, 0] for j in range(H))
        total += sum(W["sx"][i, d] * x_t[d, 0] for d in range(D))
        for j in range(H):
            J[i][j] = alpha[i, 0] * (1 - np.tanh(total) ** 2) * W["ss"][i, j]
        J[i][i] += 1 - alpha[i, 0]
    return J
""",
        """
def leaky_jacobian(x_t, s_prev, alpha, W):
    s_prev = rnn_step(x_t, s_prev, W)
    # What step_jacobian wants is what the tanh puts out.
    J = step_jacobian(s_prev, W) - np.eye(len(s_prev))
    J *= alpha
    return np.eye(len(s_prev)) + J
""",
    ],
}
