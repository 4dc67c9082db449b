"""`python -m unittest`: folding, balancing and squares in place of GELU keep the function; augmentation only crops and flips; the penalty sees outliers; a step learns from its targets; a run goes on where it was; a log follows its checkpoint."""

import argparse
import contextlib
import io
import json
import math
import os
import tempfile
import unittest
from dataclasses import replace
from unittest import mock

import torch
from PIL import Image

from balance import balance
from blocks import STREAM_LIMIT
from muon import Muon
from norms import Norm, excess, freeze, norms_of
from optim import Average, make_optimisers, set_rate
from ranges import Ranges
from vision import train
from vision.data import Augment, cutmix, normalise
from vision.distort import distorted, recoloured, warped
from vision.evaluate import logits, recalibrate
from vision.export import hostile_peaks
from vision.fold import fold, fold_stem, folded_inputs, folded_logits
from vision.grow import Moments, grow, grow_stem
from vision.replay import Replayed
from vision.report import row
from vision.squares import FLATTEST, Parabola, squared
from vision.step import Step, smoothed
from vision.train import forget_after
from vision.vit import Form, Shape, Vit, pairs


def trained_like(form: Form = Form()) -> Vit:
    """A small network whose norms and coefficients are all away from their initial values."""
    torch.manual_seed(3)
    cut = {} if form.convolutions else {"patch": 16, "stride": 12, "pad": 4}
    model = Vit(Shape(**cut, width=16, heads=2, hidden=24, blocks=2, classes=7, form=form))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for module in model.modules():
            if isinstance(module, Norm):
                module.mean.normal_()
                module.var.uniform_(0.5, 2)
    return model.double().eval()


class Folding(unittest.TestCase):
    def test_same_function_before_and_after(self) -> None:
        for form in (Form(), Form(tables=True), Form(convolutions=8), Form(tables=True, scaling="length")):
            self.folds(form)

    def folds(self, form: Form) -> None:
        model = trained_like(form)
        images = torch.randn(5, 3, 32, 32, dtype=torch.double)
        steps = model.shape.preprocessing()
        patches = folded_inputs({name: tensor.double() for name, tensor in fold_stem(model).items()}, steps, images, Ranges())
        with torch.no_grad():
            expected = model(images)[0]
        tensors = fold(model)
        double = {name: tensor.double() for name, tensor in tensors.items()}
        found = folded_logits(double, 2, patches, Ranges())
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
        balance(double, 2, lambda peaks: folded_logits(double, 2, patches, peaks))
        self.assertFalse(torch.equal(double["blocks.0.query.weight"], tensors["blocks.0.query.weight"].double()))
        torch.testing.assert_close(folded_logits(double, 2, patches, Ranges()), found, rtol=1e-9, atol=1e-9)

    def test_forms_that_the_evaluator_cannot_run_are_refused(self) -> None:
        for form in (Form("gelu"), Form(norm="layer"), Form(parallel=False), Form(stem=8), Form(inside=False)):
            with self.assertRaises(SystemExit):
                fold(trained_like(form))


class Growing(unittest.TestCase):
    def test_a_grown_network_begins_as_the_old_one(self) -> None:
        """Compared on the very images whose statistics the norms take."""
        images = torch.randint(0, 256, (40, 32, 32, 3), dtype=torch.uint8)
        model = Vit(trained_like().shape)
        recalibrate(model, images)
        old, seen = fold(model), Moments()
        expected = folded_logits(old, 2, model.patches(normalise(images)), seen)
        grown = Vit(replace(model.shape, width=24, heads=3, hidden=40, blocks=4, form=Form(tables=True, scaling="length")))
        grow(old, 2, grown, seen)
        recalibrate(grown, images)
        torch.testing.assert_close(logits(grown, images), expected, rtol=1e-3, atol=1e-3)
        with self.assertRaises(SystemExit):
            grow(old, 2, Vit(replace(grown.shape, heads=2)), seen)

    def test_convolutions_are_kept_as_they_are(self) -> None:
        images = torch.randint(0, 256, (40, 32, 32, 3), dtype=torch.uint8)
        model = trained_like(Form(tables=True, convolutions=8)).float()
        recalibrate(model, images)
        old, stem, seen = fold(model), fold_stem(model), Moments()
        expected = folded_logits(old, 2, folded_inputs(stem, model.shape.preprocessing(), normalise(images), seen), seen)
        again = Vit(model.shape)
        grow(old, 2, again, seen)
        grow_stem(stem, again, seen)
        recalibrate(again, images)
        torch.testing.assert_close(logits(again, images), expected, rtol=1e-3, atol=1e-3)


