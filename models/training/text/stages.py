"""The runs of docs/accuracy.md by name; finished ones are skipped, broken ones continue.

`python -m text.stages NAME…` or `all`; what follows `--` goes to every run, as `-- --until 16:00`.
"""

import os
import subprocess
import sys

LONG = ["--tokens", "50"]
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
    asked = sys.argv[1:]
    split = asked.index("--") if "--" in asked else len(asked)
    names, extra = asked[:split], asked[split + 1 :]
    for name in list(RUNS) if names == ["all"] else names:
        run = os.path.join("runs", name)
        if finished(run):
            continue
        subprocess.run([sys.executable, "-m", "text.train", "--run", run, "--compile", *RUNS[name], *extra], check=True)
        with open(os.path.join(run, "done"), "w", encoding="utf8"):
            pass


if __name__ == "__main__":
    main()
