"""Folds the language model into the released form, which server and client share; and that form's forward pass."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from folding import mapped, norm_map
from layer_norm import NoNorm
from text.lm import Lm
from text.recall import recalled


def block_norm(norm: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift per channel that follow a token's factor, in float64."""
    scale, shift = norm.weight.double(), norm.bias.double()
    return (scale if isinstance(norm, NoNorm) else scale * torch.rsqrt(norm.average.double())), shift


def centred(x: torch.Tensor) -> torch.Tensor:
    """Without the mean over the output channels, which every reader of the stream would take away."""
    return x.double() - x.double().mean(0)


@torch.no_grad()
def fold(model: Lm) -> dict[str, torch.Tensor]:
    """The server's tensors, float32, by name; `blocks.i.norm` holds ν of its norm n = (3/2 − ν|x|²)x.

    Scores: p·BN(q·k/√F) + r becomes q'·k + shift; the 1/√T after the square goes into both tables, as its root into the gain.
    """
    shape = model.shape
    out = {}
    for i, block in enumerate(model.blocks):
        name, attention = f"blocks.{i}", block.attention
        norm = block_norm(block.norm)
        if i > 0:
            out[f"{name}.norm"] = 1 / (2 * shape.width * block.norm.average.double())
        for part in ("key", "value"):
            linear = getattr(block, part)
            out[f"{name}.{part}.weight"], out[f"{name}.{part}.bias"] = mapped(norm, linear.weight, linear.bias)
        weight, bias = mapped(norm, block.query.weight, block.query.bias)
        scale, shift = norm_map(attention.score_norm)
        p, r = attention.score_scale.double(), attention.score_shift.double()
        head_width = shape.width // shape.heads
        per_channel = (p * scale / math.sqrt(head_width)).repeat_interleave(head_width)
        out[f"{name}.query.weight"] = weight * per_channel[:, None]
        out[f"{name}.query.bias"] = bias * per_channel
        out[f"{name}.scores.shift"] = p * shift + r
        out[f"{name}.scores.gain"] = attention.score_gain.double() * attention.factor**0.5
        out[f"{name}.scores.offset"] = attention.score_offset.double() * attention.factor
        out[f"{name}.output.weight"], out[f"{name}.output.bias"] = centred(block.output.weight), centred(block.output.bias)
        weight, bias = mapped(norm, block.up.weight, block.up.bias)
        scale, shift = norm_map(block.up_norm)
        out[f"{name}.up.weight"], out[f"{name}.up.bias"] = weight * scale[:, None], bias * scale + shift
        out[f"{name}.down.weight"], out[f"{name}.down.bias"] = centred(block.down.weight), centred(block.down.bias)
    return {name: tensor.float().contiguous() for name, tensor in out.items()}


def client_tensors(model: Lm) -> dict[str, torch.Tensor]:
    tensors = {"embed.weight": model.embed.weight, "embed.position": model.position, "embed.recall": model.recall, "bias": model.bias}
    return tensors | {"norm.weight": model.norm.weight, "norm.bias": model.norm.bias}


@torch.no_grad()
def embedding(model: Lm) -> dict[str, torch.Tensor]:
    """The client's tensors, float16."""
    return {name: tensor.detach().half().contiguous() for name, tensor in client_tensors(model).items()}


@torch.no_grad()
def round_embedding(model: Lm) -> None:
    """The training form takes the client's float16 values, so that recalibration and checks see what is released."""
    for tensor in client_tensors(model).values():
        tensor.copy_(tensor.half())


def toeplitz(table: torch.Tensor) -> torch.Tensor:
    """[H,T] over distances to [H,T,T], zero for s > t."""
    t = table.shape[1]
    distance = torch.arange(t)[:, None] - torch.arange(t)
    return torch.where(distance >= 0, table[:, distance.clamp_min(0)], 0)


def embed(client: dict[str, torch.Tensor], tokens: torch.Tensor) -> torch.Tensor:
    weight = client["embed.weight"]
    return normalised(weight[tokens] + recalled(weight, client["embed.recall"], tokens) + client["embed.position"])


def normalised(x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:])


def folded_hidden(tensors: dict[str, torch.Tensor], heads: int, x: torch.Tensor, see) -> torch.Tensor:
    """The server's network on embedded tokens [B,T,d], at every position, written from its definition alone.

    `see(name, value)` is shown every value an encrypted evaluation holds and returns what the pass goes on with.
    """

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    x = see("embed", x)
    blocks = sum(1 for name in tensors if name.endswith(".scores.shift"))
    for i in range(blocks):
        name = f"blocks.{i}"
        n = x
        if f"{name}.norm" in tensors:
            n = see(f"{name}.normed", x * (1.5 - tensors[f"{name}.norm"] * (x**2).sum(-1, keepdim=True)))
        q, k, v = (see(f"{name}.{part}", linear(f"{name}.{part}", n)) for part in ("query", "key", "value"))
        q, k, v = (z.unflatten(2, (heads, -1)).transpose(1, 2) for z in (q, k, v))
        gain, offset = toeplitz(tensors[f"{name}.scores.gain"]), toeplitz(tensors[f"{name}.scores.offset"])
        scores = see(f"{name}.scores", gain * (q @ k.transpose(2, 3) + tensors[f"{name}.scores.shift"].view(-1, 1, 1)))
        attention = see(f"{name}.attention", scores**2 + offset)
        mixed = see(f"{name}.mixed", (attention @ v).transpose(1, 2).flatten(2))
        up = see(f"{name}.up", linear(f"{name}.up", n))
        x = see(f"{name}.stream", x + linear(f"{name}.output", mixed) + linear(f"{name}.down", up**2))
    return see("hidden", x)


def last_norm(client: dict[str, torch.Tensor], hidden: torch.Tensor) -> torch.Tensor:
    return normalised(hidden) * client["norm.weight"] + client["norm.bias"]


def logits(client: dict[str, torch.Tensor], hidden: torch.Tensor) -> torch.Tensor:
    return last_norm(client, hidden) @ client["embed.weight"].T + client["bias"]
