"""The runs of docs/accuracy.md by name: `python -m text.stages NAME…`, or `all`; finished ones are skipped, broken ones continue."""

import os
import subprocess
import sys

LONG = ["--tokens", "55"]
STAGE = ["--tokens", "12"]
SHORT = ["--tokens", "4", "--average", "0.99"]
SOFTMAX = ["--attention", "softmax", "--activation", "gelu", "--norm", "layer", "--sequential", "--range-weight", "0"]
SIGMA = ["--attention", "gelu", "--activation", "gelu"]

RUNS: dict[str, list[str]] = {
    "released": LONG,
    "baseline": [*LONG, *SOFTMAX, "--no-relative"],
    "baseline-relative": [*LONG, *SOFTMAX],
    "stage-baseline": [*STAGE, *SOFTMAX, "--no-relative"],
    "stage-rebuilt": [*STAGE, *SIGMA, "--range-weight", "0"],
    "stage-range": ["--tokens", "4", *SIGMA, "--start", "runs/stage-rebuilt"],
    "stage-polynomial": ["--tokens", "4", "--start", "runs/stage-range"],
    "norm-batch": SHORT,
    "norm-layer": [*SHORT, "--norm", "layer"],
    "norm-polynomial": [*SHORT, "--norm", "polynomial"],
    "norm-none": [*SHORT, "--norm", "none"],
    "scaling-none": [*SHORT, "--scaling", "none"],
    "scaling-length": [*SHORT, "--scaling", "length"],
    "tables-none": [*SHORT, "--no-relative"],
    "short-baseline": [*SHORT, *SOFTMAX, "--no-relative"],
}


def finished(run: str) -> bool:
    return os.path.exists(os.path.join(run, "done"))


def main() -> None:
    names = list(RUNS) if sys.argv[1:] == ["all"] else sys.argv[1:]
    for name in names:
        run = os.path.join("runs", name)
        if finished(run):
            continue
        subprocess.run([sys.executable, "-m", "text.train", "--run", run, "--compile", *RUNS[name]], check=True)
        open(os.path.join(run, "done"), "w", encoding="utf8").close()


if __name__ == "__main__":
    main()
