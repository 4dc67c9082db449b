"""What folding either model needs: norms as linear maps, largest magnitudes per named value."""

import torch

from norms import Norm


def norm_map(norm: Norm) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift per channel of a norm, from its averaged statistics, in float64."""
    scale = torch.rsqrt(norm.var.double() + norm.eps)
    shift = -norm.mean.double() * scale
    if norm.affine:
        weight, bias = norm.weight.double(), norm.bias.double()
        scale, shift = scale * weight, shift * weight + bias
    return scale, shift


def after_norm(norm: Norm, weight: torch.Tensor, bias: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The linear map applied to norm(x), as a linear map of x."""
    scale, shift = norm_map(norm)
    weight = weight.double()
    folded = weight @ shift
    return weight * scale, folded if bias is None else folded + bias.double()


class Ranges:
    """Largest magnitude per named value, over everything it is shown."""

    def __init__(self) -> None:
        self.largest: dict[str, float] = {}

    def __call__(self, name: str, value: torch.Tensor) -> torch.Tensor:
        self.largest[name] = max(self.largest.get(name, 0.0), value.abs().max().item())
        return value
