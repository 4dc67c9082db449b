"""Turns a checkpoint into a model folder: recalibrates, folds, checks, measures ranges and noise, writes the files."""

import argparse
import json
import os
import shutil

import torch
from safetensors.torch import save_file

from balance import ChannelPeaks, balance
from ranges import Ranges, block_ranges, rounded
from text.batches import Windows, strange_prompts
from text.card import write_card
from text.corpus import load_tokenizer, load_train, load_valid
from text.fold import embed, embedding, fold, folded_hidden, last_norm, logits, round_embedding
from text.lm import Lm, Shape
from text.noise import under_noise
from text.perplexity import perplexity, recalibrate, scored_windows

AGREEMENT = 1e-4


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default="runs/corpus", help="folder text.corpus wrote")
    parser.add_argument("--run", required=True, help="folder of the training run")
    parser.add_argument("--out", required=True, help="model folder to write; its name becomes the model's")
    parser.add_argument("--reference", help="safetensors file to write with a few windows and their answers, for tests")
    parser.add_argument("--note", default="", help="what the settings do not say about the run; goes into the card")
    parser.add_argument("--calibration", type=int, default=8192, help="training windows for the norms' statistics")
    return parser.parse_args()


def double(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.double() for name, tensor in tensors.items()}


@torch.no_grad()
def check(model: Lm, tensors: dict, client: dict, windows: torch.Tensor) -> float:
    """Largest difference of a normed hidden value between the two forms in float64, relative to the largest; fails above AGREEMENT."""
    client = double(client)
    found = last_norm(client, folded_hidden(double(tensors), model.shape.heads, embed(client, windows), lambda _, value: value))
    expected = model.double().hidden(windows)[0]
    model.float()
    worst = ((found - expected).abs().max() / expected.abs().max()).item()
    print(f"folded against training form: {worst:.2e} of the largest hidden value")
    if not worst < AGREEMENT:
        raise SystemExit("the folded network computes something else")
    return worst


def strange_windows(shape: Shape) -> torch.Tensor:
    """Every id repeated, and 1,200 random or periodic prompts."""
    repeated = torch.arange(shape.vocabulary)[:, None].expand(-1, shape.window)
    generator = torch.Generator().manual_seed(5)
    return torch.cat([repeated, strange_prompts(1200, shape.window, shape.vocabulary, generator)])


@torch.no_grad()
def strange_peaks(tensors: dict, client: dict, shape: Shape) -> list[float]:
    """Largest residual value of each strange prompt, in falling order."""
    peaks = []

    def see(name: str, value: torch.Tensor) -> torch.Tensor:
        if name.endswith(".stream"):
            peaks[-1] = torch.maximum(peaks[-1], value.abs().amax((1, 2)))
        return value

    for part in strange_windows(shape).split(128):
        peaks.append(torch.zeros(len(part)))
        folded_hidden(tensors, shape.heads, embed(client, part), see)
    return sorted(torch.cat(peaks).tolist(), reverse=True)


