"""Trains one form of the vision transformer; the schedule follows epochs or the clock, whichever is further, so a run ends annealed."""

import argparse
import json
import math
import os
import time

import torch

from norms import freeze
from optim import Average, make_optimisers, place_rates, rate, set_rate, start_from
from precision import mixed
from vision.data import load_split
from vision.evaluate import accuracy, logits, recalibrate
from vision.replay import Replayed
from vision.squares import squared
from vision.step import Step
from vision.vit import Form, Shape, Vit

SAVE_EVERY = 60  # seconds: a GPU's epochs are too short to save each


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with train/ and valid/ strips")
    parser.add_argument("--run", required=True, help="folder for the checkpoint and the log")
    parser.add_argument("--start", help="run whose averaged weights this one starts from, where names and shapes agree; squares replace its GELU")
    parser.add_argument("--teacher", help="run whose averaged model gives part of the targets")
    parser.add_argument("--teach", type=float, default=0.5, help="the teacher's part of the targets")
    parser.add_argument("--minutes", type=float, default=0, help="longest length of the schedule by the clock")
    parser.add_argument("--epochs", type=float, default=0, help="length of the schedule in epochs")
    parser.add_argument("--attention", default="square", choices=("softmax", "gelu", "relu2", "square"))
    parser.add_argument("--activation", default="square", choices=("gelu", "relu2", "square"))
    parser.add_argument("--norm", default="batch", choices=("layer", "polynomial", "batch", "none"))
    parser.add_argument("--no-inside", action="store_true", help="no batch norm on scores and inside the MLP")
    parser.add_argument("--scaling", default="root", choices=("none", "root", "length"))
    parser.add_argument("--sequential", action="store_true")
    parser.add_argument("--tables", action="store_true", help="an offset for each displacement of two patches")
    parser.add_argument("--stem", type=int, default=0, help="channels of a hidden layer before the embedding")
    parser.add_argument("--apart", action="store_true", help="patches that do not overlap")
    parser.add_argument("--convolutions", type=int, default=0, help="channels of the last of the client's convolutions")
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--distort", type=float, default=0, help="part of the images that are warped, and part that are recoloured")
    parser.add_argument("--cutmix", type=float, default=0, help="part of the batches that CutMix mixes")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--muon", type=float, default=3e-3, help="peak rate of Muon; 0 trains with AdamW alone")
    parser.add_argument("--adam", type=float, default=2e-3, help="peak rate of AdamW")
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--range-weight", type=float, default=0.02, help="0 also leaves images far from photographs out")
    parser.add_argument("--variance-weight", type=float, default=0.1, help="of layer norms with a polynomial in place of the inverse root")
    parser.add_argument("--hard", type=int, default=16, help="images far from photographs added to each batch")
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--plain-from", type=float, default=0.9, help="progress after which augmentation stops")
    parser.add_argument("--freeze-from", type=float, default=2, help="progress from which batch norms keep the statistics of augmented images")
    parser.add_argument("--average", type=float, default=0.999)
    parser.add_argument("--evaluate-every", type=int, default=4, help="epochs")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def averaged_of(run: str, device: torch.device) -> Vit:
    saved = torch.load(os.path.join(run, "checkpoint.pt"), map_location=device)
    model = Vit(Shape.from_dict(saved["shape"]))
    model.load_state_dict(saved["averaged"])
    return model.eval()


def forget_after(epoch: int, path: str) -> None:
    """Drops the log of epochs that were trained after the checkpoint and are trained again."""
    with open(path, encoding="utf8") as file:
        lines = [line for line in file if json.loads(line)["epoch"] <= epoch]
    with open(path, "w", encoding="utf8") as file:
        file.writelines(lines)


def compile_parts(model: Vit) -> None:
    """Kernels of one block serve all, so that the first step comes in half a minute on a GPU."""
    for part in model.blocks:
        part.compile()
    if model.convolutions:
        model.convolutions.compile()


def shape_of(a: argparse.Namespace) -> Shape:
    form = Form(a.attention, a.activation, a.norm, not a.no_inside, a.scaling, True, not a.sequential, a.tables, a.stem, a.convolutions)
    patches = {"pad": 0, "patch": 4, "stride": 4} if a.apart else {}
    return Shape(**patches, width=a.width, heads=a.heads, hidden=a.hidden, blocks=a.blocks, form=form)


