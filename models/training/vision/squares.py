"""Squares in place of GELU, the paper's third stage at degree two: each σ and each hidden channel gets the parabola nearest to GELU on its own inputs.

A parabola p (u + b)² + c needs no operation that the square does not have: √p and b join the affine map before it, c the bias after it.
"""

from dataclasses import replace

import torch
from torch.nn import functional as F

from vision.data import normalise
from vision.vit import Vit

FLATTEST = 0.05  # a channel far on GELU's linear side would otherwise ask for a vertex far away, and large squares


class Parabola:
    """Least squares per channel, from sums of powers: GELU(u) ≈ curve·(u + shift)² + rest."""

    def __init__(self) -> None:
        self.powers = self.products = torch.zeros((), dtype=torch.double)

    def see(self, u: torch.Tensor) -> None:
        """Values [samples, channels]."""
        u = u.double()
        y = F.gelu(u, approximate="tanh")
        self.powers = self.powers + torch.stack([(u**k).sum(0) for k in range(5)], -1)
        self.products = self.products + torch.stack([(y * u**k).sum(0) for k in range(3)], -1)

    def fit(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        index = torch.arange(3)
        gram = self.powers[:, index[:, None] + index]
        best = torch.linalg.solve(gram, self.products[..., None])[..., 0]
        curve = best[:, 2].clamp_min(FLATTEST)
        line = self.products[:, :2] - curve[:, None] * self.powers[:, 2:4]
        rest, slope = torch.linalg.solve(gram[:, :2, :2], line[..., None])[..., 0].unbind(-1)
        return curve, slope / (2 * curve), rest - slope**2 / (4 * curve)


@torch.no_grad()
def squared(model: Vit, images: torch.Tensor, batch: int = 100) -> Vit:
    """The network with squares, fitted on what the activations of `model` see in these images (uint8)."""
    form = model.shape.form
    if (form.attention, form.activation, form.inside) != ("gelu", "gelu", True):
        raise SystemExit("squares replace GELU in both places, where norms stand before it")
    heads, hidden = ([Parabola() for _ in model.blocks] for _ in range(2))

    def watch(i: int, block: torch.nn.Module) -> list:
        def scores(attention, inputs) -> None:
            q, k, _, hard = inputs
            w = attention.scores(q, k, hard)
            w = attention.score_scale.view(-1, 1, 1) * w + attention.score_shift.view(-1, 1, 1)
            heads[i].see(w.transpose(0, 1).flatten(1).T)

        def up(_norm, _inputs, output) -> None:
            hidden[i].see(output.flatten(0, 1))

        return [block.attention.register_forward_pre_hook(scores), block.up_norm.register_forward_hook(up)]

    hooks = [hook for i, block in enumerate(model.blocks) for hook in watch(i, block)]
    model.eval()
    for part in images.split(batch):
        model(normalise(part))
    for hook in hooks:
        hook.remove()

    new = Vit(replace(model.shape, form=replace(form, attention="square", activation="square")))
    new.load_state_dict(model.state_dict())
    for block, of_heads, of_hidden in zip(new.blocks, heads, hidden, strict=True):
        curve, shift, rest = (z.float() for z in of_heads.fit())
        attention = block.attention
        attention.score_scale.mul_(curve.sqrt())
        attention.score_shift.add_(shift).mul_(curve.sqrt())
        attention.score_offset.add_(rest[:, None])
        curve, shift, rest = (z.float() for z in of_hidden.fit())
        block.up_norm.weight.mul_(curve.sqrt())
        block.up_norm.bias.add_(shift).mul_(curve.sqrt())
        block.down.bias.add_(block.down.weight @ rest)
    return new
