"""Tables of docs/accuracy.md from finished runs: `python -m vision.report DATA NAME…`; scores the averaged weights in float32."""

import os
import sys

import torch

from vision.data import load_split
from vision.evaluate import accuracy, logits
from vision.vit import Shape, Vit


def largest_streams(model: Vit, images: torch.Tensor) -> list[float]:
    """Largest residual value after each block."""
    peaks = [0.0] * len(model.blocks)

    def keep(i: int):
        def hook(_module, _inputs, output) -> None:
            peaks[i] = max(peaks[i], output[0].abs().max().item())

        return hook

    hooks = [block.register_forward_hook(keep(i)) for i, block in enumerate(model.blocks)]
    logits(model, images)
    for hook in hooks:
        hook.remove()
    return peaks


def main() -> None:
    if len(sys.argv) < 3:
        raise SystemExit("usage: DATA and names of runs")
    images, labels = load_split(sys.argv[1], "valid")
    print("| run | weights | epochs | CPU or GPU minutes | top-1 | top-5 | largest residual value by block |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for name in sys.argv[2:]:
        saved = torch.load(os.path.join("runs", name, "checkpoint.pt"), map_location="cpu")
        model = Vit(Shape.from_dict(saved["shape"]))
        model.load_state_dict(saved["averaged"])
        top1, top5 = accuracy(logits(model, images), labels)
        steps = saved["step"] + saved["before"]["step"]
        minutes = (saved["spent_cpu"] + saved["before"]["spent_cpu"]) / 60
        weights = sum(p.numel() for p in model.parameters())
        epochs = steps * saved["arguments"]["batch"] / 50000
        streams = ", ".join(f"{peak:.3g}" for peak in largest_streams(model, images))
        print(f"| {name} | {weights:,} | {epochs:.1f} | {minutes:.0f} | {100 * top1:.2f} | {100 * top5:.2f} | {streams} |")


if __name__ == "__main__":
    main()
