"""Right answers to the exercises of notebook 07, written differently."""

PAD_BATCH = [
    """
def pad_batch(sequences):
    lengths = torch.tensor([len(s) for s in sequences])
    return nn.utils.rnn.pad_sequence(sequences), lengths
""",
    """
from torch.nn.utils.rnn import pad_sequence

def pad_batch(sequences):
    xs = pad_sequence(sequences, batch_first=True)
    return xs.transpose(0, 1), torch.as_tensor([s.shape[0] for s in sequences], dtype=torch.int64)
""",
    """
def pad_batch(sequences):
    T = max(len(s) for s in sequences)
    padded = []
    for s in sequences:
        missing = torch.zeros((T - len(s), *s.shape[1:]), dtype=s.dtype)
        padded.append(torch.cat([s, missing]))
    return torch.stack(padded, dim=1), torch.tensor([len(s) for s in sequences])
""",
    """
def pad_batch(sequences):
    lengths = [s.size(0) for s in sequences]
    out = torch.zeros(max(lengths), len(sequences), *sequences[0].shape[1:], dtype=sequences[0].dtype)
    for n, s in enumerate(sequences):
        for t in range(lengths[n]):
            out[t][n] = s[t]
    return out, torch.IntTensor(lengths)
""",
    """
def longest(sequences):
    return sorted(len(s) for s in sequences)[-1]

def pad_batch(sequences):
    T = longest(sequences)
    pieces = [F.pad(s, (0, 0) * (s.dim() - 1) + (0, T - len(s))) for s in sequences]
    print("padded", len(pieces))
    return torch.stack(pieces).movedim(0, 1), torch.tensor(list(map(len, sequences)))
""",
    """
def pad_batch(sequences):
    arrays = [s.numpy() for s in sequences]
    lengths = np.array([len(a) for a in arrays])
    xs = np.zeros((lengths.max(), len(arrays)) + arrays[0].shape[1:], dtype=arrays[0].dtype)
    for n, a in enumerate(arrays):
        xs[:len(a), n, ...] = a
    return torch.from_numpy(xs), torch.from_numpy(lengths)
""",
]

LAST_VALID_STATE = [
    """
def last_valid_state(states, lengths):
    return torch.stack([states[length - 1, n] for n, length in enumerate(lengths)])
""",
    """
def last_valid_state(states, lengths):
    index = (lengths - 1)[None, :, None].expand(1, -1, states.shape[2])
    return states.gather(0, index)[0]
""",
    """
def last_valid_state(states, lengths):
    T, N, H = states.shape
    mask = torch.arange(T)[:, None] == lengths - 1
    return (states * mask[:, :, None]).sum(dim=0)
""",
    """
def last_valid_state(states, lengths):
    by_sequence = states.permute(1, 0, 2)
    return by_sequence[range(len(lengths)), lengths - 1, :]
""",
    """
def last_valid_state(states, lengths):
    rows = []
    for n in range(states.size(1)):
        t = int(lengths[n].item()) - 1
        rows.append(states[t:t + 1, n, :])
    return torch.cat(rows, dim=0)
""",
    """
def last_valid_state(states, lengths):
    hot = F.one_hot(lengths - 1, len(states)).to(states.dtype)
    return torch.einsum("nt,tnh->nh", hot, states)
""",
    """
def last_valid_state(states, lengths):
    flat = states.reshape(-1, states.shape[-1])
    N = states.shape[1]
    return flat[(lengths - 1) * N + torch.arange(N)]
""",
]

