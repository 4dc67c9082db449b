"""Training windows from the packed corpus: whole ones, left-padded ones, and strange prompts for the range penalty."""

from collections.abc import Iterator

import torch

IGNORED = -100


class Windows:
    """Shuffled windows; a pass over the corpus starts at a random phase, so that windows differ from pass to pass."""

    def __init__(self, corpus: torch.Tensor, newline: int, window: int, seed: int):
        self.corpus, self.window = corpus, window
        self.generator = torch.Generator().manual_seed(seed)
        self.starts = (corpus[: -window - 1] == newline).nonzero().flatten() + 1

    def passes(self, batch: int) -> Iterator[torch.Tensor]:
        """Start positions [batch], for ever."""
        while True:
            phase = int(torch.randint(0, self.window, (), generator=self.generator))
            count = (len(self.corpus) - phase - 1) // self.window
            order = torch.randperm(count, generator=self.generator) * self.window + phase
            yield from order[: count // batch * batch].split(batch)

    def take(self, starts: torch.Tensor, padded: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets [B,T]; the last `padded` windows begin with pads, half of them at the start of a line."""
        t, g = self.window, self.generator
        starts = starts.clone()
        fresh = padded // 2
        if fresh:
            starts[-fresh:] = self.starts[torch.randint(0, len(self.starts), (fresh,), generator=g)]
        pads = torch.zeros(len(starts), 1, dtype=torch.long)
        if padded:
            pads[-padded:] = torch.randint(1, t, (padded, 1), generator=g)
        index = starts[:, None] + torch.arange(-1, t) + 1 - pads
        ids = self.corpus[index.clamp_min(0)].long()
        ids[torch.arange(t + 1) < pads] = 0
        targets = ids[:, 1:].clone()
        targets[torch.arange(1, t + 1) < pads] = IGNORED
        return ids[:, :-1].contiguous(), targets


def strange_prompts(count: int, window: int, vocabulary: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Random ids, one id repeated, two to eight ids in a cycle, in equal parts; a third of all with pads before them."""
    ids = torch.randint(0, vocabulary, (count, window), generator=generator)
    kind = torch.arange(count) % 3
    period = torch.where(kind == 1, 1, torch.randint(2, 9, (count,), generator=generator))
    cycle = torch.arange(window) % torch.where(kind == 0, window, period)[:, None]
    ids = ids.gather(1, cycle)
    pads = torch.randint(0, window, (count, 1), generator=generator) * (torch.rand(count, 1, generator=generator) < 1 / 3)
    return torch.where(torch.arange(window) < pads, 0, ids)
