"""The runs of docs/accuracy.md by name; finished ones are skipped, broken ones continue.

`python -m text.stages NAME…` or `all`; what follows `--` goes to every run, as `-- --until 16:00`.
"""

from stages import main

LONG = ["--tokens", "42", "--evaluate-every", "12"]
LATE = ["--tokens", "5", "--evaluate-every", "12", "--late", "2", "--muon", "5e-4", "--adam", "2.5e-4", "--seed", "3"]
LATER = ["--tokens", "8", "--evaluate-every", "12", "--late", "2", "--muon", "4e-4", "--adam", "2e-4", "--seed", "4"]
EARLY = ["--tokens", "3", "--evaluate-every", "30", "--average", "0.98", "--sample"]
SHORT = ["--no-recall", "--tokens", "1.5", "--evaluate-every", "30", "--average", "0.98", "--sample"]
STEP = ["--tokens", "1", "--evaluate-every", "30", "--average", "0.98", "--sample"]
SOFTMAX = ["--attention", "softmax", "--activation", "gelu", "--norm", "layer", "--no-inside", "--sequential", "--range-weight", "0"]
ORDINARY = [*SOFTMAX, "--no-relative", "--no-recall"]
BATCH = ["--norm", "batch"]
SIGMA = ["--attention", "gelu", "--activation", "gelu"]

RUNS: dict[str, list[str]] = {
    "released": [*LONG, "--freeze-from", "0.75"],
    "late": [*LATE, "--start", "runs/released"],
    "later": [*LATER, "--start", "runs/late"],
    "baseline": [*LONG, *ORDINARY],
    "baseline-late": [*LATE, *ORDINARY, "--start", "runs/baseline"],
    "baseline-later": [*LATER, *ORDINARY, "--start", "runs/baseline-late"],
    "plain": [*LONG, "--freeze-from", "0.75", "--no-recall"],
    "plain-late": [*LATE, "--no-recall", "--start", "runs/plain"],
    "plain-later": [*LATER, "--no-recall", "--start", "runs/plain-late"],
    "recalling-late": [*LATE, *SOFTMAX, "--no-relative", "--start", "runs/baseline"],
    "recalling-later": [*LATER, *SOFTMAX, "--no-relative", "--start", "runs/recalling-late"],
    "early": EARLY,
    "early-plain": [*EARLY, "--no-recall"],
    "early-baseline": [*EARLY, *ORDINARY],
    "early-recalling": [*EARLY, *SOFTMAX, "--no-relative"],
    "short-baseline": [*SHORT, *SOFTMAX, "--no-relative"],
    "short-baseline-relative": [*SHORT, *SOFTMAX],
    "norm-edges": SHORT,
    "norm-edges-alone": [*SHORT, "--no-inside"],
    "norm-layer": [*SHORT, "--norm", "layer"],
    "norm-layer-alone": [*SHORT, "--norm", "layer", "--no-inside"],
    "norm-polynomial-alone": [*SHORT, "--norm", "polynomial", "--no-inside"],
    "norm-none-alone": [*SHORT, "--norm", "none", "--no-inside"],
    "norm-batch": [*SHORT, *BATCH],
    "scaling-none": [*SHORT, *BATCH, "--scaling", "none"],
    "scaling-length": [*SHORT, *BATCH, "--scaling", "length"],
    "tables-none": [*SHORT, *BATCH, "--no-relative"],
    "stage-rebuilt": [*EARLY, *SIGMA, "--norm", "layer", "--range-weight", "0"],
    "stage-range": [*STEP, *SIGMA, "--norm", "layer", "--start", "runs/stage-rebuilt"],
    "stage-polynomial": [*STEP, "--start", "runs/stage-range"],
}


if __name__ == "__main__":
    main("text.train", RUNS, [])
