"""Optimisers (Muon for hidden matrices, AdamW for the rest) and the schedule, which follows time or epochs."""

import math

import torch

from muon import Muon


def make_optimisers(model: torch.nn.Module, muon_rate: float, adam_rate: float, decay: float) -> list[torch.optim.Optimizer]:
    """With `muon_rate` 0 everything goes to AdamW. Norms, biases, tables and σ's coefficients never decay."""
    hidden, matrices, vectors = [], [], []
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2 or name in ("position", "recall") or "score_" in name:
            vectors.append(parameter)
        elif muon_rate > 0 and name.startswith(("blocks.", "convolutions.")):
            hidden.append(parameter)
        else:
            matrices.append(parameter)
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    optimisers: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=adam_rate, betas=(0.9, 0.98), fused=True)]
    if hidden:
        optimisers.append(Muon(hidden, lr=muon_rate, weight_decay=decay))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    place_rates(optimisers)
    return optimisers


def place_rates(optimisers: list[torch.optim.Optimizer]) -> None:
    """Rates beside the parameters: a CUDA graph reads them anew at each replay, where it would repeat a number."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            device = group["params"][0].device
            group["lr"] = torch.tensor(float(group["lr"]), device=device) if device.type == "cuda" else float(group["lr"])
            group["capturable"] = device.type == "cuda"


def rate(progress: float, warmup: float = 0.02, floor: float = 0.002) -> float:
    """Fraction of the peak learning rate at `progress` in [0, 1]: linear warm-up, then a cosine."""
    if progress < warmup:
        return max(progress / warmup, 0.01)
    q = min((progress - warmup) / (1 - warmup), 1.0)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * q))


def set_rate(optimisers: list[torch.optim.Optimizer], factor: float) -> None:
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(group["peak"] * factor)
            else:
                group["lr"] = group["peak"] * factor


def start_from(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> list[str]:
    """Copies what has the same name and shape; names of everything else, in either."""
    own = model.state_dict()
    shared = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict(shared, strict=False)
    return sorted((own.keys() | weights.keys()) - shared.keys())


class Average:
    """Exponential moving average of the parameters; batch statistics are recalibrated for it, not averaged."""

    def __init__(self, model: torch.nn.Module, decay: float):
        self.decay = decay
        self.steps = 0
        self.values = [p.detach().clone() for p in model.parameters()]

    @torch.no_grad()
    def update(self, model: torch.nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        torch._foreach_lerp_(self.values, [p.detach() for p in model.parameters()], 1 - decay)

    @torch.no_grad()
    def copy_to(self, model: torch.nn.Module) -> None:
        for parameter, value in zip(model.parameters(), self.values, strict=True):
            parameter.copy_(value)