class Squares(unittest.TestCase):
    def test_where_gelu_is_a_parabola_its_replacement_computes_the_same(self) -> None:
        torch.manual_seed(4)
        images = torch.randint(0, 256, (40, 32, 32, 3), dtype=torch.uint8)
        model = trained_like(Form("gelu", "gelu", tables=True)).float()
        recalibrate(model, images)
        with torch.no_grad():
            for block in model.blocks:
                block.up_norm.weight.mul_(0.3)
                block.up_norm.bias.mul_(0.1)
                block.attention.score_scale.mul_(0.6)
                block.attention.score_shift.fill_(0.1)
        expected = logits(model, images)
        new = squared(model, images)
        self.assertEqual((new.shape.form.attention, new.shape.form.activation), ("square", "square"))
        self.assertLess((logits(new, images) - expected).norm(), 0.01 * (expected - expected.mean(0)).norm())
        with self.assertRaises(SystemExit):
            squared(new, images)

    def test_a_channel_gets_its_nearest_parabola_and_none_with_a_far_vertex(self) -> None:
        torch.manual_seed(4)
        u = torch.randn(500, 2, dtype=torch.double)
        u[:, 1] += 7
        parabola = Parabola()
        for part in u.split(100):
            parabola.see(part)
        curve, shift, rest = parabola.fit()
        found = curve * (u + shift) ** 2 + rest
        y = torch.nn.functional.gelu(u, approximate="tanh")
        powers = torch.stack([u[:, 0] ** k for k in range(3)], -1)
        best = powers @ torch.linalg.lstsq(powers, y[:, :1]).solution
        torch.testing.assert_close(found[:, :1], best)
        self.assertEqual(curve[1], FLATTEST)
        self.assertLess((found - y)[:, 1].abs().mean(), 0.1)


