"""The stacked LSTM equals `torch.nn.LSTM`, forward and gradients."""

import numpy as np
import pytest
import stacked_lstm
from needs import TORCH

torch = pytest.importorskip("torch", reason=TORCH)


def torch_order(array, H):
    """Blocks f, i, o, c in PyTorch's order i, f, g, o."""
    f, i, o, c = np.split(array, 4)
    return torch.tensor(np.concatenate([i, f, c, o]))


def course_order(array):
    i, f, c, o = np.split(np.asarray(array), 4)
    return np.concatenate([f, i, o, c])


def draw(rng, T, D, H, N, dtype=np.float64):
    shapes = {
        "xs": (T, D, N),
        "h0": (H, N),
        "c0": (H, N),
        "stacked": (4 * H, H + D),
        "bias": (4 * H, 1),
        "dhs": (T, H, N),
        "dc_last": (H, N),
    }
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def ours(a, bias, work=None):
    arguments = a["xs"], a["h0"], a["c0"], a["stacked"]
    hs, cs, gates = stacked_lstm.forward(*arguments, bias, work)
    gradients = stacked_lstm.backward(
        a["dhs"], *arguments[:3], hs, cs, gates, a["stacked"], a["dc_last"], work
    )
    return hs, cs, gates, *gradients


def theirs(a, bias):
    H, D = len(a["h0"]), a["xs"].shape[1]
    cell = torch.nn.LSTM(D, H).double()
    weights = torch_order(a["stacked"], H)
    zero = np.zeros((4 * H, 1))
    with torch.no_grad():
        cell.weight_hh_l0.copy_(weights[:, :H])
        cell.weight_ih_l0.copy_(weights[:, H:])
        cell.bias_ih_l0.copy_(torch_order(zero if bias is None else bias, H)[:, 0])
        cell.bias_hh_l0.zero_()
    xs, dhs = (torch.tensor(a[name].transpose(0, 2, 1).copy()) for name in ("xs", "dhs"))
    h0, c0 = (torch.tensor(a[name].T.copy())[None] for name in ("h0", "c0"))
    for tensor in (xs, h0, c0):
        tensor.requires_grad_(True)
    hs, (_, c_last) = cell(xs, (h0, c0))
    ((hs * dhs).sum() + (c_last[0] * torch.tensor(a["dc_last"].T)).sum()).backward()
    dweights = torch.cat([cell.weight_hh_l0.grad, cell.weight_ih_l0.grad], dim=1)
    return (
        hs.detach().numpy().transpose(0, 2, 1),
        c_last[0].detach().numpy().T,
        xs.grad.numpy().transpose(0, 2, 1),
        h0.grad[0].numpy().T,
        c0.grad[0].numpy().T,
        course_order(dweights),
        course_order(cell.bias_ih_l0.grad)[:, None],
    )


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("sizes", [(7, 4, 3, 5), (1, 2, 3, 4), (6, 1, 4, 2), (5, 3, 1, 2), (9, 3, 2, 1)])
def test_forward_and_gradients_equal_pytorch(sizes, with_bias):
    a = draw(np.random.default_rng(sum(sizes)), *sizes)
    bias = a["bias"] if with_bias else None
    hs, cs, _, *gradients = ours(a, bias)
    expected = theirs(a, bias)
    for got, want in zip((hs, cs[-1], *gradients), expected, strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def test_a_workspace_used_again_changes_nothing():
    rng = np.random.default_rng(3)
    work = stacked_lstm.Workspace(6, 4, 3, 2)
    ours(draw(rng, 6, 4, 3, 2), None, work)
    a = draw(rng, 6, 4, 3, 2)
    for again, anew in zip(ours(a, None, work), ours(a, None), strict=True):
        np.testing.assert_array_equal(again, anew)


def test_float32_stays_float32_and_agrees_with_float64():
    rng = np.random.default_rng(4)
    a = draw(rng, 20, 4, 8, 3)
    a["stacked"] *= 0.3
    single = {name: array.astype(np.float32) for name, array in a.items()}
    for small, large in zip(ours(single, single["bias"]), ours(a, a["bias"]), strict=True):
        assert small.dtype == np.float32
        np.testing.assert_allclose(small, large, rtol=1e-3, atol=1e-4)


def test_saturated_gates_stay_finite():
    a = draw(np.random.default_rng(5), 5, 4, 3, 2)
    a["stacked"] *= 1e4
    with np.errstate(all="raise", under="ignore"):
        results = ours(a, None)
    assert all(np.isfinite(array).all() for array in results)


def test_wrong_shapes_and_foreign_workspaces_are_refused():
    a = draw(np.random.default_rng(6), 5, 4, 3, 2)
    with pytest.raises(ValueError, match="stacked has shape"):
        stacked_lstm.forward(a["xs"], a["h0"], a["c0"], a["stacked"].T)
    with pytest.raises(ValueError, match="workspace"):
        stacked_lstm.forward(
            a["xs"], a["h0"], a["c0"], a["stacked"], workspace=stacked_lstm.Workspace(6, 4, 3, 2)
        )
