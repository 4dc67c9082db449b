"""Images far from photographs, for the range penalty: a network of squares leaves its range on them first.

Flat colours, stripes, logos, scans and pictures of extreme contrast are what people upload besides photographs.
"""

import torch


def contrasted(images: torch.Tensor) -> torch.Tensor:
    """Contrast raised up to a hard threshold, around a grey near the image's mean; half of them inverted, a third without colour."""
    n = len(images)
    gain = torch.exp(torch.empty(n, 1, 1, 1).uniform_(0.2, 3.0)) * (torch.randint(0, 2, (n, 1, 1, 1)) * 2 - 1)
    x = images.float()
    centre = x.mean((1, 2, 3), keepdim=True) + torch.empty(n, 1, 1, 1).uniform_(-40, 40)
    x = torch.where(torch.rand(n, 1, 1, 1) < 0.33, x.mean(3, keepdim=True), x)
    return ((x - centre) * gain + 128).clamp(0, 255)


def drawn(n: int) -> torch.Tensor:
    """Two colours in stripes, checks, half planes or noise; a colour is often a corner of the colour cube."""
    colours = torch.empty(n, 2, 3).uniform_(0, 255)
    colours = torch.where(torch.rand(n, 1, 1) < 0.6, (colours > 128) * 255.0, colours)
    line = torch.arange(32)
    period = 2 ** torch.randint(0, 6, (n, 1))
    phase = torch.randint(0, 32, (n, 2))
    rows = (line + phase[:, :1]) // period % 2 * torch.randint(0, 2, (n, 1))
    columns = (line + phase[:, 1:]) // period % 2 * torch.randint(0, 2, (n, 1))
    mask = (rows[:, :, None] ^ columns[:, None, :])[..., None].expand(n, 32, 32, 3)
    noise = torch.randint(0, 2, (n, 32, 32, 3))
    mask = torch.where(torch.rand(n, 1, 1, 1) < 0.2, noise, mask)
    return torch.where(mask == 1, colours[:, 0, None, None], colours[:, 1, None, None])


def hard_images(images: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """As many as given: three quarters from the photographs, keeping their targets [N, classes], the rest drawn, without a target (zeros)."""
    synthetic = len(images) // 4
    kept = len(images) - synthetic
    x = torch.cat([contrasted(images[:kept]), drawn(synthetic)])
    return x, torch.cat([targets[:kept], torch.zeros_like(targets[kept:])])
