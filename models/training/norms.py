"""Batch norm written out, and the range penalty; shared by both models."""

import torch
from torch import nn
from torch.nn import functional as F

EPS = 1e-5


class Running(nn.Module):
    """Statistics averaged over batches: with a fixed rate, or plainly where `momentum` is None, as recalibration wants."""

    def __init__(self) -> None:
        super().__init__()
        self.momentum: float | None = 0.1
        self.register_buffer("seen", torch.zeros(()))

    @torch.no_grad()
    def follow(self, **statistics: torch.Tensor) -> None:
        """Moves the buffers of these names towards the batch's values."""
        self.seen += 1
        rate = self.momentum if self.momentum is not None else 1 / self.seen
        for name, value in statistics.items():
            buffer = getattr(self, name)
            buffer += rate * (value - buffer)


class Norm(Running):
    """Batch norm over every dimension but `axis`, statistics in float32.

    Written out because the library's kernel is slow for channels-last tensors on a CPU.
    """

    def __init__(self, channels: int, affine: bool = True):
        super().__init__()
        self.affine = affine
        if affine:
            self.weight = nn.Parameter(torch.ones(channels))
            self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))

    def affine_map(self, x: torch.Tensor, axis: int, hard: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Scale and shift, per channel, equal to this norm (of the batch in training, of the averages otherwise).

        The last `hard` samples are left out of the statistics: they meet the norm as a stranger does after training.
        """
        if self.training:
            dims = [d for d in range(x.dim()) if d != axis]
            var, mean = torch.var_mean(x[: len(x) - hard].float(), dim=dims, correction=0)
            self.follow(mean=mean, var=var)
        else:
            mean, var = self.mean, self.var
        scale = torch.rsqrt(var + EPS)
        if self.affine:
            scale = scale * self.weight
            return scale, self.bias - mean * scale
        return scale, -mean * scale

    def forward(self, x: torch.Tensor, hard: int) -> torch.Tensor:
        scale, shift = self.affine_map(x, x.dim() - 1, hard)
        return x * scale + shift


def norms_of(model: nn.Module) -> list[Running]:
    return [m for m in model.modules() if isinstance(m, Running)]


def freeze(model: nn.Module) -> None:
    """Norms keep their statistics while the rest goes on in training mode.

    An outlier raises the statistics of its own batch and so hides from the range penalty; with fixed ones it shows what it does after training.
    """
    for norm in norms_of(model):
        norm.eval()


def excess(x: torch.Tensor, limit: float, hard: int = 0) -> torch.Tensor:
    """Hinge on the per-sample maximum of |x| beyond `limit`, averaged over the last `hard` samples and over the others.

    Logarithmic, since a sample can exceed the limit by orders of magnitude, and a linear hinge would drown everything else.
    """
    flat = x.flatten(1)
    high = limit * torch.log1p(F.relu(torch.maximum(flat.amax(1), -flat.amin(1)).float() - limit) / limit)
    plain = high[: len(x) - hard].mean()
    return plain + high[len(x) - hard :].mean() if hard else plain


def tame(x: torch.Tensor, limit: float = 100.0) -> torch.Tensor:
    """Shrinks samples that left the range: each block is at most squared and squared again, so that they would ruin the batch's statistics, or overflow."""
    peak = x.detach().flatten(1).abs().amax(1)
    return x * (limit / peak.clamp_min(limit)).view(-1, 1, 1)
