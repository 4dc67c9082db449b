"""Writes the held prompts of the encrypted test: `python -m text.prompts DATA OUT`, beginnings of validation paragraphs."""

import os
import sys

from text.corpus import valid_texts

COUNT = 50
WORDS = range(3, 41)


def prompts(text: str) -> list[str]:
    """Evenly spread paragraphs, cut after 3 to 40 words, in turn."""
    paragraphs = [line for line in text.split("\n") if len(line.split()) > max(WORDS) and not line.startswith("=")]
    step = len(paragraphs) // COUNT
    lengths = [WORDS[i * 7 % len(WORDS)] for i in range(COUNT)]
    return [" ".join(paragraphs[i * step].split()[:n]) for i, n in enumerate(lengths)]


def main() -> None:
    data, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "prompts.txt"), "w", encoding="utf8") as file:
        file.writelines(prompt + "\n" for prompt in prompts(valid_texts(data)["wiki2015_valid"]))


if __name__ == "__main__":
    main()