def prompts_of(valid: dict, shape: Shape, count: int) -> torch.Tensor:
    """Windows spread over wiki2015's validation text; a quarter begins with pads."""
    inputs = scored_windows(valid["wiki2015_valid"]["ids"], shape.window)[0][2:]
    picked = inputs[torch.arange(count) * (len(inputs) // count)].clone()
    pads = torch.where(torch.arange(count) % 4 == 0, torch.arange(count) * 7 % 60, 0)
    picked[torch.arange(shape.window) < pads[:, None]] = 0
    return picked


def main() -> None:
    a = arguments()
    torch.manual_seed(0)
    saved = torch.load(os.path.join(a.run, "checkpoint.pt"), map_location="cpu")
    shape = Shape.from_dict(saved["shape"])
    model = Lm(shape)
    model.load_state_dict(saved["averaged"])
    round_embedding(model)
    corpus, valid = load_train(a.corpus), load_valid(a.corpus)
    windows = Windows(corpus, load_tokenizer(a.corpus).token_to_id("Ċ"), shape.window, 11)
    calibration = windows.take(next(windows.passes(a.calibration)), a.calibration // 12)[0]
    if not saved.get("frozen", False):
        recalibrate(model, calibration)
    model.eval()
    tensors, client_half = fold(model), embedding(model)
    client = {name: tensor.float() for name, tensor in client_half.items()}

    def show(peaks: ChannelPeaks) -> None:
        for part in calibration[:2048].split(128):
            folded_hidden(tensors, shape.heads, embed(client, part), peaks)

    balance(tensors, shape.heads, show)
    prompts = prompts_of(valid, shape, 500)
    agreement = check(model, tensors, client_half, prompts[:64])

    see, scores = Ranges(), {}
    for name, text in valid.items():
        scores[name] = perplexity(
            lambda x: logits(client, folded_hidden(tensors, shape.heads, embed(client, x), see)), text, shape.window
        )
        print(name, scores[name])
    count = sum(-(-len(text["ids"]) // (shape.window // 2)) for text in valid.values())
    ranges = {"windows": count, "embed": rounded(see.largest["embed"])}
    ranges |= {"blocks": block_ranges(see, shape.blocks), "hidden": rounded(see.largest["hidden"])}
    noise = under_noise(tensors, client, shape.heads, prompts)
    strange = strange_peaks(tensors, client, shape)
    print(json.dumps({"ranges": ranges, "noise": noise, "strange": strange[:5]}, indent=1))

    settings = saved["arguments"]
    seen, spent = (saved[name] + saved.get("before", {}).get(name, 0) for name in ("seen", "spent_cpu"))
    config = {
        "name": os.path.basename(os.path.normpath(a.out)),
        "task": "complete",
        "architecture": {
            "window": shape.window,
            "width": shape.width,
            "heads": shape.heads,
            "hidden": shape.hidden,
            "blocks": shape.blocks,
            "vocabulary": shape.vocabulary,
        },
        "norms": [tensors[f"blocks.{i}.norm"].item() for i in range(1, shape.blocks)],
        "pad": 0,
        "ranges": ranges,
        "perplexity": {name: {key: s[key] for key in ("token", "word", "tokens")} for name, s in scores.items()},
        "training": {
            "data": "wiki2015 (English Wikipedia, spring 2015) and WikiText-2 train",
            "tokens": seen,
            "passes": round(seen / len(corpus), 2),
            "cpu_minutes": round(spent / 60),
            "batch": settings["batch"],
            "optimiser": "Muon and AdamW",
            "rates": [settings["muon"], settings["adam"]],
            "decay": settings["decay"],
            "average": settings["average"],
            "range_weight": settings["range_weight"],
            "padded": settings["padded"],
            "hard": settings["hard"],
            "note": a.note,
            "seed": settings["seed"],
            "torch": torch.__version__.split("+")[0],
        },
    }
    os.makedirs(a.out, exist_ok=True)
    save_file({name: tensor for name, tensor in tensors.items() if tensor.dim()}, os.path.join(a.out, "model.safetensors"))
    save_file(client_half, os.path.join(a.out, "embedding.safetensors"))
    shutil.copy(os.path.join(a.corpus, "tokenizer.json"), a.out)
    with open(os.path.join(a.out, "config.json"), "w", encoding="utf8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    measured = {"words": {name: s["words"] for name, s in scores.items()}, "noise": noise, "strange": strange, "agreement": agreement}
    write_card(os.path.join(a.out, "README.md"), config, measured)
    if a.reference:
        picked = prompts[torch.tensor([1, 4, 202, 303])]
        exact = folded_hidden(double(tensors), shape.heads, embed(double(client), picked), lambda _, value: value)[:, -1]
        answer = {"tokens": picked.int(), "hidden": exact.float(), "logits": logits(double(client), exact).float()}
        save_file({name: tensor.contiguous() for name, tensor in answer.items()}, a.reference)


if __name__ == "__main__":
    main()
