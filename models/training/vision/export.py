"""Turns a checkpoint into a model folder: recalibrates, folds, checks, measures ranges, writes the files."""

import argparse
import json
import os

import torch
from safetensors.torch import save_file

from balance import balance
from ranges import Ranges, Seer, block_ranges, rounded
from vision.card import write_card
from vision.data import load_classes, load_split, normalise
from vision.evaluate import accuracy, logits, recalibrate
from vision.fold import fold, fold_stem, folded_inputs, folded_logits
from vision.vit import Shape, Vit

AGREEMENT = 1e-3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with train/, valid/ and classes.txt")
    parser.add_argument("--run", required=True, help="folder of the training run")
    parser.add_argument("--out", required=True, help="model folder to write; its name becomes the model's")
    parser.add_argument("--reference", help="safetensors file to write with a few images and their logits, for tests")
    parser.add_argument("--note", default="", help="what the settings do not say about the run; goes into the card")
    parser.add_argument("--half", action="store_true", help="weights in float16; what that costs is printed")
    parser.add_argument("--calibration", type=int, default=20000, help="training images for the norms' statistics")
    return parser.parse_args()


@torch.no_grad()
def show(shape: Shape, tensors: dict, stem: dict, images: torch.Tensor, see: Seer) -> torch.Tensor:
    """Logits of the folded network over `images`; `see` is shown every value on the server."""
    parts = (folded_inputs(stem, shape.preprocessing(), normalise(part), Ranges()) for part in images.split(250))
    return torch.cat([folded_logits(tensors, shape.heads, part, see) for part in parts])


@torch.no_grad()
def check(model: Vit, tensors: dict, stem: dict, images: torch.Tensor) -> None:
    """Ends the program where the folded network and the trained one disagree."""
    folded, scores = show(model.shape, tensors, stem, images, Ranges()), logits(model, images)
    span = (scores.max() - scores.min()).item()
    worst = (folded - scores).abs().max().item()
    print(f"folded against unfolded: largest difference {worst:.2e}, {worst / span:.2e} of the logits' span")
    if not worst < AGREEMENT * max(span, 1):
        raise SystemExit("the folded network computes something else")


