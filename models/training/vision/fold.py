"""Folds a trained model into the released form: plain linear maps, two squares and a product, no norms; before them the client's convolutions."""

import math
from dataclasses import replace

import torch
from torch.nn import functional as F

from folding import after_norm, norm_map
from ranges import Seer
from vision.vit import Form, Vit, displacements


@torch.no_grad()
def fold(model: Vit) -> dict[str, torch.Tensor]:
    """All tensors of the released form, float32, by name.

    Scores: p·BN(q·k/√F) + r becomes q'·k + r' by scaling q, and the factor after the square becomes its root before it.
    """
    shape, form = model.shape, model.shape.form
    if replace(form, tables=False, convolutions=0, scaling="root") != Form():
        raise SystemExit("the evaluator runs squares with batch norms and blocks in parallel, after convolutions or none")
    out = {"embed.weight": model.embed.weight.double(), "embed.position": model.position.double()}
    for i, block in enumerate(model.blocks):
        name, attention = f"blocks.{i}", block.attention
        root = math.sqrt(attention.factor)
        for part in ("key", "value"):
            linear = getattr(block, part)
            out[f"{name}.{part}.weight"], out[f"{name}.{part}.bias"] = after_norm(block.norm, linear.weight, linear.bias)
        weight, bias = after_norm(block.norm, block.query.weight, block.query.bias)
        scale, shift = norm_map(attention.score_norm)
        p, r = attention.score_scale.double(), attention.score_shift.double()
        per_channel = (root * p * scale / math.sqrt(shape.width // shape.heads)).repeat_interleave(shape.width // shape.heads)
        out[f"{name}.query.weight"] = weight * per_channel[:, None]
        out[f"{name}.query.bias"] = bias * per_channel
        out[f"{name}.scores.shift"] = root * (p * shift + r)
        offset = attention.score_offset.double() * attention.factor
        out[f"{name}.scores.offset"] = offset if form.tables else offset[:, 0]
        out[f"{name}.output.weight"], out[f"{name}.output.bias"] = block.output.weight.double(), block.output.bias.double()
        weight, bias = after_norm(block.norm, block.up.weight, block.up.bias)
        scale, shift = norm_map(block.up_norm)
        out[f"{name}.up.weight"], out[f"{name}.up.bias"] = weight * scale[:, None], bias * scale + shift
        out[f"{name}.down.weight"], out[f"{name}.down.bias"] = block.down.weight.double(), block.down.bias.double()
    out["head.weight"], out["head.bias"] = after_norm(model.norm, model.head.weight, model.head.bias)
    return {name: tensor.float().contiguous() for name, tensor in out.items()}


@torch.no_grad()
def fold_stem(model: Vit) -> dict[str, torch.Tensor]:
    """The client's tensors, float32, by name; none where the model has no convolutions."""
    if not model.convolutions:
        return {}
    out = {"last.weight": model.convolutions.last.weight.double()}
    for i, layer in enumerate(model.convolutions.layers):
        scale, shift = norm_map(layer.norm)
        out[f"convolutions.{i}.weight"], out[f"convolutions.{i}.bias"] = layer.weight.double() * scale[:, None], shift
    return {name: tensor.float().contiguous() for name, tensor in out.items()}


def folded_inputs(stem: dict[str, torch.Tensor], steps: dict, images: torch.Tensor, see: Seer) -> torch.Tensor:
    """What the client encrypts of images [B,3,32,32], [B,T,inputs], written from its definition alone; `steps` as in `config.json`."""
    patches = F.unfold(images, steps["patch"], padding=steps["pad"], stride=steps["stride"]).transpose(1, 2)
    if not stem:
        return patches
    x = images
    for i, layer in enumerate(steps["convolutions"]):
        weight = stem[f"convolutions.{i}.weight"].view(layer["channels"], -1, layer["size"], layer["size"])
        y = F.conv2d(x, weight, stem[f"convolutions.{i}.bias"], stride=layer["stride"], padding=layer["pad"])
        x = F.relu(see(f"convolutions.{i}", y.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    return patches + x.flatten(2).transpose(1, 2) @ stem["last.weight"].T


def offsets(table: torch.Tensor, tokens: int) -> torch.Tensor:
    """[heads] or [heads, displacements] as what is added to scores, [heads, 1, 1] or [heads, T, T]."""
    return table.view(-1, 1, 1) if table.dim() == 1 else table[:, displacements(math.isqrt(tokens))]


def folded_logits(tensors: dict[str, torch.Tensor], heads: int, patches: torch.Tensor, see: Seer) -> torch.Tensor:
    """The released network on patches [B,T,inputs], written from its definition alone."""

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    x = see("embed", patches @ tensors["embed.weight"].T + tensors["embed.position"])
    blocks = sum(1 for name in tensors if name.endswith(".scores.shift"))
    for i in range(blocks):
        name = f"blocks.{i}"
        q, k, v = (see(f"{name}.{part}", linear(f"{name}.{part}", x)) for part in ("query", "key", "value"))
        q, k, v = (z.unflatten(2, (heads, -1)).transpose(1, 2) for z in (q, k, v))
        scores = see(f"{name}.scores", q @ k.transpose(2, 3) + tensors[f"{name}.scores.shift"].view(-1, 1, 1))
        attention = see(f"{name}.attention", scores**2 + offsets(tensors[f"{name}.scores.offset"], x.shape[1]))
        mixed = see(f"{name}.mixed", (attention @ v).transpose(1, 2).flatten(2))
        up = see(f"{name}.up", linear(f"{name}.up", x))
        x = see(f"{name}.stream", x + linear(f"{name}.output", mixed) + linear(f"{name}.down", up**2))
    return see("logits", linear("head", x.mean(1)))
