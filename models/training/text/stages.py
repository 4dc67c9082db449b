"""The runs of docs/accuracy.md by name; finished ones are skipped, broken ones continue.

`python -m text.stages NAME…` or `all`; what follows `--` goes to every run, as `-- --until 16:00`.
"""

import os
import subprocess
import sys

LONG = ["--tokens", "42", "--evaluate-every", "12"]
SHORT = ["--tokens", "1.5", "--evaluate-every", "30", "--average", "0.98", "--sample"]
STEP = ["--tokens", "0.5", "--evaluate-every", "30", "--average", "0.98", "--sample"]
SOFTMAX = ["--attention", "softmax", "--activation", "gelu", "--norm", "layer", "--no-inside", "--sequential", "--range-weight", "0"]
SIGMA = ["--attention", "gelu", "--activation", "gelu"]

RUNS: dict[str, list[str]] = {
    "released": [*LONG, "--norm", "edges", "--freeze-from", "0.75"],
    "late": ["--tokens", "6", "--start", "runs/released", "--late", "4", "--muon", "2e-3", "--adam", "1e-3", "--seed", "2", "--sample"],
    "baseline": [*LONG, *SOFTMAX, "--no-relative"],
    "baseline-parallel": [*LONG, *[flag for flag in SOFTMAX if flag != "--sequential"], "--no-relative"],
    "norm-batch": SHORT,
    "short-baseline": [*SHORT, *SOFTMAX, "--no-relative"],
    "short-baseline-relative": [*SHORT, *SOFTMAX],
    "norm-layer": [*SHORT, "--norm", "layer"],
    "norm-polynomial": [*SHORT, "--norm", "polynomial"],
    "norm-none": [*SHORT, "--norm", "none"],
    "scaling-none": [*SHORT, "--scaling", "none"],
    "scaling-length": [*SHORT, "--scaling", "length"],
    "tables-none": [*SHORT, "--no-relative"],
    "stage-rebuilt": [*SHORT, *SIGMA, "--range-weight", "0"],
    "stage-range": [*STEP, *SIGMA, "--start", "runs/stage-rebuilt"],
    "stage-polynomial": [*STEP, "--start", "runs/stage-range"],
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
