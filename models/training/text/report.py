"""The tables of docs/accuracy.md from finished runs: `python -m text.report NAME…` scores what has no scores yet, in float32."""

import json
import os
import sys

import torch

from text.corpus import load_valid
from text.lm import Lm, Shape
from text.perplexity import of_model, perplexity


def load(name: str) -> tuple[dict, Lm]:
    saved = torch.load(os.path.join("runs", name, "checkpoint.pt"), map_location="cpu")
    model = Lm(Shape.from_dict(saved["shape"]))
    model.load_state_dict(saved["averaged"])
    return saved, model


def scores(name: str, model: Lm, valid: dict) -> dict:
    """Kept in the run's folder, because scoring takes a minute."""
    path = os.path.join("runs", name, "scores.json")
    if not os.path.exists(path):
        found = {text: perplexity(of_model(model), ids, model.shape.window) for text, ids in valid.items()}
        with open(path, "w", encoding="utf8") as file:
            json.dump(found, file, indent=1)
    with open(path, encoding="utf8") as file:
        return json.load(file)


def main() -> None:
    valid = load_valid("runs/corpus")
    print("| run | weights | million ids | CPU minutes | wiki2015: per id | per word | WikiText-103: per id | per word |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in sys.argv[1:]:
        saved, model = load(name)
        weights = sum(p.numel() for p in model.parameters())
        total = {key: saved[key] + saved.get("before", {}).get(key, 0) for key in ("seen", "spent_cpu")}
        s = scores(name, model, valid)
        cells = [f"{s[text][key]:.2f}" if key == "token" else f"{s[text][key]:.1f}" for text in valid for key in ("token", "word")]
        print(f"| {name} | {weights:,} | {total['seen'] / 1e6:.1f} | {total['spent_cpu'] / 60:.0f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
