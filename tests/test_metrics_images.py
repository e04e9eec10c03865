"""Image metrics against exact fractions, loops and other libraries."""

import collections
import itertools
import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from metric_pairs import CHINA, COMPARE, FLOWER, PAIRS, RANDOM, pairs, values_of
from scipy import ndimage, signal
from scipy import stats as scipy_stats

import tfpe
from tfpe import Key, metrics
from tfpe.errors import ImageError, TfpeError

DESCRIBE = [
    metrics.shannon_entropy,
    metrics.histogram_chi_square,
    metrics.uaci_expectation,
    metrics.psnr_expectation,
    metrics.gray,
    *(
        lambda images, d=direction: metrics.adjacent_correlation(images, d)
        for direction in ("horizontal", "vertical", "diagonal")
    ),
]


@pairs
def test_change_rates_are_exact_fractions(pair):
    a, b = map(values_of, pair)
    changed = Fraction(sum(x != y for x, y in zip(a, b, strict=True)), len(a))
    change = Fraction(sum(abs(x - y) for x, y in zip(a, b, strict=True)), 255 * len(a))
    assert metrics.npcr(*pair) == pytest.approx(float(changed), rel=1e-14)
    assert metrics.uaci(*pair) == pytest.approx(float(change), rel=1e-14)


# Wu, Noonan, Agaian 2011, for alpha = .05, in per cent.
@pytest.mark.parametrize(
    ("size", "npcr", "low", "high"),
    [
        (1024, 99.2887, 32.0142, 34.9129),
        (3072, 99.4243, 32.6268, 34.3003),
        (65536, 99.5693, 33.2824, 33.6447),
    ],
)
def test_limits_of_change_rates(size, npcr, low, high):
    assert 100 * metrics.npcr_limit(size) == pytest.approx(npcr, abs=1e-4)
    limits = [100 * limit for limit in metrics.uaci_limits(size)]
    assert limits == pytest.approx([low, high], abs=1e-4)


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.001])
def test_limits_follow_from_all_pairs_of_bytes(alpha):
    # Exact moments over the 65,536 pairs, quantiles of the standard library.
    changes = collections.Counter(
        abs(a - b) for a, b in itertools.product(range(256), repeat=2)
    )
    mean = sum(Fraction(d * k, 255) for d, k in changes.items()) / 256**2
    square = sum(Fraction(d * d * k, 255**2) for d, k in changes.items()) / 256**2
    normal, size = statistics.NormalDist(), 3072
    reach = -normal.inv_cdf(alpha / 2) * math.sqrt((square - mean**2) / size)
    expected = [float(mean) - reach, float(mean) + reach]
    assert metrics.uaci_limits(size, alpha) == pytest.approx(expected, rel=1e-12)
    differ = Fraction(255, 256)
    reach = -normal.inv_cdf(alpha) * math.sqrt(differ * (1 - differ) / size)
    expected = float(differ) - reach
    assert metrics.npcr_limit(size, alpha) == pytest.approx(expected, rel=1e-12)


@pairs
def test_expectations_are_means_over_all_bytes(pair):
    image, _ = pair
    values = values_of(image)
    count = collections.Counter(values)
    change = sum(k * abs(v - u) for v, k in count.items() for u in range(256))
    error = sum(k * (v - u) ** 2 for v, k in count.items() for u in range(256))
    change, error = (Fraction(x, 256 * len(values)) for x in (change, error))
    assert metrics.uaci_expectation(image) == pytest.approx(float(change / 255))
    expected = 10 * math.log10(255**2 / error)
    assert metrics.psnr_expectation(image) == pytest.approx(expected)


@pairs
def test_psnr_and_ssim_agree_with_tensorflow(pair):
    import tensorflow as tf

    psnr = tf.image.psnr(*pair, max_val=255).numpy()
    ssim = tf.image.ssim(*pair, max_val=255).numpy()
    assert metrics.psnr(*pair) == pytest.approx(psnr, abs=1e-4)
    assert metrics.ssim(*pair) == pytest.approx(ssim, abs=1e-4)


