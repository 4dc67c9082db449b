"""What the client knows of its own ids without any network: which id followed the last time that the present ones occurred.

A square of scores cannot pick one key of sixty as softmax does; the client can, in the clear, before it encrypts.
"""

import torch
from torch.nn import functional as F

ORDERS = 2


def followers(tokens: torch.Tensor, order: int) -> tuple[torch.Tensor, torch.Tensor]:
    """For each position of [B,T]: the id after the latest earlier occurrence of the last `order` ids, and 1 if there was one, else 0."""
    t = tokens.shape[1]
    same = tokens[:, :, None] == tokens[:, None, :]
    found = same
    for back in range(1, order):
        found = found & F.pad(same[:, :-back, :-back], (back, 0, back, 0))
    place = torch.arange(t, device=tokens.device)
    latest = torch.where(found & (place[:, None] > place), place, -1).amax(2)
    return tokens.gather(1, latest + 1), (latest >= 0).float()


def recalled(embed: torch.Tensor, weights: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Σ over orders of weights[order − 1] ⊙ embed[follower], [B,T,d]; `embed` is [V,d], `weights` [orders, d]."""
    parts = (followers(tokens, order) for order in range(1, len(weights) + 1))
    return sum((known[..., None] * weight * F.embedding(ids, embed) for weight, (ids, known) in zip(weights, parts, strict=True)), torch.zeros(()))
