"""Chosen and known plaintexts: exact where they say so, and never wrong in silence."""

import time

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tfpe import CIPHERS, Transform, attacks
from tfpe.algebra.words import split_words
from tfpe.errors import AttackError, CipherOptionError, ImageError

SHAPE = (32, 32, 3)


def random_transform(rng, shape, bits):
    words = int(np.prod(shape)) * 8 // bits
    mask = rng.integers(0, 2**bits, words)
    return Transform(rng.permutation(words), mask, bits, shape)


shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 3, 4]))
seeds = st.integers(0, 2**32).map(np.random.default_rng)
word_bits = st.sampled_from([8, 4, 1])


@settings(max_examples=60)
@given(seeds, shapes, word_bits, word_bits)
def test_chosen_plaintext_gives_every_transform(rng, shape, bits, asked):
    secret = random_transform(rng, shape, bits)
    oracle = attacks.CountingOracle(secret)
    if asked <= bits or secret.coarsen().bits >= asked:
        assert attacks.chosen_plaintext(oracle, shape, asked) == secret
        words = int(np.prod(shape)) * 8 // asked
        assert oracle.queries == 2 + -(-(words - 1).bit_length() // asked)
    else:
        with pytest.raises(AttackError):
            attacks.chosen_plaintext(oracle, shape, asked)


@settings(max_examples=60)
@given(seeds, shapes, word_bits, st.integers(1, 12), st.sampled_from([2, 4, 256]))
def test_known_plaintext_is_right_where_it_is_sure(rng, shape, bits, pairs, levels):
    """Images of few levels leave many ties; those and only those are listed."""
    secret = random_transform(rng, shape, bits)
    plain = rng.integers(0, levels, (pairs, *shape), np.uint8)
    recovered = attacks.known_plaintext(plain, secret(plain), bits)
    assert isinstance(recovered, Transform)
    assert (recovered(plain) == secret(plain)).all()
    certain = np.ones(secret.perm.size, bool)
    certain[recovered.undetermined] = False
    assert (recovered.perm == secret.perm)[certain].all()
    assert (recovered.mask == secret.mask)[certain].all()
    # A listed position has another source that explains the pairs as well.
    encrypted = secret(plain).reshape(pairs, -1)
    columns = split_words(encrypted ^ encrypted[:1], bits)
    _, group, count = np.unique(
        columns, axis=1, return_inverse=True, return_counts=True
    )
    assert (np.flatnonzero(count[group.ravel()] > 1) == recovered.undetermined).all()


@pytest.mark.parametrize("cipher", ["le", "ele", "shuffle", "etc"])
def test_224(key, cipher, rng):
    """4 queries for bytes, 6 for nibbles, in well under the 5 s allowed."""
    shape = (224, 224, 3)
    secret = CIPHERS[cipher](key, shape)
    oracle = attacks.CountingOracle(secret)
    start = time.perf_counter()
    recovered = attacks.chosen_plaintext(oracle, shape, secret.bits, verify=False)
    assert recovered == secret
    assert oracle.queries == (6 if secret.bits == 4 else 4)
    plain = rng.integers(0, 256, (8, *shape), np.uint8)
    known = attacks.known_plaintext(plain, secret(plain), secret.bits)
    assert attacks.score_key(known, secret).index_accuracy > 0.99
    assert time.perf_counter() - start < 5


def test_planes_side_by_side(key, rng):
    """Ciphertexts of another shape than the image."""
    secret = CIPHERS["etc_gray"](key, SHAPE, fold=False)
    assert attacks.chosen_plaintext(secret, SHAPE) == secret
    plain = rng.integers(0, 256, (8, *SHAPE), np.uint8)
    assert attacks.known_plaintext(plain, secret(plain)) == secret


def substitution():
    """An S-box that swaps two values: positions are still named once each."""
    box = np.arange(256, dtype=np.uint8)
    box[[200, 201]] = 201, 200
    return lambda images: box[images]


def fresh_keys(key, cipher):
    """An oracle whose images have a key each."""
    numbers = iter(range(10**6))

    def encrypt(images):
        used = [next(numbers) for _ in images]
        return CIPHERS[cipher].per_image(key, SHAPE, used)(images)

    return encrypt


def first_answer_only(key):
    """An oracle that changes its key after the first call."""
    keys = iter([key, key.derive("next")])
    return lambda images: CIPHERS["shuffle"](next(keys), SHAPE)(images)


OUTSIDE = [
    lambda key: substitution(),
    lambda key: fresh_keys(key, "pbe"),
    lambda key: fresh_keys(key, "keystream"),
    first_answer_only,
    lambda key: lambda images: images[:, :16],
    lambda key: lambda images: images[:-1],
    lambda key: lambda images: images / np.float32(255),
    lambda key: lambda images: None,
    lambda key: lambda images: np.zeros_like(images),
    lambda key: lambda images: np.cumsum(images, axis=2, dtype=np.uint8),
]
NAMES = "sbox fresh-pbe fresh-stream changing crop fewer floats none zero sum".split()
SUBSTITUTES = CIPHERS["ffx"].traits()


@pytest.mark.parametrize("oracle", OUTSIDE, ids=NAMES)
def test_oracles_outside_the_class_are_refused(key, oracle):
    for row in attacks.ATTACKS.values():
        chosen = row.threat_model == "chosen plaintext" and not row.containers
        if chosen and not row.needs(SUBSTITUTES):
            with pytest.raises(AttackError, match="should"):
                row(oracle(key), SHAPE)


@pytest.mark.parametrize("oracle", OUTSIDE[1:], ids=NAMES[1:])
def test_oracles_that_replace_no_values_are_refused(key, oracle):
    with pytest.raises(AttackError, match="should"):
        attacks.substitution_chosen_plaintext(oracle(key), SHAPE)


def test_a_substitution_of_all_values_is_found():
    """Other than the attacks on `Transform`s, that on ffx is for such an oracle."""
    oracle = substitution()
    found = attacks.substitution_chosen_plaintext(oracle, SHAPE, tables="per_place")
    images = np.random.default_rng(1).integers(0, 256, (2, *SHAPE), np.uint8)
    assert (found(images) == oracle(images)).all()


def test_only_verification_tells_a_substitution():
    oracle = attacks.CountingOracle(substitution())
    assert attacks.chosen_plaintext(oracle, SHAPE, verify=False).bits == 8
    assert oracle.queries == 3
    with pytest.raises(AttackError, match="random images"):
        attacks.chosen_plaintext(oracle, SHAPE)
    assert oracle.queries == 7 and oracle.seconds > 0
    attacks.chosen_plaintext(oracle := attacks.CountingOracle(np.copy), SHAPE, verify=5)
    assert oracle.queries == 8


def test_float_answers_of_whole_bytes_are_taken(key):
    secret = CIPHERS["pbe"](key, SHAPE)
    oracle = lambda images: secret(images).astype(np.float32)  # noqa: E731
    assert attacks.chosen_plaintext(oracle, SHAPE) == secret


@pytest.mark.parametrize(
    "arguments", [((0, 32, 3),), (SHAPE, 5), (SHAPE, 8.0), (SHAPE, 8, -1)]
)
def test_bad_arguments(arguments):
    with pytest.raises((ImageError, CipherOptionError), match="Received"):
        attacks.chosen_plaintext(np.copy, *arguments)


def test_pairs_that_no_key_explains(key, rng, photographs):
    plain = np.stack(
        [photographs[0][k : k + 32, k : k + 32] for k in range(0, 320, 32)]
    )
    one, two = (CIPHERS["ele"](k, SHAPE)(plain) for k in (key, key.derive("other")))
    noise = rng.integers(0, 256, plain.shape, np.uint8)
    for cipher, bits in (
        (one, 8),  # another word size
        (np.concatenate([one[:5], two[5:]]), 4),  # two keys
        (one[::-1], 4),  # pairs out of order
        (noise, 4),  # no cipher at all
        (one[:, :16], 4),
        (one[:5], 4),
    ):
        with pytest.raises(AttackError, match="should"):
            attacks.known_plaintext(plain, cipher, bits)
    for bad in (plain.astype(float), plain[:0], plain[..., 0, 0]):
        with pytest.raises(ImageError):
            attacks.known_plaintext(bad, bad)
    with pytest.raises(CipherOptionError, match="bits"):
        attacks.known_plaintext(plain, one, 2)
    with pytest.raises(AttackError, match="regions"):
        attacks.known_plaintext(plain, one, 4, regions=np.zeros((32, 32), int))


def test_undetermined_is_said(key, rng):
    secret = CIPHERS["shuffle"](key, SHAPE)
    plain = rng.integers(0, 256, (2, *SHAPE), np.uint8)
    recovered = attacks.known_plaintext(plain, secret(plain))
    assert recovered.undetermined.size > 3000
    count = f"undetermined={recovered.undetermined.size} of 3072 words"
    assert repr(recovered).endswith(f"{count})")
    assert attacks.score_key(recovered, secret).index_accuracy < 0.2
    with pytest.raises(ValueError, match="read-only"):
        recovered.undetermined[0] = 0


@pytest.mark.parametrize("cipher", ["pbe", "logistic", "etc_gray"])
def test_regions(key, photographs, cipher):
    """Known structure leaves fewer guesses, and a wrong structure is refused."""
    regions = np.arange(3072).reshape(SHAPE) // 3  # pixels
    secret = CIPHERS[cipher](key, SHAPE)
    plain = np.stack([photo[100:132, 200:232] for photo in photographs])
    plain = np.concatenate([plain, plain[:, ::-1, ::-1]])
    if cipher == "etc_gray":
        with pytest.raises(AttackError):
            attacks.known_plaintext(plain, secret(plain), regions=regions)
        return
    free = attacks.known_plaintext(plain, secret(plain))
    bound = attacks.known_plaintext(plain, secret(plain), regions=regions)
    assert bound.undetermined.size < free.undetermined.size
    # Raster order breaks the ties of both alike.
    assert attacks.score_key(bound, secret).index_accuracy > 0.99
    assert attacks.score_key(free, secret).index_accuracy > 0.99


@pytest.mark.parametrize("cipher", ["negpos", "keystream", "identity"])
def test_one_pair_is_enough_where_nothing_moves(key, rng, cipher):
    secret = CIPHERS[cipher](key, SHAPE)
    plain = rng.integers(0, 256, (1, *SHAPE), np.uint8)
    assert attacks.known_plaintext(plain, secret(plain)) == secret


@pytest.mark.parametrize("cipher, bits", [("le", 4), ("blockshuffle", 8)])
@pytest.mark.parametrize("block_size", [2, 4])
def test_one_image_holds_the_blocks(key, photographs, cipher, bits, block_size):
    secret = CIPHERS[cipher](key, SHAPE, block_size=block_size)
    oracle = attacks.CountingOracle(secret)
    recovered = attacks.block_chosen_plaintext(
        oracle, SHAPE, block_size, bits, verify=False
    )
    assert recovered == secret and oracle.queries == 1
    # Blocks that one image cannot hold are asked in more.
    small = (block_size, block_size, 3)
    oracle = attacks.CountingOracle(CIPHERS[cipher](key, small, block_size=block_size))
    attacks.block_chosen_plaintext(oracle, small, block_size, bits, verify=False)
    assert oracle.queries > 1
    plain = photographs[1][None, 200:232, 300:332]
    known = attacks.block_known_plaintext(plain, secret(plain), block_size, bits)
    assert known == secret and not known.undetermined.size


def test_undetermined_words_of_a_block_are_so_in_all(key):
    secret = CIPHERS["le"](key, SHAPE)
    plain = np.zeros((1, *SHAPE), np.uint8)
    known = attacks.block_known_plaintext(plain, secret(plain))
    assert known.undetermined.tolist() == list(range(6144))
    with pytest.raises(AttackError):
        attacks.block_known_plaintext(plain, secret(plain)[:, :16])


def test_cifar_known_pairs(key, cifar_directory, rng):
    """Real CIFAR-10: 4 pairs nearly give shuffle, 8 le, and 2 nearly pbe."""
    import tensorflow_datasets as tfds

    images = tfds.load("cifar10", split="test[:2000]", data_dir=cifar_directory)
    images = np.stack([example["image"] for example in tfds.as_numpy(images)])
    for cipher, pairs, least in (
        ("shuffle", 3, 0.90),
        ("shuffle", 4, 0.995),
        ("shuffle", 5, 0.999),
        ("le", 6, 0.93),
        ("le", 8, 0.98),
        ("le", 16, 0.999),
        ("pbe", 2, 0.97),
        ("logistic", 3, 0.995),
    ):
        secret = CIPHERS[cipher](key, SHAPE)
        scores = []
        for _ in range(10):
            plain = images[rng.choice(len(images), pairs, replace=False)]
            recovered = attacks.known_plaintext(plain, secret(plain), secret.bits)
            scores.append(attacks.score_key(recovered, secret).index_accuracy)
        assert np.mean(scores) > least, cipher
