"""The polynomial vision transformer as it is trained: batch norms still separate, quadratics still parametrised.

Every operation folds into: linear map, product of queries and keys, square, product with values, square.
`fold.py` does the folding; the two must agree, which `export.py` checks.
"""

from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F

from norms import Norm, excess, tame


@dataclass(frozen=True)
class Shape:
    """Architecture numbers; the defaults are the released model's."""

    size: int = 32
    pad: int = 2
    patch: int = 8
    stride: int = 4
    width: int = 128
    heads: int = 2
    hidden: int = 256
    blocks: int = 3
    classes: int = 100

    @property
    def side(self) -> int:
        return (self.size + 2 * self.pad - self.patch) // self.stride + 1

    @property
    def tokens(self) -> int:
        return self.side**2

    @property
    def inputs(self) -> int:
        return 3 * self.patch**2

    def to_dict(self) -> dict:
        return asdict(self)


class Block(nn.Module):
    """x + Attention(n(x)) + MLP(n(x)), the parallel form: both branches share one norm and one depth."""

    def __init__(self, shape: Shape):
        super().__init__()
        d, h = shape.width, shape.hidden
        self.heads, self.tokens = shape.heads, shape.tokens
        self.norm = Norm(d)
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.score_norm = Norm(shape.heads, affine=False)
        self.score_scale = nn.Parameter(torch.full((shape.heads,), 0.45))
        self.score_shift = nn.Parameter(torch.full((shape.heads,), 0.5))
        self.score_offset = nn.Parameter(torch.zeros(shape.heads))
        self.output = nn.Linear(d, d)
        self.up = nn.Linear(d, h, bias=False)
        self.up_norm = Norm(h)
        self.down = nn.Linear(h, d)
        for linear in (self.output, self.down):
            nn.init.normal_(linear.weight, std=0.25 * linear.in_features**-0.5)
            nn.init.zeros_(linear.bias)

    def forward(self, x: torch.Tensor, limit: float, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        b, t, d = x.shape
        n = self.norm(x, hard)
        weight = torch.cat([self.query.weight, self.key.weight, self.value.weight, self.up.weight])
        bias = torch.cat([self.query.bias, self.key.bias, self.value.bias, self.up.weight.new_zeros(self.up.out_features)])
        q, k, v, u = F.linear(n, weight, bias).split([d, d, d, self.up.out_features], -1)
        q, k, v = (z.reshape(b, t, self.heads, -1).transpose(1, 2) for z in (q, k, v))
        scores = q @ k.transpose(2, 3) * (d // self.heads) ** -0.5
        scale, shift = (z.view(-1, 1, 1) for z in self.score_norm.affine_map(scores, 1, hard))
        scores = scores * scale + shift
        p, r, offset = (z.view(-1, 1, 1) for z in (self.score_scale, self.score_shift, self.score_offset))
        attention = ((p * scores + r) ** 2 + offset) * t**-0.5
        y = (attention.to(v.dtype) @ v).transpose(1, 2).reshape(b, t, d)
        u = self.up_norm(u, hard)
        penalty = excess(scores, limit, hard) + excess(u, limit, hard) if self.training else x.new_zeros(())
        return x + self.output(y) + self.down(u.to(v.dtype) ** 2), penalty


class Vit(nn.Module):
    """Patch embedding, blocks, batch norm, mean over tokens, linear head."""

    def __init__(self, shape: Shape = Shape()):
        super().__init__()
        self.shape = shape
        self.embed = nn.Linear(shape.inputs, shape.width, bias=False)
        self.position = nn.Parameter(0.02 * torch.randn(shape.tokens, shape.width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.blocks))
        self.norm = Norm(shape.width)
        self.head = nn.Linear(shape.width, shape.classes)

    def patches(self, images: torch.Tensor) -> torch.Tensor:
        """[B,3,32,32] to [B,T,192]: token ty*side+tx, value c*patch*patch + dy*patch + dx."""
        s = self.shape
        return F.unfold(images, s.patch, padding=s.pad, stride=s.stride).transpose(1, 2)

    def forward(
        self, images: torch.Tensor, hard: int = 0, limit: float = 8.0, stream_limit: float = 24.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits and the range penalty (zero outside training); the last `hard` images are far from photographs."""
        x = self.embed(self.patches(images)).float() + self.position
        penalty = x.new_zeros(())
        for block in self.blocks:
            x, one = block(x, limit, hard)
            penalty = penalty + one
            if self.training:
                penalty = penalty + excess(x, stream_limit, hard)
                x = tame(x, hard)
        return self.head(self.norm(x, hard).mean(1)), penalty
