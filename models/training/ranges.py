"""Largest magnitudes of the released form: measured, as an entry of config.json, as a table of a model card."""

from collections.abc import Callable

import torch

Seer = Callable[[str, torch.Tensor], torch.Tensor]  # is shown every named value of a folded network, and returns it

PARTS = ("query", "key", "value", "scores", "attention", "mixed", "up", "stream")


class Ranges:
    """Largest magnitude per named value, over everything it is shown."""

    def __init__(self) -> None:
        self.largest: dict[str, float] = {}

    def __call__(self, name: str, value: torch.Tensor) -> torch.Tensor:
        self.largest[name] = max(self.largest.get(name, 0.0), value.abs().max().item())
        return value


def block_ranges(see: Ranges, blocks: int) -> list[dict[str, float]]:
    return [{part: rounded(see.largest[f"blocks.{i}.{part}"]) for part in PARTS} for i in range(blocks)]


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def ranges_table(ranges: dict) -> str:
    head = "| block | " + " | ".join(PARTS) + " |\n|---|" + "---:|" * len(PARTS)
    rows = [f"| {i} | " + " | ".join(f"{block[part]:.3g}" for part in PARTS) + " |" for i, block in enumerate(ranges["blocks"])]
    return "\n".join([head, *rows])
