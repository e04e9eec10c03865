"""The ciphers: pure functions `(key, image_shape, **options) -> Keyed`.

`CIPHERS` is the table of them all. Each `*_transform` builds the same cipher from
explicit key material, for published keys and for exact tests.
"""

from tfpe.ciphers import (
    controls,
    inside_out,
    learnable,
    pixel,
    rotated,
    scrambled,
    substituted,
)
from tfpe.ciphers.cipher import Cipher
from tfpe.ciphers.controls import (
    blockshuffle,
    blockshuffle_transform,
    identity,
    keystream,
    keystream_transform,
    negpos,
    shuffle,
    shuffle_transform,
)
from tfpe.ciphers.inside_out import iib, iib_transform
from tfpe.ciphers.keyspace import KeySpace
from tfpe.ciphers.learnable import ele, ele_transform, le, le_transform
from tfpe.ciphers.pixel import logistic, logistic_transform, pbe, pbe_transform
from tfpe.ciphers.rotated import orthogonal, orthogonal_transform
from tfpe.ciphers.scrambled import (
    etc,
    etc_gray,
    etc_gray_transform,
    etc_transform,
)
from tfpe.ciphers.substituted import ffx, ffx_transform
from tfpe.ciphers.traits import Traits
from tfpe.errors import CipherOptionError

__all__ = [
    "CIPHERS",
    "Cipher",
    "DEFAULT_CIPHER",
    "KeySpace",
    "Traits",
    "blockshuffle",
    "blockshuffle_transform",
    "byte_ciphers",
    "chosen_cipher",
    "ele",
    "ele_transform",
    "etc",
    "etc_gray",
    "etc_gray_transform",
    "etc_transform",
    "ffx",
    "ffx_transform",
    "find_cipher",
    "identity",
    "iib",
    "iib_transform",
    "keystream",
    "keystream_transform",
    "le",
    "le_transform",
    "logistic",
    "logistic_transform",
    "negpos",
    "orthogonal",
    "orthogonal_transform",
    "pbe",
    "pbe_transform",
    "shuffle",
    "shuffle_transform",
]


CIPHERS = {
    row.name: row
    for row in (
        Cipher(
            le,
            learnable.le_key_space,
            "Tanaka 2018, arXiv 1804.00490",
            takes_keys=True,
        ),
        Cipher(
            ele,
            learnable.ele_key_space,
            "Madono et al. 2020, arXiv 2001.07761",
            takes_keys=True,
        ),
        Cipher(
            pbe,
            pixel.pbe_key_space,
            "Sirichotedumrong et al. 2019, doi 10.1109/ACCESS.2019.2959017",
            takes_keys=True,
        ),
        Cipher(
            logistic,
            pixel.logistic_key_space,
            "Ahmad & Shin 2022, arXiv 2203.16780",
            takes_keys=True,
        ),
        Cipher(
            etc,
            scrambled.etc_key_space,
            "Kurihara et al. 2015, IEICE Trans. Fundamentals E98-A(11)",
            takes_keys=True,
        ),
        Cipher(
            etc_gray,
            scrambled.etc_gray_key_space,
            "Chuman et al. 2019, doi 10.1109/TIFS.2018.2881677",
            unfolded=(scrambled.side_by_side_shape, scrambled.planes_shape),
            takes_keys=True,
        ),
        Cipher(
            iib,
            inside_out.iib_key_space,
            "Ahmad & Shin 2022, doi 10.3390/s22208074",
        ),
        Cipher(
            ffx,
            substituted.ffx_key_space,
            "MaungMaung & Kiya 2021, arXiv 2010.00801",
        ),
        Cipher(
            orthogonal,
            rotated.orthogonal_key_space,
            "Aso et al. 2023, arXiv 2301.03843",
        ),
        Cipher(identity, controls.identity_key_space, "-"),
        Cipher(
            negpos,
            controls.negpos_key_space,
            "the negative-positive step of the ciphers above",
            takes_keys=True,
        ),
        Cipher(
            shuffle,
            controls.shuffle_key_space,
            "control",
            takes_keys=True,
        ),
        Cipher(
            blockshuffle,
            controls.blockshuffle_key_space,
            "MaungMaung & Kiya 2021, IEEE TIFS 16",
            takes_keys=True,
        ),
        Cipher(
            keystream,
            controls.keystream_key_space,
            "control: a stream cipher with a repeated nonce",
            takes_keys=True,
        ),
    )
}


def byte_ciphers():
    """Names of the ciphers whose ciphertexts are bytes, as files and data sets hold.

    Returns:
        A list, in the order of `CIPHERS`.

    Example:

    >>> set(CIPHERS) - set(byte_ciphers())
    {'orthogonal'}
    """
    return [name for name, row in CIPHERS.items() if row.traits().gives_bytes]


# What encrypts where no cipher is named; nothing that decrypts or predicts has one.
DEFAULT_CIPHER = "logistic"


def chosen_cipher(name, invert=False):
    """The row of `CIPHERS`; the default one where images are encrypted under no name.

    Args:
        name: of a cipher, or None.
        invert: whether images are decrypted: then nothing is guessed.

    Returns:
        A `Cipher`.

    Raises:
        CipherOptionError: there is no such cipher, or none is named to decrypt with.

    Example:

    >>> chosen_cipher(None).name
    'logistic'
    """
    if name is None and invert:
        raise CipherOptionError(
            "`cipher` should name the cipher that the images were encrypted with, one "
            f"of {list(CIPHERS)}. Received: none"
        )
    return find_cipher(DEFAULT_CIPHER if name is None else name)


def find_cipher(name):
    """The row of `CIPHERS`, or an error that lists the names.

    Args:
        name: of a cipher.

    Returns:
        A `Cipher`.

    Raises:
        CipherOptionError: there is no such cipher.

    Example:

    >>> find_cipher("ele").defaults
    {'block_size': 4, 'reversal': 'derived'}
    """
    if not isinstance(name, str) or name not in CIPHERS:
        raise CipherOptionError(
            f"`cipher` should be one of {list(CIPHERS)}. Received: cipher={name!r}"
        )
    return CIPHERS[name]
