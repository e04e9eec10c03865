"""Security metrics, each beside the value that ideal noise has.

`images` compares two images, `noise` looks at one, `evaluation` gives all of it for a
cipher, `keystream` looks for cycles and runs the tests of NIST SP 800-22. Passing
them is no security: the ciphers here pass most and fall to a few chosen images.

>>> import numpy as np
>>> a, b = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
>>> 0.99 < npcr(a, b) < 1
True
"""

from tfpe.metrics.evaluation import image_metrics, jpeg_metrics
from tfpe.metrics.image_pairs import (
    edge_correlation,
    gray,
    gray_correlation,
    npcr,
    npcr_limit,
    psnr,
    psnr_expectation,
    uaci,
    uaci_expectation,
    uaci_limits,
)
from tfpe.metrics.jpeg import jpeg_round_trip
from tfpe.metrics.keystream import (
    Cycle,
    find_cycle,
    keystream_metrics,
    logistic_cycle,
)
from tfpe.metrics.noise import (
    adjacent_correlation,
    entropy_expectation,
    entropy_limits,
    entropy_moments,
    histogram_chi_square,
    histogram_chi_square_limit,
    local_entropy,
    shannon_entropy,
)
from tfpe.metrics.perceptual_similarity import lpips
from tfpe.metrics.recognition import identification_rate, identified
from tfpe.metrics.sp800_22 import keystream_bits, statistical_tests
from tfpe.metrics.structural_similarity import ms_ssim, ssim

__all__ = [
    "Cycle",
    "adjacent_correlation",
    "edge_correlation",
    "entropy_expectation",
    "entropy_limits",
    "entropy_moments",
    "find_cycle",
    "gray",
    "gray_correlation",
    "histogram_chi_square",
    "histogram_chi_square_limit",
    "identification_rate",
    "identified",
    "image_metrics",
    "jpeg_metrics",
    "jpeg_round_trip",
    "keystream_bits",
    "keystream_metrics",
    "local_entropy",
    "logistic_cycle",
    "lpips",
    "ms_ssim",
    "npcr",
    "npcr_limit",
    "psnr",
    "psnr_expectation",
    "shannon_entropy",
    "ssim",
    "statistical_tests",
    "uaci",
    "uaci_expectation",
    "uaci_limits",
]