def hostile_images() -> torch.Tensor:
    """Images far from photographs: noise, hard stripes of several widths, and the corners of the colour cube."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 256, (500, 32, 32, 3), generator=generator, dtype=torch.uint8)
    binary = torch.randint(0, 2, (500, 32, 32, 3), generator=generator, dtype=torch.uint8) * 255
    flat = torch.cartesian_prod(*[torch.tensor([0, 255], dtype=torch.uint8)] * 3).view(8, 1, 1, 3).expand(8, 32, 32, 3)
    line = torch.arange(32)
    stripes = []
    for width in (1, 2, 4, 8, 16):
        on = line // width % 2
        for pattern in (on[:, None].expand(32, 32), on[None, :].expand(32, 32), on[:, None] ^ on[None, :]):
            stripes += [pattern, 1 - pattern]
    stripes = (torch.stack(stripes) * 255).to(torch.uint8)[..., None].expand(-1, 32, 32, 3)
    return torch.cat([noise, binary, flat, stripes])


class StreamPeaks:
    """Largest residual value of each image."""

    def __init__(self) -> None:
        self.largest = torch.zeros(())

    def __call__(self, name: str, value: torch.Tensor) -> torch.Tensor:
        if name.endswith(".stream"):
            self.largest = torch.maximum(self.largest, value.abs().amax((1, 2)))
        return value


@torch.no_grad()
def hostile_peaks(shape: Shape, tensors: dict, stem: dict) -> list[float]:
    """Largest residual value of each image, in falling order; infinite where float32 overflowed."""
    peaks = []
    for part in hostile_images().split(250):
        see = StreamPeaks()
        show(shape, tensors, stem, part, see)
        peaks += see.largest.nan_to_num(nan=torch.inf, posinf=torch.inf).tolist()
    return sorted(peaks, reverse=True)


def ranges_entry(see: Ranges, shape: Shape, images: int) -> dict:
    outer = {name: rounded(see.largest[name]) for name in ("embed", "logits")}
    return {"images": images, "embed": outer["embed"], "blocks": block_ranges(see, shape.blocks), "logits": outer["logits"]}


def main() -> None:
    a = arguments()
    saved = torch.load(os.path.join(a.run, "checkpoint.pt"), map_location="cpu")
    shape = Shape.from_dict(saved["shape"])
    model = Vit(shape)
    model.load_state_dict(saved["averaged"])
    torch.manual_seed(0)
    train_images, _ = load_split(a.data, "train")
    train_images = train_images[torch.randperm(len(train_images))[: a.calibration]]
    if not saved["frozen"]:
        recalibrate(model, train_images)
    images, labels = load_split(a.data, "valid")
    tensors, stem = fold(model), fold_stem(model)
    balance(tensors, shape.heads, lambda peaks: show(shape, tensors, stem, train_images[:2000], peaks))
    check(model, tensors, stem, images[:1000])
    if a.half:
        top1, _ = accuracy(show(shape, tensors, stem, images, Ranges()), labels)
        print(f"in float32: top-1 {100 * top1:.2f}%")
        tensors, stem = ({name: tensor.half().float() for name, tensor in part.items()} for part in (tensors, stem))
    see = Ranges()
    top1, top5 = accuracy(show(shape, tensors, stem, images, see), labels)
    print(f"folded model on valid/: top-1 {100 * top1:.2f}%, top-5 {100 * top5:.2f}% of {len(images)}")

    settings, before = saved["arguments"], saved["before"]
    epochs = lambda seen: round(seen / 50000, 1)  # noqa: E731
    config = {
        "name": os.path.basename(os.path.normpath(a.out)),
        "task": "classify",
        "architecture": {
            "tokens": shape.tokens,
            "inputs": shape.inputs,
            "width": shape.width,
            "heads": shape.heads,
            "hidden": shape.hidden,
            "blocks": shape.blocks,
            "classes": shape.classes,
            "displacements": shape.form.tables,
        },
        "preprocessing": shape.preprocessing(),
        "ranges": ranges_entry(see, shape, len(images)),
        "accuracy": {"top1": round(top1, 4), "top5": round(top5, 4), "images": len(images)},
        "training": {
            "data": "CIFAR-100 training split",
            "epochs": epochs(saved["seen"]),
            "minutes": round(saved["minutes"]),
            "stored": "f16" if a.half else "f32",
            "before": {"epochs": epochs(before["seen"]), "minutes": round(before["minutes"])},
            "device": settings["device"],
            "batch": settings["batch"],
            "optimiser": "Muon and AdamW" if settings["muon"] else "AdamW",
            "rates": [settings["muon"], settings["adam"]],
            "decay": settings["decay"],
            "smoothing": settings["smoothing"],
            "average": settings["average"],
            "range_weight": settings["range_weight"],
            "hard": settings["hard"],
            "note": a.note,
            "seed": settings["seed"],
            "torch": torch.__version__.split("+")[0],
        },
    }
    os.makedirs(a.out, exist_ok=True)
    for name, part in (("model", tensors), ("stem", stem)):
        stored = {name: tensor.half() for name, tensor in part.items()} if a.half else part
        if stored:
            save_file(stored, os.path.join(a.out, f"{name}.safetensors"))
    for name, value in (("config.json", config), ("labels.json", load_classes(a.data))):
        with open(os.path.join(a.out, name), "w", encoding="utf8") as file:
            json.dump(value, file, indent=2)
            file.write("\n")
    write_card(os.path.join(a.out, "README.md"), config, hostile_peaks(shape, tensors, stem))
    if a.reference:
        pick = torch.arange(4) * (len(images) // 4) + 7
        double, double_stem = ({name: tensor.double() for name, tensor in part.items()} for part in (tensors, stem))
        inputs = folded_inputs(double_stem, shape.preprocessing(), normalise(images[pick]).double(), Ranges())
        expected = folded_logits(double, shape.heads, inputs, Ranges())
        save_file({"images": images[pick].contiguous(), "logits": expected.float()}, a.reference)
    print(json.dumps(config["ranges"], indent=1))


if __name__ == "__main__":
    main()