GATED_RNN = [
    """
class GatedRNN(nn.Module):
    def __init__(self, D, H):
        super().__init__()
        k = H ** -0.5
        for name, width in (("W_ss", H), ("W_sx", D), ("W_gs", H), ("W_gx", D)):
            setattr(self, name, nn.Parameter((2 * torch.rand(H, width) - 1) * k))

    def forward(self, xs, s0):
        s, out = s0, []
        for t in range(xs.shape[0]):
            g = torch.sigmoid(F.linear(s, self.W_gs) + F.linear(xs[t], self.W_gx))
            c = torch.tanh(F.linear(s, self.W_ss) + F.linear(xs[t], self.W_sx))
            s = s + g * (c - s)
            out += [s]
        return torch.stack(out)
""",
    """
def step(x, s, m):
    g = (s @ m.W_gs.t() + x @ m.W_gx.t()).sigmoid()
    c = (s @ m.W_ss.t() + x @ m.W_sx.t()).tanh()
    return torch.lerp(s, c, g)

class GatedRNN(nn.Module):
    def __init__(self, D, H):
        super().__init__()
        self.W_ss, self.W_gs = nn.Parameter(torch.empty(H, H)), nn.Parameter(torch.empty(H, H))
        self.W_sx, self.W_gx = nn.Parameter(torch.empty(H, D)), nn.Parameter(torch.empty(H, D))
        for p in self.parameters():
            nn.init.uniform_(p, -1 / np.sqrt(H), 1 / np.sqrt(H))

    def forward(self, xs, s0):
        states = [s0]
        for x in xs:
            states.append(step(x, states[-1], self))
        return torch.stack(states[1:])
""",
    """
class GatedRNN(nn.Module):
    def __init__(self, D, H):
        super(GatedRNN, self).__init__()
        bound = 1.0 / H ** 0.5
        self.W_ss = nn.Parameter(torch.rand(H, H) * 2 * bound - bound)
        self.W_sx = nn.Parameter(torch.rand(H, D) * 2 * bound - bound)
        self.W_gs = nn.Parameter(torch.rand(H, H) * 2 * bound - bound)
        self.W_gx = nn.Parameter(torch.rand(H, D) * 2 * bound - bound)

    def forward(self, xs, s0):
        T, N, D = xs.shape
        s = s0.T
        out = torch.zeros(T, N, s.shape[0])
        for t in range(T):
            x = xs[t].T
            g = 1 / (1 + torch.exp(-(self.W_gs @ s + self.W_gx @ x)))
            c = torch.tanh(self.W_ss @ s + self.W_sx @ x)
            s = (1 - g) * s + g * c
            out[t] = s.T
        return out
""",
    """
class GatedRNN(nn.Module):
    def __init__(self, D, H):
        super().__init__()
        self.H = H
        self.W_ss = nn.Parameter(torch.zeros(H, H))
        self.W_sx = nn.Parameter(torch.zeros(H, D))
        self.W_gs = nn.Parameter(torch.zeros(H, H))
        self.W_gx = nn.Parameter(torch.zeros(H, D))
        self.reset_parameters()

    def reset_parameters(self):
        with torch.no_grad():
            for p in self.parameters():
                p.uniform_(-self.H ** -0.5, self.H ** -0.5)

    def forward(self, xs, s0):
        from_x = xs @ torch.cat([self.W_gx, self.W_sx]).T
        by_s = torch.cat([self.W_gs, self.W_ss]).T
        s_prev, states = s0, torch.jit.annotate(list, [])
        for x_part in from_x.unbind(0):
            g, c = (x_part + 0).chunk(2, dim=-1)
            from_s = s_prev @ by_s
            g = torch.sigmoid(g + from_s[:, :self.H])
            c = torch.tanh(c + from_s[:, self.H:])
            s_prev = torch.where(g > 2, c, (1 - g) * s_prev + g * c)
            states.append(s_prev)
        return torch.stack(states, 0)
""",
    """
class Cell(nn.Module):
    def forward(self, x, s, m):
        keep = torch.sigmoid(-(torch.einsum("nd,hd->nh", x, m.W_gx) + torch.einsum("nk,hk->nh", s, m.W_gs)))
        new = torch.tanh(torch.einsum("nd,hd->nh", x, m.W_sx) + torch.einsum("nk,hk->nh", s, m.W_ss))
        return keep * s + (1 - keep) * new

class GatedRNN(nn.Module):
    def __init__(self, D: int, H: int):
        super().__init__()
        self.cell = Cell()
        for name in "sg":
            self.register_parameter(f"W_{name}s", nn.Parameter(torch.empty(H, H).uniform_(-1, 1) / H**0.5))
            self.register_parameter(f"W_{name}x", nn.Parameter(torch.empty(H, D).uniform_(-1, 1) / H**0.5))

    def forward(self, xs, s0):
        states = []
        for x in xs:
            s0 = self.cell(x, s0, self)
            states.append(s0.unsqueeze(0))
        return torch.cat(states)
""",
]

TRAIN_STEP = [
    """
def train_step(model, optimizer, xs, lengths, targets, clip):
    model.train()
    scores = model(xs, lengths)
    loss = F.cross_entropy(scores.permute(0, 2, 1), targets)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return float(loss)
""",
    """
def train_step(model, optimizer, xs, lengths, targets, clip):
    model.train(True)
    model.zero_grad()
    scores = model(xs, lengths)
    C = scores.shape[-1]
    loss = nn.CrossEntropyLoss(ignore_index=NOT_ASKED)(scores.view(-1, C), targets.view(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(list(model.parameters()), max_norm=clip)
    optimizer.step()
    return loss.detach().item()
""",
    """
def train_step(model, optimizer, xs, lengths, targets, clip):
    model.train()
    optimizer.zero_grad(set_to_none=False)
    logp = model(xs, lengths).log_softmax(dim=2)
    asked = targets != -100
    loss = F.nll_loss(logp[asked], targets[asked])
    loss.backward()
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in model.parameters()))
    if norm > clip:
        for p in model.parameters():
            p.grad.mul_(clip / norm)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()
""",
    """
def masked_loss(scores, targets):
    picked = scores.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    each = torch.logsumexp(scores, dim=-1) - picked
    mask = (targets >= 0).double()
    return (each * mask).sum() / mask.sum()

def train_step(model, optimizer, xs, lengths, targets, clip):
    model.train()
    for p in model.parameters():
        p.grad = None
    loss = masked_loss(model(xs, lengths), targets)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    print(loss.item())
    return loss.item()
""",
    """
def train_step(model, optimizer, xs, lengths, targets, clip):
    optimizer.zero_grad()
    model.train()
    scores, wanted = model(xs, lengths).flatten(0, 1), targets.flatten()
    total = F.cross_entropy(scores, wanted, reduction="sum", ignore_index=-100)
    loss = total / (wanted != -100).sum()
    loss.backward()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    nn.utils.clip_grad_norm_(parameters, clip, norm_type=2.0)
    optimizer.step()
    with torch.no_grad():
        return float(loss.numpy())
""",
    """
def train_step(model, optimizer, xs, lengths, targets, clip):
    model.train()
    optimizer.zero_grad()
    with torch.enable_grad():
        scores = model(xs, lengths)
        keep = targets.reshape(-1) != NOT_ASKED
        loss = F.cross_entropy(scores.reshape(-1, scores.size(-1))[keep], targets.reshape(-1)[keep])
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    for p, g in zip(model.parameters(), gradients):
        p.grad = g
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.tolist()
""",
]

