"""A training step as one CUDA graph: its thousand small kernels need the GPU for less time than a processor core needs to start them one by one."""

import torch

from norms import norms_of
from vision.step import Step

WARM_UP = 3  # steps that are run as they are: kernels get compiled and chosen, optimisers make their state


class Replayed:
    """Does what `step` does, for batches of one size; recorded anew where augmentation stops and where norms keep their statistics."""

    def __init__(self, step: Step):
        self.step = step
        self.norms = norms_of(step.model)
        self.stream = torch.cuda.Stream()
        self.warm = 0
        self.phase: tuple[bool, bool] | None = None

    def __call__(self, images: torch.Tensor, labels: torch.Tensor, progress: float) -> torch.Tensor:
        """Loss and range penalty of the batch, before the update."""
        phase = (progress >= self.step.options.plain_from, any(not norm.training for norm in self.norms))
        if phase != self.phase:
            self.phase, self.warm, self.graph = phase, 0, None
        if self.warm < WARM_UP:
            self.warm += 1
            losses = self.as_it_is(images, labels, progress)
        else:
            if self.graph is None:
                self.record(images, labels, progress)
            self.images.copy_(images)
            self.labels.copy_(labels)
            self.graph.replay()
            losses = self.losses.clone()
        self.step.average.update(self.step.model)
        return losses

    def as_it_is(self, images: torch.Tensor, labels: torch.Tensor, progress: float) -> torch.Tensor:
        """On the stream that records later: gradients are summed on the one where they were summed first."""
        main = torch.cuda.current_stream()
        self.stream.wait_stream(main)
        with torch.cuda.stream(self.stream):
            losses = self.step.update(images, labels, progress)
        main.wait_stream(self.stream)
        return losses

    def record(self, images: torch.Tensor, labels: torch.Tensor, progress: float) -> None:
        self.images, self.labels = images.clone(), labels.clone()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=self.stream):
            self.losses = self.step.update(self.images, self.labels, progress)
