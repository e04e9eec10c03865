"""What is read off a transform without its key. Budget: 5 s."""

import numpy as np
import pytest
from key_arrays import TRANSFORMS

import tfpe
from tfpe import CIPHERS, Key, Transform
from tfpe.errors import CipherOptionError

SHAPE = (32, 32, 3)
# bits, region, side, tied, moved
FOUND = {
    "le": (4, "block", 4, True, False),
    "ele": (4, "block", 4, False, True),
    "pbe": (8, "pixel", 1, False, False),
    "logistic": (1, "pixel", 1, False, False),
    "etc": (8, "block", 4, False, True),
    "etc_gray": (8, "image", None, True, False),
    "iib": (8, "block", 4, False, True),
    "identity": (8, "pixel", 1, True, False),
    "negpos": (8, "pixel", 1, False, False),
    "shuffle": (8, "image", None, True, False),
    "blockshuffle": (8, "block", 4, True, False),
    "keystream": (1, "pixel", 1, False, False),
}


def short(found):
    return found.bits, found.region, found.side, found.tied, found.moved


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_cipher_under_any_key(name):
    key = Key.generate()
    transform = tfpe.CIPHERS[name](key, SHAPE)
    assert short(tfpe.structure(transform)) == FOUND[name]
    # Decryption mixes and moves what encryption does.
    assert short(tfpe.structure(transform.inverse)) == FOUND[name]


def test_options_and_transforms_of_ones_own():
    key = Key.generate()
    found = tfpe.structure(tfpe.ciphers.le(key, SHAPE, block_size=8))
    assert short(found) == (4, "block", 8, True, False)
    found = tfpe.structure(tfpe.ciphers.le(key, SHAPE, word_bits=8))
    assert short(found) == (8, "block", 4, True, False)
    # A mirrored image: halves change places, and are mirrored alike.
    places = np.arange(32 * 32 * 3).reshape(32, 32, 3)[:, ::-1].ravel()
    mirror = Transform(places, np.zeros_like(places), 8, SHAPE)
    assert short(tfpe.structure(mirror))[1:] == ("block", 16, True, True)
    # The finer of two words, the larger of two regions.
    both = tfpe.ciphers.pbe(key, SHAPE) @ tfpe.ciphers.le(key, SHAPE)
    assert short(tfpe.structure(both)) == (4, "block", 4, False, False)


def test_what_has_no_structure():
    key = Key.generate()
    batch = tfpe.CIPHERS["pbe"].per_image(key, SHAPE, range(2))
    ffx = tfpe.ciphers.ffx(key, SHAPE)
    for wrong in (None, batch, Transform([1, 0], [0, 0]), ffx):
        with pytest.raises(CipherOptionError, match="Received"):
            tfpe.structure(wrong)
    for wrong in ("no cipher", "ffx", "orthogonal"):
        with pytest.raises(CipherOptionError, match="Received"):
            tfpe.structure(wrong, SHAPE)


def test_a_name_needs_a_shape_and_no_key():
    for name, found in FOUND.items():
        by_name = tfpe.structure(name, SHAPE)
        assert short(by_name) == found
        assert by_name == tfpe.structure(CIPHERS[name](Key.generate(), SHAPE))
    assert tfpe.structure("le", SHAPE, block_size=8).side == 8
    with pytest.raises(CipherOptionError, match="no shape"):
        tfpe.structure("le")
    le = tfpe.ciphers.le(Key.generate(), SHAPE)
    for given in ({"image_shape": SHAPE}, {"block_size": 4}):
        with pytest.raises(CipherOptionError, match="with the name of a cipher"):
            tfpe.structure(le, **given)
