"""Right answers to the exercises of notebook 00, written differently."""

ALTERNATIVES = {
    "sigmoid": [
        '''
def sigmoid(z):
    """Both forms everywhere, and the right one picked: NumPy warns about the others."""
    return np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))
''',
        """
def sigmoid(z):
    out = np.empty_like(z)
    positive = z >= 0
    out[positive] = 1 / (1 + np.exp(-z[positive]))
    e = np.exp(z[~positive])
    out[~positive] = e / (1 + e)
    return out
""",
        """
def one(v):
    if v >= 0:
        return 1.0 / (1.0 + np.exp(-v))
    return np.exp(v) / (1.0 + np.exp(v))

def sigmoid(z):
    return np.vectorize(one)(z)
""",
        """
def sigmoid(z):
    # exp(log sigmoid(z)), and log sigmoid(z) = -log(1 + exp(-z))
    return np.exp(-np.logaddexp(0, -z))
""",
        """
import math

def sigmoid(numbers):
    flat = []
    for v in np.ravel(numbers):
        print("at", v)
        e = math.exp(-abs(v))
        flat.append(1 / (1 + e) if v >= 0 else e / (1 + e))
    return np.array(flat).reshape(np.shape(numbers))
""",
        """
def sigmoid(z):
    top = np.exp(np.minimum(z, 0))
    return top / (1 + np.exp(-np.abs(z)))
""",
        """
def sigmoid(z):
    if z.ndim == 0:
        return math_sigmoid(float(z))
    return [sigmoid(part) for part in z]  # lists of lists

def math_sigmoid(v):
    if v > 0:
        return float(1 / (1 + np.exp(-v)))
    return float(np.exp(v) / (1 + np.exp(v)))
""",
        """
def sigmoid(z):
    z *= 1.0  # in place, on a changed argument
    np.clip(z, -745, 745, out=z)
    e = np.exp(z * np.where(z < 0, 1, -1))
    s = 1 / (1 + e)
    s[z < 0] *= e[z < 0]
    return s
""",
    ],
    "sigmoid_grad": [
        """
def sigmoid_grad(g):
    return g - g**2
""",
        """
def sigmoid_grad(output):
    return np.multiply(output, np.subtract(1.0, output))
""",
        """
def sigmoid_grad(g):
    slope = 1 - g
    slope *= g
    return slope
""",
        """
def sigmoid_grad(g):
    z = np.log(g) - np.log1p(-g)
    return 1 / (2 + np.exp(z) + np.exp(-z))
""",
        """
def sigmoid_grad(g):
    result = np.zeros(g.shape)
    for index in np.ndindex(g.shape):
        result[index] = g[index] * (1 - g[index])
    return result
""",
        '''
def sigmoid_grad(g):
    """From the slope of tanh, by (0.6)."""
    return (1 - (2 * g - 1) ** 2) / 4
''',
    ],
    "tanh_grad": [
        """
def tanh_grad(s):
    return (1 - s) * (1 + s)
""",
        """
def tanh_grad(s):
    return 1 - np.square(s)
""",
        """
def tanh_grad(s):
    return 1.0 / np.cosh(np.arctanh(s)) ** 2
""",
        """
def tanh_grad(s):
    s *= s
    np.negative(s, out=s)
    s += 1
    return s
""",
        """
def tanh_grad(s):
    g = (1 + s) / 2
    return 4 * g * (1 - g)
""",
        """
def tanh_grad(out):
    ones = np.ones(out.shape)
    print("shape", out.shape)
    return ones - np.power(out, 2)
""",
    ],
    "numerical_gradient": [
        """
def numerical_gradient(A, x, eps):
    dA = np.zeros_like(A)
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            up, down = A.copy(), A.copy()
            up[i, j] += eps
            down[i, j] -= eps
            dA[i, j] = (loss(up, x) - loss(down, x)) / (2 * eps)
    return dA
""",
        '''
def numerical_gradient(A, x, eps):
    """In place, and put back."""
    grad = np.empty(A.shape)
    it = np.nditer(A, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        ix = it.multi_index
        old = A[ix]
        A[ix] = old + eps
        pos = loss(A, x)
        A[ix] = old - eps
        neg = loss(A, x)
        A[ix] = old
        grad[ix] = (pos - neg) / (2 * eps)
        it.iternext()
    return grad
''',
        """
def numerical_gradient(A, x, eps):
    nudges = eps * np.eye(A.size).reshape(A.size, *A.shape)
    slopes = [(loss(A + n, x) - loss(A - n, x)) / eps / 2 for n in nudges]
    return np.array(slopes).reshape(A.shape)
""",
        '''
def value(A, x):
    return -np.log(1 / (1 + np.exp(-(A @ x)))).sum()

def numerical_gradient(A, x, eps):
    """With a loss of one's own, and rows of rows."""
    rows = []
    for i in range(len(A)):
        row = []
        for j in range(len(A[0])):
            E = np.zeros(A.shape)
            E[i][j] = 1
            row.append(0.5 * (value(A + eps * E, x) - value(A - eps * E, x)) / eps)
        rows.append(row)
    return rows
''',
        """
def numerical_gradient(A, x, eps):
    def slope(i, j):
        E = np.outer(np.arange(A.shape[0]) == i, np.arange(A.shape[1]) == j) * eps
        return (loss(A + E, x) - loss(A - E, x)) / (2 * eps)
    return np.array([[slope(i, j) for j in range(A.shape[1])] for i in range(A.shape[0])])
""",
        '''
def numerical_gradient(parameters, data, step):
    """Only the row that a nudge moves is evaluated again."""
    softplus = lambda v: np.logaddexp(0, v)
    z = parameters @ data
    up = softplus(-(z[:, None, :] + step * data[None]))
    down = softplus(-(z[:, None, :] - step * data[None]))
    return np.sum(up - down, axis=-1) / (2 * step)
''',
    ],
}
