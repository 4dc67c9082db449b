"""A deeper and wider network that begins as a released one: the same function at its first step, then trained on with `--start`.

`python -m vision.grow --data $DATA --model ../cifar100-vit --run runs/grown --blocks 6 --width 192 --heads 3 --hidden 384`

Old channels, heads and hidden values come first. New ones are written but not yet read, a new block after each old one adds nothing yet:
function-preserving growth after Chen et al., Net2Net (arXiv 1511.05641). With the sizes that it has already, a released model is unfolded: that
is how training goes on where its checkpoint is lost.
"""

import argparse
import math
import os

import torch

from norms import EPS
from vision.data import load_split
from vision.evaluate import accuracy, logits, recalibrate
from vision.released import Released
from vision.vit import Form, Shape, Vit


class Moments:
    """Mean and variance per channel (per head of scores) of what the folded network shows, over all it is shown."""

    def __init__(self) -> None:
        self.sums: dict[str, list[torch.Tensor]] = {}

    def __call__(self, name: str, value: torch.Tensor) -> torch.Tensor:
        rest = [d for d in range(value.dim()) if d != (1 if name.endswith(("scores", "attention")) else value.dim() - 1)]
        wide = value.double()
        now = [wide.mean(rest), wide.square().mean(rest), torch.ones((), dtype=torch.double)]
        before = self.sums.get(name)
        self.sums[name] = [a + b for a, b in zip(before, now, strict=True)] if before else now
        return value

    def of(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation, as the norms take it."""
        first, second, count = self.sums[name]
        mean = first / count
        return mean, (second / count - mean**2 + EPS).sqrt()


def put(target: torch.Tensor, value: torch.Tensor) -> None:
    """`value` into the first entries of `target`."""
    target[tuple(slice(n) for n in value.shape)] = value.to(target.dtype)


@torch.no_grad()
def grow(old: dict[str, torch.Tensor], heads: int, model: Vit, seen: Moments) -> None:
    """Writes the folded network `old` into the first channels of `model` and silences the rest; statistics are left to `recalibrate`."""
    shape = model.shape
    kept = sum(1 for name in old if name.endswith(".scores.shift"))
    width = old["head.weight"].shape[1]
    feature = width // heads
    if shape.width // shape.heads != feature or shape.blocks % kept or not shape.form.tables:
        raise SystemExit("growing keeps the heads' width, multiplies the blocks and needs tables")
    root = math.sqrt(model.blocks[0].attention.factor)

    def unfolded(name: str, norm: str) -> tuple[torch.Tensor, torch.Tensor]:
        """The linear map as one of the normed input."""
        mean, deviation = seen.of(norm)
        weight = old[f"{name}.weight"].double()
        return weight * deviation, old[f"{name}.bias"].double() + weight @ mean

    def write(linear: torch.nn.Linear, weight: torch.Tensor, bias: torch.Tensor) -> None:
        linear.weight[:, weight.shape[1] :] = 0
        linear.weight[: weight.shape[0], : weight.shape[1]] = weight
        put(linear.bias, bias)

    put(model.embed.weight, old["embed.weight"])
    put(model.position, old["embed.position"])
    before = "embed"
    for i in range(kept):
        name = f"blocks.{i}"
        every = shape.blocks // kept
        block, fresh = model.blocks[i * every], model.blocks[i * every + 1 : (i + 1) * every]
        for other in fresh:
            for linear in (other.output, other.down):
                linear.weight.zero_()
            for linear in (other.query, other.key, other.value, other.up):
                linear.weight[:, width:] *= 0.1
        for part in ("query", "key", "value", "up"):
            weight, bias = unfolded(f"{name}.{part}", before)
            if part == "query":
                weight, bias = weight * math.sqrt(feature), bias * math.sqrt(feature)
            write(getattr(block, part), weight, bias)
        write(block.output, old[f"{name}.output.weight"], old[f"{name}.output.bias"])
        write(block.down, old[f"{name}.down.weight"], old[f"{name}.down.bias"])
        mean, deviation = seen.of(f"{name}.up")
        put(block.up_norm.weight, deviation)
        put(block.up_norm.bias, mean)
        mean, deviation = seen.of(f"{name}.scores")
        put(block.attention.score_scale, deviation / root)
        put(block.attention.score_shift, mean / root)
        offset = old[f"{name}.scores.offset"] / root**2
        put(block.attention.score_offset, offset if offset.dim() == 2 else offset[:, None].expand(-1, block.attention.score_offset.shape[1]))
        before = f"{name}.stream"
    write(model.head, *unfolded("head", before))


@torch.no_grad()
def grow_stem(old: dict[str, torch.Tensor], model: Vit, seen: Moments) -> None:
    """Writes folded convolutions of the same sizes into `model`'s."""
    for i, layer in enumerate(model.convolutions.layers):
        layer.weight.copy_(old[f"convolutions.{i}.weight"])
        mean, deviation = seen.of(f"convolutions.{i}")
        layer.norm.weight.copy_(deviation)
        layer.norm.bias.copy_(mean)
    model.convolutions.last.weight.copy_(old["last.weight"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", required=True, help="folder of a released model")
    parser.add_argument("--run", required=True, help="folder for the checkpoint that --start reads")
    for name, value in (("blocks", 6), ("width", 192), ("heads", 3), ("hidden", 384)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--scaling", default="root", choices=("none", "root", "length"))
    parser.add_argument("--convolutions", type=int, default=0, help="channels of the last of new ones; a model that has some keeps them")
    a = parser.parse_args()
    torch.manual_seed(1)
    old = Released.load(a.model)
    known = old.config["preprocessing"].get("convolutions", [])
    channels = known[-1]["channels"] if known else a.convolutions
    images, _ = load_split(a.data, "train")
    images = images[torch.randperm(len(images))[:5000]]
    form = Form(scaling=a.scaling, tables=True, convolutions=channels)
    model = Vit(Shape(width=a.width, heads=a.heads, hidden=a.hidden, blocks=a.blocks, form=form))
    seen = Moments()
    for part in images.split(250):
        old.logits(part, seen, seen)
    grow(old.tensors, old.heads, model, seen)
    if known:
        grow_stem(old.stem, model, seen)
    recalibrate(model, images)
    valid, labels = load_split(a.data, "valid")
    top1, top5 = accuracy(logits(model, valid[:1000]), labels[:1000])
    print(f"before training: top-1 {100 * top1:.2f}%, top-5 {100 * top5:.2f}% of the first 1,000")
    os.makedirs(a.run, exist_ok=True)
    training = old.config["training"]
    epochs, minutes = (training[name] + training["before"][name] for name in ("epochs", "minutes"))
    before = {"seen": round(epochs * 50000), "minutes": float(minutes)}
    torch.save({"averaged": model.state_dict(), "shape": model.shape.to_dict(), **before}, os.path.join(a.run, "checkpoint.pt"))


if __name__ == "__main__":
    main()
