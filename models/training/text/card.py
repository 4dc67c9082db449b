"""The language model's card, written from the configuration so that its numbers cannot drift from it."""

from ranges import ranges_table

TITLES = {"wiki2015_valid": "wiki2015, validation articles", "wikitext103_valid": "WikiText-103 validation, detokenised"}


def perplexity_table(config: dict, words: dict[str, int]) -> str:
    rows = ["| text | ids | words | per id | per word |", "|---|---:|---:|---:|---:|"]
    for name, s in config["perplexity"].items():
        rows.append(f"| {TITLES[name]} | {s['tokens']:,} | {words[name]:,} | **{s['token']:.2f}** | {s['word']:.1f} |")
    return "\n".join(rows)


def noise_table(noise: dict) -> str:
    rows = ["| noise | top-1 changed | largest change of a top-10 probability | median of a prompt's largest |", "|---|---:|---:|---:|"]
    for level, n in noise.items():
        rows.append(f"| {level} | {n['changed']} of {n['prompts']} | {n['largest']:.2g} | {n['median']:.2g} |")
    return "\n".join(rows)


def write_card(path: str, config: dict, measured: dict) -> None:
    a, t = config["architecture"], config["training"]
    d, h, v = a["width"], a["hidden"], a["vocabulary"]
    block = 4 * d * (d + 1) + h * (d + 1) + d * (h + 1) + a["heads"] * (2 * a["window"] + 1)
    server, client = a["blocks"] * block + a["blocks"] - 1, d * (v + a["window"] + 4) + v
    largest = max(block["stream"] for block in config["ranges"]["blocks"])
    strange = measured["strange"]
    inside = sum(value <= 2 * largest for value in strange)
    text = f"""# {config["name"]}

Predicts the next token of an English text from the last {a["window"]}. Every operation of the server's part is an addition or a multiplication,
so it runs on CKKS ciphertexts: the server that evaluates it sees neither the prompt nor the answer.

## Model

{a["blocks"]} transformer blocks in parallel form, window {a["window"]}, width {d}, {a["heads"]} heads, MLP {h}; causal σ-attention with a quadratic σ
in place of softmax and learned tables over the distance, a square in the MLP. Layer norm: exact on the client before and after, with 3/2 − ν|x|² for the inverse
root between blocks; batch norms on scores and in the MLP, folded into the weights. Byte-level BPE of
{v:,} ids. {server:,} weights on the server (f32), {client:,} on the client (f16: embedding, positions, recall, output bias, last norm). Formulas: `crates/model/README.md`.
The client also adds to each token the vectors of those that followed its latest earlier occurrence, and that of it and the token before ("recall").
A prompt stands at the right end of the window, after ids 0 (`<|pad|>`, also "start of text").

| file | content | read by |
|---|---|---|
| `config.json` | sizes, ν of each norm, ranges, perplexity, training settings | both |
| `model.safetensors` | folded weights of the blocks | server |
| `embedding.safetensors` | token and position embedding, recall, output bias, last norm | client |
| `tokenizer.json` | byte-level BPE, Hugging Face `tokenizers` format | client |
| `encrypted.json` | how answers through encryption compare with the clear ones; written by `cipherformer evaluate --encrypted --record` | server |

## Perplexity

{perplexity_table(config, measured["words"])}

Each id from the 33 to 64 ids before it (protocol: `models/training/README.md`); cleartext network, client's f16 embedding included. Comparison
with an ordinary transformer of the same size and tokens: `docs/accuracy.md`. The model was **not** trained on WikiText-103. A small model:
it writes grammatical Wikipedia-like phrases and knows few facts.

## Ranges

Largest magnitude over all {config["ranges"]["windows"]:,} validation windows; embedding {config["ranges"]["embed"]:.3g}, returned vector {config["ranges"]["hidden"]:.3g}.

{ranges_table(config["ranges"])}

Strange prompts, {len(strange):,} of them (each id repeated over the window, random ids, short cycles, some left-padded): the residual stream of {inside:,} stays within
twice the largest value in the table; the worst three reach {strange[0]:.3g}, {strange[1]:.3g} and {strange[2]:.3g}.

Normal noise of the given standard deviation added to every intermediate value, 500 prompts from the validation articles, a quarter of
them short; an encrypted evaluation adds between 2^-15 and 2^-10 (2^-13 to 2^-11 at most places):

{noise_table(measured["noise"])}

## Training

From scratch on {t["data"]}: {t["tokens"] / 1e6:.1f} million ids ({t["passes"]} passes), {t["cpu_minutes"]} minutes of one CPU core,
{t["optimiser"]}, batch {t["batch"]} windows, cosine schedule, averaged weights. A range penalty (weight {t["range_weight"]}) acts from the first step on
each window's largest normalised score and MLP input beyond 8 and residual stream beyond 24; {t["padded"]} windows of a batch begin with
pads, {t["hard"]} strange prompts join each batch for the penalty. {t["note"]}
Recipe and commands: `models/training/README.md`.

## Limits

English only in practice; other scripts are spelt byte by byte and predicted badly. What it writes is not true, only likely; it repeats the biases of
Wikipedia. It forgets what stands more than {a["window"]} ids back. Not for decisions about people, nor as a source of facts.

## Licence

Weights: as the repository. Training text: English Wikipedia, CC BY-SA 3.0, by its contributors; WikiText-2 (Merity et al., 2016), the same licence.
"""
    with open(path, "w", encoding="utf8") as file:
        file.write(text)
