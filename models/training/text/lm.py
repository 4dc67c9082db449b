"""The language model as it is trained, in every form the report compares; the released form is `Form()`.

Norms stay separate and coefficients parametrised here; `fold.py` folds the released form, and `export.py` checks that both agree.
"""

from dataclasses import asdict, dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

from blocks import Block, Pairs, make_norm
from blocks import Form as AnyForm
from text.batches import IGNORED
from text.recall import ORDERS, recalled


@dataclass(frozen=True)
class Form(AnyForm):
    """The released form by default."""

    norm: str = "edges"
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


def causal(window: int, heads: int) -> Pairs:
    """Each token and those before it; gains fall with the distance at first."""
    distance = torch.arange(window)[:, None] - torch.arange(window)
    decay = torch.arange(window) / window * torch.linspace(0.5, 1.5, heads)[:, None]
    return Pairs(distance >= 0, distance, torch.exp(-decay))


class Lm(nn.Module):
    """Token embedding and position table, blocks, norm, tied output embedding with a bias."""

    def __init__(self, shape: Shape = Shape()):
        super().__init__()
        self.shape = shape
        self.late = 1.0
        self.embed = nn.Embedding(shape.vocabulary, shape.width)
        self.position = nn.Parameter(0.02 * torch.randn(shape.window, shape.width))
        self.recall = nn.Parameter(torch.full((ORDERS if shape.form.recall else 0, shape.width), 0.1))
        form, edges = shape.form, shape.form.norm == "edges"
        norms = ["none"] + ["linear"] * (shape.blocks - 1) if edges else [form.norm] * shape.blocks
        pairs = causal(shape.window, shape.heads)
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads, shape.hidden, form, norm, pairs) for norm in norms)
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
            penalty = penalty + one
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
