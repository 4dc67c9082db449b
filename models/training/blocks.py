"""The transformer block in every form that the reports compare, for images and text; norms stay separate as in training."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from layer_norm import LayerNorm, LinearLayerNorm, NoNorm, PolynomialLayerNorm
from norms import EPS, Norm, Running, excess, tame

SCORE_LIMIT = 8.0
STREAM_LIMIT = 24.0
PENALISED = 32


def beyond(x: torch.Tensor, limit: float, hard: int) -> torch.Tensor:
    """`excess` over the last samples of the batch only: largest scores and their gradients cost as much as the rest of attention."""
    return excess(x[-(hard + PENALISED) :], limit, hard)


@dataclass(frozen=True)
class Form:
    """What stages and ablations vary; either model has its own defaults."""

    attention: str = "square"  # softmax | gelu | relu2 | square
    activation: str = "square"  # gelu | relu2 | square
    norm: str = "batch"  # layer | polynomial | batch | none | edges (text: exact for the client, linear inverse root between blocks)
    inside: bool = True  # batch norm on scores and inside the MLP
    scaling: str = "root"  # none | root | length: the scores' factor after the activation
    relative: bool = True  # σ and softmax know the distance of two tokens
    parallel: bool = True


@dataclass(frozen=True)
class Pairs:
    """Which pairs of tokens meet, and which entry of the tables over distances each pair has: both [T,T]."""

    mask: torch.Tensor
    distance: torch.Tensor
    gain: torch.Tensor | None = None  # initial factors inside σ, [heads, distances]; none where they would cost a level for nothing
    offset: torch.Tensor | None = None  # initial values of σ's offsets, [heads, distances]; zero otherwise

    @property
    def distances(self) -> int:
        return int(self.distance.max()) + 1


def pointwise(kind: str, x: torch.Tensor) -> torch.Tensor:
    return {"square": torch.square, "relu2": lambda u: F.relu(u) ** 2, "gelu": lambda u: F.gelu(u, approximate="tanh")}[kind](x)


def make_norm(kind: str, channels: int) -> nn.Module:
    return {"layer": LayerNorm, "polynomial": PolynomialLayerNorm, "linear": LinearLayerNorm, "batch": Norm, "none": NoNorm}[kind](channels)


class ScoreNorm(Running):
    """Batch norm per head over the entries of [B,H,T,T] that the mask keeps; returns the equal affine map."""

    def __init__(self, heads: int):
        super().__init__()
        self.affine = False
        self.register_buffer("mean", torch.zeros(heads))
        self.register_buffer("var", torch.ones(heads))

    def forward(self, scores: torch.Tensor, mask: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self.training:
            known = scores[: len(scores) - hard].float() * mask
            count = mask.sum() * len(known)
            mean = known.sum((0, 2, 3)) / count
            var = (known**2).sum((0, 2, 3)) / count - mean**2
            self.follow(mean=mean, var=var)
        else:
            mean, var = self.mean, self.var
        scale = torch.rsqrt(var.clamp_min(0) + EPS)
        return scale, -mean * scale


class Attention(nn.Module):
    """Softmax, or a pointwise σ scaled after the activation, with learned tables over the distance."""

    def __init__(self, heads: int, form: Form, pairs: Pairs):
        super().__init__()
        t = len(pairs.mask)
        self.heads, self.form = heads, form
        self.normed = form.attention != "softmax" and form.inside
        # A gather with these indices keeps the compiled kernels scalar; a product with a 0/1 matrix does not.
        spread = (pairs.distance.flatten() == torch.arange(pairs.distances)[:, None]).float()
        self.register_buffer("spread", spread, persistent=False)
        self.register_buffer("mask", pairs.mask.float(), persistent=False)
        self.factor = {"none": 1.0, "root": t**-0.5, "length": 1 / t}[form.scaling]
        if self.normed:
            self.score_norm = ScoreNorm(heads)
        if form.attention != "softmax":
            self.score_scale = nn.Parameter(torch.full((heads,), 0.45))
            self.score_shift = nn.Parameter(torch.full((heads,), 0.5))
        if form.relative:
            self.score_offset = nn.Parameter(torch.zeros(heads, pairs.distances) if pairs.offset is None else pairs.offset.clone())
            if form.attention != "softmax" and pairs.gain is not None:
                self.score_gain = nn.Parameter(pairs.gain.clone())

    def table(self, values: torch.Tensor) -> torch.Tensor:
        """[H, distances] to [H,T,T]."""
        with torch.autocast(values.device.type, enabled=False):
            return (values @ self.spread).view(self.heads, *self.mask.shape)

    def split(self, z: torch.Tensor) -> torch.Tensor:
        """[B,T,D] to [B,H,T,D/H]."""
        return z.view(*z.shape[:2], self.heads, -1).transpose(1, 2)

    def scores(self, q: torch.Tensor, k: torch.Tensor, hard: int) -> torch.Tensor:
        """Of queries and keys [B,T,D]: [B,H,T,T], normalised where the form says so."""
        q, k = self.split(q), self.split(k)
        scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
        if self.normed:
            scale, shift = (z.view(-1, 1, 1) for z in self.score_norm(scores, self.mask, hard))
            scores = scores * scale + shift
        return scores

    def weights(self, q: torch.Tensor, k: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Attention weights [B,H,T,T] and the range penalty of the normalised scores."""
        scores = self.scores(q, k, hard)
        if self.form.attention == "softmax":
            bias = self.table(self.score_offset) if self.form.relative else 0.0
            masked = (scores.float() + bias).masked_fill(self.mask == 0, -1e9)
            return masked.softmax(-1).to(scores.dtype), scores.new_zeros(())
        scores = scores * self.mask
        penalty = beyond(scores, SCORE_LIMIT, hard) if self.training else scores.new_zeros(())
        w = self.score_scale.view(-1, 1, 1) * scores + self.score_shift.view(-1, 1, 1)
        if hasattr(self, "score_gain"):
            w = w * self.table(self.score_gain)
        a = pointwise(self.form.attention, w)
        if self.form.relative:
            a = a + self.table(self.score_offset)
        return (a * self.mask * self.factor).to(q.dtype), penalty

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        weights, penalty = self.weights(q, k, hard)
        return (weights @ self.split(v)).transpose(1, 2).flatten(2), penalty


class Block(nn.Module):
    """Parallel: x + Attention(n(x)) + MLP(n(x)); sequential: the ordinary pre-norm block with two norms."""

    def __init__(self, width: int, heads: int, hidden: int, form: Form, norm: str, pairs: Pairs):
        super().__init__()
        d, h = width, hidden
        self.form = form
        self.norm = make_norm(norm, d)
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.attention = Attention(heads, form, pairs)
        self.output = nn.Linear(d, d)
        if not form.parallel:
            self.second_norm = make_norm(norm, d)
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
        return self.down(pointwise(self.form.activation, u.to(dtype))), penalty

    def forward(self, x: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The stream after this block and, in training, the range penalty; samples are kept from overflowing then."""
        x, penalty = self.branches(x, hard)
        if self.training:
            penalty = penalty + excess(x, STREAM_LIMIT, hard)
            x = tame(x)
        return x, penalty

    def branches(self, x: torch.Tensor, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
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
