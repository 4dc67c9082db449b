"""The tokenizer and the packed corpus: `python -m text.corpus --data DATA --run RUN` makes both, once, in RUN."""

import argparse
import glob
import os

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from text.detokenise import detokenise, read

PAD = "<|pad|>"
VOCABULARY = 4096


def train_texts(data: str) -> list[str]:
    """The files of wiki2015, then WikiText-2's training split as running text."""
    texts = [read(path) for path in sorted(glob.glob(os.path.join(data, "wiki2015", "train-*.txt.xz")))]
    return [*texts, detokenise(read(os.path.join(data, "wikitext", "wikitext-2.train.tokens.xz")))]


def valid_texts(data: str) -> dict[str, str]:
    return {
        "wiki2015_valid": read(os.path.join(data, "wiki2015", "valid.txt.xz")),
        "wikitext103_valid": detokenise(read(os.path.join(data, "wikitext", "wikitext-103.valid.tokens.xz"))),
    }


def chunks(text: str, lines: int = 200) -> list[str]:
    parts = text.splitlines(keepends=True)
    return ["".join(parts[i : i + lines]) for i in range(0, len(parts), lines)]


def train_tokenizer(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((chunk for text in texts for chunk in chunks(text)), trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, text: str) -> np.ndarray:
    parts = [np.array(e.ids, dtype=np.uint16) for e in tokenizer.encode_batch_fast(chunks(text))]
    return np.concatenate(parts)


def load_train(run: str) -> torch.Tensor:
    return torch.from_numpy(np.load(os.path.join(run, "train.npy")).astype(np.int16))


def load_valid(run: str) -> dict[str, dict]:
    """Ids and number of whitespace-separated words of each validation text."""
    return torch.load(os.path.join(run, "valid.pt"))


def load_tokenizer(run: str) -> Tokenizer:
    return Tokenizer.from_file(os.path.join(run, "tokenizer.json"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with wiki2015/ and wikitext/")
    parser.add_argument("--run", required=True, help="folder for the tokenizer and the packed ids")
    a = parser.parse_args()
    os.makedirs(a.run, exist_ok=True)
    texts = train_texts(a.data)
    tokenizer = train_tokenizer([texts[0], texts[-1]])
    tokenizer.save(os.path.join(a.run, "tokenizer.json"))
    np.save(os.path.join(a.run, "train.npy"), np.concatenate([encode(tokenizer, text) for text in texts]))
    valid = {}
    for name, text in valid_texts(a.data).items():
        valid[name] = {"ids": torch.tensor(tokenizer.encode(text).ids), "words": len(text.split())}
        print(name, len(valid[name]["ids"]), "tokens", valid[name]["words"], "words")
    torch.save(valid, os.path.join(a.run, "valid.pt"))


if __name__ == "__main__":
    main()
