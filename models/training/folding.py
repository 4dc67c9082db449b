"""Norms as linear maps, for folding either model."""

import torch

from norms import EPS, Norm


def norm_map(norm: Norm) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift per channel of a norm, from its averaged statistics, in float64."""
    scale = torch.rsqrt(norm.var.double() + EPS)
    shift = -norm.mean.double() * scale
    if norm.affine:
        weight, bias = norm.weight.double(), norm.bias.double()
        scale, shift = scale * weight, shift * weight + bias
    return scale, shift


def after_norm(norm: Norm, weight: torch.Tensor, bias: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The linear map applied to norm(x), as a linear map of x."""
    return mapped(norm_map(norm), weight, bias)


def mapped(norm: tuple[torch.Tensor, torch.Tensor], weight: torch.Tensor, bias: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The linear map applied to scale·x + shift, as a linear map of x."""
    scale, shift = norm
    weight = weight.double()
    folded = weight @ shift
    return weight * scale, folded if bias is None else folded + bias.double()
