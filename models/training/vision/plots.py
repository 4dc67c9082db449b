"""The plots of docs/accuracy.md: `python -m vision.plots OUT --runs RUN… --models FOLDER…`: training curves from logs, ranges from `config.json`."""

import argparse
import json
import os

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot, ticker  # noqa: E402

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "cipherformer", "font.family": "sans-serif", "axes.spines.top": False, "axes.spines.right": False}
PARTS = {"stream": "residual stream", "up": "inside the MLP", "scores": "scores", "attention": "attention weights"}


def name_of(folder: str) -> str:
    return os.path.basename(os.path.normpath(folder))


def save(figure, path: str) -> None:
    figure.savefig(path, metadata={"Date": None})


def curves(runs: list[str], path: str) -> None:
    """Top-1 of the averaged weights on the validation images, and the loss on training images, by epoch."""
    figure, (right, loss) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for run in runs:
        with open(os.path.join(run, "log.jsonl"), encoding="utf8") as file:
            entries = [json.loads(line) for line in file]
        measured = [entry for entry in entries if "top1" in entry]
        right.plot([e["epoch"] for e in measured], [100 * e["top1"] for e in measured], marker=".", label=name_of(run))
        trained = [entry for entry in entries if "loss" in entry]
        loss.plot([e["epoch"] for e in trained], [e["loss"] for e in trained], marker=".", label=name_of(run))
    right.set(xlabel="epoch", ylabel="top-1, % of 5,000 held-out images")
    loss.set(xlabel="epoch", ylabel="training loss, label smoothing 0.1")
    for axis in (right, loss):
        axis.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    right.legend(frameon=False)
    save(figure, path)


def ranges(models: list[str], path: str) -> None:
    """Largest magnitudes over the validation images, block by block."""
    figure, axes = pyplot.subplots(1, len(models), figsize=(4.5 * len(models), 3.4), sharey=True, squeeze=False, layout="constrained")
    for axis, folder in zip(axes[0], models, strict=True):
        with open(os.path.join(folder, "config.json"), encoding="utf8") as file:
            blocks = json.load(file)["ranges"]["blocks"]
        for part, label in PARTS.items():
            axis.plot(range(1, len(blocks) + 1), [block[part] for block in blocks], marker="o", label=label)
        axis.set(title=name_of(folder), xlabel="block", xticks=range(1, len(blocks) + 1), yscale="log")
    axes[0, 0].set_ylabel("largest magnitude")
    axes[0, 0].yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes[0, 0].yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axes[0, 0].yaxis.set_minor_formatter(ticker.NullFormatter())
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(PARTS), frameon=False)
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", help="folder for the SVG files")
    parser.add_argument("--runs", nargs="+", required=True)
    parser.add_argument("--models", nargs="+", required=True)
    a = parser.parse_args()
    os.makedirs(a.out, exist_ok=True)
    with pyplot.rc_context(STYLE):
        curves(a.runs, os.path.join(a.out, "curves.svg"))
        ranges(a.models, os.path.join(a.out, "ranges.svg"))


if __name__ == "__main__":
    main()
