# %% given="imports"
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # for matrices as small as ours, more threads are slower

# %% given="what_the_checks_use"
NOT_ASKED = -100  # F.cross_entropy leaves such targets out by itself


def as_arrays(value):
    """Tensors as arrays, also in tuples and lists; anything else as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach().numpy().copy()
    if isinstance(value, tuple | list):
        return tuple(as_arrays(part) for part in value)
    return value


def send_back(output, upstream):
    """Send a gradient back from an output, where it is a tensor of that shape with a way back."""
    if isinstance(output, torch.Tensor) and output.shape == upstream.shape and output.requires_grad:
        output.backward(torch.tensor(upstream))


def arrived(leaf):
    """The gradient that has arrived at a tensor; zeros where none has."""
    return np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy().copy()


class ProbeModel(nn.Module):
    """A tanh RNN with a read-out, for the checks. In training it answers otherwise, as dropout does."""

    def __init__(self, W):
        super().__init__()
        self.W = nn.ParameterDict({key: nn.Parameter(torch.tensor(W[key])) for key in W})
        self.calls = []  # (in training?, with gradients?) of every call

    def states(self, xs, s):
        self.calls.append((self.training, torch.is_grad_enabled()))
        found = []
        for x_t in xs:
            s = torch.tanh(s @ self.W["ss"].T + x_t @ self.W["sx"].T)
            found.append(s)
        return torch.stack(found)

    def forward(self, xs, lengths):
        states = self.states(xs, xs.new_zeros(xs.shape[1], len(self.W["ss"])))
        scores = states @ self.W["ys"].T
        return scores.flip(-1) if self.training else scores


class ProbeSGD(torch.optim.SGD):
    """Plain descent that notes how large the gradient is at each of its steps."""

    norms = ()

    def norm(self):
        gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        return torch.cat([gradient.flatten() for gradient in gradients]).norm().item() if gradients else 0.0

    def step(self, closure=None):
        self.norms = (*self.norms, self.norm())
        return super().step(closure)


def what_was_done(optimizer, clip):
    """How many steps had a gradient, how many none; 1 if it was clipped later, 2 if made later."""
    with_gradient = [norm for norm in optimizer.norms if norm > 0]
    left = optimizer.norm()
    clipped_late = bool(with_gradient) and max(with_gradient) > 1.001 * clip >= left > 0
    made_late = bool(optimizer.norms) and not with_gradient and left > 0
    return [len(with_gradient), len(optimizer.norms) - len(with_gradient), clipped_late + 2 * made_late]


class ProbeStream(ProbeModel):
    """The same, for a stream: takes a state, and gives the scores and all states."""

    def forward(self, xs, s0):
        states = self.states(xs, s0)
        scores = states @ self.W["ys"].T
        return (scores.flip(-1) if self.training else scores), states


def try_pad_batch(rows, lengths):
    ends = np.cumsum(lengths)
    return as_arrays(pad_batch([torch.tensor(rows[e - n : e]) for n, e in zip(lengths, ends, strict=True)]))


def try_last_valid_state(states, lengths, dlast):
    states = torch.tensor(states, requires_grad=True)
    last = last_valid_state(states, torch.tensor(lengths))
    send_back(last, dlast)
    return as_arrays(last), arrived(states)


def try_gated_rnn(xs, s0, W, dstates):
    model = GatedRNN(xs.shape[2], s0.shape[1])
    named = dict(model.named_parameters())
    start_apart = {key: float(torch.unique(getattr(model, key)).numel() > 1) for key in W}
    for key, matrix in W.items():
        if tuple(getattr(model, key).shape) != matrix.shape:
            raise ValueError(f"{key} has the shape {tuple(getattr(model, key).shape)}, not {matrix.shape}")
        if key in named:
            named[key].data = torch.tensor(matrix)
        else:
            setattr(model, key, torch.tensor(matrix, requires_grad=True))
    xs, s0 = torch.tensor(xs, requires_grad=True), torch.tensor(s0, requires_grad=True)
    states = model(xs, s0)
    send_back(states, dstates)
    dW = {key: arrived(named[key]) if key in named else np.zeros(W[key].shape) for key in W}
    registered = np.array([float(key in named) for key in W])
    return as_arrays(states), arrived(xs), arrived(s0), dW, registered, np.array(list(start_apart.values()))


def try_train_step(xs, lengths, targets, W, rate, clip):
    model = ProbeModel(W).eval()
    optimizer = ProbeSGD(model.parameters(), rate)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)  # left over from somebody's last step
    losses, plain, steps = [], [], []
    for batch in zip(*map(torch.tensor, (xs, lengths, targets)), strict=True):
        batch[2][torch.arange(len(batch[2]))[:, None] >= batch[1]] = NOT_ASKED
        optimizer.norms = ()
        loss = train_step(model, optimizer, *batch, clip)
        steps.append(what_was_done(optimizer, clip))
        losses.append(as_arrays(loss))
        plain.append(float(not getattr(loss, "requires_grad", False)))
    return (
        losses,
        {key: as_arrays(matrix) for key, matrix in model.W.items()},
        np.array(plain),
        np.array(steps, dtype=float),
    )


class Echo(nn.Module):
    """A model whose scores are its inputs; in training those of the other classes."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))
        self.calls = []

    def forward(self, xs, lengths):
        self.calls.append((self.training, torch.is_grad_enabled()))
        return self.one * (xs.flip(-1) if self.training else xs)