def main() -> None:
    a = arguments()
    if not (a.minutes or a.epochs):
        raise SystemExit("the schedule needs --minutes or --epochs")
    torch.manual_seed(a.seed)
    os.makedirs(a.run, exist_ok=True)
    checkpoint = os.path.join(a.run, "checkpoint.pt")
    device = torch.device(a.device)
    torch.set_default_device(device)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU; bfloat16 does the rest there
    images, labels = (t.to(device) for t in load_split(a.data, "train"))
    valid_images, valid_labels = (t.to(device) for t in load_split(a.data, "valid"))

    model = Vit(shape_of(a))
    before = {"seen": 0, "minutes": 0.0}
    if a.start:
        before = torch.load(os.path.join(a.start, "checkpoint.pt"), map_location=device)
        weights = before["averaged"]
        if a.attention == a.activation == "square" and before["shape"]["form"]["attention"] != "square":
            weights = squared(averaged_of(a.start, device), images[torch.randperm(len(images))[:1000]]).state_dict()
        print("not in both:", start_from(model, weights))
    teacher = averaged_of(a.teacher, device) if a.teacher else None
    optimisers = make_optimisers(model, a.muon, a.adam, a.decay)
    average = Average(model, a.average)
    epoch, step, seen, spent, spent_cpu, frozen = 0, 0, 0, 0.0, 0.0, False
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint, map_location=device)
        model.load_state_dict(saved["model"])
        for optimiser, state in zip(optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        place_rates(optimisers)
        average.values, average.steps = saved["average"], saved["average_steps"]
        epoch, step, seen, spent, spent_cpu, frozen = (saved[name] for name in ("epoch", "step", "seen", "spent", "spent_cpu", "frozen"))
        torch.manual_seed(a.seed + step)
        forget_after(epoch, os.path.join(a.run, "log.jsonl"))
    if a.compile:
        compile_parts(model)
        if teacher:
            compile_parts(teacher)
    plain = Step(a, model, teacher, optimisers, average)
    train = Replayed(plain) if a.compile and device.type == "cuda" else plain
    averaged = Vit(model.shape).eval()
    if a.compile and device.type == "cpu":
        compile_parts(averaged)
    steps = len(images) // a.batch
    start = time.monotonic() - spent
    saved_at = time.monotonic()

    def progress() -> float:
        by_epochs = step / (steps * a.epochs) if a.epochs else 0.0
        by_clock = (time.monotonic() - start) / (60 * a.minutes) if a.minutes else 0.0
        return max(by_epochs, by_clock)

    def log(entry: dict) -> None:
        line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in entry.items()})
        print(line, flush=True)
        with open(os.path.join(a.run, "log.jsonl"), "a", encoding="utf8") as file:
            file.write(line + "\n")

    def follow() -> None:
        averaged.load_state_dict(model.state_dict())
        average.copy_to(averaged)

    def save(entry: dict) -> None:
        follow()
        state = {
            "model": model.state_dict(),
            "optimisers": [o.state_dict() for o in optimisers],
            "average": average.values,
            "average_steps": average.steps,
            "averaged": averaged.state_dict(),
            "epoch": epoch,
            "step": step,
            "seen": seen,
            "spent": time.monotonic() - start,
            "spent_cpu": spent_cpu + time.process_time(),
            "minutes": (spent_cpu + time.process_time() if device.type == "cpu" else time.monotonic() - start) / 60,
            "before": {name: before[name] + before.get("before", {}).get(name, 0) for name in ("seen", "minutes")},
            "arguments": vars(a),
            "shape": model.shape.to_dict(),
            "frozen": frozen,
            "last": entry,
        }
        torch.save(state, checkpoint + ".new")
        os.replace(checkpoint + ".new", checkpoint)

    def evaluate() -> dict:
        follow()
        with mixed(device):
            if not frozen:
                recalibrate(averaged, images[torch.randperm(len(images))[:5000]])
            top1, top5 = accuracy(logits(averaged, valid_images), valid_labels)
        return {"top1": top1, "top5": top5}

    if a.start and not step:
        log({"epoch": 0, "step": 0} | evaluate())
    while progress() < 1:
        if progress() >= a.freeze_from and not frozen:
            with mixed(device):
                pick = torch.randperm(len(images))[:10000]
                recalibrate(model, images[pick], lambda part: plain.photographs(part, torch.zeros(len(part), dtype=torch.long), progress())[0])
            frozen = True
        model.train()
        if frozen:
            freeze(model)
        order = torch.randperm(len(images))
        totals, counted = torch.zeros(2), 0
        for part in order[: steps * a.batch].split(a.batch):
            now = progress()
            if now >= 1:
                break
            set_rate(optimisers, rate(now))
            losses = train(images[part], labels[part], now)
            totals += losses
            step += 1
            seen += len(part)
            counted += 1
            if counted % 50 == 0:
                loss, penalty = losses.tolist()
                print(f"  step {step} loss {loss:.3f} range {penalty:.3f} {time.monotonic() - start:.0f}s", flush=True)
        epoch += 1
        mean = (totals / max(counted, 1)).tolist()
        if not math.isfinite(mean[0]):
            raise SystemExit(f"the loss is {mean[0]} in epoch {epoch}: lower the rates")
        entry = {"epoch": epoch, "step": step, "seconds": time.monotonic() - start, "progress": progress()}
        entry |= {"cpu": spent_cpu + time.process_time(), "loss": mean[0], "range": mean[1]}
        if epoch % a.evaluate_every == 0 or epoch == 1 or progress() >= 1:
            entry |= evaluate()
        log(entry)
        if time.monotonic() - saved_at > SAVE_EVERY or progress() >= 1:
            save(entry)
            saved_at = time.monotonic()


if __name__ == "__main__":
    main()