class Orthogonalising(unittest.TestCase):
    def test_float32_iterations_move_weights_as_the_librarys_do(self) -> None:
        torch.manual_seed(5)
        weights = [torch.nn.Parameter(torch.randn(shape)) for shape in ((8, 8), (8, 8), (12, 8), (8, 12))]
        copies = [torch.nn.Parameter(weight.detach().clone()) for weight in weights]
        ours, library = Muon(weights, lr=0.1, weight_decay=0.05), torch.optim.Muon(copies, lr=0.1, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
        for _ in range(3):
            before = [copy.detach().clone() for copy in copies]
            for weight, copy in zip(weights, copies, strict=True):
                weight.grad = torch.randn_like(weight)
                copy.grad = weight.grad.clone()
            ours.step()
            library.step()
            for weight, copy, old in zip(weights, copies, before, strict=True):
                self.assertLess((weight - copy).norm(), 0.05 * (copy - old).norm())


    def test_a_rate_may_be_a_tensor_that_changes_in_place(self) -> None:
        moved = []
        for kind in (float, torch.tensor):
            torch.manual_seed(5)
            weight = torch.nn.Parameter(torch.randn(8, 12))
            ours = Muon([weight], lr=0.1, weight_decay=0.05)
            ours.param_groups[0] |= {"peak": 0.1, "lr": kind(0.1)}
            rates = ours.param_groups[0]["lr"]
            for factor in (1.0, 0.5):
                set_rate([ours], factor)
                weight.grad = torch.randn(8, 12)
                ours.step()
            moved.append(weight.detach().clone())
        torch.testing.assert_close(moved[0], moved[1])
        self.assertEqual(rates.item(), torch.tensor(0.05).item())


class Forms(unittest.TestCase):
    def test_every_form_has_a_gradient_in_every_weight(self) -> None:
        forms = [Form("softmax", "gelu", norm, False, parallel=False) for norm in ("layer", "batch")]
        forms += [Form(kind, kind, scaling=scaling) for kind in ("gelu", "relu2", "square") for scaling in ("none", "root", "length")]
        forms += [Form(tables=True, stem=8), Form(convolutions=8), Form(norm="polynomial", inside=False), Form(norm="none")]
        images = torch.randn(6, 3, 32, 32, dtype=torch.double)
        for form in forms:
            model = trained_like(form).train()
            scores, penalty = model(images, 2)
            (scores.square().mean() + penalty).backward()
            # A scalar added to every score is no change to softmax.
            still = "score_offset" if form.attention == "softmax" and not form.tables else "nothing"
            for name, parameter in model.named_parameters():
                self.assertTrue(still in name or parameter.grad.abs().max() > 0, (form, name))

    def test_a_table_entry_belongs_to_one_displacement(self) -> None:
        met = pairs(Shape(form=Form(tables=True)))
        self.assertEqual(met.distances, 15 * 15)
        y, x = torch.arange(64) // 8, torch.arange(64) % 8
        keys = torch.stack([y[:, None] - y, x[:, None] - x, met.distance], -1).view(-1, 3).unique(dim=0)
        self.assertEqual(len(keys), 225)


class Augmentation(unittest.TestCase):
    def test_output_is_a_crop_or_its_mirror(self) -> None:
        torch.manual_seed(0)
        images = torch.randn(6, 3, 32, 32)
        padded = torch.nn.functional.pad(images, [4] * 4)
        for image, out in zip(padded, Augment(4)(images), strict=True):
            crops = [image[:, y : y + 32, x : x + 32] for y in range(9) for x in range(9)]
            self.assertTrue(any(torch.equal(out, c) or torch.equal(out, c.flip(2)) for c in crops))


class Distortions(unittest.TestCase):
    def test_as_many_images_change_as_asked_for(self) -> None:
        torch.manual_seed(0)
        images = torch.randn(400, 3, 8, 8)
        kept = [(distorted(images, part) == images).flatten(1).all(1).sum().item() for part in (0.0, 0.5, 1.0)]
        self.assertEqual((kept[0], kept[2]), (400, 0))
        self.assertTrue(70 < kept[1] < 130)  # a quarter: neither warped nor recoloured

    def test_the_middle_stays_in_the_middle(self) -> None:
        torch.manual_seed(0)
        bump = torch.exp(-((torch.arange(32) - 15.5) ** 2) / 8)
        images = (bump[:, None] * bump).expand(50, 3, 32, 32)
        found = warped(images)
        self.assertFalse(torch.allclose(found, images, atol=0.05))
        weights = found[:, 0] / found[:, 0].sum((1, 2), keepdim=True)
        for axis in (1, 2):
            torch.testing.assert_close((weights.sum(axis) * torch.arange(32)).sum(1), torch.full((50,), 15.5), atol=0.1, rtol=0)

    def test_a_plain_picture_stays_plain_and_dark_stays_darker_than_bright(self) -> None:
        torch.manual_seed(0)
        images = torch.stack([torch.zeros(3, 32), torch.ones(3, 32)], -1).expand(50, 3, 32, 2)
        found = recoloured(images)
        torch.testing.assert_close(found.amin(2), found.amax(2))
        self.assertTrue((found[..., 1] > found[..., 0]).all())


class CutMix(unittest.TestCase):
    def test_targets_are_the_parts_of_the_picture(self) -> None:
        torch.manual_seed(0)
        labels = torch.arange(8)
        images = labels.view(8, 1, 1, 1).expand(8, 3, 32, 32).float()
        mixed, targets = cutmix(images, labels, 8, 1.0)
        for image, target in zip(mixed, targets, strict=True):
            parts = torch.bincount(image[0].flatten().long(), minlength=8) / 1024
            torch.testing.assert_close(target, parts)
        self.assertGreater((targets.amax(1) < 1).sum().item(), 3)

    def test_other_batches_stay_as_they_are(self) -> None:
        torch.manual_seed(0)
        labels = torch.arange(8)
        images = torch.randn(8, 3, 32, 32)
        alone = torch.nn.functional.one_hot(labels, 8).float()
        draws = [cutmix(images, labels, 8, 0.25) for _ in range(100)]
        plain = [torch.equal(mixed, images) for mixed, _ in draws]
        self.assertEqual(plain, [torch.equal(targets, alone) for _, targets in draws])
        self.assertTrue(60 < sum(plain) < 90)

    def test_smoothing_keeps_sums_and_rows_without_a_target(self) -> None:
        found = smoothed(torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 0]]), 0.2)
        torch.testing.assert_close(found, torch.tensor([[0.85, 0.05, 0.05, 0.05], [0, 0, 0, 0]]))


