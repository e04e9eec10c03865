"""Published attacks: where they succeed, and where they fail as they must."""

import itertools
import time

import numpy as np
import pytest

from tfpe import CIPHERS, attacks
from tfpe.attacks import score_images
from tfpe.attacks.chang_case import nearest_candidate
from tfpe.errors import AttackError, CipherOptionError, ImageError

SHAPE = (32, 32, 3)


@pytest.mark.parametrize("level", [0, 17, 127, 255])
def test_algorithm_1_takes_pbe_without_channel_shuffle(key, level):
    secret = CIPHERS["pbe"](key, SHAPE, channel_shuffle=False)
    oracle = attacks.CountingOracle(secret)
    assert attacks.seed_algorithm(oracle, SHAPE, level) == secret
    assert oracle.queries == 2
    constant = np.full(SHAPE, level, np.uint8)
    flags = attacks.negative_flags(secret(constant), level)
    assert (flags.ravel() == (secret.mask == 255)).all()


def test_algorithm_1_shows_no_more_of_the_logistic_cipher(key):
    """About 1 value in 512 is flagged, and two chosen images take it all."""
    flagged = []
    for number in range(20):
        secret = CIPHERS["logistic"](key.for_image(number), SHAPE)
        constant = secret(np.full(SHAPE, 100, np.uint8))
        flagged.append(attacks.negative_flags(constant, 100).mean())
        for verify in (True, False):
            with pytest.raises(AttackError, match="other values"):
                attacks.seed_algorithm(secret, SHAPE, 100, verify)
        assert attacks.logistic_chosen_plaintext(secret, SHAPE) == secret
    assert 0.0015 < np.mean(flagged) < 0.0025
    assert 0 < min(flagged) and max(flagged) < 0.006


def test_algorithm_1_does_not_see_channel_orders(key):
    secret = CIPHERS["pbe"](key, SHAPE)
    guess = attacks.seed_algorithm(secret, SHAPE, verify=False)
    assert (guess.mask == secret.mask).all() and guess != secret
    with pytest.raises(AttackError, match="random images"):
        attacks.seed_algorithm(secret, SHAPE)
    with pytest.raises(CipherOptionError, match="level"):
        attacks.seed_algorithm(secret, SHAPE, level=256)


@pytest.mark.parametrize(
    "options", [{}, {"stream": "shared"}, {"select": False}, {"chaos": "shake256"}]
)
def test_two_images_take_every_form_of_the_logistic_cipher(key, options):
    secret = CIPHERS["logistic"](key, SHAPE, **options)
    assert attacks.logistic_chosen_plaintext(secret, SHAPE) == secret


def test_one_image_takes_a_gray_one(key):
    secret = CIPHERS["logistic"](key, (32, 32, 1), channel_shuffle=False)
    oracle = attacks.CountingOracle(secret)
    assert attacks.logistic_chosen_plaintext(oracle, (32, 32, 1), verify=0) == secret
    assert oracle.queries == 1
    for attack in (attacks.chang_case_le, attacks.chang_case_pbe):
        with pytest.raises(ImageError, match="three channels"):
            attack(secret, (32, 32, 1))


@pytest.mark.parametrize("reversal", ["derived", "independent"])
@pytest.mark.parametrize("block_size", [2, 4])
def test_helper_blocks_take_bytewise_le(key, reversal, block_size):
    secret = CIPHERS["le"](
        key, SHAPE, block_size=block_size, reversal=reversal, word_bits=8
    )
    oracle = attacks.CountingOracle(secret)
    assert attacks.chang_case_le(oracle, SHAPE, block_size, verify=False) == secret
    assert oracle.queries == 1


def test_helper_blocks_fail_on_nibbles(key, rng):
    """A quarter of the bytes look named; hardly one is, against 1 / 256 by chance."""
    plain = rng.integers(0, 256, (50, *SHAPE), np.uint8)
    exact, words = [], []
    for number in range(10):
        secret = CIPHERS["le"](key.for_image(number), SHAPE)
        with pytest.raises(AttackError, match="of 48 bytes"):
            attacks.chang_case_le(secret, SHAPE)
        guess = attacks.chang_case_le(secret, SHAPE, verify=False)
        decrypted = guess.inverse(secret(plain))
        exact.append(score_images(decrypted, plain).exact_bytes)
        words.append(attacks.score_key(guess, secret).index_accuracy)
        assert attacks.chosen_plaintext(secret, SHAPE, bits=4) == secret
    assert 1 / 256 < np.mean(exact) < 0.05
    assert np.mean(words) < 0.25


