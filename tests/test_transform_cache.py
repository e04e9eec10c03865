"""The cache of transforms: what stays, what goes, and that it changes no pixel."""

import numpy as np
import pytest

from tfpe import CIPHERS, Key
from tfpe.ciphers import cache as module
from tfpe.ciphers.cache import TransformCache
from training.encryption import IMAGE_BYTES, Encryption

KEY = Key(bytes(range(32)))
SHAPES = [(8, 8, 3), (4, 16, 3), (16, 4, 3)]
BYTES = 8 * 8 * 3
RANDOM = np.random.default_rng(5)


@pytest.fixture
def counted():
    """A row of `CIPHERS` that writes down what it builds."""
    built, row = [], CIPHERS["shuffle"]

    class Counted:
        block_size = row.block_size
        takes_keys = False

        def __call__(self, key, shape, **options):
            built.append((key.fingerprint, shape))
            return row(key, shape, **options)

    return Counted(), built


def test_the_shapes_used_last_stay_and_the_others_go(monkeypatch, counted):
    cipher, built = counted
    one = CIPHERS["shuffle"](KEY, SHAPES[0]).prepare().held_bytes
    monkeypatch.setattr(module, "cached_bytes", lambda: 2 * one)
    cache = TransformCache(cipher, KEY, {})
    first, second, third = SHAPES
    for shape in (first, second, first, third, first):
        cache.get(shape)
    assert [shape for _, shape in built] == [first, second, third]
    cache.get(second)
    assert [shape for _, shape in built[3:]] == [second], "it should have gone"
    for _ in range(3):
        for shape in SHAPES:
            cache.get(shape)
    assert len(built) > 4 + 6, "three never fit where two do"


@pytest.mark.parametrize("room", [1, 4])
def test_transforms_of_images_stay_as_far_as_there_is_room(counted, room):
    cipher, built = counted
    cache = TransformCache(cipher, KEY, {}, KEY, image_bytes=room * BYTES)
    images = RANDOM.integers(0, 256, (4, 8, 8, 3), np.uint8)
    for _ in range(3):
        cache.encrypt(images, range(4))
    assert len(built) == (4 if room == 4 else 12)
    cache.encrypt(images, range(4, 8))
    cache.encrypt(images, range(4))
    assert len(built) == (12 if room == 4 else 20), "new images should take the room"


def test_one_too_large_for_the_room_stays_until_the_next(monkeypatch, counted):
    monkeypatch.setattr(module, "cached_bytes", lambda: 1)
    cipher, built = counted
    cache = TransformCache(cipher, KEY, {})
    for shape in (SHAPES[0], SHAPES[0], SHAPES[1], SHAPES[0]):
        cache.get(shape)
    assert len(built) == 3


@pytest.mark.parametrize("cipher", CIPHERS)
def test_batches_under_own_keys_are_those_of_the_cipher_and_come_back(cipher):
    row, numbers = CIPHERS[cipher], [3, 0, 7]
    images = RANDOM.integers(0, 256, (3, 21, 30, 3), np.uint8)
    encrypt, decrypt = (
        TransformCache(row, KEY, {}, KEY, invert=invert) for invert in (False, True)
    )
    ciphertexts = encrypt.encrypt(images, numbers)
    block = row.block_size()
    padded = np.pad(
        images, ((0, 0), (0, -21 % block), (0, -30 % block), (0, 0)), "edge"
    )
    transform = row.per_image(KEY, padded.shape[1:], numbers)
    np.testing.assert_array_equal(ciphertexts, transform(padded))
    for ciphertext, image, number in zip(ciphertexts, images, numbers, strict=True):
        np.testing.assert_array_equal(encrypt.encrypt(image, number), ciphertext)
    np.testing.assert_array_equal(
        decrypt.decrypt(ciphertexts, images.shape[1:], numbers), images
    )


def test_training_keeps_transforms_in_the_same_bounded_cache():
    cache = Encryption(KEY, "shuffle", per_image=True)._transforms
    assert isinstance(cache, TransformCache) and cache._image_bytes == IMAGE_BYTES
