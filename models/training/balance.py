"""Moves factors between the two sides of each product so that both sides are of like size.

The network stays the same function. On ciphertexts every value carries about the same absolute noise, so a product of
a tiny and a large value loses precision that a product of two middling ones keeps. Factors are powers of two: exact.
"""

from collections.abc import Callable

import torch


class ChannelPeaks:
    """Largest magnitude per channel of q, k and v [heads, F] and per head of the attention weights."""

    def __init__(self, heads: int) -> None:
        self.heads = heads
        self.largest: dict[str, torch.Tensor] = {}

    def __call__(self, name: str, value: torch.Tensor) -> torch.Tensor:
        part = name.rsplit(".", 1)[-1]
        if part in ("query", "key", "value"):
            peak = value.abs().amax((0, 1)).view(self.heads, -1)
        elif part == "attention":
            peak = value.abs().amax((0, 2, 3))
        else:
            return value
        self.largest[name] = torch.maximum(self.largest.get(name, torch.zeros_like(peak)), peak)
        return value


def power_of_two(x: torch.Tensor) -> torch.Tensor:
    return torch.exp2(torch.round(torch.log2(x)))


@torch.no_grad()
def balance(tensors: dict[str, torch.Tensor], heads: int, show: Callable[[ChannelPeaks], None]) -> None:
    """Rescales `tensors` in place, by what `show` lets the peaks see: a folded forward pass over training inputs."""
    peaks = ChannelPeaks(heads)
    show(peaks)
    blocks = sum(1 for name in tensors if name.endswith(".scores.shift"))

    def scale_rows(name: str, factor: torch.Tensor) -> None:
        tensors[f"{name}.weight"] *= factor.reshape(-1, 1)
        tensors[f"{name}.bias"] *= factor.reshape(-1)

    for i in range(blocks):
        name = f"blocks.{i}"
        peak = {part: peaks.largest[f"{name}.{part}"].clamp_min(1e-9) for part in ("query", "key", "value", "attention")}
        # Attention weights and values meet in a product; the score side takes the root because of the square.
        root = power_of_two((peak["value"].amax(1) / peak["attention"]) ** 0.25)
        tensors[f"{name}.scores.shift"] *= root
        tensors[f"{name}.scores.offset"].view(heads, -1).mul_((root**2)[:, None])
        swing = power_of_two((peak["key"] / (peak["query"] * root[:, None])) ** 0.5)
        scale_rows(f"{name}.query", swing * root[:, None])
        scale_rows(f"{name}.key", 1 / swing)
        scale_rows(f"{name}.value", (1 / root**2)[:, None].expand_as(swing))