def test_one_image_takes_a_fixed_key_of_pbe(key):
    secret = CIPHERS["pbe"](key, SHAPE)
    oracle = attacks.CountingOracle(secret)
    assert attacks.chang_case_pbe(oracle, SHAPE, verify=False) == secret
    assert oracle.queries == 1
    with pytest.raises(AttackError, match="name each channel once"):
        attacks.chang_case_pbe(CIPHERS["logistic"](key, SHAPE), SHAPE)


def test_min_difference_of_all_48(rng):
    """Choosing the negatives channel by channel finds the best of all 48."""
    pixels, neighbours = rng.integers(0, 256, (2, 300, 3), np.uint8)
    best = nearest_candidate(pixels, neighbours).astype(int)
    for pixel, neighbour, found in zip(pixels, neighbours, best, strict=True):
        candidates = [
            [(255 - v if n else v) for v, n in zip(order, negated, strict=True)]
            for order in itertools.permutations(pixel.tolist())
            for negated in itertools.product([False, True], repeat=3)
        ]
        distances = [np.abs(np.subtract(c, neighbour)).sum() for c in candidates]
        assert len(candidates) == 48 and found.tolist() in candidates
        assert np.abs(found - neighbour).sum() == min(distances)


def test_fresh_keys_of_pbe_show_the_outlines(key, photographs):
    """One ciphertext each: edges come out by the basic attack, SSIM rises by both."""
    plain = np.stack([photo[:256, :256] for photo in photographs])
    cipher = CIPHERS["pbe"].per_image(key, plain.shape[1:], range(2))(plain)
    before = score_images(cipher, plain)
    basic = score_images(attacks.chang_case_basic(cipher), plain)
    start = time.perf_counter()
    recovered = attacks.chang_case_advanced(cipher, plain[:, 0, 0])
    assert time.perf_counter() - start < 5
    advanced = score_images(recovered, plain)
    assert abs(before.edge_correlation) < 0.2 < 0.3 < basic.edge_correlation
    assert advanced.edge_correlation > 0.3
    assert min(basic.ssim, advanced.ssim) > before.ssim + 0.1
    one = attacks.chang_case_advanced(cipher[0], plain[0, 0, 0])
    assert (one == recovered[0]).all()


def test_min_difference_is_exact_on_smooth_images(key):
    """Slow ramps, apart from each other and from the middle: no step is ambiguous."""
    ramp = np.arange(32)[:, None] // 4 + np.arange(32) // 4
    plain = np.stack([10 + ramp, 40 + ramp, 70 + ramp], axis=-1).astype(np.uint8)
    cipher = CIPHERS["pbe"](key, SHAPE)(plain)
    assert (attacks.chang_case_advanced(cipher, plain[0, 0]) == plain).all()
    assert (attacks.chang_case_basic(cipher).max(axis=-1) == plain[..., 2]).all()


@pytest.mark.parametrize(
    "first_pixel", [[1.5, 2, 3], [1, 2], [1, 2, 256], [-1, 2, 3], np.zeros((5, 3), int)]
)
def test_bad_first_pixels(first_pixel):
    images = np.zeros((2, 4, 4, 3), np.uint8)
    with pytest.raises(ImageError, match="first_pixel"):
        attacks.chang_case_advanced(images, first_pixel)


def test_min_difference_refuses_what_pbe_cannot_have_made(key, photographs):
    plain = photographs[0][:32, :32]
    cipher = CIPHERS["logistic"](key, SHAPE, select=False)(plain)
    with pytest.raises(AttackError, match="first_pixel"):
        attacks.chang_case_advanced(cipher, plain[0, 0])
    with pytest.raises(ImageError, match="3 channels"):
        attacks.chang_case_advanced(plain[..., :1], [0, 0, 0])


def test_one_bit_of_the_key(key):
    """Half of the mask and nearly all of the perm change, for any bit."""
    for bit in (0, 100, 255):
        negpos = attacks.key_sensitivity(bytes(32), SHAPE, "negpos", bit)
        shuffle = attacks.key_sensitivity(bytes(32), SHAPE, "shuffle", bit)
        assert negpos.mask_changed == pytest.approx(0.5, abs=0.03)
        assert shuffle.perm_changed > 0.998
    with pytest.raises(CipherOptionError, match="bit"):
        attacks.key_sensitivity(bytes(32), SHAPE, "negpos", 256)


@pytest.mark.parametrize("mu, d0", [(3.99, 0.1), (3.7, 0.3), (3.9999, 0.77)])
def test_a_small_change_of_mu(mu, d0):
    assert attacks.parameter_sensitivity(mu, d0) < 0.01
    assert attacks.parameter_sensitivity(mu, d0, delta=1e-17) == 1
