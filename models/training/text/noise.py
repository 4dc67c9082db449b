"""What noise at every operation, as an encrypted evaluation adds it, does to the answer."""

import torch

from text.fold import embed, folded_hidden, logits


class Noise:
    """Normal noise of one standard deviation on every value the pass shows."""

    def __init__(self, deviation: float, seed: int = 1):
        self.deviation = deviation
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, name: str, value: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        return value + self.deviation * torch.randn(value.shape, generator=self.generator, dtype=value.dtype)


def unchanged(name: str, value: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    return value


@torch.no_grad()
def answers(tensors: dict, client: dict, heads: int, tokens: torch.Tensor, see) -> torch.Tensor:
    """Next-token logits [N,V] after the last position."""
    parts = tokens.split(128)
    return torch.cat([logits(client, folded_hidden(tensors, heads, embed(client, x), see)[:, -1]) for x in parts])


def compare(clear: torch.Tensor, noisy: torch.Tensor) -> dict[str, float]:
    """Top-1 agreement, and the largest change of a probability among the clear model's ten best, over all rows."""
    p, q = clear.softmax(-1), noisy.softmax(-1)
    ten = p.topk(10, -1).indices
    change = (p.gather(1, ten) - q.gather(1, ten)).abs().amax(1)
    return {
        "changed": int((clear.argmax(-1) != noisy.argmax(-1)).sum()),
        "prompts": len(clear),
        "largest": float(f"{change.max().item():.3g}"),
        "median": float(f"{change.median().item():.3g}"),
    }


def under_noise(tensors: dict, client: dict, heads: int, tokens: torch.Tensor, bits: tuple[int, ...] = (8, 10, 12, 14)) -> dict:
    clear = answers(tensors, client, heads, tokens, unchanged)
    return {f"2^-{b}": compare(clear, answers(tensors, client, heads, tokens, Noise(2.0**-b))) for b in bits}