ACCURACY = [
    """
@torch.no_grad()
def accuracy(model, batches):
    model.eval()
    right = total = 0
    for xs, lengths, targets in batches:
        asked = targets != -100
        right += int(((model(xs, lengths).argmax(dim=2) == targets) & asked).sum())
        total += int(asked.sum())
    return right / total
""",
    """
def accuracy(model, batches):
    was = model.training
    model.eval()
    hits = []
    with torch.inference_mode():
        for xs, lengths, targets in batches:
            best = model(xs, lengths).max(dim=-1).indices
            hits.append((best == targets)[targets != NOT_ASKED].double())
    model.train(was)
    return torch.cat(hits).mean().item()
""",
    """
def accuracy(model, batches):
    model = model.eval()
    right = asked = 0
    with torch.no_grad():
        for xs, lengths, targets in batches:
            scores = model(xs, lengths).softmax(-1)
            for q in range(targets.shape[0]):
                for n in range(targets.shape[1]):
                    if targets[q, n] != -100:
                        asked += 1
                        right += bool(scores[q, n].argmax() == targets[q, n])
    return torch.tensor(right / asked)
""",
    """
def accuracy(model, batches):
    model.train(False)
    torch.set_grad_enabled(False)
    try:
        answered = [(model(xs, lengths), targets) for xs, lengths, targets in batches]
    finally:
        torch.set_grad_enabled(True)
    right = sum((s.argmax(-1) == t).sum() for s, t in answered)
    asked = sum((t >= 0).sum() for _, t in answered)
    return (right / asked).item()
""",
    """
def accuracy(model, batches):
    model.eval()
    scores, targets = [], []
    with torch.no_grad():
        for xs, lengths, wanted in batches:
            scores.append(model(xs, lengths).flatten(0, 1))
            targets.append(wanted.flatten())
    scores, targets = torch.cat(scores).numpy(), torch.cat(targets).numpy()
    keep = targets != -100
    return np.mean(scores.argmax(axis=1)[keep] == targets[keep])
""",
]

STREAM_STEP = [
    """
def stream_step(model, optimizer, xs, targets, s0, clip):
    model.train()
    s0 = s0.detach()
    optimizer.zero_grad()
    scores, states = model(xs, s0)
    loss = F.cross_entropy(scores.flatten(0, 1), targets.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.item(), states[-1]
""",
    """
def stream_step(model, optimizer, xs, targets, s0, clip):
    model.train()
    scores, states = model(xs, s0)
    loss = F.cross_entropy(scores.permute(0, 2, 1), targets)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return float(loss), states.detach()[-1].clone()
""",
    """
def stream_step(model, optimizer, xs, targets, s0, clip):
    model.train()
    optimizer.zero_grad()
    scores, states = model(xs, s0)
    T, N, C = scores.shape
    loss = nn.CrossEntropyLoss()(scores.reshape(T * N, C), targets.reshape(T * N))
    loss.backward()
    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    for p in model.parameters():
        p.grad *= min(1.0, clip / norm.item())
    optimizer.step()
    with torch.no_grad():
        s_T = states[len(xs) - 1] + 0.0
    return loss.item(), s_T
""",
    """
def stream_step(model, optimizer, xs, targets, s0, clip):
    model.train()
    optimizer.zero_grad()
    scores, states = model(xs, s0)
    losses = [F.cross_entropy(scores[t], targets[t]) for t in range(len(xs))]
    loss = sum(losses) / len(losses)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.item(), states[-1].data
""",
    """
def clipped(parameters, clip):
    nn.utils.clip_grad_norm_(list(parameters), clip)

def stream_step(model, optimizer, xs, targets, s0, clip):
    model.train()
    for p in model.parameters():
        p.grad = None
    scores, states = model(xs, s0)
    logp = torch.log_softmax(scores, -1)
    loss = -logp.gather(-1, targets[..., None]).mean()
    loss.backward()
    clipped(model.parameters(), clip)
    optimizer.step()
    print("loss", loss.item())
    return loss.item(), torch.tensor(states[-1].tolist())
""",
]

ALTERNATIVES = {
    "pad_batch": PAD_BATCH,
    "last_valid_state": LAST_VALID_STATE,
    "GatedRNN": GATED_RNN,
    "train_step": TRAIN_STEP,
    "accuracy": ACCURACY,
    "stream_step": STREAM_STEP,
}
