"""`python -m unittest`: folding and balancing keep the function; augmentation only crops and flips; the penalty sees outliers."""

import unittest

import torch

from balance import balance
from norms import Norm, excess
from ranges import Ranges
from vision.data import Augment
from vision.fold import fold, folded_logits
from vision.vit import Shape, Vit


def trained_like() -> Vit:
    """A small network whose norms and coefficients are all away from their initial values."""
    torch.manual_seed(3)
    model = Vit(Shape(patch=16, stride=12, pad=4, width=16, heads=2, hidden=24, blocks=2, classes=7))
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
        model = trained_like()
        images = torch.randn(5, 3, 32, 32, dtype=torch.double)
        patches = model.patches(images)
        with torch.no_grad():
            expected = model(images)[0]
        tensors = fold(model)
        double = {name: tensor.double() for name, tensor in tensors.items()}
        found = folded_logits(double, 2, patches, Ranges())
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
        balance(double, 2, lambda peaks: folded_logits(double, 2, patches, peaks))
        self.assertFalse(torch.equal(double["blocks.0.query.weight"], tensors["blocks.0.query.weight"].double()))
        torch.testing.assert_close(folded_logits(double, 2, patches, Ranges()), found, rtol=1e-9, atol=1e-9)


class Augmentation(unittest.TestCase):
    def test_output_is_a_crop_or_its_mirror(self) -> None:
        torch.manual_seed(0)
        images = torch.randn(6, 3, 32, 32)
        padded = torch.nn.functional.pad(images, [4] * 4)
        for image, out in zip(padded, Augment(4)(images), strict=True):
            crops = [image[:, y : y + 32, x : x + 32] for y in range(9) for x in range(9)]
            self.assertTrue(any(torch.equal(out, c) or torch.equal(out, c.flip(2)) for c in crops))


class Penalty(unittest.TestCase):
    def test_hinge_on_the_largest_magnitude_of_each_sample(self) -> None:
        x = torch.tensor([[1.0, -10.0], [2.0, 3.0]])
        self.assertEqual(excess(x, 8).item(), 1.0)


if __name__ == "__main__":
    unittest.main()
