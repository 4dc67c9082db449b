"""The language model as it is trained, in every form the report compares; the released form is `Form()`.

Norms stay separate and coefficients parametrised here; `fold.py` folds the released form, and `export.py` checks that both agree.
"""

from dataclasses import asdict, dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

from norms import Norm, excess, tame
from text.batches import IGNORED
from text.layer_norm import LayerNorm, LinearLayerNorm, NoNorm, PolynomialLayerNorm, VarianceLog
from text.recall import ORDERS, recalled

SCORE_LIMIT = 8.0
STREAM_LIMIT = 24.0
PENALISED = 32


def beyond(x: torch.Tensor, limit: float, hard: int) -> torch.Tensor:
    """`excess` over the last windows of the batch only: largest values and their gradients cost as much as the rest of attention."""
    return excess(x[-(hard + PENALISED) :], limit, hard)


@dataclass(frozen=True)
class Form:
    """What the stages and ablations vary."""

    attention: str = "square"  # softmax | gelu | square
    activation: str = "square"  # gelu | square
    norm: str = "edges"  # layer | polynomial | batch | none | edges (exact for the client, linear inverse root between blocks)
    inside: bool = True  # batch norm on scores and inside the MLP
    scaling: str = "root"  # none | root | length: the scores' factor after the activation
    relative: bool = True
    parallel: bool = True
    recall: bool = True  # the client adds what followed earlier occurrences


