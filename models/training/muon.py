"""PyTorch's Muon with Newton-Schulz iterations in float32, matrices of one shape together.

The library iterates in bfloat16, which a processor without such products emulates: twelve times as slow as this with AVX2.
"""

import torch


def orthogonalised(updates: torch.Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> torch.Tensor:
    """[N,rows,columns] with singular values near one (Jordan et al., Muon, 2024)."""
    a, b, c = coefficients
    tall = updates.shape[1] > updates.shape[2]
    x = updates.transpose(1, 2) if tall else updates
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(eps)
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + torch.baddbmm(gram, gram, gram, beta=b, alpha=c) @ x
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Muon):
    """Rates are adjusted to AdamW's root mean square, as the library's `match_rms_adamw`."""

    @torch.no_grad()
    def step(self, closure=None):
        if closure is not None:
            raise ValueError("no closure")
        for group in self.param_groups:
            shapes: dict[torch.Size, list[torch.Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    shapes.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in shapes.items():
                updates = torch.stack(self.moved(parameters, group["momentum"]))
                updates = orthogonalised(updates, group["ns_coefficients"], group["ns_steps"], group["eps"])
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_sub_(parameters, list((0.2 * max(shape) ** 0.5 * group["lr"] * updates).unbind()))

    def moved(self, parameters: list[torch.Tensor], momentum: float) -> list[torch.Tensor]:
        """Nesterov's momentum."""
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        buffers, gradients = [self.state[p]["momentum_buffer"] for p in parameters], [p.grad for p in parameters]
        torch._foreach_lerp_(buffers, gradients, 1 - momentum)
        return list(torch._foreach_lerp(gradients, buffers, momentum))
