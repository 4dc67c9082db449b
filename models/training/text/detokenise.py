"""Turns WikiText's tokenised form (` @-@ `, spaces around punctuation) back into running text: `python -m text.detokenise IN OUT`."""

import lzma
import re
import sys

JOINED = re.compile(r" @([-,.])@ ")
BEFORE = re.compile(r" ([.,;:!?)\]}%]|'(?:s|t|re|ve|m|ll|d)\b|n't\b|°|′|″)")
AFTER = re.compile(r"([(\[{$£€#]) ")
RANGE = re.compile(r"(?<=\d) – (?=\d)")
QUOTED = re.compile(r'(^|\s)" ([^"\n]*?) "(?=\W|$)')
SINGLE = re.compile(r"(^|\s)' ([^'\n]*?) '(?=\W|$)")


def detokenise_line(line: str) -> str:
    line = JOINED.sub(r"\1", line.strip())
    line = QUOTED.sub(r'\1"\2"', line)
    line = SINGLE.sub(r"\1'\2'", line)
    line = AFTER.sub(r"\1", BEFORE.sub(r"\1", line))
    return RANGE.sub("–", line)


def detokenise(text: str) -> str:
    """Headings keep their `= … =`; `<unk>` stays as it is; blank lines around headings stay, runs of them shrink to one."""
    lines = "\n".join(detokenise_line(line) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def read(path: str) -> str:
    if path.endswith(".xz"):
        with lzma.open(path, "rt", encoding="utf8", newline="") as file:
            return file.read()
    with open(path, encoding="utf8", newline="") as file:
        return file.read()


def main() -> None:
    source, target = sys.argv[1:]
    with open(target, "w", encoding="utf8", newline="") as file:
        file.write(detokenise(read(source)))


if __name__ == "__main__":
    main()