@pairs
def test_psnr_and_ssim_agree_with_their_definitions(pair):
    a, b = map(values_of, pair)
    squares = Fraction(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)), len(a))
    assert metrics.psnr(*pair) == pytest.approx(10 * math.log10(255**2 / squares))
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def mean(plane):
        return signal.convolve2d(plane, window, mode="valid")

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    maps = []
    for x, y in zip(*(np.moveaxis(i, -1, 0).astype(float) for i in pair), strict=True):
        mx, my = mean(x), mean(y)
        vx, vy = mean(x * x) - mx**2, mean(y * y) - my**2
        numerator = (2 * mx * my + c1) * (2 * (mean(x * y) - mx * my) + c2)
        maps.append(numerator / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    assert metrics.ssim(*pair) == pytest.approx(np.mean(maps), abs=1e-9)


@pairs
def test_measures_are_those_of_scikit_image(pair):
    # It is not installed with the library, whose tests have it.
    from skimage import color, filters
    from skimage import metrics as skimage

    expected = skimage.peak_signal_noise_ratio(*pair)
    assert metrics.psnr(*pair) == pytest.approx(expected, rel=1e-14)
    expected = skimage.structural_similarity(
        *pair,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    assert metrics.ssim(*pair) == pytest.approx(expected, abs=1e-13)
    grays = [
        255 * color.rgb2gray(i) if i.shape[-1] == 3 else i.mean(axis=-1) for i in pair
    ]
    for image, expected in zip(pair, grays, strict=True):
        np.testing.assert_allclose(metrics.gray(image), expected, rtol=1e-14)
    expected = np.corrcoef(*(filters.sobel(g).ravel() for g in grays))[0, 1]
    assert metrics.edge_correlation(*pair) == pytest.approx(expected, abs=1e-12)


@pairs
def test_gray_and_edge_correlation(pair):
    weights = [0.2125, 0.7154, 0.0721] if pair[0].shape[-1] == 3 else [1.0]
    grays = [sum(w * i[..., c] for c, w in enumerate(weights)) for i in pair]
    expected = scipy_stats.pearsonr(*(g.ravel() for g in grays)).statistic
    assert metrics.gray_correlation(*pair) == pytest.approx(expected, abs=1e-12)
    kernel = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
    edges = [
        np.hypot(ndimage.convolve(g, kernel), ndimage.convolve(g, kernel.T)).ravel()
        for g in grays
    ]
    expected = np.corrcoef(*edges)[0, 1]
    assert metrics.edge_correlation(*pair) == pytest.approx(expected, abs=1e-9)


def test_equal_and_constant_images():
    image, flat = PAIRS["noise"][0], np.full((16, 16, 3), 200, np.uint8)
    assert metrics.psnr(image, image) == math.inf
    assert metrics.ssim(image, image) == pytest.approx(1)
    for measure in (metrics.gray_correlation, metrics.edge_correlation):
        assert math.isnan(measure(flat, flat))
    assert np.isnan(metrics.adjacent_correlation(flat, "diagonal")).all()
    assert metrics.shannon_entropy(flat) == 0


@pytest.mark.parametrize("measure", COMPARE, ids=lambda m: m.__name__)
def test_a_batch_gives_what_its_images_give(measure):
    first, second = RANDOM.integers(0, 256, (2, 3, 16, 20, 3), np.uint8)
    together = measure(first, second)
    assert together.shape == (3,)
    assert together == pytest.approx(
        [measure(*p) for p in zip(first, second, strict=True)]
    )


@pytest.mark.parametrize("measure", DESCRIBE)
def test_a_batch_is_described_as_its_images_are(measure):
    images = RANDOM.integers(0, 256, (3, 16, 20, 3), np.uint8)
    assert np.allclose(measure(images), [measure(image) for image in images])


GOOD = np.zeros((16, 16, 3), np.uint8)


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.astype(float),
        GOOD.astype(np.int32),
        GOOD[..., 0],
        GOOD[:0],
        GOOD[None, None],
    ],
    ids=["float", "int32", "rank2", "empty", "rank5"],
)
def test_bad_images_have_a_named_error(bad):
    for measure in COMPARE:
        for pair in ((bad, bad), (GOOD, bad), (bad, GOOD)):
            with pytest.raises(ImageError, match="should"):
                measure(*pair)
    for measure in [*DESCRIBE, metrics.local_entropy, metrics.jpeg_round_trip]:
        with pytest.raises(ImageError, match="should"):
            measure(bad)
    with pytest.raises(ImageError, match="`cipher` should"):
        metrics.image_metrics(GOOD, bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.npcr(GOOD, GOOD[:8]),
        lambda: metrics.npcr(GOOD, GOOD[None]),
        lambda: metrics.ssim(GOOD[:10], GOOD[:10]),
        lambda: metrics.local_entropy(GOOD),
        lambda: metrics.adjacent_correlation(GOOD[:1], "vertical"),
        lambda: metrics.adjacent_correlation(GOOD, "sideways"),
        lambda: metrics.npcr_limit(0),
        lambda: metrics.npcr_limit(3.5),
        lambda: metrics.uaci_limits(3072, 0),
        lambda: metrics.entropy_limits(3072, "low"),
        lambda: metrics.entropy_limits(3072, images=0),
        lambda: metrics.histogram_chi_square_limit(1),
        lambda: metrics.jpeg_round_trip(GOOD, 0),
        lambda: metrics.jpeg_round_trip(GOOD, True),
        lambda: metrics.jpeg_round_trip(GOOD, 80, "4:1:1"),
        lambda: metrics.jpeg_round_trip(GOOD[..., :2]),
        lambda: metrics.jpeg_round_trip(GOOD[None]),
    ],
)
def test_bad_arguments_have_a_named_error(call):
    with pytest.raises(TfpeError, match="Received"):
        call()


