"""Chosen pictures against the hybrid in the form of its paper, without a nonce."""

import numpy as np

from tfpe.attacks.hybrid_form import (
    HybridForm,
    checked_table,
    image_of,
    payload_of,
    read_in_turn,
)
from tfpe.attacks.oracles import CountingOracle
from tfpe.checks import image_shape_of
from tfpe.errors import AttackError
from tfpe.hybrid.bit_stream import write_bits


def hybrid_chosen_plaintext(packer, image_shape, table, verify=True):
    """Key stream and permutation of a hybrid with one key for all images.

    An image of one pair everywhere is the same after any permutation: with a public
    table its bits are known, and those of the longest code word are as many as any
    image has. With the key stream, images whose pairs spell their places can be read.

    Threat model: chosen plaintext, one fixed key, public table of pairs, horizontal
    pairs that move as pairs, xor, no nonce. Complexity: O(n) a query; 2 queries for up
    to 65,536 pairs a plane, 3 above.

    Args:
        packer: `uint8 (B, H, W, C) -> B containers`, of a `Hybrid` with `nonce=False`.
        image_shape: (height, width, channels), of even width.
        table: the public `CodeTable`.
        verify: whether one random image more confirms what was found.

    Returns:
        A `HybridForm`, which opens every other container.

    Raises:
        AttackError: the oracle uses a nonce, or another key each time.

    Source: as for CRT schemes in Li et al. 2014, arXiv 1306.5615.

    Example:

    >>> from tfpe import Key
    >>> from tfpe.hybrid import CodeTable, Hybrid
    >>> table = CodeTable.public([])
    >>> secret = Hybrid(Key(bytes(32)), table=table, nonce=False)
    >>> def pack(images):
    ...     return [secret(image) for image in images]
    >>> found = hybrid_chosen_plaintext(pack, (4, 8, 3), table)
    >>> image = np.arange(96).reshape(4, 8, 3).astype(np.uint8)
    >>> picture, known = found.open(secret(image))
    >>> bool((picture == image).all()), bool(known.all())
    (True, True)
    """
    shape = image_shape_of(image_shape)
    pairs, channels = checked_table(table, shape), shape[2]

    def ask(values, packer=packer):
        """The payload of the image whose planes are these pairs."""
        symbols = np.broadcast_to(values, (channels, pairs))
        answer = packer(image_of(symbols, shape)[None])
        if not isinstance(answer, list) or len(answer) != 1:
            raise AttackError(
                "The oracle should answer with a container for each image. Received: "
                f"{type(answer).__name__}"
            )
        return payload_of(answer[0], table, shape)

    longest = int(table.lengths.argmax())
    known, _, _ = write_bits(np.full(channels * pairs, longest), table)
    answer = ask(np.full(pairs, longest))
    if answer.size != known.size:
        raise AttackError(
            "The oracle should code images by the table. Received: another length"
        )
    stream, order = answer ^ known, np.zeros(pairs, np.int64)
    for digit in range(-(-(pairs - 1).bit_length() // 16)):
        answer = ask(np.arange(pairs) >> (16 * digit) & 0xFFFF)
        read = read_in_turn(answer ^ stream[: answer.size], pairs, table)
        order |= read.astype(np.int64) << (16 * digit)
    if (np.bincount(order, minlength=pairs) != 1).any():
        raise AttackError(
            "The oracle should use one key stream and one permutation for all images. "
            "Received: answers in which pairs do not name each place once"
        )
    if verify:
        values = np.random.default_rng(0).integers(0, 2**16, pairs)
        if isinstance(packer, CountingOracle):
            packer = packer.verify
        answer = ask(values, packer)
        expected, _, _ = write_bits(np.tile(values[order], channels), table)
        if not np.array_equal(answer ^ stream[: answer.size], expected):
            raise AttackError(
                "The oracle should use one key stream and one permutation for all "
                "images. Received: an answer that those found do not explain"
            )
    return HybridForm(stream, order, shape, table)
