"""One step of training: a batch from photographs and images far from them, the loss, the update."""

import argparse

import torch
from torch.nn import functional as F

from layer_norm import variance_penalty
from optim import Average
from precision import mixed
from vision.data import Augment, cutmix, normalise
from vision.distort import distorted
from vision.hard import hard_images
from vision.vit import Vit


def smoothed(targets: torch.Tensor, part: float) -> torch.Tensor:
    """Label smoothing that leaves rows without a target without one."""
    return targets * (1 - part) + part / targets.shape[1] * targets.sum(1, keepdim=True)


class Step:
    """Trains on images [N,32,32,3] (uint8) with labels [N], by the options of `train.py`."""

    def __init__(
        self,
        options: argparse.Namespace,
        model: Vit,
        teacher: Vit | None,
        optimisers: list[torch.optim.Optimizer],
        average: Average,
    ):
        self.options, self.model, self.teacher = options, model, teacher
        self.optimisers, self.average = optimisers, average
        self.hard = options.hard if options.range_weight else 0
        self.augment = Augment()

    def batch(self, images: torch.Tensor, labels: torch.Tensor, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Normalised images and targets [N, classes]; `hard` images far from photographs come last, some of them without a target."""
        o = self.options
        x, y = self.photographs(images, labels, progress)
        if self.teacher:
            with torch.no_grad(), mixed(x.device):
                y = (1 - o.teach) * y + o.teach * self.teacher(x)[0].float().softmax(-1)
        if self.hard:
            known = F.one_hot(labels[: self.hard], self.model.shape.classes).float()
            strange, targets = hard_images(images[: self.hard], known)
            x, y = torch.cat([x, normalise(strange)]), torch.cat([y, targets])
        return x, y

    def photographs(self, images: torch.Tensor, labels: torch.Tensor, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Normalised, augmented where `progress` says so, and targets without a teacher."""
        o, classes = self.options, self.model.shape.classes
        x, y = normalise(images), F.one_hot(labels, classes).float()
        if progress < o.plain_from:
            if o.distort:
                x = distorted(x, o.distort)
            x = self.augment(x)
            if o.cutmix:
                x, y = cutmix(x, labels, classes, o.cutmix)
        return x, y

    def __call__(self, images: torch.Tensor, labels: torch.Tensor, progress: float) -> torch.Tensor:
        """Loss and range penalty of the batch, before the update."""
        losses = self.update(images, labels, progress)
        self.average.update(self.model)
        return losses

    def update(self, images: torch.Tensor, labels: torch.Tensor, progress: float) -> torch.Tensor:
        """All but the weights' average, whose rate depends on the number of steps: the part that a CUDA graph repeats."""
        o, model = self.options, self.model
        x, y = self.batch(images, labels, progress)
        with mixed(x.device):
            scores, penalty = model(x, self.hard)
            loss = F.cross_entropy(scores.float(), smoothed(y, o.smoothing), reduction="sum") / y.sum()
        total = loss + o.range_weight * penalty
        if o.norm == "polynomial":
            total = total + o.variance_weight * variance_penalty(model)
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0, foreach=True)
        for optimiser in self.optimisers:
            optimiser.step()
        return torch.stack([loss.detach(), penalty.detach()]).float()
