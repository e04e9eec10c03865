"""Cipher, options and value range of a prediction: from a receipt, or as given."""

import os
from typing import NamedTuple

from tfpe.ciphers import chosen_cipher
from tfpe.errors import CipherOptionError
from tfpe.pixels.value_ranges import BYTE_RANGE, check_value_range
from tfpe.receipts.model_files import model_receipt
from tfpe.receipts.receipt import Receipt, require_agreement
from tfpe.receipts.sets import read_receipt


class Settings(NamedTuple):
    """What images are encrypted with for a model.

    Attributes:
        cipher: a row of `tfpe.CIPHERS`.
        options: of the cipher, defaults filled in.
        value_range: of the images that the model takes.
        receipt: a `Receipt`, or None.
    """

    cipher: object
    options: dict
    value_range: tuple
    receipt: Receipt | None


def settle(key, cipher, receipt, value_range, options):
    """The `Settings` of a prediction; nothing of them is guessed.

    Args:
        key: a `tfpe.Key`.
        cipher: a name, or None where a receipt tells it.
        receipt: as for `read_receipt`, or None.
        value_range: lowest and highest value, or None.
        options: dict, of the cipher.

    Raises:
        CipherOptionError: neither cipher nor receipt, or they contradict each other.
        WrongKeyError: the receipt is of another key.
    """
    if receipt is None:
        if cipher is None:
            raise CipherOptionError(
                "`cipher` should be the one of the training images, or `receipt` the "
                "receipt of their set, which tells it. Received: neither"
            )
        row = chosen_cipher(cipher)
        value_range = check_value_range(
            BYTE_RANGE if value_range is None else value_range
        )
        return Settings(row, row.options(**options), value_range, None)
    receipt = read_receipt(receipt, key)
    row = chosen_cipher(receipt.cipher, invert=True)
    if cipher is not None and cipher != receipt.cipher:
        _refuse("cipher", receipt, receipt.cipher, cipher)
    row.options(**options)
    for name, value in options.items():
        if receipt.options.get(name) != value:
            _refuse(name, receipt, receipt.options.get(name), value)
    wanted = tuple(receipt.value_range)
    if value_range is not None and tuple(check_value_range(value_range)) != wanted:
        _refuse("value_range", receipt, wanted, tuple(value_range), RESCALE)
    return Settings(row, receipt.options, wanted, receipt)


RESCALE = (
    "; a model that was trained on other values takes these with a Rescaling layer "
    "before it: keras.Sequential([keras.layers.Rescaling(1 / 255), model])"
)


def _refuse(name, receipt, expected, received, hint=""):
    raise CipherOptionError(
        f"`{name}` should be {expected!r}, as the receipt of {receipt.name} says, or "
        f"be left out. Received: {name}={received!r}{hint}"
    )


def settle_for(model, key, cipher, receipt, value_range, options):
    """`settle`, with the receipt that the file of a model carries.

    Args:
        model: the path of a .keras file; a model in memory carries none.
        key, cipher, receipt, value_range, options: as of `settle`.

    Raises:
        CipherOptionError: as `settle`, or the two receipts differ.
    """
    inside = None
    if isinstance(model, (str, os.PathLike)):
        inside = model_receipt(model, key)
    if receipt is not None and inside is not None:
        receipt = read_receipt(receipt, key)
        require_agreement(inside, receipt)
    return settle(
        *(key, cipher, inside if receipt is None else receipt, value_range, options)
    )
