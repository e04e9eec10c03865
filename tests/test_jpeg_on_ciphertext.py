"""What JPEG makes of ciphertexts: the property, the bench and its record."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image
from scipy.interpolate import PchipInterpolator

from tfpe import CIPHERS, Transform, ciphers
from tfpe.attacks import jigsaw, jigsaw_score
from tfpe.errors import TfpeError
from tfpe.lab.bench.jpeg_rates import _bd_rate, run_jpeg_bench
from tfpe.lab.records import typed
from tfpe.lab.records.jpeg_records import JpegDelta
from tfpe.lab.tables.jpeg_rates_table import draw_jpeg, jpeg_tables

SYMMETRIC = np.add.outer(np.arange(8), np.arange(8)) * 4 + 8
SKEW = np.add.outer(12 * np.arange(8), np.arange(8)) + 8


def through_jpeg(image, table):
    """An image through JPEG 4:4:4 with one quantisation table for all components."""
    tables = [table.ravel().tolist()] * image.shape[2]
    file = io.BytesIO()
    Image.fromarray(image.squeeze()).save(
        file, "JPEG", qtables=tables, subsampling="4:4:4"
    )
    return np.array(Image.open(file)).reshape(image.shape)


def distance(first, second):
    return np.abs(first.astype(int) - second).mean()


@pytest.mark.parametrize(
    "name, options",
    [("etc", {"block_size": 16}), ("iib", {"block_size": 16, "sub_block_size": 8})],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_of_the_ciphertext_is_jpeg_of_the_image(
    name, options, channels, photographs, key
):
    """A symmetric table for all components, whole squares, colours in their order."""
    image = np.ascontiguousarray(photographs[0][200:264, 200:296, :channels])

    def gap(table, **others):
        """Between JPEG of the image and that of its ciphertext, decrypted."""
        chosen = options | {"channel_shuffle": False} | others
        encrypt = CIPHERS[name](key, image.shape, **chosen)
        decrypted = encrypt.inverse(through_jpeg(encrypt(image), table))
        return distance(decrypted, through_jpeg(image, table))

    # Halves are rounded to the other side in a negative: a coefficient here and there.
    assert gap(SYMMETRIC) < 0.5
    assert distance(through_jpeg(image, SYMMETRIC), image) > 4 * gap(SYMMETRIC)
    # Each condition is needed: without it the gap is many times as wide.
    assert gap(SKEW) > 4 * gap(SYMMETRIC)
    cut = {"sub_block_size": 4} if name == "iib" else {"block_size": 4}
    assert gap(SYMMETRIC, **cut) > 4 * gap(SYMMETRIC)
    if channels == 3:
        assert gap(SYMMETRIC, channel_shuffle=True) > 2 * gap(SYMMETRIC)


def test_iib_is_an_etc_of_its_sub_blocks(photographs, key):
    """So a jigsaw solver takes it at the side of its sub-blocks."""
    picture = np.ascontiguousarray(photographs[1][-256:, :256])
    secret = ciphers.iib(key, picture.shape, block_size=64, sub_block_size=32)
    recovered = jigsaw(secret(picture), 32)
    assert isinstance(recovered, Transform)
    assert jigsaw_score(recovered, secret, 32).neighbour > 0.9


@pytest.fixture(scope="module")
def record():
    return run_jpeg_bench(
        ciphers=["iib", "le"],
        qualities=(70, 80, 90, 95),
        samplings=("4:4:4",),
        photographs=("coffee",),
        sides=(176, 176),
    )


def test_iib_pays_where_squares_stay_whole(record, tmp_path):
    results = typed(record).results
    deltas = {(d.form, d.sampling): d for d in results.deltas}
    whole, cut = (deltas[f"iib 16/{b}", "4:4:4"].bd_rate_psnr for b in (8, 4))
    assert 0 < whole < 0.2 < cut
    assert deltas["le", "4:4:4"].bd_rate_psnr is None  # nothing comes back
    [table] = jpeg_tables([typed(record)])
    assert len(table.rows) == 5
    draw_jpeg(typed(record), tmp_path / "jpeg.png")
    assert (tmp_path / "jpeg.png").stat().st_size > 10_000


def test_rates_of_the_library():
    bits, quality = np.array([1.0, 2, 4, 8]), np.array([30.0, 34, 38, 42])
    assert _bd_rate(bits, quality, 1.1 * bits, quality) == pytest.approx(0.1)
    assert _bd_rate(bits, quality, bits, quality - 20) is None
    assert _bd_rate(bits, quality, bits, quality[::-1]) is None
    # Curves of other shapes, by the definition: the mean difference of logarithms.
    other, better = np.array([1.2, 1.9, 5, 11]), np.array([29.0, 33.5, 39, 41])
    low, high = 30, 41
    areas = [
        PchipInterpolator(q, np.log(b)).integrate(low, high)
        for b, q in ((bits, quality), (other, better))
    ]
    expected = np.exp((areas[1] - areas[0]) / (high - low)) - 1
    found = _bd_rate(bits, quality, other, better)
    assert found == pytest.approx(expected, rel=1e-6)
    delta = JpegDelta("etc", {"block_size": 8}, "4:2:0", 0.1, None)
    assert delta.form == "etc 8" and dataclasses.asdict(delta)["cipher"] == "etc"


def test_ciphers_without_a_form_are_named():
    with pytest.raises(TfpeError, match="`cipher` should.*Received: .*shuffle"):
        run_jpeg_bench(ciphers=["shuffle"])
