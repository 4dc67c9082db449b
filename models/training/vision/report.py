"""Tables of docs/accuracy.md from finished runs: `python -m vision.report DATA NAME…`; scores the averaged weights in float32."""

import os
import sys

import torch

from ranges import Ranges
from vision.data import load_split
from vision.evaluate import accuracy, logits
from vision.vit import Shape, Vit

PARTS = {"stream": "residual stream", "scores": "scores before σ", "up": "inside the MLP"}


def watch(model: Vit, see: Ranges) -> None:
    """Shows `see` what the range penalty looks at, block by block."""

    def watch_block(i: int, block: torch.nn.Module) -> None:
        def stream(_module, _inputs, output) -> None:
            see(f"{i}.stream", output[0])

        def scores(attention, inputs) -> None:
            q, k, _, hard = inputs
            see(f"{i}.scores", attention.scores(q, k, hard))

        def mlp(u: torch.Tensor, hard: int):
            see(f"{i}.up", block.up_norm(u, hard) if block.form.inside else u)
            return unwatched(u, hard)

        # Not a hook: in parallel blocks `up` is part of one larger product and never called.
        unwatched, block.mlp = block.mlp, mlp
        block.register_forward_hook(stream)
        block.attention.register_forward_pre_hook(scores)

    for i, block in enumerate(model.blocks):
        watch_block(i, block)


def row(name: str, saved: dict, images: torch.Tensor, labels: torch.Tensor) -> str:
    """A run's line, from its checkpoint."""
    model = Vit(Shape.from_dict(saved["shape"]))
    model.load_state_dict(saved["averaged"])
    ranges = Ranges()
    watch(model, ranges)
    top1, top5 = accuracy(logits(model, images), labels)
    seen, minutes = (saved[count] + saved["before"][count] for count in ("seen", "minutes"))
    weights = sum(p.numel() for p in model.parameters())
    peaks = (", ".join(f"{ranges.largest[f'{i}.{part}']:.3g}" for i in range(len(model.blocks))) for part in PARTS)
    return f"| {name} | {weights:,} | {seen / 50000:.1f} | {minutes:.0f} | {100 * top1:.2f} | {100 * top5:.2f} | " + " | ".join(peaks) + " |"


def main() -> None:
    if len(sys.argv) < 3:
        raise SystemExit("usage: DATA and names of runs")
    images, labels = load_split(sys.argv[1], "valid")
    print("| run | weights | epochs | CPU or GPU minutes | top-1 | top-5 | largest values by block: " + " | ".join(PARTS.values()) + " |")
    print("|---|" + "---:|" * 5 + "---|" * len(PARTS))
    for name in sys.argv[2:]:
        print(row(name, torch.load(os.path.join("runs", name, "checkpoint.pt"), map_location="cpu"), images, labels))


if __name__ == "__main__":
    main()
