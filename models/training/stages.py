"""Runs by name, one after the other; finished ones are skipped, broken ones continue."""

import os
import subprocess
import sys


def finished(run: str) -> bool:
    return os.path.exists(os.path.join(run, "done"))


def main(trainer: str, runs: dict[str, list[str]], leading: list[str]) -> None:
    """Command line: one value for each option of `leading`, names of runs or `all`, and after `--` options for every run."""
    asked = sys.argv[1:]
    split = asked.index("--") if "--" in asked else len(asked)
    asked, extra = asked[:split], asked[split + 1 :]
    values, names = asked[: len(leading)], asked[len(leading) :]
    unknown = [name for name in names if name not in runs and name != "all"]
    if unknown or not names or len(values) < len(leading):
        raise SystemExit(f"usage: {' '.join(leading)} and names of {', '.join(runs)}, or all; unknown: {unknown}")
    common = [part for option in zip(leading, values, strict=True) for part in option]
    for name in list(runs) if names == ["all"] else names:
        run = os.path.join("runs", name)
        if finished(run):
            continue
        subprocess.run([sys.executable, "-m", trainer, "--run", run, "--compile", *common, *runs[name], *extra], check=True)
        with open(os.path.join(run, "done"), "w", encoding="utf8"):
            pass
