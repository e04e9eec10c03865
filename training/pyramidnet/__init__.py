"""PyramidNet: residual networks whose width grows with every unit."""

from training.pyramidnet.network import (
    STAGES,
    STEM_WIDTH,
    count_units,
    drop_probabilities,
    pyramid_logits,
    pyramidnet,
    unit_widths,
)

__all__ = [
    "STAGES",
    "STEM_WIDTH",
    "count_units",
    "drop_probabilities",
    "pyramid_logits",
    "pyramidnet",
    "unit_widths",
]
