"""Floats as the 256 levels of a value range: one rule, on every path."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpe import Key, PerceptualEncrypt
from tfpe.errors import ImageError
from tfpe.pixels.byte_levels import to_bytes
from tfpe.pixels.value_ranges import Refusal

KEY = Key(bytes(range(32)))
RANGES = [(0, 255), (0, 1), (-1, 1), (10, 20), (0, 65535)]
SHAPE = (3, 1, 2, 1)


def oracle(images, value_range, exact):
    """The bytes of a batch, value by value in Python, or None where it is refused."""
    low, high = value_range
    levels = []
    for value in images.ravel():
        level = value
        if value_range != (0, 255):
            level = (value - np.float32(low)) * np.float32(255 / (high - low))
        if not np.isfinite(level) or not 0 <= round(float(level)) <= 255:
            return None
        levels.append(float(level))
    between = [level for level in levels if abs(level - round(level)) > 1e-3]
    if between and (exact or all(round(level) <= 1 for level in levels)):
        return None
    return np.array([round(level) for level in levels], np.uint8).reshape(images.shape)


def values_of(value_range):
    """Values on levels, between them, about their middle, near and beyond the ends."""
    low, high = value_range
    levels = st.one_of(
        st.integers(-2, 257),
        st.integers(-2, 514).map(lambda twice: twice / 2),
        st.floats(-1, 256.5),
        st.floats(0, 1.5),
        st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf, -0.5, 255.5, 1e30]),
    )
    return levels.map(lambda level: np.float32(low + level / 255 * (high - low)))


def result_of(function, images, value_range, exact):
    try:
        return function(images, value_range, exact)
    except ImageError as error:
        assert "value_range" in str(error) and "Received" in str(error)
        return None


def batches(value_range):
    values = st.lists(values_of(value_range), min_size=6, max_size=6)
    return values.map(lambda v: np.array(v, np.float32).reshape(SHAPE))


def graph(images, value_range, exact, jit_compile):
    """In a graph: what comes out, or None where the whole batch is invalid."""
    import tensorflow as tf

    key = value_range, exact, jit_compile
    if key not in GRAPHS:
        GRAPHS[key] = tf.function(
            lambda x: to_bytes(x, value_range, exact), jit_compile=jit_compile
        )
    data, valid = GRAPHS[key](tf.constant(images))
    return data.numpy() if valid.numpy().all() else None


GRAPHS = {}


@pytest.mark.parametrize(
    "value_range, exact",
    [(value_range, False) for value_range in RANGES]
    + [((0, 255), True), ((-1, 1), True)],
    ids=str,
)
def test_one_rule_on_every_path(value_range, exact):
    import tensorflow as tf

    paths = {
        "NumPy": lambda x, *rule: to_bytes(x, *rule)[0],
        "TensorFlow": lambda x, *rule: to_bytes(tf.constant(x), *rule)[0].numpy(),
        "graph": lambda x, *rule: graph(x, *rule, False),
        "XLA": lambda x, *rule: graph(x, *rule, True),
    }

    @settings(max_examples=40)
    @given(batches(value_range))
    def check(images):
        expected = oracle(images, value_range, exact)
        for name, path in paths.items():
            found = result_of(path, images, value_range, exact)
            assert (found is None) == (expected is None), name
            assert found is None or np.array_equal(found, expected), name

    check()


@given(batches((0, 255)))
def test_a_batch_is_its_images_or_refused(images):
    # Alone, a dark image may be refused that a batch takes: never another ciphertext.
    batch = oracle(images, (0, 255), False)
    assert (batch is None) == (
        result_of(lambda *a: to_bytes(*a)[0], images, (0, 255), False) is None
    )
    for number, image in enumerate(images):
        alone = result_of(lambda *a: to_bytes(*a)[0], image, (0, 255), False)
        if batch is not None and alone is not None:
            assert np.array_equal(alone, batch[number])
        if batch is not None and alone is None:
            assert image.max() < 1.5 and not np.array_equal(image, np.round(image))


@pytest.mark.parametrize("value_range", RANGES, ids=str)
def test_halves_go_to_even_levels_everywhere(value_range):
    import jax
    import tensorflow as tf

    torch = pytest.importorskip("torch", reason="torch is in no extra: see README")
    low, high = value_range
    levels = np.concatenate([np.arange(0, 255.25, 0.25), np.linspace(0, 255, 4003)])
    images = (low + levels / 255 * (high - low)).astype(np.float32).reshape(1, -1, 8, 1)
    expected, _ = to_bytes(images, value_range)
    if value_range == (0, 255):
        assert np.array_equal(expected, np.round(images))
    jitted = jax.jit(lambda x: to_bytes(x, value_range)[0])
    paths = [
        to_bytes(tf.constant(images), value_range)[0],
        graph(images, value_range, False, False),
        graph(images, value_range, False, True),
        to_bytes(torch.tensor(images), value_range)[0],
        to_bytes(jax.numpy.asarray(images), value_range)[0],
        jitted(images),
    ]
    for path in paths:
        assert np.array_equal(np.asarray(path), expected)


def likely(lowest, highest, value_range=(0, 255), exact=False):
    return Refusal(value_range, exact).message(lowest, highest)


@pytest.mark.parametrize(
    "received, value_range, likely_one",
    [
        ((0, 1), (0, 255), "value_range=(0, 1)"),
        ((-0.9, 1), (0, 255), "value_range=(-1, 1)"),
        ((0, 255), (0, 1), "value_range=(0, 255)"),
        ((0, 255), (-1, 1), "value_range=(0, 255)"),
        ((-1, 1), (0, 1), "value_range=(-1, 1)"),
        ((0, 0.9), (0, 65535), "value_range=(0, 1)"),
        ((0, 250), (0, 65535), "value_range=(0, 255)"),
        ((-12, 270), (0, 255), "clip"),
        ((-0.05, 1.05), (0, 1), "clip"),
        ((0, 0.0039), (0, 1), "scaled twice"),
        ((-2.1, 2.6), (0, 255), "standardised"),
        ((0, 65535), (0, 255), "no usual range"),
        ((np.nan, np.nan), (0, 255), "NaN"),
    ],
)
def test_the_message_names_the_likely_range(received, value_range, likely_one):
    message = likely(*received, value_range)
    assert likely_one in message.partition("Received")[2]
    assert f"value_range={value_range}" in message


@pytest.mark.parametrize("wrong", [1.5, np.nan, -1, 256])
def test_ciphertexts_are_not_rounded(wrong):
    layer = PerceptualEncrypt(KEY, "le", invert=True)
    ciphertext = np.full((1, 8, 8, 3), 7, np.float32)
    assert layer(ciphertext).shape == (1, 8, 8, 3)
    ciphertext[0, 3, 3, 1] = wrong
    with pytest.raises(ImageError, match="Ciphertexts"):
        layer(ciphertext)


def test_what_was_always_allowed():
    for value in (0.0, 1.0, 255.0, 254.6, 255.4, -0.4, 0.5 + 1):
        images = np.full((2, 4, 4, 1), value, np.float32)
        images[0, 0, 0, 0] = 255  # not a batch of levels 0 and 1
        assert to_bytes(images)[0].max() == 255
    masks = np.array([0, 1, 1, 0], np.float32).reshape(1, 2, 2, 1)
    assert np.array_equal(to_bytes(masks)[0], masks)


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1)], ids=str)
@pytest.mark.parametrize(
    "dtype, most", [("float16", 0.25), ("float32", 1e-3), ("float64", 1e-3)]
)
def test_a_ciphertext_may_lie_off_its_level_by_rounding_alone(dtype, most, value_range):
    low, high = value_range

    def values(levels):
        # Near the level that is 0, where the dtype itself is exact enough to tell.
        images = low + np.asarray(levels, np.float64) / 255 * (high - low)
        return images.astype(dtype).reshape(1, -1, 1, 1)

    levels = np.arange(256)
    assert np.array_equal(
        to_bytes(values(levels), value_range, True)[0].ravel(), levels
    )
    centre = round(-low / (high - low) * 255)
    for step in np.linspace(0.02, 0.49, 48):
        off = values([centre + 2 + step])
        if abs(step - most) < 0.02:
            continue
        if step < most:
            assert to_bytes(off, value_range, True)[0].item() == centre + 2
        else:
            with pytest.raises(ImageError, match="Ciphertexts"):
                to_bytes(off, value_range, True)
