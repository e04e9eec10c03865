"""Fixed keys from ciphertexts alone, and the mode filter against fresh ones."""

import itertools

import numpy as np
import pytest

from tfpe import Key, ciphers, metrics
from tfpe.attacks import block_statistics, mirrored, nibble_statistics
from tfpe.attacks.ciphertext_only import ciphertext_only
from tfpe.attacks.mode_filter import mode_filter
from tfpe.attacks.scoring import score_key
from tfpe.attacks.statistics.moments import KEY_WEIGHTS, neighbour_moments, signed_bits
from tfpe.errors import AttackError, ImageError

IN_PLACE = [
    ("logistic", {}),
    ("logistic", {"select": False}),
    ("pbe", {}),
    ("negpos", {}),
    ("keystream", {}),
    ("identity", {}),
]


def patches(photographs, size):
    """Small pictures cut from both photographs: `uint8 (N, size, size, 3)`."""
    pictures = np.stack(photographs)[:, : 427 // size * size, : 640 // size * size]
    count, height, width, _ = pictures.shape
    pictures = pictures.reshape(count, height // size, size, width // size, size, 3)
    return pictures.swapaxes(2, 3).reshape(-1, size, size, 3)


def error_up_to_channels(recovered, plain, complements):
    """Least mean error over channel orders and negatives (of each or of all)."""
    candidates = np.stack([recovered, 255 - recovered]).astype(np.int16)
    errors = np.array(
        [
            [
                [abs(c[..., a] - plain[..., b]).mean() for b in range(3)]
                for a in range(3)
            ]
            for c in candidates
        ]
    )
    negatives = list(itertools.product((0, 1), repeat=3)) if complements else [(0,) * 3]
    return min(
        errors[list(negative), range(3), list(order)].mean()
        for order in itertools.permutations(range(3))
        for negative in negatives
    )


def test_moments_give_squared_distances(rng):
    images = rng.integers(0, 256, (5, 2, 3, 3), np.uint8)
    moments = neighbour_moments(images)
    keys = rng.integers(0, 256, 2)
    product = (
        KEY_WEIGHTS[keys[0]] @ moments.right[1, 0][8:16, 16:24] @ KEY_WEIGHTS[keys[1]]
    )
    values = [(images[:, 1, k, 1 + k] ^ keys[k]) - 127.5 for k in (0, 1)]
    assert product == pytest.approx((values[0] * values[1]).mean(), rel=1e-4)
    bits = signed_bits(images[:, 0, 1])
    np.testing.assert_allclose(moments.own[0, 1], bits.T @ bits / 5, atol=1e-6)
    assert moments.down.shape == (1, 3, 24, 24)


@pytest.mark.parametrize(("name", "options"), IN_PLACE)
def test_patches_of_photographs_fall(photographs, rng, key, name, options):
    pictures = rng.permutation(patches(photographs, 6))
    seen, unseen = pictures[:800], pictures[800:1600]
    secret = ciphers.CIPHERS[name](key, (6, 6, 3), **options)
    recovered = ciphertext_only(secret(seen), images=800)
    shown = recovered.inverse(secret(unseen))
    # With polarity and channel order resolved.
    assert abs(shown.astype(int) - unseen).mean() < 0.05


def test_gray_images_fall(photographs, rng, key):
    pictures = rng.permutation(patches(photographs, 8))[:600, ..., 1:2]
    secret = ciphers.logistic(key, (8, 8, 1), channel_shuffle=False)
    recovered = ciphertext_only(secret(pictures))
    assert (recovered.inverse(secret(pictures)) == pictures).mean() > 0.99


def test_second_moments_alone_are_worse(photographs, rng, key):
    pictures = rng.permutation(patches(photographs, 8))[:200]
    secret = ciphers.logistic(key, (8, 8, 3))
    errors = [
        error_up_to_channels(
            ciphertext_only(secret(pictures), sweeps=n).inverse(secret(pictures)),
            pictures,
            complements=True,
        )
        for n in (0, 10)
    ]
    assert errors[1] < errors[0] / 3 < 2


# What moves whole blocks is told from more of them than four.
@pytest.mark.parametrize(
    ("name", "size"),
    [("le", 8), ("ele", 8), ("shuffle", 8), ("etc", 16), ("blockshuffle", 16)],
)
def test_other_ciphers_raise(photographs, key, name, size):
    secret = ciphers.CIPHERS[name](key, (size, size, 3))
    pictures = patches(photographs, size)
    with pytest.raises(AttackError, match="keeps pixels in their places"):
        ciphertext_only(secret(pictures[:: len(pictures) // 260]))


def test_fresh_keys_raise(photographs, key):
    pictures = patches(photographs, 16)[::32]
    cipher = ciphers.CIPHERS["logistic"]
    secret = cipher.per_image(key, (16, 16, 3), range(len(pictures)))
    with pytest.raises(AttackError, match="different pictures under one key"):
        ciphertext_only(secret(pictures))


def test_too_little_evidence_raises(photographs, rng, key):
    pictures = patches(photographs, 16)[500:]
    secret = ciphers.pbe(key, (16, 16, 3))
    for few in (pictures[:15], np.repeat(pictures[:2], 30, axis=0)):
        with pytest.raises(AttackError, match="at least 25 different images"):
            ciphertext_only(secret(few))
    alike = np.repeat(pictures[:1], 30, axis=0) ^ rng.integers(0, 2, (30, 16, 16, 3))
    with pytest.raises(AttackError, match="no such key"):
        ciphertext_only(secret(alike.astype(np.uint8)))
    for bad in (pictures.astype(np.float32), pictures[..., :2], pictures[:, :2]):
        with pytest.raises(ImageError):
            ciphertext_only(bad)


@pytest.mark.parametrize(
    ("select", "low", "high"), [(True, 0.9, 1), (False, -0.1, 0.1)]
)
def test_mode_filter_sees_through_the_selection(photographs, key, select, low, high):
    picture = np.ascontiguousarray(photographs[0][80:336, 200:456])
    cipher = ciphers.logistic(key, picture.shape, select=select)(picture)
    shown = mode_filter(cipher)
    assert shown.shape == picture.shape and shown.dtype == np.uint8
    assert low < metrics.gray_correlation(shown, picture) < high
    batch = np.stack([cipher, cipher[::-1]])[:, :64, :64]
    np.testing.assert_array_equal(mode_filter(batch)[1], mode_filter(batch[1]))


def test_nibbles_of_le_fall_to_statistics(photographs, key):
    pictures = patches(photographs, 16)
    seen, reference = pictures[::2], pictures[1::2]
    secret = ciphers.le(key, (16, 16, 3))
    recovered = nibble_statistics(secret(seen), reference)
    shown = recovered.inverse(secret(seen))
    # With polarity and channel order resolved.
    assert abs(shown.astype(int) - seen).mean() < 1


@pytest.mark.parametrize(
    ("name", "why"),
    [(name, "nibbles no such key explains") for name in ("ele", "shuffle", "pbe")]
    + [("etc", "blocks no key found makes continuous")],
)
def test_nibble_statistics_raise_on_other_ciphers(photographs, key, name, why):
    pictures = patches(photographs, 8)
    secret = ciphers.CIPHERS[name](key, (8, 8, 3))
    with pytest.raises(AttackError, match=f"le under one key.*{why}"):
        nibble_statistics(secret(pictures[::8]), pictures[1::8])


def test_nibble_statistics_want_enough_blocks(photographs, key):
    pictures, blocks = patches(photographs, 8)[:500], patches(photographs, 4)[::4]
    secret = ciphers.le(key, (8, 8, 3))
    few = "should hold at least 2000 blocks. Received: 1996"
    with pytest.raises(AttackError, match=f"`ciphertexts` {few}"):
        nibble_statistics(secret(pictures[1:]), pictures)
    with pytest.raises(AttackError, match=f"`reference` {few}"):
        nibble_statistics(secret(pictures), pictures[1:])
    alone = ciphers.le(key, (4, 4, 3))(blocks[::2])
    with pytest.raises(AttackError, match="more than one block each"):
        nibble_statistics(alone, blocks[1::2])


def accuracy_up_to_a_mirror(recovered, secret):
    keys = recovered, mirrored(recovered)
    return max(score_key(key, secret).index_accuracy for key in keys)


@pytest.mark.parametrize("name", ["ele", "etc"])
def test_blocks_of_ele_fall_to_statistics(photographs, key, name):
    pictures = patches(photographs, 16)
    secret = ciphers.CIPHERS[name](key, (16, 16, 3))
    recovered = block_statistics(secret(pictures[::2]), pictures[1::2])
    assert accuracy_up_to_a_mirror(recovered, secret) > 0.98


def test_block_statistics_raise_on_other_ciphers(photographs, key):
    pictures = patches(photographs, 8)
    seen, reference = pictures[::8], pictures[1::8]
    for name in ("logistic", "shuffle"):
        secret = ciphers.CIPHERS[name](key, (8, 8, 3))
        with pytest.raises(AttackError, match="ele under one key"):
            block_statistics(secret(seen), reference)
    # That many of that size are enough where it is ele.
    secret = ciphers.ele(key, (8, 8, 3))
    recovered = block_statistics(secret(seen), reference)
    assert accuracy_up_to_a_mirror(recovered, secret) > 0.95


def test_block_statistics_want_one_key_and_fitting_pictures(photographs, key, rng):
    pictures = patches(photographs, 8)
    seen, reference = pictures[::8], pictures[1::8]
    build = ciphers.CIPHERS["ele"]
    fresh = build.per_image(key, (8, 8, 3), range(len(seen)))(seen)
    ciphertexts = build(key, (8, 8, 3))(seen)
    noise = rng.integers(0, 256, reference.shape, np.uint8)
    torn = seen.copy()  # its first block is of another picture
    torn[:, :4, :4] = seen[::-1, :4, :4]
    torn = build(key, (8, 8, 3))(torn)
    for bad in ((fresh, reference), (ciphertexts, noise), (torn, reference)):
        with pytest.raises(AttackError, match="no key found explains"):
            block_statistics(*bad)
    with pytest.raises(AttackError, match="`ciphertexts` should hold at least 100"):
        block_statistics(ciphertexts[:99], reference)
    with pytest.raises(AttackError, match="`reference` should hold at least 100"):
        block_statistics(ciphertexts, reference[:99])
    with pytest.raises(AttackError, match=r"shape \(8, 8, 3\)"):
        block_statistics(ciphertexts, reference[:, :4])
    with pytest.raises(ImageError):
        block_statistics(ciphertexts, reference, block_size=5)


def cifar(directory, count):
    import tensorflow_datasets as tfds

    data = tfds.load("cifar10", split="train", data_dir=directory, batch_size=-1)
    pick = np.random.default_rng(1).permutation(50_000)[:count]
    return np.asarray(data["image"])[pick]


@pytest.mark.parametrize("name", ["logistic", "pbe"])
@pytest.mark.parametrize(("count", "limit"), [(50, 0.05), (400, 0.005)])
def test_cifar_falls(cifar_directory, name, count, limit):
    images = cifar(cifar_directory, count + 500)
    secret = ciphers.CIPHERS[name](Key(bytes([count % 251]) * 32), (32, 32, 3))
    recovered = ciphertext_only(secret(images[:count]))
    shown = recovered.inverse(secret(images[count:]))
    # With polarity and channel order resolved.
    assert abs(shown.astype(int) - images[count:]).mean() < limit


def test_le_on_cifar_falls(cifar_directory, key):
    images = cifar(cifar_directory, 2_000)
    secret = ciphers.le(key, (32, 32, 3))
    recovered = nibble_statistics(secret(images[:200]), images[1000:])
    assert score_key(recovered, secret).index_accuracy == 1


@pytest.mark.parametrize("name", ["ele", "etc"])
def test_ele_on_cifar_falls(cifar_directory, key, name):
    images = cifar(cifar_directory, 1_400)
    secret = ciphers.CIPHERS[name](key, (32, 32, 3))
    recovered = block_statistics(secret(images[:400]), images[400:])
    assert accuracy_up_to_a_mirror(recovered, secret) == 1