class Steps(unittest.TestCase):
    def setUp(self) -> None:
        torch.manual_seed(0)
        self.images = torch.randint(0, 256, (12, 32, 32, 3), dtype=torch.uint8)
        self.labels = torch.arange(12) % 7

    def step(self, **options: float) -> Step:
        model, teacher = trained_like().float(), trained_like().float()
        torch.nn.init.normal_(teacher.head.weight)
        fixed = {"hard": 4, "range_weight": 0.02, "plain_from": 0.5, "distort": 0.0, "cutmix": 0.0, "teach": 0.7, "smoothing": 0.1, "norm": "batch"}
        optimisers = make_optimisers(model, 1e-2, 1e-2, 0.0)
        return Step(argparse.Namespace(**(fixed | options)), model, teacher, optimisers, Average(model, 0.9))

    def test_a_teacher_answers_for_photographs_only(self) -> None:
        step = self.step()
        x, y = step.batch(self.images, self.labels, 0.5)
        known = torch.nn.functional.one_hot(self.labels, y.shape[1]).float()
        torch.testing.assert_close(x[:12], normalise(self.images))
        torch.testing.assert_close(y[:12], 0.3 * known + 0.7 * step.teacher(x[:12])[0].softmax(-1))
        torch.testing.assert_close(y[12:], torch.cat([known[:3], torch.zeros(1, y.shape[1])]))

    def test_photographs_are_augmented_until_told_otherwise(self) -> None:
        x, _ = self.step().batch(self.images, self.labels, 0.49)
        self.assertFalse(torch.equal(x[:12], normalise(self.images)))

    def test_cutmix_shares_a_target_and_stops_with_augmentation(self) -> None:
        step = self.step(cutmix=1.0, teach=0.0)
        for progress, mixed in ((0.49, True), (0.5, False)):
            _, y = step.batch(self.images, self.labels, progress)
            self.assertEqual((y[:12].amax(1) < 1).any().item(), mixed)

    def test_without_a_penalty_no_image_far_from_photographs_joins(self) -> None:
        x, _ = self.step(range_weight=0).batch(self.images, self.labels, 0.5)
        self.assertEqual(len(x), 12)

    def test_frozen_norms_keep_their_statistics_and_show_outliers(self) -> None:
        step = self.step(teach=0.0)
        model = step.model.train()
        freeze(model)
        self.assertTrue(model.training and not any(norm.training for norm in norms_of(model)))
        before = [buffer.clone() for norm in norms_of(model) for buffer in (norm.mean, norm.var)]
        step(self.images, self.labels, 0.5)
        for old, new in zip(before, (buffer for norm in norms_of(model) for buffer in (norm.mean, norm.var)), strict=True):
            self.assertTrue(torch.equal(old, new))
        x = torch.randn(4, len(model.blocks[0].attention.mask), 16)
        x[0] *= 100
        shown = model.blocks[0].up_norm(model.blocks[0].up(x), 0)[0].abs().max()
        model.train()
        self.assertGreater(shown, 5 * model.blocks[0].up_norm(model.blocks[0].up(x), 0)[0].abs().max())

    def test_a_batch_is_learned(self) -> None:
        step = self.step(teach=0.0)
        step.model.train()
        begun = [value.clone() for value in step.average.values]
        losses = [step(self.images, self.labels, 0.5)[0].item() for _ in range(12)]
        self.assertLess(losses[-1], 0.75 * losses[0])
        self.assertFalse(any(torch.equal(old, new) for old, new in zip(begun, step.average.values, strict=True)))


    def gradient(self, step: Step) -> torch.Tensor:
        """Of the first block's first map, at a rate of zero and with the same images far from photographs each time."""
        torch.manual_seed(1)
        step.model.train()
        set_rate(step.optimisers, 0.0)
        step(self.images, self.labels, 0.5)
        return step.model.blocks[0].query.weight.grad.clone()

    def test_gradients_are_those_of_one_batch(self) -> None:
        step = self.step(range_weight=0)  # with the penalty both would be clipped to the same length
        torch.testing.assert_close(self.gradient(step), self.gradient(step))

    def test_the_range_penalty_has_its_weight(self) -> None:
        light, heavy = (self.gradient(self.step(range_weight=weight)) for weight in (1e-6, 1e-2))
        self.assertGreater((heavy - light).norm(), 0.01 * light.norm())


