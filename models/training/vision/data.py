"""CIFAR-100 from a folder of per-class image strips, and augmentation on whole batches of tensors."""

import os
from functools import cache

import numpy as np
import torch
from PIL import Image

MEAN = (0.5071, 0.4865, 0.4409)
STD = (0.2673, 0.2564, 0.2762)


def load_split(root: str, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images as uint8 [N,32,32,3] and labels int64 [N]; a strip's file name starts with its two-digit label."""
    images, labels = [], []
    for name in sorted(os.listdir(os.path.join(root, split))):
        strip = np.asarray(Image.open(os.path.join(root, split, name)).convert("RGB"))
        strip = strip.reshape(-1, 32, 32, 3)
        images.append(strip)
        labels.append(np.full(len(strip), int(name[:2])))
    return torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(labels))


def load_classes(root: str) -> list[str]:
    """Class names in label order; a line is either the name or `number name`."""
    with open(os.path.join(root, "classes.txt"), encoding="utf8") as lines:
        return [line.split()[-1] for line in lines if line.strip()]


@cache
def statistics(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation per channel; copied to a device once, since each copy waits for what runs there."""
    return tuple(torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (MEAN, STD))


def normalise(images: torch.Tensor) -> torch.Tensor:
    """uint8 [N,32,32,3] to normalised float [N,3,32,32]."""
    mean, std = statistics(images.device)
    return (images.permute(0, 3, 1, 2).float() / 255 - mean) / std


class Augment:
    """Random crop from a zero-padded image and random horizontal flip, by one gather per batch."""

    def __init__(self, pad: int = 4):
        self.pad = pad

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        n, c, h, w = images.shape
        padded = torch.nn.functional.pad(images, [self.pad] * 4)
        dy = torch.randint(0, 2 * self.pad + 1, (n, 1))
        dx = torch.randint(0, 2 * self.pad + 1, (n, 1))
        rows = dy + torch.arange(h)
        columns = torch.arange(w).expand(n, w)
        columns = dx + torch.where(torch.rand(n, 1) < 0.5, columns, columns.flip(1))
        index = rows[:, :, None] * (w + 2 * self.pad) + columns[:, None, :]
        index = index.view(n, 1, h * w).expand(n, c, h * w)
        return padded.flatten(2).gather(2, index).view(n, c, h, w)


def cutmix(images: torch.Tensor, labels: torch.Tensor, classes: int, chance: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A rectangle of each image comes from another of the batch; labels [N] become [N, classes], in proportion to the areas (CutMix).

    Of all batches `chance` are mixed; the others keep rectangles without an area.
    """
    n, _, h, w = images.shape
    part = torch.rand(n) * (torch.rand(()) < chance)
    height, width = (h * part.sqrt()).round(), (w * part.sqrt()).round()
    top, left = (torch.rand(n) * (h - height + 1)).floor(), (torch.rand(n) * (w - width + 1)).floor()
    rows, columns = torch.arange(h), torch.arange(w)
    inside_rows = (rows >= top[:, None]) & (rows < (top + height)[:, None])
    inside = inside_rows[:, :, None] & ((columns >= left[:, None]) & (columns < (left + width)[:, None]))[:, None, :]
    other = torch.rand(n).argsort()
    share = (height * width / (h * w))[:, None]
    targets = torch.nn.functional.one_hot(labels, classes).float()
    return torch.where(inside[:, None], images[other], images), targets * (1 - share) + targets[other] * share
