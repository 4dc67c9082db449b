"""Images turned, stretched and recoloured at random, after RandAugment's kinds of change (Cubuk et al., arXiv 1909.13719), by one resampling per batch."""

import math

import torch
from torch.nn import functional as F

TURN = math.radians(20)
STRETCH = 0.25  # of the logarithm of each axis
SHEAR = 0.2
SHIFT = 0.3  # of a colour, in deviations of the data set
CONTRAST = 0.5  # of its logarithm


def uniform(n: int, largest: float) -> torch.Tensor:
    return torch.empty(n).uniform_(-largest, largest)


def warped(images: torch.Tensor) -> torch.Tensor:
    """Rotation, sheared and stretched, around the middle; what comes from outside has the data set's mean colour."""
    n = len(images)
    angle, shear = uniform(n, TURN), uniform(n, SHEAR)
    across, down = uniform(n, STRETCH).exp(), uniform(n, STRETCH).exp()
    cos, sin, none = angle.cos(), angle.sin(), torch.zeros(n)
    rows = [torch.stack(row, -1) for row in ((across * cos, shear - across * sin, none), (down * sin, down * cos, none))]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)


def recoloured(images: torch.Tensor) -> torch.Tensor:
    """Colourfulness between none and double, contrast, and a shift of each colour."""
    n = len(images)
    grey = images.mean(1, keepdim=True)
    colourful = grey + (images - grey) * (1 + uniform(n, 1.0)).view(n, 1, 1, 1)
    return colourful * uniform(n, CONTRAST).exp().view(n, 1, 1, 1) + uniform(3 * n, SHIFT).view(n, 3, 1, 1)


def distorted(images: torch.Tensor, part: float) -> torch.Tensor:
    """`part` of the normalised images [N,3,H,W] warped, `part` recoloured, drawn apart."""
    n = len(images)
    for change in (warped, recoloured):
        images = torch.where(torch.rand(n, 1, 1, 1) < part, change(images), images)
    return images