@unittest.skipUnless(torch.cuda.is_available(), "CUDA graphs want a GPU")
class Replaying(unittest.TestCase):
    def test_a_replayed_step_trains_as_the_step_itself(self) -> None:
        trained = []
        for wrap in (lambda step: step, Replayed):
            with torch.device("cuda"):
                steps = Steps()
                steps.setUp()
                step = steps.step(range_weight=0, plain_from=0)
                step.model.cuda().train()
                step.teacher.cuda()
                step.optimisers = make_optimisers(step.model, 1e-2, 1e-2, 0.0)
                step.average = Average(step.model, 0.9)
                train = wrap(step)
                begun = torch.cat([p.detach().flatten() for p in step.model.parameters()])
                for i in range(8):
                    set_rate(step.optimisers, 1 - i / 10)
                    losses = train(steps.images.roll(i, 0), steps.labels.roll(i), 0.5)
                trained.append((losses, torch.cat([value.flatten() for value in step.average.values]) - begun))
        torch.testing.assert_close(trained[0][0], trained[1][0], rtol=2e-2, atol=2e-2)
        self.assertLess((trained[0][1] - trained[1][1]).norm(), 0.05 * trained[0][1].norm())

    def test_each_replay_draws_anew(self) -> None:
        with torch.device("cuda"):
            steps = Steps()
            steps.setUp()
            step = steps.step(plain_from=1, cutmix=0.5, distort=0.5)
            step.model.cuda().train()
            step.teacher.cuda()
            step.optimisers = make_optimisers(step.model, 1e-2, 1e-2, 0.0)
            set_rate(step.optimisers, 0.0)
            train = Replayed(step)
            losses = [train(steps.images, steps.labels, 0.5)[0].item() for _ in range(12)]
        self.assertEqual(len(set(losses)), 12)


class Penalty(unittest.TestCase):
    def test_hinge_on_the_largest_magnitude_of_each_sample(self) -> None:
        x = torch.tensor([[1.0, -10.0], [2.0, 3.0]])
        self.assertAlmostEqual(excess(x, 8).item(), 8 * math.log(1 + 2 / 8) / 2, places=6)
        self.assertAlmostEqual(excess(x, 1, 1).item(), math.log(10) + math.log(3), places=6)

    def test_a_block_counts_its_stream_and_keeps_samples_from_overflowing(self) -> None:
        block = trained_like().blocks[0].train()
        for linear in (block.output, block.down):
            torch.nn.init.zeros_(linear.weight)
            torch.nn.init.zeros_(linear.bias)
        x = torch.randn(3, len(block.attention.mask), 16, dtype=torch.double)
        x[0, 0, 0], x[1, 0, 0], x[2, 0, 0] = STREAM_LIMIT + 5, -500, 1000
        y, penalty = block(x, 1)
        expected = block.branches(x, 1)[1] + excess(x, STREAM_LIMIT, 1)
        torch.testing.assert_close(penalty, expected)
        torch.testing.assert_close(y[0], x[0])
        torch.testing.assert_close(y[1:], x[1:] * torch.tensor([0.2, 0.1], dtype=torch.double).view(2, 1, 1))

    def test_an_overflow_counts_as_the_largest_value(self) -> None:
        model = trained_like(Form(tables=True, convolutions=8)).float()
        tensors, stem = fold(model), fold_stem(model)
        tensors["embed.weight"] *= 1e30
        peaks = hostile_peaks(model.shape, tensors, stem)
        self.assertEqual(peaks[0], torch.inf)
        self.assertEqual(peaks, sorted(peaks, reverse=True))


