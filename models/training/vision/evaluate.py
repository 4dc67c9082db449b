"""Batch-norm recalibration and accuracy of a model in training form."""

from collections.abc import Callable

import torch

from norms import norms_of
from vision.data import normalise
from vision.vit import Vit


@torch.no_grad()
def recalibrate(model: Vit, images: torch.Tensor, prepared: Callable[[torch.Tensor], torch.Tensor] = normalise, batch: int = 250) -> None:
    """Replaces every norm's statistics by the plain average over `images` (uint8), `prepared` for the network: without augmentation unless said."""
    norms = norms_of(model)
    for norm in norms:
        norm.seen.zero_()
        norm.momentum = None
    model.train()
    for part in images.split(batch):
        model(prepared(part))
    for norm in norms:
        norm.momentum = 0.1
    model.eval()


@torch.no_grad()
def logits(model: Vit, images: torch.Tensor, batch: int = 250) -> torch.Tensor:
    model.eval()
    return torch.cat([model(normalise(part))[0].float() for part in images.split(batch)])


def accuracy(scores: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Top-1 and top-5, as fractions."""
    best = scores.topk(5, dim=1).indices == labels[:, None]
    return best[:, 0].float().mean().item(), best.any(1).float().mean().item()