def try_accuracy(xs, lengths, targets):
    model, batches = Echo().train(), []
    for batch in zip(*map(torch.tensor, (xs, lengths, targets)), strict=True):
        batch[2][torch.arange(len(batch[2]))[:, None] >= batch[1]] = NOT_ASKED
        few = len(batches) % 2 and max(1, batch[1].numel() // 2)  # every second batch is smaller
        batches.append((batch[0][:, few:], batch[1][few:], batch[2][:, few:]))
    share = as_arrays(accuracy(model, batches))
    in_training, with_gradients = zip(*model.calls or [(True, True)], strict=True)
    return share, float(not any(in_training)), float(not any(with_gradients))


def try_stream_step(xs, targets, s0, W, rate, clip):
    model = ProbeStream(W).eval()
    optimizer = torch.optim.SGD(model.parameters(), rate)
    state, losses, states = torch.tensor(s0), [], []
    for piece in zip(*map(torch.tensor, (xs, targets)), strict=True):
        loss, state = stream_step(model, optimizer, *piece, state, clip)
        losses.append(as_arrays(loss))
        states.append(as_arrays(state))
    return losses, states, {key: as_arrays(matrix) for key, matrix in model.W.items()}


# %% exercise="pad_batch" points=2
def pad_batch(sequences: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """One tensor for sequences of different lengths.

    Args:
        sequences: N tensors; the n-th is (T_n, D), or (T_n,) where each step is one number.

    Returns:
        xs: (T, N, D), or (T, N), with T the greatest length: sequence n stands in `xs[:, n]` from
            its step 0 on, and behind its end stand zeros. Of the sequences' own dtype.
        lengths: (N,) the lengths T_n, integers.
    """
    ### BEGIN SOLUTION
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    xs = sequences[0].new_zeros(int(lengths.max()), len(sequences), *sequences[0].shape[1:])
    for n, sequence in enumerate(sequences):
        xs[: len(sequence), n] = sequence
    return xs, lengths
    ### END SOLUTION


# %% check="pad_batch"
check(pad_batch)


# %% exercise="last_valid_state" points=3
def last_valid_state(states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The state of each sequence after its own last step.

    Args:
        states: (T, N, H) states of a padded batch.
        lengths: (N,) the length of each sequence, from 1 to T.

    Returns:
        last: (N, H) of sequence n the state after step T_n.
    """
    ### BEGIN SOLUTION
    last_steps = lengths - 1
    sequences = torch.arange(states.shape[1])
    return states[last_steps, sequences]
    ### END SOLUTION


# %% check="last_valid_state"
check(last_valid_state)


# %% exercise="GatedRNN" points=6
class GatedRNN(nn.Module):
    """The simple gated RNN of notebook 04, (4.1) to (4.3), for arrays of PyTorch's order."""

    ### BEGIN SOLUTION
    def __init__(self, D: int, H: int):
        """Make the four matrices as parameters, drawn between -1/sqrt(H) and 1/sqrt(H).

        `self.W_ss` and `self.W_gs` are (H, H), `self.W_sx` and `self.W_gx` are (H, D).

        Args:
            D: entries of an input.
            H: units.
        """
        super().__init__()
        bound = 1 / H**0.5
        self.W_ss = nn.Parameter(torch.empty(H, H).uniform_(-bound, bound))
        self.W_sx = nn.Parameter(torch.empty(H, D).uniform_(-bound, bound))
        self.W_gs = nn.Parameter(torch.empty(H, H).uniform_(-bound, bound))
        self.W_gx = nn.Parameter(torch.empty(H, D).uniform_(-bound, bound))

    def forward(self, xs: torch.Tensor, s0: torch.Tensor) -> torch.Tensor:
        """All states.

        Args:
            xs: (T, N, D) inputs, time first, then one row a sequence.
            s0: (N, H) states before the first step.

        Returns:
            states: (T, N, H) state after each step.
        """
        s_prev, states = s0, []
        for x_t in xs:
            g_t = torch.sigmoid(s_prev @ self.W_gs.T + x_t @ self.W_gx.T)
            candidate = torch.tanh(s_prev @ self.W_ss.T + x_t @ self.W_sx.T)
            s_prev = (1 - g_t) * s_prev + g_t * candidate
            states.append(s_prev)
        return torch.stack(states)

    ### END SOLUTION


# %% check="GatedRNN"
check(GatedRNN)


# %% exercise="train_step" points=4
def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    xs: torch.Tensor,
    lengths: torch.Tensor,
    targets: torch.Tensor,
    clip: float,
) -> float:
    """One update of a model by one batch.

    Args:
        model: `model(xs, lengths)` gives scores (Q, N, C) for Q questions to each sequence.
        optimizer: holds the model's parameters.
        xs: (T, N, D) the padded batch, or (T, N).
        lengths: (N,) the lengths.
        targets: (Q, N) the right classes; -100 where nothing is asked.
        clip: the most that the norm of all gradients together may be.

    Returns:
        loss: the mean cross-entropy of all questions that are asked, a plain number: it holds no graph.
    """
    ### BEGIN SOLUTION
    model.train()
    optimizer.zero_grad()
    scores = model(xs, lengths)
    loss = F.cross_entropy(scores.flatten(0, 1), targets.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% check="train_step"
check(train_step)


# %% exercise="accuracy" points=4
def accuracy(model: nn.Module, batches: list) -> float:
    """The share of questions that a model answers right.

    Args:
        model: `model(xs, lengths)` gives scores (Q, N, C), as in `train_step`.
        batches: any number of (xs, lengths, targets), of different sizes.

    Returns:
        share: of all questions asked in all batches, the share whose highest score is the right
            class's. The model is in its evaluation mode meanwhile, and no gradient is prepared.
    """
    ### BEGIN SOLUTION
    model.eval()
    right, asked = 0, 0
    with torch.no_grad():
        for xs, lengths, targets in batches:
            best = model(xs, lengths).argmax(-1)
            valid = targets != NOT_ASKED
            right += (best == targets)[valid].sum().item()
            asked += valid.sum().item()
    return right / asked
    ### END SOLUTION


# %% check="accuracy"
check(accuracy)


# %% exercise="stream_step" points=4
def stream_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    xs: torch.Tensor,
    targets: torch.Tensor,
    s0: torch.Tensor,
    clip: float,
) -> tuple[float, torch.Tensor]:
    """One update of a model by one piece of a stream; the next piece goes on where it ends.

    Args:
        model: `model(xs, s0)` gives scores (T, N, C) and states (T, N, H).
        optimizer: holds the model's parameters.
        xs: (T, N, D) the piece: T steps of N streams.
        targets: (T, N) the right classes.
        s0: (N, H) where the piece before it ended.
        clip: the most that the norm of all gradients together may be.

    Returns:
        loss: the mean cross-entropy, a plain number.
        s_T: (N, H) the state that the next piece starts from; no gradient goes back through it.
    """
    ### BEGIN SOLUTION
    model.train()
    optimizer.zero_grad()
    scores, states = model(xs, s0)
    loss = F.cross_entropy(scores.flatten(0, 1), targets.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.item(), states[-1].detach()
    ### END SOLUTION


# %% check="stream_step"
check(stream_step)


# %% given="models"
class Library(nn.Module):
    """A layer of PyTorch's own in the form of `GatedRNN`: states only, from a zero state."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, xs, s0):
        return self.layer(xs)[0]


class Classifier(nn.Module):
    """A vector for each word, a recurrent part, one question at the end of each sequence."""

    def __init__(self, recurrent, H, words, C, D=32):
        super().__init__()
        self.H = H
        self.vectors = nn.Embedding(words, D)
        self.recurrent = recurrent
        self.read_out = nn.Linear(H, C)

    def forward(self, xs, lengths):
        vectors = self.vectors(xs)
        states = self.recurrent(vectors, vectors.new_zeros(xs.shape[1], self.H))
        return self.read_out(last_valid_state(states, lengths))[None]


class BagOfWords(nn.Module):
    """The baseline: a number for each word and class, added up. It does not know their order."""

    def __init__(self, words, C):
        super().__init__()
        self.weights = nn.Embedding(words, C, padding_idx=0)
        nn.init.zeros_(self.weights.weight)
        self.bias = nn.Parameter(torch.zeros(C))

    def forward(self, xs, lengths):
        return (self.weights(xs).sum(0) + self.bias)[None]


# %% given="training"
def batches_of(part, size=64, rng=None):
    """A part of a task in padded batches, in an order drawn by `rng`, or as it lies."""
    order = np.arange(len(part.labels)) if rng is None else rng.permutation(len(part.labels))
    batches = []
    for places in np.split(order, range(size, len(order), size)):
        xs, lengths = pad_batch([torch.tensor(part.sequences[i]) for i in places])
        batches.append((xs, lengths, torch.tensor(part.labels[places])[None]))
    return batches


def fit(model, task, seed, epochs, rate=3e-3, clip=1.0):
    """Train; keep the weights of the epoch that was best on the validation part.

    Returns:
        log: of each epoch the mean loss, and the accuracy on the validation part.
        share: the accuracy on the test part, looked at once, with the weights that were kept.
    """
    optimizer, rng = torch.optim.Adam(model.parameters(), rate), np.random.default_rng(seed)
    log, best, kept = [], -1.0, None
    for _ in range(epochs):
        losses = [train_step(model, optimizer, *b, clip) for b in batches_of(task.train, rng=rng)]
        share = accuracy(model, batches_of(task.validation))
        log.append((float(np.mean(losses)), share))
        if share > best:
            best, kept = share, {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state_dict(kept)
    return log, accuracy(model, batches_of(task.test))
