"""The LSTM in its stacked form, fast: forward and backward over a whole batch of sequences.

All weights stand in one array, so that a step is one product. What does not have to wait for the
step before it is done for all steps at once: the inputs' share before the loop, the weight gradient
after it. Buffers are made once and used again. It computes in the dtype of `stacked`.

Order of the blocks: "f", "i", "o", "c" (the candidate). The three sigmoids lie next to each other.
This module knows nothing of exercises, losses or optimisers. It is the measure of speed, and the answer to
two exercises: so it is part of no package, and no student gets it.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
ORDER = "fioc"


class Workspace:
    """Arrays that `forward` and `backward` fill, made once for one set of sizes.

    Args:
        T: number of positions.
        D: length of an input vector.
        H: number of units.
        N: number of sequences.
        dtype: of every array, np.float32 or np.float64.
    """

    def __init__(self, T: int, D: int, H: int, N: int, dtype: np.typing.DTypeLike = np.float64):
        self.sizes, self.dtype = (T, D, H, N), np.dtype(dtype)
        self.gates = np.empty((T, 4 * H, N), dtype)
        self.hs, self.cs, self.tanh_cs = (np.empty((T, H, N), dtype) for _ in range(3))
        self.product, self.part = np.empty((4 * H, N), dtype), np.empty((H, N), dtype)
        self.slopes = np.empty((4 * H, N), dtype)
        self.dz = np.empty((T, 4 * H, N), dtype)
        self.dxs = np.empty((T, D, N), dtype)
        # One row of `columns` per unit or input, one column per position and sequence.
        self.columns, self.dz_columns = np.empty((H + D, T, N), dtype), np.empty((4 * H, T, N), dtype)

    def check(self, T: int, D: int, H: int, N: int, dtype: np.dtype) -> None:
        """Raise ValueError where the workspace was made for other sizes or another dtype."""
        if self.sizes != (T, D, H, N) or self.dtype != dtype:
            raise ValueError(
                f"the workspace is for (T, D, H, N) = {self.sizes} in {self.dtype}, "
                f"the arrays have {(T, D, H, N)} in {dtype}"
            )


def _sizes(xs: Array, h0: Array, c0: Array, stacked: Array) -> tuple[int, int, int, int]:
    (T, D, N), H = xs.shape, len(h0)
    expected = {"h0": (H, N), "c0": (H, N), "stacked": (4 * H, H + D)}
    for name, array in {"h0": h0, "c0": c0, "stacked": stacked}.items():
        if array.shape != expected[name]:
            raise ValueError(f"{name} has shape {array.shape}, expected {expected[name]}")
    return T, D, H, N


def forward(
    xs: Array,
    h0: Array,
    c0: Array,
    stacked: Array,
    bias: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array]:
    """Run an LSTM over all positions.

    With a `workspace` the returned arrays are its own: the next call with it overwrites them.

    Args:
        xs: (T, D, N) inputs, time first, one column per sequence.
        h0: (H, N) visible state before the first position.
        c0: (H, N) memory before the first position.
        stacked: (4H, H + D) all weights; blocks of rows f, i, o, c, columns of h before those of x.
        bias: (4H, 1) added before the sigmoids and the tanh, or None for none.
        workspace: buffers to use again; made anew where None.

    Returns:
        hs: (T, H, N) visible states.
        cs: (T, H, N) memories.
        gates: (T, 4H, N) f, i, o and the candidate of every position, below one another.

    Raises:
        ValueError: shapes do not fit together, or the workspace is for other sizes.
    """
    T, D, H, N = _sizes(xs, h0, c0, stacked)
    work = workspace or Workspace(T, D, H, N, stacked.dtype)
    work.check(T, D, H, N, stacked.dtype)
    # sigmoid(z) = (tanh(z / 2) + 1) / 2: with the gates' rows halved one tanh serves all blocks.
    halves = np.full((4 * H, 1), 0.5, stacked.dtype)
    halves[3 * H :] = 1
    halved = stacked * halves
    W_h, W_x = np.ascontiguousarray(halved[:, :H]), np.ascontiguousarray(halved[:, H:])
    gates, hs, cs, tanh_cs = work.gates, work.hs, work.cs, work.tanh_cs
    np.matmul(W_x, xs, out=gates)  # the inputs' share, for all positions
    if bias is not None:
        gates += halves * bias
    h, c = h0, c0
    for t in range(T):
        z = gates[t]
        z += np.matmul(W_h, h, out=work.product)
        np.tanh(z, out=z)
        sigmoids = z[: 3 * H]
        sigmoids += 1
        sigmoids *= 0.5
        f, i, o, candidate = z[:H], z[H : 2 * H], z[2 * H : 3 * H], z[3 * H :]
        np.multiply(f, c, out=cs[t])
        cs[t] += np.multiply(i, candidate, out=work.part)
        np.tanh(cs[t], out=tanh_cs[t])
        np.multiply(o, tanh_cs[t], out=hs[t])
        h, c = hs[t], cs[t]
    return hs, cs, gates


def backward(
    dhs: Array,
    xs: Array,
    h0: Array,
    c0: Array,
    hs: Array,
    cs: Array,
    gates: Array,
    stacked: Array,
    dc_last: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array, Array, Array]:
    """Gradients of a loss by everything that `forward` was given.

    With a `workspace`, `dxs` is its own array: the next call with it overwrites it.

    Args:
        dhs: (T, H, N) gradient of the loss by every visible state, as the loss reads it directly.
        xs: (T, D, N) as given to `forward`.
        h0: (H, N) as given to `forward`.
        c0: (H, N) as given to `forward`.
        hs: (T, H, N) what `forward` returned.
        cs: (T, H, N) what `forward` returned.
        gates: (T, 4H, N) what `forward` returned.
        stacked: (4H, H + D) as given to `forward`.
        dc_last: (H, N) gradient of the loss by the last memory, or None for zero.
        workspace: buffers to use again; made anew where None.

    Returns:
        dxs: (T, D, N) gradient by the inputs.
        dh0: (H, N) gradient by the first visible state.
        dc0: (H, N) gradient by the first memory.
        dstacked: (4H, H + D) gradient by the weights.
        dbias: (4H, 1) gradient by the bias, whether there was one or not.

    Raises:
        ValueError: shapes do not fit together, or the workspace is for other sizes.
    """
    T, D, H, N = _sizes(xs, h0, c0, stacked)
    work = workspace or Workspace(T, D, H, N, stacked.dtype)
    work.check(T, D, H, N, stacked.dtype)
    W_h_T, W_x_T = (np.ascontiguousarray(block.T) for block in (stacked[:, :H], stacked[:, H:]))
    tanh_cs = work.tanh_cs
    if cs is not work.cs:  # otherwise `forward` left them there
        np.tanh(cs, out=tanh_cs)
    dz, part, slopes = work.dz, work.part, work.slopes
    dh = np.zeros((H, N), stacked.dtype)
    dc = np.zeros((H, N), stacked.dtype) if dc_last is None else dc_last.astype(stacked.dtype)
    for t in reversed(range(T)):
        z, d = gates[t], dz[t]
        f, i, o, candidate = z[:H], z[H : 2 * H], z[2 * H : 3 * H], z[3 * H :]
        dh += dhs[t]
        np.multiply(tanh_cs[t], tanh_cs[t], out=part)
        np.subtract(1, part, out=part)
        part *= o
        part *= dh
        dc += part
        np.multiply(dc, cs[t - 1] if t else c0, out=d[:H])
        np.multiply(dc, candidate, out=d[H : 2 * H])
        np.multiply(dh, tanh_cs[t], out=d[2 * H : 3 * H])
        np.multiply(dc, i, out=d[3 * H :])
        np.multiply(z, z, out=slopes)
        np.subtract(z[: 3 * H], slopes[: 3 * H], out=slopes[: 3 * H])
        np.subtract(1, slopes[3 * H :], out=slopes[3 * H :])
        d *= slopes
        dc *= f
        np.matmul(W_h_T, d, out=dh)
    np.matmul(W_x_T, dz, out=work.dxs)
    columns, dz_columns = work.columns, work.dz_columns
    columns[:H, 0], columns[:H, 1:] = h0, hs[:-1].transpose(1, 0, 2)
    columns[H:] = xs.transpose(1, 0, 2)
    dz_columns[...] = dz.transpose(1, 0, 2)
    dz_matrix = dz_columns.reshape(4 * H, T * N)
    dstacked = dz_matrix @ columns.reshape(H + D, T * N).T  # every position's share, in one product
    return work.dxs, dh, dc, dstacked, dz_matrix.sum(axis=1, keepdims=True)
