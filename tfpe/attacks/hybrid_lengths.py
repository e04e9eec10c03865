"""What the length of a container tells, whatever its key and nonce are."""

import numpy as np

from tfpe.attacks.hybrid_form import bits_of
from tfpe.errors import AttackError
from tfpe.hybrid.container import Container


def hybrid_lengths(containers, reference, table=None):
    """Which of some pictures a container holds, told by the number of its bits.

    Permuting and substituting change no length: the bits of a picture follow from the
    picture, so that a set of candidates is told apart as if nothing were encrypted. A
    nonce does not help; padding would.

    Threat model: ciphertext only, other pictures of which each may be the one packed.
    Complexity: O(n) a candidate. Not for pixels permuted before they are pairs.

    Args:
        containers: a list of the bytes of containers.
        reference: candidates, `uint8 (M, H, W, C)`.
        table: the public `CodeTable`, where there is one.

    Returns:
        The picture of each container, `uint8 (N, H, W, C)`.

    Raises:
        AttackError: of a container no candidate, or more than one, has the length.

    Source: not published elsewhere.

    Example:

    >>> from tfpe import Key
    >>> from tfpe.hybrid import Hybrid
    >>> pictures = np.random.default_rng(0).integers(0, 9, (5, 16, 16, 3), np.uint8)
    >>> container = Hybrid(Key.generate())(pictures[3])
    >>> bool((hybrid_lengths([container], pictures)[0] == pictures[3]).all())
    True
    """
    found = []
    for container in map(Container.from_bytes, containers):
        if container.options["permute"] == "pixels":
            raise AttackError(
                "Pairs should move, not pixels, whose pairs depend on the key. "
                "Received: permute='pixels'"
            )
        public = container.options["table"] == "public"
        if public and (table is None or table.digest != container.table_digest):
            raise AttackError(
                "`table` should be the public one of the containers. Received: "
                f"{'none' if table is None else 'another'}"
            )
        same = [
            picture
            for picture in reference
            if picture.shape == container.image_shape
            and bits_of(picture, container.options, table if public else None)
            == container.bits
        ]
        if len(same) != 1:
            raise AttackError(
                "The bits of each container should be those of one candidate. "
                f"Received: {container.bits} bits, which {len(same)} of them have"
            )
        found += same
    return np.stack(found)
