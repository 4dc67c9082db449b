"""Writes the page's sample images: chosen validation images as 32×32 PNG files, and their list."""

import argparse
import json
import os

import torch
from PIL import Image

from vision.data import load_classes, load_split
from vision.released import Released

# Label: position among its class's validation images. By eye, for being recognisable; the butterfly is one that both models get wrong, the apple one that the fast one does.
CHOSEN = {
    "bicycle": 5,
    "butterfly": 2,
    "clock": 11,
    "lion": 13,
    "motorcycle": 3,
    "mountain": 3,
    "rocket": 0,
    "sunflower": 5,
    "tiger": 7,
    "apple": 0,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", required=True, help="model folder, to print what it answers")
    parser.add_argument("--out", required=True, help="web/samples")
    a = parser.parse_args()
    classes = load_classes(a.data)
    images, labels = load_split(a.data, "valid")
    model = Released.load(a.model)
    os.makedirs(a.out, exist_ok=True)
    for label, number in CHOSEN.items():
        image = images[labels == classes.index(label)][number]
        Image.fromarray(image.numpy()).save(os.path.join(a.out, f"{label}.png"), optimize=True)
        best = torch.softmax(model.logits(image[None])[0], 0).topk(3)
        print(label, [f"{classes[c]} {p:.2f}" for p, c in zip(best.values.tolist(), best.indices.tolist())])
    with open(os.path.join(a.out, "samples.json"), "w", encoding="utf8") as file:
        json.dump([{"file": f"{label}.png", "label": label} for label in CHOSEN], file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
