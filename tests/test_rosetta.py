"""Notebook 08 speaks the libraries' languages: weights that its functions copy give the libraries' states.

Each library computes by itself, in double precision; the states agree to 1e-12. Two things do not: Keras's
GRU that resets before the product (its `ops.matmul` gives single precision on PyTorch's backend, whatever it
gets), and CS231n's layers, which are no package: there is nothing to run.
"""

import json
import os
import sys

import numpy as np
import pytest
from course import ROOT, master_of

CLOSE = 1e-12
SINGLE = 1e-5
D, H, N, T = 3, 4, 2, 6


@pytest.fixture(scope="module")
def course():
    """The notebook's functions, with the reference answers."""
    return dict(master_of("08_rosetta").reference)


@pytest.fixture(scope="module")
def declared():
    """What stands in its exercises.py."""
    return master_of("08_rosetta").exercises["to_onnx_lstm"].spec.confirm.__globals__


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """Keras on its PyTorch backend, with settings of its own."""
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ["KERAS_HOME"] = str(tmp_path_factory.mktemp("keras"))
    import keras

    assert keras.backend.backend() == "torch"
    return keras


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.fixture
def x(rng):
    """Inputs, batch first."""
    return rng.normal(size=(N, T, D))


def close(a, b, bound=CLOSE):
    return np.shape(a) == np.shape(b) and np.abs(np.asarray(a) - np.asarray(b)).max() < bound


def lstm_states(course, x, W):
    """What this course's LSTM shows, batch first."""
    start = np.zeros((H, len(x)))
    return course["lstm_forward"](x.transpose(1, 2, 0), start, start, W)[0].transpose(2, 0, 1)


def gru_states(course, x, W):
    return course["gru_forward"](x.transpose(1, 2, 0), np.zeros((H, len(x))), W).transpose(2, 0, 1)


def gru_reset_before(x, W):
    """This course's GRU, but for the reset: it stands before the product."""
    s, states = np.zeros((H, len(x))), []
    for x_t in x.transpose(1, 2, 0):
        g, r = (1 / (1 + np.exp(-(W[k + "s"] @ s + W[k + "x"] @ x_t + W[k + "b"]))) for k in "gr")
        s = (1 - g) * s + g * np.tanh(W["sx"] @ x_t + W["sb"] + W["ss"] @ (r * s) + W["ssb"])
        states.append(s)
    return np.stack(states).transpose(2, 0, 1)


def torch_states(module, parameters, x):
    import torch

    module.load_state_dict({name: torch.tensor(np.asarray(a)) for name, a in parameters.items()}, strict=True)
    return module(torch.tensor(x))[0].detach().numpy()


def keras_states(layer, weights, x):
    layer.build(x.shape)
    layer.set_weights(weights)
    return layer(x).detach().cpu().numpy()


def keras_lstm(course, W):
    """The weights of Keras's LSTM: PyTorch's blocks in columns, and one bias."""
    there = course["to_torch_lstm"](W)
    return [there["weight_ih_l0"].T, there["weight_hh_l0"].T, there["bias_ih_l0"] + there["bias_hh_l0"]]


def onnx_of_gru(W):
    """The inputs of ONNX's GRU: blocks z, r, h, and z = 1 - g."""
    signs = (("g", -1), ("r", 1), ("s", 1))
    bias = np.concatenate([sign * W[k + "b"][:, 0] for k, sign in signs])
    inside = np.concatenate([np.zeros(2 * H), W["ssb"][:, 0]])
    stacked = {
        name: np.concatenate([sign * W[k + kind] for k, sign in signs])
        for name, kind in (("W", "x"), ("R", "s"))
    }
    return {name: array[None] for name, array in (stacked | {"B": np.concatenate([bias, inside])}).items()}


# ------------------------------------------------------------------------------------ PyTorch


def test_an_lstm_goes_to_pytorch_and_comes_back(course, declared, rng, x):
    from torch import nn

    W = declared["lstm_weights"](rng, D, H)
    parameters = course["to_torch_lstm"](W)
    assert close(
        torch_states(nn.LSTM(D, H, batch_first=True).double(), parameters, x), lstm_states(course, x, W)
    )
    back = course["from_torch_lstm"](parameters, 0, False)
    assert back.keys() == W.keys()
    assert all(close(back[name], W[name]) for name in W)


def test_two_layers_in_both_directions_are_read_from_pytorch(course, x):
    import torch
    from torch import nn

    module = nn.LSTM(D, H, num_layers=2, bidirectional=True, batch_first=True).double()
    arrays = {name: array.numpy() for name, array in module.state_dict().items()}
    shown = x
    for layer in (0, 1):
        ways = [course["from_torch_lstm"](arrays, layer, reverse) for reverse in (False, True)]
        shown = course["both_directions"](shown, *ways)
    assert close(module(torch.tensor(x))[0].detach().numpy(), shown)


def test_a_gru_goes_to_pytorch(course, declared, rng, x):
    from torch import nn

    W = declared["gru_weights"](rng, D, H)
    theirs = torch_states(nn.GRU(D, H, batch_first=True).double(), course["to_torch_gru"](W), x)
    assert close(theirs, gru_states(course, x, W))
    assert not np.allclose(theirs, gru_reset_before(x, W), atol=1e-3)