@pytest.mark.parametrize(
    "image", [CHINA[:64, :96], FLOWER[:64, :96], CHINA[:50, :50, :1]]
)
def test_jpeg(image):
    sizes, quality = [], []
    for setting in (30, 60, 95):
        decoded, size = metrics.jpeg_round_trip(image, setting)
        assert decoded.shape == image.shape
        sizes.append(size)
        quality.append(metrics.psnr(image, decoded))
    assert sizes == sorted(sizes) and quality == sorted(quality) and quality[0] > 20
    # Another decoder: within its rounding, and the upsampling of colours.
    import tensorflow as tf

    again = metrics.jpeg_round_trip(image, 95, "4:4:4")[0]
    jpeg = tf.io.encode_jpeg(image, quality=95, chroma_downsampling=False)
    other = tf.io.decode_jpeg(jpeg, dct_method="INTEGER_ACCURATE").numpy()
    assert np.abs(again.astype(int) - other).max() <= 3


def test_jpeg_keeps_what_blocks_keep():
    photograph = CHINA[:320, :320]
    figures = {}
    # 16 pixels: the unit of JPEG with halved colours.
    for name, options in {"etc": {"block_size": 16}, "le": {}}.items():
        transform = tfpe.CIPHERS[name](Key(bytes(32)), photograph.shape, **options)
        figures[name] = metrics.jpeg_metrics(
            photograph, transform(photograph), transform.inverse, quality=85
        )
    etc, le = figures["etc"], figures["le"]
    assert etc["plain_bytes"] == le["plain_bytes"]
    assert etc["cipher_bytes"] < 1.1 * etc["plain_bytes"] < 0.5 * le["cipher_bytes"]
    assert etc["decrypted_psnr"] > etc["plain_psnr"] - 2 > 20 > le["decrypted_psnr"]


@pytest.mark.parametrize("name", ["pbe", "logistic", "etc", "shuffle"])
def test_no_diffusion(name):
    # One value changed, one value changes: 1/n, where noise would give 255/256.
    plain = PAIRS["noise"][0]
    changed = plain.copy()
    changed[7, 9, 1] ^= 1
    encrypt = tfpe.CIPHERS[name](Key(bytes(32)), plain.shape)
    assert metrics.npcr(encrypt(plain), encrypt(changed)) == 1 / 3072
    assert metrics.uaci(encrypt(plain), encrypt(changed)) < 1 / 3072
