"""Reads a released model's folder."""

import json
import os
from dataclasses import dataclass

import torch
from safetensors.torch import load_file

from ranges import Ranges
from vision.data import normalise
from vision.fold import Seer, folded_inputs, folded_logits


@dataclass(frozen=True)
class Released:
    config: dict
    tensors: dict[str, torch.Tensor]
    stem: dict[str, torch.Tensor]

    @staticmethod
    def load(folder: str) -> "Released":
        def tensors(name: str) -> dict[str, torch.Tensor]:
            path = os.path.join(folder, name)
            return {name: tensor.float() for name, tensor in load_file(path).items()} if os.path.exists(path) else {}

        with open(os.path.join(folder, "config.json"), encoding="utf8") as file:
            config = json.load(file)
        return Released(config, tensors("model.safetensors"), tensors("stem.safetensors"))

    @property
    def heads(self) -> int:
        return self.config["architecture"]["heads"]

    def logits(self, images: torch.Tensor, see_stem: Seer | None = None, see: Seer | None = None) -> torch.Tensor:
        """Of uint8 images [N,32,32,3]."""
        inputs = folded_inputs(self.stem, self.config["preprocessing"], normalise(images), see_stem or Ranges())
        return folded_logits(self.tensors, self.heads, inputs, see or Ranges())
