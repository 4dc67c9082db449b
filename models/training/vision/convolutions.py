"""The client's convolutions: what it adds to each patch before it encrypts.

Early convolutions after Xiao et al. (arXiv 2106.14881). They see the image in the clear, so that ReLU costs no level there.
"""

import torch
from torch import nn
from torch.nn import functional as F

from norms import Norm


def convolution_shapes(channels: int) -> list[dict[str, int]]:
    """As `config.json` has them: from 32×32 pixels to 16×16, 16×16 and 8×8 points; none for no channels."""
    sizes = ((channels // 4, 4, 2), (channels // 2, 3, 1), (channels, 3, 2)) if channels else ()
    return [{"channels": made, "size": size, "stride": stride, "pad": 1} for made, size, stride in sizes]


class Convolution(nn.Module):
    """Convolution without bias, then batch norm; the weight is a matrix, so that Muon takes it."""

    def __init__(self, inputs: int, channels: int, size: int, stride: int, pad: int):
        super().__init__()
        self.size, self.stride, self.pad = size, stride, pad
        self.weight = nn.Parameter(torch.empty(channels, inputs * size * size))
        nn.init.kaiming_normal_(self.weight)
        self.norm = Norm(channels)

    def forward(self, x: torch.Tensor, hard: int) -> torch.Tensor:
        kernel = self.weight.view(len(self.weight), -1, self.size, self.size)
        y = F.conv2d(x, kernel, stride=self.stride, padding=self.pad)
        scale, shift = self.norm.affine_map(y, 1, hard)
        return (y * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)).to(y.dtype)


class Convolutions(nn.Module):
    """Images [B,3,32,32] to [B,64,outputs], one row a patch; zero at first, so that a trained network can take it in."""

    def __init__(self, channels: int, outputs: int):
        super().__init__()
        shapes = convolution_shapes(channels)
        inputs = [3, *(shape["channels"] for shape in shapes)]
        self.layers = nn.ModuleList(Convolution(n, **shape) for n, shape in zip(inputs, shapes, strict=False))
        self.last = nn.Linear(channels, outputs, bias=False)
        nn.init.zeros_(self.last.weight)

    def forward(self, images: torch.Tensor, hard: int) -> torch.Tensor:
        x = images.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            x = F.relu(layer(x, hard))
        return self.last(x.flatten(2).transpose(1, 2))
