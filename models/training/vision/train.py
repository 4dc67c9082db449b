"""Trains the polynomial vision transformer; a run always ends annealed because its schedule can follow the clock."""

import argparse
import copy
import json
import os
import time

import torch
from torch.nn import functional as F

from optim import Average, make_optimisers, rate, set_rate
from vision.data import Augment, load_split, normalise
from vision.evaluate import accuracy, logits, recalibrate
from vision.hard import hard_images
from vision.vit import Shape, Vit


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with train/ and valid/ strips")
    parser.add_argument("--run", required=True, help="folder for the checkpoint and the log")
    parser.add_argument("--minutes", type=float, default=0, help="length of the schedule by the clock")
    parser.add_argument("--epochs", type=float, default=50, help="length of the schedule when --minutes is 0")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--muon", type=float, default=3e-3, help="peak rate of Muon; 0 trains with AdamW alone")
    parser.add_argument("--adam", type=float, default=2e-3, help="peak rate of AdamW")
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--range-weight", type=float, default=0.02)
    parser.add_argument("--hard", type=int, default=16, help="images far from photographs added to each batch")
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--plain-from", type=float, default=0.9, help="progress after which augmentation stops")
    parser.add_argument("--average", type=float, default=0.999)
    parser.add_argument("--evaluate-every", type=int, default=4, help="epochs")
    parser.add_argument("--stop", type=float, default=0, help="leave after this many minutes without finishing")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    a = arguments()
    torch.manual_seed(a.seed)
    os.makedirs(a.run, exist_ok=True)
    checkpoint = os.path.join(a.run, "checkpoint.pt")
    device = torch.device(a.device)
    torch.set_default_device(device)
    images, labels = (t.to(device) for t in load_split(a.data, "train"))
    valid_images, valid_labels = (t.to(device) for t in load_split(a.data, "valid"))

    model = Vit(Shape())
    optimisers = make_optimisers(model, a.muon, a.adam, a.decay)
    average = Average(model, a.average)
    epoch, step, spent = 0, 0, 0.0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint, map_location=device)
        model.load_state_dict(saved["model"])
        for optimiser, state in zip(optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        average.values, average.steps = saved["average"], saved["average_steps"]
        epoch, step, spent = saved["epoch"], saved["step"], saved["spent"]
        torch.manual_seed(a.seed + step)
    forward = torch.compile(model) if a.compile else model
    augment = Augment()
    steps = len(images) // a.batch
    start = time.monotonic() - spent

    def progress() -> float:
        if a.minutes:
            return (time.monotonic() - start) / (60 * a.minutes)
        return step / (steps * a.epochs)

    def log(entry: dict) -> None:
        line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in entry.items()})
        print(line, flush=True)
        with open(os.path.join(a.run, "log.jsonl"), "a", encoding="utf8") as file:
            file.write(line + "\n")

    def save(entry: dict) -> None:
        averaged = copy.deepcopy(model)
        average.copy_to(averaged)
        state = {
            "model": model.state_dict(),
            "optimisers": [o.state_dict() for o in optimisers],
            "average": average.values,
            "average_steps": average.steps,
            "averaged": averaged.state_dict(),
            "epoch": epoch,
            "step": step,
            "spent": time.monotonic() - start,
            "arguments": vars(a),
            "shape": model.shape.to_dict(),
            "last": entry,
        }
        torch.save(state, checkpoint + ".new")
        os.replace(checkpoint + ".new", checkpoint)

    def evaluate() -> dict:
        averaged = copy.deepcopy(model)
        average.copy_to(averaged)
        pick = torch.randperm(len(images))[:5000]
        with torch.autocast(device.type, torch.bfloat16):
            recalibrate(averaged, images[pick])
            top1, top5 = accuracy(logits(averaged, valid_images), valid_labels)
        return {"top1": top1, "top5": top5}

    halted = False
    while progress() < 1 and not halted:
        model.train()
        order = torch.randperm(len(images))
        totals, counted = torch.zeros(2), 0
        for part in order[: steps * a.batch].split(a.batch):
            now = progress()
            halted = bool(a.stop) and (time.monotonic() - start) > 60 * a.stop
            if now >= 1 or halted:
                break
            set_rate(optimisers, rate(now))
            x = normalise(images[part])
            if now < a.plain_from:
                x = augment(x)
            y = labels[part]
            if a.hard:
                strange, strange_labels = hard_images(images[part[: a.hard]], y[: a.hard])
                x, y = torch.cat([x, normalise(strange)]), torch.cat([y, strange_labels])
            with torch.autocast(device.type, torch.bfloat16):
                scores, penalty = forward(x, a.hard)
                loss = F.cross_entropy(scores.float(), y, label_smoothing=a.smoothing)
            total = loss + a.range_weight * penalty
            for optimiser in optimisers:
                optimiser.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0, foreach=True)
            for optimiser in optimisers:
                optimiser.step()
            average.update(model)
            totals += torch.stack([loss.detach(), penalty.detach()]).float()
            step += 1
            counted += 1
            if counted % 50 == 0:
                print(f"  step {step} loss {loss.item():.3f} range {penalty.item():.3f} {time.monotonic() - start:.0f}s", flush=True)
        epoch += 1
        mean = (totals / max(counted, 1)).tolist()
        entry = {"epoch": epoch, "step": step, "seconds": time.monotonic() - start, "progress": progress(), "loss": mean[0], "range": mean[1]}
        if epoch % a.evaluate_every == 0 or epoch == 1 or progress() >= 1 or halted:
            entry |= evaluate()
        log(entry)
        save(entry)


if __name__ == "__main__":
    main()