@dataclass(frozen=True)
class Shape:
    window: int = 64
    width: int = 128
    heads: int = 2
    hidden: int = 256
    blocks: int = 3
    vocabulary: int = 4096
    form: Form = field(default_factory=Form)

    def to_dict(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_dict(values: dict) -> "Shape":
        return Shape(**(values | {"form": Form(**values["form"])}))


def make_norm(kind: str, channels: int) -> nn.Module:
    return {"layer": LayerNorm, "polynomial": PolynomialLayerNorm, "linear": LinearLayerNorm, "batch": Norm, "none": NoNorm}[kind](channels)


class ScoreNorm(nn.Module):
    """Batch norm per head over the causal entries of [B,H,T,T]; returns the equal affine map."""

    def __init__(self, heads: int):
        super().__init__()
        self.momentum: float | None = 0.1
        self.eps = 1e-5
        self.affine = False
        self.register_buffer("mean", torch.zeros(heads))
        self.register_buffer("var", torch.ones(heads))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, scores: torch.Tensor, mask: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self.training:
            known = scores[: len(scores) - hard].float() * mask
            count = mask.sum() * len(known)
            mean = known.sum((0, 2, 3)) / count
            var = (known**2).sum((0, 2, 3)) / count - mean**2
            with torch.no_grad():
                self.seen += 1
                rate = self.momentum if self.momentum is not None else 1 / self.seen
                self.mean += rate * (mean - self.mean)
                self.var += rate * (var - self.var)
        else:
            mean, var = self.mean, self.var
        scale = torch.rsqrt(var.clamp_min(0) + self.eps)
        return scale, -mean * scale


class Attention(nn.Module):
    """Causal attention: softmax, or a pointwise σ scaled after the activation, with learned tables over the distance."""

    def __init__(self, shape: Shape):
        super().__init__()
        t, h, form = shape.window, shape.heads, shape.form
        self.heads, self.form = h, form
        self.normed = form.attention != "softmax" and form.inside
        distance = torch.arange(t)[:, None] - torch.arange(t)
        # A gather with these indices keeps the compiled kernels scalar; a product with a 0/1 matrix does not.
        spread = (distance.flatten() == torch.arange(t)[:, None]).float()
        self.register_buffer("spread", spread, persistent=False)
        self.register_buffer("mask", (distance >= 0).float(), persistent=False)
        self.factor = {"none": 1.0, "root": t**-0.5, "length": 1 / t}[form.scaling]
        if self.normed:
            self.score_norm = ScoreNorm(h)
        if form.attention != "softmax":
            self.score_scale = nn.Parameter(torch.full((h,), 0.45))
            self.score_shift = nn.Parameter(torch.full((h,), 0.5))
        if form.relative:
            self.score_offset = nn.Parameter(torch.zeros(h, t))
            if form.attention != "softmax":
                decay = torch.arange(t) / t * torch.linspace(0.5, 1.5, h)[:, None]
                self.score_gain = nn.Parameter(torch.exp(-decay))

    def table(self, values: torch.Tensor) -> torch.Tensor:
        """[H,T] over distances to [H,T,T]; zero above the diagonal."""
        with torch.autocast(values.device.type, enabled=False):
            return (values @ self.spread).view(self.heads, *self.mask.shape)

    def weights(self, q: torch.Tensor, k: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Attention weights [B,H,T,T] and the range penalty of the normalised scores."""
        scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
        if self.form.attention == "softmax":
            bias = self.table(self.score_offset) if self.form.relative else 0.0
            masked = (scores.float() + bias).masked_fill(self.mask == 0, -1e9)
            return masked.softmax(-1).to(scores.dtype), scores.new_zeros(())
        if self.normed:
            scale, shift = (z.view(-1, 1, 1) for z in self.score_norm(scores, self.mask, hard))
            scores = scores * scale + shift
        scores = scores * self.mask
        penalty = beyond(scores, SCORE_LIMIT, hard) if self.training else scores.new_zeros(())
        w = self.score_scale.view(-1, 1, 1) * scores + self.score_shift.view(-1, 1, 1)
        if self.form.relative:
            w = w * self.table(self.score_gain)
        a = w**2 if self.form.attention == "square" else F.gelu(w, approximate="tanh")
        if self.form.relative:
            a = a + self.table(self.score_offset)
        return (a * self.mask * self.factor).to(q.dtype), penalty

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        b, t, d = q.shape
        q, k, v = (z.reshape(b, t, self.heads, -1).transpose(1, 2) for z in (q, k, v))
        weights, penalty = self.weights(q, k, hard)
        return (weights @ v).transpose(1, 2).reshape(b, t, d), penalty


class Block(nn.Module):
    """Parallel: x + Attention(n(x)) + MLP(n(x)); sequential: the ordinary pre-norm block with two norms."""

    def __init__(self, shape: Shape, first: bool = False):
        super().__init__()
        d, h, form = shape.width, shape.hidden, shape.form
        self.form = form
        between = "none" if first else "linear"
        self.norm = make_norm(between if form.norm == "edges" else form.norm, d)
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.attention = Attention(shape)
        self.output = nn.Linear(d, d)
        if not form.parallel:
            self.second_norm = make_norm(form.norm, d)
        self.up = nn.Linear(d, h)
        if form.inside:
            self.up_norm = Norm(h)
        self.down = nn.Linear(h, d)
        for linear in (self.output, self.down):
            nn.init.normal_(linear.weight, std=0.25 * linear.in_features**-0.5)
        for linear in (self.query, self.key, self.value, self.output, self.up, self.down):
            nn.init.zeros_(linear.bias)

    def mlp(self, u: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        dtype = u.dtype
        if self.form.inside:
            u = self.up_norm(u, hard)
        penalty = beyond(u, SCORE_LIMIT, hard) if self.training else u.new_zeros(())
        u = u.to(dtype)
        return self.down(u**2 if self.form.activation == "square" else F.gelu(u, approximate="tanh")), penalty

    def forward(self, x: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        d, h = self.query.in_features, self.up.out_features
        n = self.norm(x, hard)
        if self.form.parallel:
            weight = torch.cat([self.query.weight, self.key.weight, self.value.weight, self.up.weight])
            bias = torch.cat([self.query.bias, self.key.bias, self.value.bias, self.up.bias])
            q, k, v, u = F.linear(n, weight, bias).split([d, d, d, h], -1)
            y, first = self.attention(q, k, v, hard)
            z, second = self.mlp(u, hard)
            return x + self.output(y) + z, first + second
        y, first = self.attention(self.query(n), self.key(n), self.value(n), hard)
        x = x + self.output(y)
        z, second = self.mlp(self.up(self.second_norm(x, hard)), hard)
        return x + z, first + second


class Lm(nn.Module):
    """Token embedding and position table, blocks, norm, tied output embedding with a bias."""

    def __init__(self, shape: Shape = Shape()):
        super().__init__()
        self.shape = shape
        self.late = 1.0
        self.embed = nn.Embedding(shape.vocabulary, shape.width)
        self.position = nn.Parameter(0.02 * torch.randn(shape.window, shape.width))
        self.recall = nn.Parameter(torch.full((ORDERS if shape.form.recall else 0, shape.width), 0.1))
        self.blocks = nn.ModuleList(Block(shape, i == 0) for i in range(shape.blocks))
        edges = shape.form.norm == "edges"
        self.first_norm = nn.LayerNorm(shape.width, elementwise_affine=False) if edges else nn.Identity()
        self.norm = make_norm("layer" if edges else shape.form.norm, shape.width)
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))
        nn.init.normal_(self.embed.weight, std=0.05)

    def hidden(self, tokens: torch.Tensor, hard: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """The vector before the output embedding at every position, and the penalty (zero outside training).

        The last `hard` windows are strange prompts: they count for the penalty and stay out of batch norms' statistics.
        """
        x = self.first_norm(self.embed(tokens) + recalled(self.embed.weight, self.recall, tokens) + self.position)
        penalty = x.new_zeros(())
        for block in self.blocks:
            x, one = block(x, hard)
            if self.training:
                penalty = penalty + one + beyond(x, STREAM_LIMIT, hard)
                x = tame(x, hard)
        return self.norm(x, hard), penalty

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.linear(hidden, self.embed.weight, self.bias)

    def forward(self, tokens: torch.Tensor, targets: torch.Tensor, hard: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean cross-entropy (second half of the window weighted by `late`) over targets that are not −100 (strange prompts have none), and the penalty."""
        hidden, penalty = self.hidden(tokens, hard)
        kept = hidden[: len(hidden) - hard]
        scores = self.logits(kept).float().flatten(0, 1)
        if self.late == 1:
            return F.cross_entropy(scores, targets.flatten(), ignore_index=IGNORED), penalty
        each = F.cross_entropy(scores, targets.flatten(), ignore_index=IGNORED, reduction="none").view(targets.shape)
        half = self.shape.window // 2
        weights = (targets != IGNORED) * torch.cat([each.new_ones(half), each.new_full((self.shape.window - half,), self.late)])
        return (each * weights).sum() / weights.sum(), penalty

    def variance_penalty(self) -> torch.Tensor:
        """Of the layer norms with a polynomial inverse root, from the last forward pass; zero without any."""
        logs = [m.last for m in self.modules() if isinstance(m, VarianceLog) and m.last is not None]
        return torch.stack(logs).sum() if logs else torch.zeros(())
