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
    found = fitting(containers, reference, table)
    for number, fits in enumerate(found):
        if len(fits) != 1:
            raise AttackError(
                "The bits of each container should be those of one candidate. "
                f"Received: container {number}, whose bits {len(fits)} of them have"
            )
    return np.stack([reference[fits[0]] for fits in found])


def fitting(containers, reference, table=None):
    """The numbers of the candidates that have the bits of each container, lists.

    Args, returns and raises as `hybrid_lengths`, but for how many fit.
    """
    found, known = [], {}
    for container in map(Container.from_bytes, containers):
        options = container.options
        if options["permute"] == "pixels":
            raise AttackError(
                "Pairs should move, not pixels, whose pairs depend on the key. "
                "Received: permute='pixels'"
            )
        public = table if options["table"] == "public" else None
        if options["table"] == "public" and (
            table is None or table.digest != container.table_digest
        ):
            raise AttackError(
                "`table` should be the public one of the containers. Received: "
                f"{'none' if table is None else 'another'}"
            )
        way = options["symbols"], options["neighbours"], public is None
        if way not in known:
            known[way] = [bits_of(picture, options, public) for picture in reference]
        found.append(
            [
                number
                for number, bits in enumerate(known[way])
                if bits == container.bits
                and reference[number].shape == container.image_shape
            ]
        )
    return found
