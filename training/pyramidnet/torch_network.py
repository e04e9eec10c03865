"""The same PyramidNet in plain PyTorch: a yardstick for the speed of the Keras one."""

import torch
from torch import nn
from torch.nn import functional

from training.pyramidnet import (
    STAGES,
    STEM_WIDTH,
    count_units,
    drop_probabilities,
    unit_widths,
)


class ShakeDrop(nn.Module):
    """As `training.shakedrop.ShakeDrop`, a factor for each sample."""

    def __init__(self, drop_probability):
        super().__init__()
        self.drop_probability = drop_probability

    def forward(self, inputs):
        if not self.training:
            return inputs * (1 - self.drop_probability)
        if torch.rand(()) >= self.drop_probability:
            return inputs
        noise = inputs.new_empty((len(inputs), 1, 1, 1))
        alpha = noise.uniform_(-1, 1)
        beta = torch.empty_like(noise).uniform_(0, 1)
        return beta * inputs + ((alpha - beta) * inputs).detach()


class Unit(nn.Module):
    """A basic unit, as `training.pyramidnet.unit.PyramidUnit`."""

    def __init__(self, channels, width, stride, drop_probability):
        super().__init__()
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(channels, width, 3, stride, 1, bias=False),
                nn.Conv2d(width, width, 3, 1, 1, bias=False),
            ]
        )
        self.norms = nn.ModuleList(map(nn.BatchNorm2d, (channels, width, width)))
        self.missing = width - channels
        self.pool = nn.AvgPool2d(2, ceil_mode=True) if stride > 1 else nn.Identity()
        drops = drop_probability is not None
        self.shakedrop = ShakeDrop(drop_probability) if drops else nn.Identity()

    def forward(self, inputs):
        branch = self.norms[1](self.convolutions[0](self.norms[0](inputs)))
        branch = self.norms[2](self.convolutions[1](functional.relu(branch)))
        shortcut = functional.pad(self.pool(inputs), (0, 0, 0, 0, 0, self.missing))
        return self.shakedrop(branch) + shortcut


class PyramidNet(nn.Module):
    """Basic blocks, widths rounded up, stem with bias; float images, channels first."""

    def __init__(self, depth, alpha, num_classes=10, shakedrop=0.5):
        super().__init__()
        units = count_units(depth)
        drops = drop_probabilities(units, shakedrop) if shakedrop else [None] * units
        channels, modules = STEM_WIDTH, []
        for index, width in enumerate(unit_widths(units, alpha)):
            stage, position = divmod(index, units // STAGES)
            stride = 2 if stage and position == 0 else 1
            modules.append(Unit(channels, width, stride, drops[index]))
            channels = width
        self.stem = nn.Conv2d(3, STEM_WIDTH, 3, 1, 1)
        self.stem_norm = nn.BatchNorm2d(STEM_WIDTH)
        self.units = nn.Sequential(*modules)
        self.head_norm = nn.BatchNorm2d(channels)
        self.logits = nn.Linear(channels, num_classes)

    def forward(self, images):
        features = self.units(self.stem_norm(self.stem(images)))
        features = functional.relu(self.head_norm(features))
        return self.logits(features.mean((2, 3)))
