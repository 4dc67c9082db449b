"""Norms of the ablation: exact layer norm, layer norm with a polynomial inverse root, and none but a learned affine map."""

import torch
from torch import nn

from norms import Running


class LayerNorm(nn.LayerNorm):
    def forward(self, x: torch.Tensor, hard: int) -> torch.Tensor:  # noqa: ARG002
        return super().forward(x)


class NoNorm(nn.Module):
    """A fixed affine map per channel: what remains under encryption at no cost, without any statistics."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor, hard: int) -> torch.Tensor:  # noqa: ARG002
        return x * self.weight + self.bias


def variance_penalty(model: nn.Module) -> torch.Tensor:
    """Of the layer norms with a polynomial inverse root, from the last forward pass; zero without any."""
    logs = [m.last for m in model.modules() if isinstance(m, PolynomialLayerNorm) and m.last is not None]
    return torch.stack(logs).sum() if logs else torch.zeros(())


class PolynomialLayerNorm(Running):
    """Layer norm with 1/√v by a quadratic around a running mean variance m, and the paper's penalty on spread variances.

    The quadratic has the value and slope of 1/√ at m and falls until k·m (PolyNorm, ULD-Net); the penalty keeps variances below that.
    """

    PIVOT = 2.5
    last: torch.Tensor | None = None  # the penalty of the last forward pass

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("average", torch.ones(()))

    def inverse_root(self, ratio: torch.Tensor) -> torch.Tensor:
        k = self.PIVOT
        a, c = 1 / (4 * (k - 1)), (5 - k) / 4
        return a * (ratio - k) ** 2 + c

    def forward(self, x: torch.Tensor, hard: int) -> torch.Tensor:
        centred = x - x.mean(-1, keepdim=True)
        variance = (centred**2).mean(-1, keepdim=True)
        known = variance[: len(x) - hard]
        mean = self.average
        if self.training:
            mean = known.mean()
            self.follow(average=mean)
        ratio = variance / mean
        scale = torch.rsqrt(mean)
        self.last = ((ratio[: len(x) - hard] - 1) ** 2).mean()
        return centred * self.inverse_root(ratio) * scale * self.weight + self.bias


class LinearLayerNorm(PolynomialLayerNorm):
    """The same with 1/√v by its tangent at m, Newton's first step: two levels under encryption, one of them for the square."""

    def inverse_root(self, ratio: torch.Tensor) -> torch.Tensor:
        return 1.5 - 0.5 * ratio
