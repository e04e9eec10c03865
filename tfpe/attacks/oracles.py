"""Encryption oracles: what a chosen-plaintext attacker may ask, and checks of answers.

An oracle is any callable `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`: a `Transform`, a
`PerceptualEncrypt` layer, a function that runs a file tool or calls a service.
"""

import time

import numpy as np

from tfpe.checks import whole_number
from tfpe.ciphers.blocks import block_indices
from tfpe.errors import AttackError, ImageError
from tfpe.pixels.byte_levels import to_bytes


class CountingOracle:
    """An oracle that counts what it is asked; every attack can be run through it.

    Args:
        oracle: the oracle to pass images on to.

    Attributes:
        queries: images encrypted so far.
        verifying: those of them that only confirmed a key.
        seconds: time spent in the oracle, not in the attack.

    Example:

    >>> import numpy as np
    >>> oracle = CountingOracle(lambda images: images ^ 255)
    >>> _ = oracle(np.zeros((3, 1, 1, 1), np.uint8))
    >>> oracle.queries
    3
    """

    def __init__(self, oracle):
        self._oracle = oracle
        self.queries = self.verifying = 0
        self.seconds = 0.0

    def __call__(self, images):
        start = time.perf_counter()
        answer = self._oracle(images)
        self.seconds += time.perf_counter() - start
        self.queries += len(images)
        return answer

    def verify(self, images):
        """Encrypts images that only confirm a key."""
        self.verifying += len(images)
        return self(images)


def ask(oracle, images):
    """Encrypts chosen images.

    Args:
        oracle: callable; a float answer (Keras layers) must hold whole bytes.
        images: `uint8 (B, H, W, C)`.

    Returns:
        `uint8 (B, ...)` with as many bytes an image.

    Raises:
        AttackError: the answer has another size, or is no image of bytes.
    """
    answer = np.asarray(oracle(images))
    try:
        answer, _ = to_bytes(answer, exact=True)
    except ImageError as error:
        raise AttackError(
            "The oracle should answer with images of bytes. Received: "
            f"dtype {answer.dtype} that does not hold them"
        ) from error
    if answer.shape[:1] != images.shape[:1] or answer.size != images.size:
        raise AttackError(
            "The oracle should answer with as many images and bytes as it is asked. "
            f"Received: shape {answer.shape} for {images.shape}"
        )
    return answer


def check_on_random_images(oracle, transform, count):
    """Compares `transform` with the oracle on `count` random images.

    Raises:
        AttackError: they differ, so the oracle is not of the class attacked.
    """
    count = whole_number(int(count) if count is True else count or 0, "verify", 0)
    if not count:
        return
    # Seeded: a failing attack must fail again. No key hangs on these numbers.
    shape = (count, *transform.input_shape)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    if isinstance(oracle, CountingOracle):
        oracle = oracle.verify
    answer, expected = ask(oracle, images), transform(images)
    if answer.shape != expected.shape or (answer != expected).any():
        raise AttackError(
            "The oracle should be a transform of the class attacked, under one key. "
            "Received: answers to random images that the recovered key does not explain"
        )


def block_oracle(oracle, image_shape, block_size):
    """An oracle of single blocks, `(K, B, B, C)`, from one of images.

    For ciphers that treat every block alike: as many blocks as an image holds are
    asked in one image; blocks left over are 0.
    """
    blocks = block_indices(image_shape, block_size)
    block_shape = (block_size, block_size, image_shape[-1])

    def ask_blocks(queries):
        images = np.zeros((-(-len(queries) // len(blocks)), blocks.size), np.uint8)
        padded = np.zeros((len(images) * len(blocks), blocks.shape[1]), np.uint8)
        padded[: len(queries)] = queries.reshape(len(queries), -1)
        images[:, blocks] = padded.reshape(len(images), *blocks.shape)
        answer = ask(oracle, images.reshape(-1, *image_shape))
        answer = answer.reshape(len(images), -1)[:, blocks]
        return answer.reshape(-1, *block_shape)[: len(queries)]

    return ask_blocks