class Report(unittest.TestCase):
    def test_a_run_counts_what_it_began_with(self) -> None:
        model = trained_like().float()
        counts = {"seen": 50000, "minutes": 3.0, "before": {"seen": 25000, "minutes": 4.0}}
        saved = counts | {"shape": model.shape.to_dict(), "averaged": model.state_dict()}
        images = torch.randint(0, 256, (5, 32, 32, 3), dtype=torch.uint8)
        best = logits(model, images).argmax(1)
        cells = row("a", saved, images, best).split(" | ")
        self.assertEqual(cells[:1] + cells[2:6], ["| a", "1.5", "7", "100.00", "100.00"])
        self.assertEqual([len(peaks.split(", ")) for peaks in cells[6:]], [2, 2, 2])


class Runs(unittest.TestCase):
    def run_for(self, folder: str, epochs: int, recalibrations: int) -> dict:
        sizes = ["--blocks", "1", "--width", "16", "--heads", "2", "--hidden", "16", "--batch", "16", "--hard", "4"]
        schedule = ["--epochs", str(epochs), "--freeze-from", "0.5", "--plain-from", "1", "--distort", "0.5", "--cutmix", "0.5", "--device", "cpu"]
        command = ["train", "--data", folder, "--run", os.path.join(folder, "run"), *sizes, *schedule]
        counted = mock.patch.object(train, "recalibrate", wraps=recalibrate)
        with mock.patch("sys.argv", command), contextlib.redirect_stdout(io.StringIO()), counted as calls:
            train.main()
        self.assertEqual(calls.call_count, recalibrations)
        return torch.load(os.path.join(folder, "run", "checkpoint.pt"))

    def test_norms_keep_their_statistics_from_the_given_progress_on_and_after_a_pause(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for split in ("train", "valid"):
                os.mkdir(os.path.join(folder, split))
                for name in ("00_apple", "01_aquarium_fish"):
                    strip = torch.randint(0, 256, (32 * 24, 32, 3), dtype=torch.uint8).numpy()
                    Image.fromarray(strip).save(os.path.join(folder, split, f"{name}.webp"), lossless=True)
            begun = self.run_for(folder, 1, 1)  # to evaluate
            self.assertFalse(begun["frozen"])
            self.assertEqual(begun["model"]["norm.seen"], 3)  # a batch each
            for epochs, recalibrations in ((2, 1), (3, 0)):  # to freeze; never again
                later = self.run_for(folder, epochs, recalibrations)
                self.assertEqual((later["epoch"], later["frozen"]), (epochs, True))
                self.assertEqual(later["model"]["norm.seen"], 1)  # all images at once, and nothing since
                self.assertTrue(torch.equal(later["averaged"]["norm.mean"], later["model"]["norm.mean"]))
                self.assertFalse(torch.equal(later["averaged"]["head.weight"], later["model"]["head.weight"]))


class Log(unittest.TestCase):
    def test_epochs_after_the_checkpoint_are_forgotten(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.jsonl")
            lines = [json.dumps({"epoch": epoch, "loss": 1.0}) + "\n" for epoch in (0, 1, 2, 3)]
            with open(path, "w", encoding="utf8") as file:
                file.writelines(lines)
            forget_after(2, path)
            with open(path, encoding="utf8") as file:
                self.assertEqual(file.readlines(), lines[:3])


if __name__ == "__main__":
    unittest.main()
