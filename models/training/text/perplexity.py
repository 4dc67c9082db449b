"""Norm recalibration and perplexity by the protocol of README.md."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from norms import norms_of
from text.lm import Lm


def scored_windows(ids: torch.Tensor, window: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs [N,T] and targets [N,T/2]: window k predicts ids T/2·k … T/2·(k+1)−1 from its second half; −100 past the end."""
    half = window // 2
    count = -(-len(ids) // half)
    lead = window - half + 1
    padded = torch.cat([ids.new_zeros(lead), ids, ids.new_zeros(count * half - len(ids))])
    inputs = padded.unfold(0, window, half)[:count]
    targets = torch.cat([ids, ids.new_full((count * half - len(ids),), -100)]).view(count, half)
    return inputs, targets


@torch.no_grad()
def perplexity(logits: Callable[[torch.Tensor], torch.Tensor], text: dict, window: int, batch: int = 128) -> dict:
    """Per token and per word; `logits` maps ids [B,T] to logits [B,T,V]."""
    inputs, targets = scored_windows(text["ids"], window)
    total = 0.0
    for x, y in zip(inputs.split(batch), targets.split(batch), strict=True):
        scores = logits(x)[:, window // 2 :].float()
        total += F.cross_entropy(scores.flatten(0, 1), y.flatten(), ignore_index=-100, reduction="sum").item()
    tokens = len(text["ids"])
    return {
        "token": round(math.exp(min(total / tokens, 50)), 3),
        "word": round(math.exp(min(total / text["words"], 50)), 2),
        "tokens": tokens,
        "words": text["words"],
    }


def of_model(model: Lm) -> Callable[[torch.Tensor], torch.Tensor]:
    model.eval()
    device = model.bias.device
    return lambda x: model.logits(model.hidden(x.to(device))[0]).to(x.device)


@torch.no_grad()
def recalibrate(model: Lm, windows: torch.Tensor, batch: int = 128) -> None:
    """Replaces every norm's running statistics by the plain average over `windows` [N,T]."""
    norms = norms_of(model)
    for norm in norms:
        norm.seen.zero_()
        norm.momentum = None
    model.train()
    for part in windows.split(batch):
        model.hidden(part.to(model.bias.device))
    for norm in norms:
        norm.momentum = 0.1
    model.eval()
