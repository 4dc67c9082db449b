"""The vision transformer as it is trained, in every form the report compares; the released fast model is `Shape()`.

Every operation of the released form folds into: linear map, product of queries and keys, square, product with values, square.
`fold.py` does the folding; the two must agree, which `export.py` checks.
"""

from dataclasses import asdict, dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

from blocks import Block, Pairs, make_norm, pointwise
from blocks import Form as AnyForm
from vision.convolutions import Convolutions, convolution_shapes
from vision.data import MEAN, STD
from norms import Norm


@dataclass(frozen=True)
class Form(AnyForm):
    """The released form by default."""

    tables: bool = False  # σ's offset is one a displacement of two patches, not one a head
    stem: int = 0  # channels of a layer with the MLP's activation before the embedding; 0 is none
    convolutions: int = 0  # channels of the last of the client's convolutions, whose result joins the patches; 0 is none


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
    form: Form = field(default_factory=Form)

    @property
    def side(self) -> int:
        return (self.size + 2 * self.pad - self.patch) // self.stride + 1

    @property
    def tokens(self) -> int:
        return self.side**2

    @property
    def inputs(self) -> int:
        return 3 * self.patch**2

    def preprocessing(self) -> dict:
        """From an image to patches, as `config.json` has it."""
        steps = {"size": self.size, "mean": MEAN, "std": STD, "pad": self.pad, "patch": self.patch, "stride": self.stride}
        return steps | {"convolutions": convolution_shapes(self.form.convolutions)}

    def to_dict(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_dict(values: dict) -> "Shape":
        return Shape(**(values | {"form": Form(**values["form"])}))


def impulses(shape: Shape, spread: float = 0.8, total: float = 1.0) -> torch.Tensor:
    """Offsets that begin as a convolution: each head's weights sum to `total`, around one of the nine nearest displacements, drawn at random."""
    steps = torch.arange(1 - shape.side, shape.side)
    centre = torch.randint(-1, 2, (shape.heads, 2, 1))
    rows, columns = (torch.exp(-((steps - centre[:, axis]) ** 2) / (2 * spread**2)) for axis in (0, 1))
    table = (rows[:, :, None] * columns[:, None, :]).flatten(1)
    factor = {"none": 1.0, "root": shape.tokens**-0.5, "length": 1 / shape.tokens}[shape.form.scaling]
    return total / factor * table / table.sum(1, keepdim=True)


def displacements(side: int) -> torch.Tensor:
    """The entry of a table over displacements for each pair of patches [T,T]."""
    place = torch.cartesian_prod(torch.arange(side), torch.arange(side))
    dy, dx = (place[:, None] - place + side - 1).unbind(-1)
    return dy * (2 * side - 1) + dx


def pairs(shape: Shape) -> Pairs:
    """All pairs; with tables one entry a displacement of two patches, (2·side−1)² of them."""
    distance = displacements(shape.side)
    if not shape.form.tables:
        return Pairs(torch.ones_like(distance), torch.zeros_like(distance))
    return Pairs(torch.ones_like(distance), distance, offset=None if shape.form.attention == "softmax" else impulses(shape))


class Stem(nn.Module):
    """Patches through one hidden layer."""

    def __init__(self, inputs: int, hidden: int, activation: str):
        super().__init__()
        self.up = nn.Linear(inputs, hidden, bias=False)
        self.norm = Norm(hidden)
        self.activation = activation

    def forward(self, patches: torch.Tensor, hard: int) -> torch.Tensor:
        u = self.up(patches)
        return pointwise(self.activation, self.norm(u, hard).to(u.dtype))


class Vit(nn.Module):
    """Patch embedding, blocks, norm, mean over tokens, linear head."""

    def __init__(self, shape: Shape = Shape()):
        super().__init__()
        self.shape, form = shape, shape.form
        self.stem = Stem(shape.inputs, form.stem, form.activation) if form.stem else None
        self.convolutions = Convolutions(form.convolutions, shape.inputs) if form.convolutions else None
        self.embed = nn.Linear(form.stem or shape.inputs, shape.width, bias=False)
        self.position = nn.Parameter(0.02 * torch.randn(shape.tokens, shape.width))
        self.blocks = nn.ModuleList(
            Block(shape.width, shape.heads, shape.hidden, form, form.norm, pairs(shape)) for _ in range(shape.blocks)
        )
        self.norm = make_norm(form.norm, shape.width)
        self.head = nn.Linear(shape.width, shape.classes)

    def patches(self, images: torch.Tensor) -> torch.Tensor:
        """[B,3,32,32] to [B,T,192]: token ty*side+tx, value c*patch*patch + dy*patch + dx."""
        s = self.shape
        windows = F.pad(images, [s.pad] * 4).unfold(2, s.patch, s.stride).unfold(3, s.patch, s.stride)
        return windows.permute(0, 2, 3, 1, 4, 5).reshape(len(images), s.tokens, s.inputs)

    def forward(self, images: torch.Tensor, hard: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits and the range penalty (zero outside training); the last `hard` images are far from photographs."""
        patches = self.patches(images)
        if self.convolutions:
            patches = patches + self.convolutions(images, hard)
        if self.stem:
            patches = self.stem(patches, hard)
        x = self.embed(patches).float() + self.position
        penalty = x.new_zeros(())
        for block in self.blocks:
            x, one = block(x, hard)
            penalty = penalty + one
        return self.head(self.norm(x, hard).mean(1)), penalty
