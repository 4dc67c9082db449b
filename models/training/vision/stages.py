"""The runs of docs/accuracy.md by name; finished ones are skipped, broken ones continue.

`python -m vision.stages DATA NAME…` or `all`; what follows `--` goes to every run, as `-- --epochs 20 --device cuda`.
"""

from stages import main

CLIENT = ["--tables", "--convolutions", "128", "--scaling", "length", "--average", "0.998", "--plain-from", "1"]
GPU = [*CLIENT, "--batch", "512", "--hard", "32", "--muon", "6e-3", "--adam", "3e-3", "--evaluate-every", "20"]
CPU = [*CLIENT, "--batch", "128", "--hard", "8", "--evaluate-every", "1"]
SIX = ["--blocks", "6", "--width", "192", "--heads", "3", "--hidden", "384"]
DEEP = [*GPU, *SIX, "--distort", "0.5", "--cutmix", "0.7", "--epochs", "140"]
BY_BASELINE = ["--teacher", "runs/deep-baseline", "--teach", "0.7"]
BY_DEEP = ["--teacher", "runs/deep-ranged", "--teach", "0.7"]
IN_RANGE = [*CPU, *SIX, *BY_BASELINE, "--distort", "0.5", "--cutmix", "0.5", "--muon", "5e-4", "--adam", "2.5e-4", "--range-weight", "0.1", "--freeze-from", "0", "--epochs", "1.5"]
TAUGHT = [*CPU, *BY_DEEP, "--distort", "0.25", "--cutmix", "0.5", "--muon", "2e-3", "--adam", "1e-3", "--range-weight", "0.05", "--freeze-from", "0.65", "--epochs", "6"]
LENGTH = [*CPU, "--cutmix", "0.5", "--epochs", "20", "--muon", "4e-3", "--adam", "2e-3"]
TIGHT = ["--range-weight", "0.1"]
EARLY = ["--tables", "--batch", "128", "--hard", "8", "--evaluate-every", "12", "--average", "0.99"]
RANGED = [*EARLY, "--epochs", "2"]
SHORT = [*RANGED, "--range-weight", "0"]
STEP = [*EARLY, "--epochs", "1", "--muon", "1e-3", "--adam", "7e-4"]
SIGMA = ["--attention", "gelu", "--activation", "gelu"]
RELU2 = ["--attention", "relu2", "--activation", "relu2"]
SOFTMAX = ["--attention", "softmax", "--activation", "gelu", "--range-weight", "0"]
ORDINARY = [*SOFTMAX, "--norm", "layer", "--no-inside", "--sequential"]

RUNS: dict[str, list[str]] = {
    "deep-baseline": [*DEEP, *ORDINARY],
    "deep": [*DEEP, *BY_BASELINE],
    "deep-seed2": [*DEEP, *BY_BASELINE, "--seed", "2"],
    "deep-ranged": [*IN_RANGE, "--start", "runs/deep"],
    "deep-ranged-seed2": [*IN_RANGE, "--start", "runs/deep-seed2", "--seed", "2"],
    "fast-length": LENGTH,
    "fast-length-seed2": [*LENGTH, "--seed", "2"],
    "fast-taught": [*TAUGHT, "--start", "runs/fast-length"],
    "fast-taught-seed2": [*TAUGHT, "--start", "runs/fast-length", "--seed", "2"],
    "form-baseline": [*SHORT, *ORDINARY],
    "form-softmax-batch": [*SHORT, *SOFTMAX],
    "form-gelu": [*SHORT, *SIGMA],
    "form-gelu-unscaled": [*SHORT, *SIGMA, "--scaling", "none"],
    "form-gelu-length": [*SHORT, *SIGMA, "--scaling", "length"],
    "form-relu2": [*SHORT, *RELU2],
    "form-relu2-unscaled": [*SHORT, *RELU2, "--scaling", "none"],
    "form-relu2-length": [*SHORT, *RELU2, "--scaling", "length"],
    "form-square": SHORT,
    "form-square-length": [*SHORT, "--scaling", "length"],
    "form-square-alone": [*SHORT, "--no-inside"],
    "form-square-sequential": [*SHORT, "--sequential"],
    "form-square-scalar": [option for option in SHORT if option != "--tables"],
    "form-square-apart": [*SHORT, "--apart"],
    "form-square-stem": [*SHORT, "--stem", "256"],
    "form-square-convolutions": [*SHORT, "--convolutions", "128"],
    "form-square-wide": [*SHORT, "--width", "192", "--heads", "3", "--hidden", "384"],
    "form-square-six": [*SHORT, "--blocks", "6"],
    "form-gelu-ranged": [*RANGED, *SIGMA],
    "form-square-ranged": RANGED,
    "form-square-ranged-seed2": [*RANGED, "--seed", "2"],
    "stage-range": [*STEP, *SIGMA, "--start", "runs/form-gelu"],
    "stage-tight": [*STEP, *SIGMA, *TIGHT, "--start", "runs/stage-range"],
    "stage-polynomial": [*STEP, *TIGHT, "--start", "runs/stage-tight", "--teacher", "runs/stage-tight"],
}

if __name__ == "__main__":
    main("vision.train", RUNS, ["--data"])
