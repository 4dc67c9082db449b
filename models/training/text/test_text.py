"""Folding and balancing keep the function; windows, padding and scoring line up; strange prompts stay out of the statistics."""

import math
import unittest

import torch

from balance import balance
from blocks import ScoreNorm
from text.batches import IGNORED, Windows, strange_prompts
from text.detokenise import detokenise
from text.fold import client_tensors, embed, fold, folded_hidden, last_norm
from text.lm import Form, Lm, Shape
from text.perplexity import perplexity, scored_windows
from text.recall import followers


def small(form: Form = Form()) -> Lm:
    """A small network whose norms and coefficients are all away from their initial values."""
    torch.manual_seed(3)
    model = Lm(Shape(window=12, width=16, heads=2, hidden=24, blocks=2, vocabulary=40, form=form))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for module in model.modules():
            if hasattr(module, "var"):
                module.mean.normal_()
                module.var.uniform_(0.5, 2)
            if hasattr(module, "average"):
                module.average.fill_(1.7)
    return model.double().eval()


def clear(_: str, value: torch.Tensor) -> torch.Tensor:
    return value


class Folding(unittest.TestCase):
    def test_same_function_before_and_after(self) -> None:
        model = small()
        ids = torch.randint(0, 40, (5, 12))
        client = {name: tensor.detach() for name, tensor in client_tensors(model).items()}
        with torch.no_grad():
            expected = model.hidden(ids)[0]
        tensors = {name: tensor.double() for name, tensor in fold(model).items()}
        before = tensors["blocks.0.query.weight"].clone()
        found = folded_hidden(tensors, 2, embed(client, ids), clear)
        torch.testing.assert_close(last_norm(client, found), expected, rtol=1e-4, atol=1e-4)
        balance(tensors, 2, lambda peaks: folded_hidden(tensors, 2, embed(client, ids), peaks))
        self.assertFalse(torch.equal(tensors["blocks.0.query.weight"], before))
        torch.testing.assert_close(folded_hidden(tensors, 2, embed(client, ids), clear), found, rtol=1e-9, atol=1e-9)


class Causality(unittest.TestCase):
    def test_a_later_id_changes_no_earlier_position(self) -> None:
        for form in (Form(), Form("gelu", "gelu"), Form("softmax", "gelu", "layer", False, parallel=False), Form(norm="polynomial"), Form(norm="batch")):
            model = small(form)
            ids = torch.randint(0, 40, (3, 12))
            other = ids.clone()
            other[:, 7] = (other[:, 7] + 1) % 40
            with torch.no_grad():
                change = (model.hidden(ids)[0] - model.hidden(other)[0]).abs().amax((0, 2))
            self.assertEqual(change[:7].max().item(), 0, form)
            self.assertGreater(change[7:].min().item(), 0, form)


class Recall(unittest.TestCase):
    def test_the_latest_earlier_occurrence_counts(self) -> None:
        torch.manual_seed(1)
        ids = torch.randint(0, 4, (20, 12))
        for order in (1, 2):
            found, known = followers(ids, order)
            for row, after, there in zip(ids.tolist(), found.tolist(), known.tolist(), strict=True):
                for t in range(12):
                    ends = [s for s in range(order - 1, t) if t + 1 >= order and row[s + 1 - order : s + 1] == row[t + 1 - order : t + 1]]
                    self.assertEqual(there[t], float(bool(ends)))
                    if ends:
                        self.assertEqual(after[t], row[ends[-1] + 1])


class ScoreStatistics(unittest.TestCase):
    def test_only_causal_entries_of_ordinary_windows_count(self) -> None:
        torch.manual_seed(0)
        norm = ScoreNorm(2).train()
        scores, mask = torch.randn(6, 2, 5, 5), torch.ones(5, 5).tril()
        spoiled = torch.where(mask == 1, scores, 1e3)
        spoiled[-1] = 1e3
        known = scores[:-1, 1][:, mask == 1]
        scale, shift = norm(spoiled, mask, 1)
        self.assertAlmostEqual((known * scale[1] + shift[1]).mean().item(), 0, places=5)
        self.assertAlmostEqual((known * scale[1] + shift[1]).std(correction=0).item(), 1, places=4)


class Batches(unittest.TestCase):
    def test_targets_follow_inputs_and_pads_have_none_but_the_last(self) -> None:
        corpus = torch.arange(1, 400, dtype=torch.int16)
        windows = Windows(corpus, 50, 12, 1)
        x, y = windows.take(next(windows.passes(16)), 6)
        for row, targets in zip(x.tolist(), y.tolist(), strict=True):
            pads = row.count(0)
            self.assertTrue(all(value == 0 for value in row[:pads]))
            expected = [IGNORED] * (pads - 1) + [row[pads]] if pads else []
            self.assertEqual(targets, expected + [value + 1 for value in row[pads:]])
        self.assertTrue(all(0 not in row for row in x[:10].tolist()))
        self.assertTrue(all(row[0] == 0 for row in x[10:].tolist()))

    def test_strange_prompts_hold_ids_of_the_vocabulary(self) -> None:
        ids = strange_prompts(60, 12, 40)
        self.assertEqual(tuple(ids.shape), (60, 12))
        self.assertTrue(0 <= ids.min() and ids.max() < 40)


class LateWeight(unittest.TestCase):
    def test_second_half_of_the_window_counts_more(self) -> None:
        model = small()
        x, y = torch.randint(0, 40, (3, 12)), torch.randint(0, 40, (3, 12))
        y[0, :8] = IGNORED
        with torch.no_grad():
            plain = model(x, y)[0]
            early = model(x, torch.where(torch.arange(12) < 6, y, IGNORED))[0]
            late = model(x, torch.where(torch.arange(12) < 6, IGNORED, y))[0]
            model.late = 3.0
            found = model(x, y)[0]
        counts = (12, 16)
        self.assertAlmostEqual(plain.item(), ((counts[0] * early + counts[1] * late) / sum(counts)).item(), places=5)
        self.assertAlmostEqual(found.item(), ((counts[0] * early + 3 * counts[1] * late) / (counts[0] + 3 * counts[1])).item(), places=5)


class Scoring(unittest.TestCase):
    def test_each_id_once_from_the_ids_before_it(self) -> None:
        ids = torch.arange(1, 71)
        inputs, targets = scored_windows(ids, 8)
        self.assertEqual([t for t in targets.flatten().tolist() if t != IGNORED], ids.tolist())
        for row, wanted in zip(inputs.tolist(), targets.tolist(), strict=True):
            for position, target in enumerate(wanted, start=4):
                if target != IGNORED:
                    self.assertEqual(row[: position + 1], [max(target - 1 - position + p, 0) for p in range(position + 1)])

    def test_uniform_guessing_has_the_vocabulary_as_perplexity(self) -> None:
        text = {"ids": torch.randint(0, 40, (100,)), "words": 50}
        found = perplexity(lambda x: torch.zeros(*x.shape, 40), text, 8)
        self.assertAlmostEqual(found["token"], 40, places=2)
        self.assertAlmostEqual(found["word"], 1600, delta=1)
        self.assertTrue(math.isfinite(found["word"]))


class Detokenising(unittest.TestCase):
    def test_marks_and_spaces(self) -> None:
        found = detokenise(' = Title = \n \n It cost $ 1 @,@ 000 ( about 2 @.@ 5 % ) , he said : " well @-@ known " . It \'s 5 – 6 m . \n')
        self.assertEqual(found, '= Title =\n\nIt cost $1,000 (about 2.5%), he said: "well-known". It\'s 5–6 m.\n')


if __name__ == "__main__":
    unittest.main()
