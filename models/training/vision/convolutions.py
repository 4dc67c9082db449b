"""A convolutional stem for teachers, after compact convolutional transformers (Hassani et al., arXiv 2104.05704).

Never exported: the evaluator has patches and linear maps.
"""

import torch
from torch import nn
from torch.nn import functional as F

from norms import Norm


class Convolution(nn.Module):
    """Convolution without bias, batch norm, GELU; the weight is a matrix, so that Muon takes it."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1):
        super().__init__()
        self.size, self.stride = size, stride
        self.weight = nn.Parameter(torch.empty(outputs, inputs * size * size))
        nn.init.kaiming_normal_(self.weight)
        self.norm = Norm(outputs)

    def forward(self, x: torch.Tensor, hard: int) -> torch.Tensor:
        kernel = self.weight.view(len(self.weight), -1, self.size, self.size)
        y = F.conv2d(x, kernel, stride=self.stride, padding=1)
        normed = self.norm(y.permute(0, 2, 3, 1), hard).permute(0, 3, 1, 2).to(y.dtype)
        return F.gelu(normed, approximate="tanh")


class Convolutions(nn.Module):
    """Images [B,3,32,32] to [B,64,channels], one row a token."""

    def __init__(self, channels: int):
        super().__init__()
        a, b, c = channels // 4, channels // 2, channels
        self.enter = Convolution(3, a, 4, 2)
        self.middle = Convolution(a, b)
        self.middle_again = Convolution(b, b)
        self.last = Convolution(b, c)
        self.last_again = Convolution(c, c)

    def forward(self, images: torch.Tensor, hard: int) -> torch.Tensor:
        x = images.contiguous(memory_format=torch.channels_last)
        x = self.middle(self.enter(x, hard), hard)
        x = F.max_pool2d(x + self.middle_again(x, hard), 2)
        x = self.last(x, hard)
        x = x + self.last_again(x, hard)
        return x.flatten(2).transpose(1, 2)
