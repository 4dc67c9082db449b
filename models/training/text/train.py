"""Trains one form of the language model. The schedule follows tokens or the clock, whichever is further, so a run ends annealed."""

import argparse
import json
import os
import time

import torch

from layer_norm import variance_penalty
from norms import freeze
from optim import Average, make_optimisers, rate, set_rate, start_from
from precision import mixed
from text.batches import Windows, strange_prompts
from text.corpus import load_tokenizer, load_train, load_valid
from text.lm import Form, Lm, Shape
from text.perplexity import of_model, perplexity, recalibrate


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default="runs/corpus", help="folder text.corpus wrote")
    parser.add_argument("--run", required=True, help="folder for the checkpoint and the log")
    parser.add_argument("--start", help="run whose averaged weights this one starts from, where names and shapes agree")
    parser.add_argument("--tokens", type=float, default=0, help="length of the schedule in millions of tokens")
    parser.add_argument("--minutes", type=float, default=0, help="longest length of the schedule by the clock")
    parser.add_argument("--until", help="UTC time HH:MM at which the schedule ends at the latest, instead of --minutes")
    parser.add_argument("--attention", default="square", choices=("softmax", "gelu", "square"))
    parser.add_argument("--activation", default="square", choices=("gelu", "square"))
    parser.add_argument("--norm", default="edges", choices=("layer", "polynomial", "batch", "none", "edges"))
    parser.add_argument("--no-inside", action="store_true", help="no batch norm on scores and inside the MLP")
    parser.add_argument("--scaling", default="root", choices=("none", "root", "length"))
    parser.add_argument("--no-relative", action="store_true")
    parser.add_argument("--sequential", action="store_true")
    parser.add_argument("--no-recall", action="store_true")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--padded", type=int, default=6, help="left-padded windows in a batch")
    parser.add_argument("--hard", type=int, default=4, help="strange prompts added to each batch")
    parser.add_argument("--muon", type=float, default=5e-3)
    parser.add_argument("--adam", type=float, default=2.5e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--range-weight", type=float, default=0.02, help="0 also leaves strange prompts out")
    parser.add_argument("--variance-weight", type=float, default=0.1, help="of layer norms with a polynomial in place of the inverse root")
    parser.add_argument("--average", type=float, default=0.998)
    parser.add_argument("--late", type=float, default=1, help="weight of the loss in the window's second half, where answers are read")
    parser.add_argument("--freeze-from", type=float, default=2, help="progress from which batch norms keep fixed statistics")
    parser.add_argument("--evaluate-every", type=float, default=5, help="minutes between checkpoints with a quick perplexity")
    parser.add_argument("--sample", action="store_true", help="score the first 40,000 ids of each validation text at the end, not all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


def minutes_until(clock: str) -> float:
    now = time.gmtime()
    hour, minute = (int(part) for part in clock.split(":"))
    return (hour - now.tm_hour) * 60 + minute - now.tm_min - now.tm_sec / 60


def main() -> None:
    a = arguments()
    torch.manual_seed(a.seed)
    os.makedirs(a.run, exist_ok=True)
    checkpoint = os.path.join(a.run, "checkpoint.pt")
    valid = load_valid(a.corpus)
    sample = {name: {"ids": text["ids"][:40000], "words": text["words"]} for name, text in valid.items()}
    form = Form(a.attention, a.activation, a.norm, not a.no_inside, a.scaling, not a.no_relative, not a.sequential, not a.no_recall)
    shape = Shape(form=form)
    newline = load_tokenizer(a.corpus).token_to_id("Ċ")
    corpus = load_train(a.corpus)
    device = torch.device(a.device)
    model = Lm(shape).to(device)
    model.late = a.late
    frozen, before = False, {"seen": 0, "spent_cpu": 0.0}
    if a.start:
        known = torch.load(os.path.join(a.start, "checkpoint.pt"), map_location=device)
        print("not in both:", start_from(model, known["averaged"]))
        before, frozen = known, known.get("frozen", False)
    optimisers = make_optimisers(model, a.muon, a.adam, a.decay)
    average = Average(model, a.average)
    step, spent, spent_cpu, seen = 0, 0.0, 0.0, 0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint, map_location=device)
        model.load_state_dict(saved["model"])
        for optimiser, state in zip(optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        average.values, average.steps = saved["average"], saved["average_steps"]
        frozen = saved.get("frozen", False)
        step, spent, spent_cpu, seen = saved["step"], saved["spent"], saved["spent_cpu"], saved["seen"]
    torch.manual_seed(a.seed + step)
    windows = Windows(corpus, newline, shape.window, a.seed + step)
    passes = windows.passes(a.batch)
    hard = a.hard if a.range_weight else 0
    forward = torch.compile(model) if a.compile else model
    start = time.monotonic() - spent
    minutes = minutes_until(a.until) + spent / 60 if a.until else a.minutes

    def progress() -> float:
        by_tokens = seen / (1e6 * a.tokens) if a.tokens else 0.0
        by_clock = (time.monotonic() - start) / (60 * minutes) if minutes else 0.0
        return max(by_tokens, by_clock)

    def calibrated(some: Lm) -> Lm:
        picked = Windows(corpus, newline, shape.window, 7)
        recalibrate(some, picked.take(next(picked.passes(1024)), 1024 * a.padded // a.batch)[0])
        return some

    def averaged_model() -> Lm:
        averaged = Lm(shape).to(device)
        averaged.load_state_dict(model.state_dict())
        average.copy_to(averaged)
        return averaged if frozen else calibrated(averaged)

    def save(entry: dict, averaged: Lm) -> None:
        state = {
            "model": model.state_dict(),
            "optimisers": [o.state_dict() for o in optimisers],
            "average": average.values,
            "average_steps": average.steps,
            "averaged": averaged.state_dict(),
            "step": step,
            "seen": seen,
            "before": {name: before[name] + before.get("before", {}).get(name, 0) for name in ("seen", "spent_cpu")},
            "frozen": frozen,
            "spent": time.monotonic() - start,
            "spent_cpu": spent_cpu + time.process_time(),
            "arguments": vars(a),
            "shape": shape.to_dict(),
            "last": entry,
        }
        torch.save(state, checkpoint + ".new")
        os.replace(checkpoint + ".new", checkpoint)
        line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in entry.items()})
        print(line, flush=True)
        with open(os.path.join(a.run, "log.jsonl"), "a", encoding="utf8") as file:
            file.write(line + "\n")

    totals, counted, due = torch.zeros(2), 0, time.monotonic() + 60 * a.evaluate_every
    while progress() < 1:
        if progress() >= a.freeze_from and not frozen:
            calibrated(model)
            frozen = True
        model.train()
        if frozen:
            freeze(model)
        set_rate(optimisers, rate(progress()))
        x, y = windows.take(next(passes), a.padded)
        if hard:
            x = torch.cat([x, strange_prompts(hard, shape.window, shape.vocabulary)])
        x, y = x.to(device), y.to(device)
        with mixed(device):
            loss, penalty = forward(x, y, hard)
            total = loss + a.range_weight * penalty
            if form.norm in ("polynomial", "edges"):
                total = total + a.variance_weight * variance_penalty(model)
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        for optimiser in optimisers:
            optimiser.step()
        average.update(model)
        totals += torch.stack([loss.detach(), penalty.detach()]).float().cpu()
        step, counted, seen = step + 1, counted + 1, seen + y.numel()
        if step % 100 == 0:
            print(f"  step {step} loss {loss.item():.3f} range {penalty.item():.3f} {time.monotonic() - start:.0f}s", flush=True)
        if time.monotonic() > due or progress() >= 1:
            due = time.monotonic() + 60 * a.evaluate_every
            averaged = averaged_model()
            last = progress() >= 1
            with mixed(device):
                scores = {n: perplexity(of_model(averaged), t, shape.window) for n, t in (valid if last and not a.sample else sample).items()}
            mean = (totals / counted).tolist()
            entry = {"step": step, "tokens": seen, "seconds": time.monotonic() - start, "progress": progress()}
            entry |= {"cpu": spent_cpu + time.process_time(), "loss": mean[0], "range": mean[1]}
            entry |= {n: s["token"] for n, s in scores.items()}
            save(entry, averaged)
            totals, counted = torch.zeros(2), 0


if __name__ == "__main__":
    main()
