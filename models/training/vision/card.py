"""The model card, written from the configuration so that its numbers cannot drift from it."""

import math

from ranges import ranges_table

MINUTES = {"cpu": "minutes of processor time", "cuda": "minutes of one GPU"}


def write_card(path: str, config: dict, hostile: list[float]) -> None:
    a, t, acc = config["architecture"], config["training"], config["accuracy"]
    d, h = a["width"], a["hidden"]
    offsets = (2 * math.isqrt(a["tokens"]) - 1) ** 2 if a["displacements"] else 1
    block = 4 * d * (d + 1) + h * (d + 1) + d * (h + 1) + a["heads"] * (1 + offsets)
    weights = d * (a["inputs"] + a["tokens"]) + a["blocks"] * block + a["classes"] * (d + 1)
    convolutions = config["preprocessing"]["convolutions"]
    client, stem_file = "", ""
    if convolutions:
        inputs = [3, *(layer["channels"] for layer in convolutions)]
        stem = sum(layer["channels"] * (n * layer["size"] ** 2 + 1) for n, layer in zip(inputs, convolutions, strict=False))
        stem += a["inputs"] * inputs[-1]
        sizes = ", ".join(f"{layer['size']}×{layer['size']} to {layer['channels']} channels with stride {layer['stride']}" for layer in convolutions)
        client = f"""
Before it encrypts, the client adds to the patches what {len(convolutions)} convolutions with ReLU find in the image ({sizes}; a linear map to the {a["inputs"]} values of a
patch): {stem:,} weights more, in the clear, no level, no byte on the wire.
"""
        stem_file = "| `stem.safetensors` | the client's convolutions |\n"
    before = t["before"]
    earlier = f", after {before['epochs']} epochs and {before['minutes']} minutes of what it started from" if before["epochs"] else ""
    largest = max(block["stream"] for block in config["ranges"]["blocks"])
    inside = sum(value <= 2 * largest for value in hostile)
    worst = [f"{value:.2g}" if math.isfinite(value) else "more than float32 holds" for value in hostile[:3]]
    text = f"""# {config["name"]}

Classifies a 32×32 colour image into the 100 classes of CIFAR-100. Every operation is an addition or a multiplication,
so the network runs on CKKS ciphertexts: the server that evaluates it sees neither the image nor the class.

## Model

{a["blocks"]} transformer blocks in parallel form, {a["tokens"]} tokens (overlapping {config["preprocessing"]["patch"]}×{config["preprocessing"]["patch"]} patches), width {d}, {a["heads"]} heads, MLP {h};
σ-attention with a quadratic σ in place of softmax{", its offset one a displacement of two patches" if a["displacements"] else ""}, a square in the MLP, batch norms folded into the weights.
{weights:,} weights, {t["stored"]}. Formulas: `crates/model/README.md`.
{client}
| file | content |
|---|---|
| `config.json` | sizes, preprocessing, ranges, accuracy, training settings |
| `model.safetensors` | folded weights |
{stem_file}| `labels.json` | class names, index = class |
| `encrypted.json`, once measured | how answers through encryption compare with the clear ones; written by `cipherformer evaluate --encrypted --record` |

## Accuracy

Top-1 **{100 * acc["top1"]:.2f}%**, top-5 **{100 * acc["top5"]:.2f}%** on {acc["images"]:,} held-out images (50 per class, half of the official test split;
ten of them also occur among the training images, a flaw of the data set). The number is for the cleartext network; an encrypted
evaluation adds CKKS noise. These images decided between a few short trial runs and were watched during training; the
weights are the run's last, not its best. The other half of the test split was never used.

## Ranges

Largest magnitude over the {config["ranges"]["images"]:,} validation images; embedding {config["ranges"]["embed"]:.3g}, logits {config["ranges"]["logits"]:.3g}.
An encrypted evaluation must keep room for these, with a margin: other images can exceed them. Of {len(hostile):,} images far from
photographs (noise, hard stripes and checks, flat colours) {inside:,} stay within twice the largest residual value in the table; the worst three
reach {worst[0]}, {worst[1]} and {worst[2]}: a picture beyond the room an evaluation
leaves comes back as noise, and a comparison with the clear model shows it.

{ranges_table(config["ranges"])}

## Training

On the 50,000 training images: {t["epochs"]} epochs, {t["minutes"]} {MINUTES[t["device"]]}{earlier},
{t["optimiser"]}, batch {t["batch"]}, cosine schedule, label smoothing {t["smoothing"]}, random crop and flip, averaged weights.
A range penalty (weight {t["range_weight"]}) acts from the first step on each sample's largest normalised score and MLP input beyond 8 and
residual stream beyond 24; {t["hard"]} images far from photographs join each batch for it. {t["note"]}
Recipe and commands: `models/training/README.md`.

## Under encryption

`just bench inference` measures seconds, bytes and the largest error of a logit on your machine; `encrypted.json` holds what
`cipherformer evaluate --encrypted --record` saw, where it was run: how many answers agree with the clear ones, and their accuracy.

## Limits

Sees 32×32 pixels; photographs of other things still get one of the 100 names; small classes of people (baby, boy, girl, man,
woman) are in the data and are confused often, and must not be used to judge anybody. Not for decisions about people.

## Licence

Weights: as the repository. CIFAR-100 (A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009) was
collected from the web and published for research without an explicit licence; rights in the single images stay with their authors.
"""
    with open(path, "w", encoding="utf8") as file:
        file.write(text)
