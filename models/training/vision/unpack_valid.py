"""Writes a split as one folder of PNG files per class, the form `cipherformer evaluate --images` reads."""

import argparse
import os

from PIL import Image

from vision.data import load_classes, load_split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with valid/ strips and classes.txt")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--out", required=True, help="folder to fill, outside the repository")
    parser.add_argument("--per-class", type=int, default=0, help="0 writes all images")
    a = parser.parse_args()
    classes = load_classes(a.data)
    images, labels = load_split(a.data, a.split)
    for label, name in enumerate(classes):
        folder = os.path.join(a.out, name)
        os.makedirs(folder, exist_ok=True)
        own = images[labels == label]
        for number, image in enumerate(own[: a.per_class or len(own)]):
            Image.fromarray(image.numpy()).save(os.path.join(folder, f"{number:03}.png"))


if __name__ == "__main__":
    main()