# ---------------------------------------------------------------------------------- Keras 3


@pytest.mark.long
def test_keras_has_pytorchs_order_of_an_lstm_in_columns_and_one_bias(course, declared, keras, rng, x):
    W = declared["lstm_weights"](rng, D, H)
    layer = keras.layers.LSTM(H, return_sequences=True, dtype="float64")
    assert close(keras_states(layer, keras_lstm(course, W), x), lstm_states(course, x, W))
    starts = keras.layers.LSTM(H, dtype="float64")
    starts.build(x.shape)
    bias = starts.get_weights()[2]
    assert np.array_equal(bias, np.repeat([0.0, 1.0, 0.0, 0.0], H))  # 1 in the forget bias


@pytest.mark.long
@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_comes_home_from_keras(course, declared, keras, rng, x, reset_after):
    layer = keras.layers.GRU(H, return_sequences=True, reset_after=reset_after, dtype="float64")
    kernel, recurrent, bias = declared["keras_inputs"](rng, D, H).values()
    if not reset_after:
        bias[1] = 0  # this cell has one bias
    theirs = keras_states(layer, [kernel, recurrent, bias if reset_after else bias[0]], x)
    W = course["from_keras_gru"](kernel, recurrent, bias)
    after, before = gru_states(course, x, W), gru_reset_before(x, W)
    if reset_after:
        assert close(theirs, after)
    else:
        assert close(theirs, before, SINGLE)
    assert not close(after, before, 100 * SINGLE)


@pytest.mark.long
def test_the_code_of_keras_in_the_notebook_is_keras(course, declared, keras, rng, x):
    weights = list(declared["keras_inputs"](rng, D, H).values())
    layer = keras.layers.GRU(H, return_sequences=True, dtype="float64")
    h, states = np.zeros((N, H)), []
    for t in range(T):
        h = course["keras_gru_step"](x[:, t], h, *weights)
        states.append(h)
    assert close(keras_states(layer, weights, x), np.stack(states, axis=1))


@pytest.mark.long
def test_keras_reads_in_reverse_and_does_not_turn_back_by_itself(course, declared, keras, rng, x):
    W, W_reverse = (declared["lstm_weights"](rng, D, H) for _ in range(2))
    weights, weights_reverse = (keras_lstm(course, one) for one in (W, W_reverse))
    layer = keras.layers.LSTM(H, return_sequences=True, go_backwards=True, dtype="float64")
    both = course["both_directions"](x, W, W_reverse)
    assert close(keras_states(layer, weights_reverse, x)[:, ::-1], both[..., H:])
    two = keras.layers.Bidirectional(
        keras.layers.LSTM(H, return_sequences=True, dtype="float64"), dtype="float64"
    )
    assert close(keras_states(two, weights + weights_reverse, x), both)


# -------------------------------------------------------------------------------------- ONNX


def test_two_lstms_go_to_onnx(course, declared, rng, x):
    W, W_reverse = (declared["lstm_weights"](rng, D, H) for _ in range(2))
    inputs = course["to_onnx_lstm"](W, W_reverse)
    Y = declared["run_onnx"]("LSTM", x.swapaxes(0, 1), inputs, H)  # (T, 2, N, H)
    both = course["both_directions"](x, W, W_reverse).swapaxes(0, 1)
    assert close(np.concatenate([Y[:, 0], Y[:, 1]], axis=-1), both)


@pytest.mark.parametrize("after", [True, False])
def test_onnx_resets_before_the_product_unless_told_otherwise(course, declared, rng, x, after):
    W = declared["gru_weights"](rng, D, H)
    told = {"linear_before_reset": 1} if after else {}
    Y = declared["run_onnx"]("GRU", x.swapaxes(0, 1), onnx_of_gru(W), H, **told)[:, 0]
    states = gru_states(course, x, W) if after else gru_reset_before(x, W)
    assert close(Y, states.swapaxes(0, 1))


# ------------------------------------------------------------------------------ the notebook


def test_without_pytorch_and_onnx_its_cells_say_so_and_go_on(monkeypatch, capsys):
    """Those cells of the solved notebook that try the libraries, where there are none."""
    for name in ("torch", "onnx"):
        monkeypatch.setitem(sys.modules, name, None)  # `import` of it raises an ImportError
    namespace = {"__name__": "__main__"}
    for cell in master_of("08_rosetta").cells:
        if cell.kind == "code" and cell.role in (None, "given", "exercise"):
            exec(compile(cell.source, f"<cell {cell.number}>", "exec"), namespace)
    said = capsys.readouterr().out
    assert namespace["torch"] is None
    assert said.count("PyTorch is not installed") >= 7
    assert said.count("onnx is not installed") == 1
    assert "Traceback" not in said


def test_nothing_of_it_asks_for_pytorch_in_the_grade():
    source = (ROOT / "notebooks" / "08_rosetta" / "08_rosetta.ipynb").read_text("utf-8")
    locked = [
        "".join(cell["source"])
        for cell in json.loads(source)["cells"]
        if cell["metadata"].get("nbgrader", {}).get("locked") and cell["cell_type"] == "code"
    ]
    assert locked
    assert not any("torch." in text or "import onnx" in text for text in locked)
