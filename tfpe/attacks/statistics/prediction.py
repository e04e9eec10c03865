"""What eight neighbours tell of a pixel: a prediction, and how far to trust it."""

from typing import NamedTuple

import numpy as np

MIDDLE = np.float32(127.5)
NEIGHBOURS = [(r, c) for r in range(3) for c in range(3) if (r, c) != (1, 1)]
FIT_PIXELS = 60_000


class NeighbourModel(NamedTuple):
    """Pixels given their neighbours: a Gaussian whose scale varies with the place.

    Attributes:
        coefficients: of the linear prediction, `float32 (8C + 1, C)`.
        precision: inverse covariance of the errors, at scale 1, `float32 (C, C)`.
            Errors of the channels go together, which tells the channel orders.
        scale: (a, b): the variance is in proportion to a + b * spread.
    """

    coefficients: np.ndarray
    precision: np.ndarray
    scale: np.ndarray

    def predict(self, neighbours):
        """Predictions, less 127.5, and variances of pixels.

        Args:
            neighbours: `uint8 (..., 8, C)`.

        Returns:
            `float32 (..., C)` and `float32 (...)`.
        """
        features, spread = _features(neighbours)
        return features @ self.coefficients, self.scale[0] + self.scale[1] * spread


def padded(values):
    """Images `(B, H, W, C)` with a mirrored border, so that all have 8 neighbours."""
    return np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")


def fit_model(values):
    """Fits a `NeighbourModel` to images, `uint8 (B, H, W, C)`.

    Weighted least squares, where flat places weigh more.
    """
    # Seeded: the same evidence gives the same key. No secret hangs on these numbers.
    rng = np.random.default_rng(0)
    count = min(FIT_PIXELS, values[..., 0].size)
    image, row, column = (rng.integers(0, size, count) for size in values.shape[:3])
    around = padded(values)
    features, spread = _features(
        np.stack([around[image, row + r, column + c] for r, c in NEIGHBOURS], axis=-2)
    )
    target = values[image, row, column] - MIDDLE
    variance = np.ones(count, np.float32)
    growth = np.stack([np.ones_like(spread), spread], axis=1)
    for _ in range(3):
        coefficients = _least_squares(features, target, 1 / variance)
        error = target - features @ coefficients
        # The error of a square is in proportion to the variance itself.
        scale = _least_squares(growth, (error**2).mean(axis=1), variance**-2)
        # Bytes are whole: no variance is quite 0, nor does it fall with the spread.
        scale = np.maximum(scale, np.float32([0.1, 1e-3]))
        variance = growth @ scale
    covariance = (error / variance[:, None]).T @ error / count
    # As much again of a thousandth: channels of a gray image have equal errors.
    covariance += 1e-3 * np.eye(len(covariance), dtype=np.float32)
    return NeighbourModel(coefficients, np.linalg.inv(covariance), scale)


def neighbours_of(rows, columns=slice(None)):
    """Neighbours of pixels of a row, `(B, w, 8, C)`.

    Args:
        rows: the padded row and those around it, `uint8 (B, 3, W + 2, C)`.
        columns: the pixels, a slice.
    """
    width = rows.shape[2] - 2
    parts = [rows[:, r, c : c + width][:, columns] for r, c in NEIGHBOURS]
    return np.stack(parts, axis=-2)


def explained_variance(plain):
    """What neighbours explain of how each pixel varies over the images: `(H, W)`.

    1 less the ratio of squared errors and variance; 0 where a pixel is constant.
    """
    model, around = fit_model(plain), padded(plain)
    explained = np.zeros(plain.shape[1:3])
    for row in range(plain.shape[1]):
        values = plain[:, row] - MIDDLE
        prediction, _ = model.predict(neighbours_of(around[:, row : row + 3]))
        error = ((values - prediction) ** 2).mean(axis=(0, 2))
        variance = values.var(axis=0).mean(axis=-1)
        varies = variance > 0
        explained[row, varies] = 1 - error[varies] / variance[varies]
    return explained


def _features(neighbours):
    neighbours = neighbours - MIDDLE
    spread = neighbours.var(axis=-2).mean(axis=-1)
    flat = neighbours.reshape(*neighbours.shape[:-2], -1)
    return np.concatenate([flat, np.ones_like(flat[..., :1])], axis=-1), spread


def _least_squares(features, target, weight):
    weighted = features * weight[:, None]
    square = features.T @ weighted
    # Enough to keep equal features apart, too little to shrink what they tell.
    square += 1e-6 * np.trace(square) * np.eye(len(square), dtype=square.dtype)
    return np.linalg.solve(square, weighted.T @ target).astype(np.float32)
