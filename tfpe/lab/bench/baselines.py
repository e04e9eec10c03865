"""What the ciphers are measured beside: copies, real cryptography, the field's code."""

import concurrent.futures
import importlib.util
import itertools
import os

import numpy as np

SECRET = bytes(range(32))
AES = "AES-256-CTR"
AES_ALL_CORES = "AES-256-CTR, all cores"
FIELD = "field's NumPy LE"


def usable_cores():
    """Number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def baselines(images):
    """Programs on the same bytes that the ciphers are compared with.

    Args:
        images: `uint8`, a C-contiguous batch.

    Returns:
        A dict from name to a pair of functions: one without arguments that is timed,
        and one that tells whether its result is right. AES and ChaCha20 are there
        where the package `cryptography` is; they write to a buffer that exists
        already, which favours them.

    Example:

    >>> run, is_right = baselines(np.zeros((2, 4, 4, 3), np.uint8))["copy"]
    >>> is_right(run())
    True
    """
    mask = np.random.default_rng(0).integers(0, 256, images.shape[1:], np.uint8)
    found = {
        "copy": (images.copy, lambda result: np.array_equal(result, images)),
        "NumPy xor": (
            lambda: images ^ mask,
            lambda result: np.array_equal(result ^ mask, images),
        ),
    }
    if importlib.util.find_spec("cryptography") is None:
        return found
    found[AES] = _stream_cipher("AES", images, 1)
    found["ChaCha20"] = _stream_cipher("ChaCha20", images, 1)
    found[AES_ALL_CORES] = _stream_cipher("AES", images, usable_cores())
    return found


def field_le(images, order, block_size=4):
    """Learnable encryption as the field writes it: vectorised NumPy, whole arrays.

    Blocks by a reshape, nibbles split, one fancy index, nibbles joined. It is here as
    the baseline of speed, and equals `tfpe.ciphers.le_transform`.

    Args:
        images: `uint8 (B, H, W, C)`, H and W divisible by `block_size`.
        order: permutation of the 2 * B * B * C nibbles of a block.
        block_size: side of a block in pixels.

    Example:

    >>> from tfpe.ciphers import le_transform
    >>> rng = np.random.default_rng(0)
    >>> images = rng.integers(0, 256, (2, 8, 8, 3), np.uint8)
    >>> order = rng.permutation(96)
    >>> expected = le_transform(order, (8, 8, 3))(images)
    >>> bool((field_le(images, order) == expected).all())
    True
    """
    batch, height, width, channels = images.shape
    side = block_size
    blocks = images.reshape(
        batch, height // side, side, width // side, side, channels
    ).transpose(0, 1, 3, 2, 4, 5)
    shape = blocks.shape
    blocks = blocks.reshape(-1, side * side * channels)
    nibbles = np.concatenate([blocks & 15, blocks >> 4], axis=1)
    reverse = order > nibbles.shape[1] / 2
    nibbles[:, reverse] = 15 - nibbles[:, reverse]
    nibbles = nibbles[:, order]
    nibbles[:, reverse] = 15 - nibbles[:, reverse]
    low, high = np.split(nibbles, 2, axis=1)
    blocks = (16 * high + low).reshape(shape)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(images.shape)


def _stream_cipher(name, images, threads):
    """Encrypts the bytes of `images`, each thread a part of them; and the check."""
    data = images.reshape(-1)
    ends = np.linspace(0, data.size, threads + 1).astype(int)
    parts = [slice(*pair) for pair in itertools.pairwise(ends)]
    # OpenSSL asks for room for one block more.
    outputs = [np.empty(part.stop - part.start + 16, np.uint8) for part in parts]

    def run_part(part, output):
        # OpenSSL runs without the lock of the interpreter.
        _encryptor(name).update_into(data[part], output)

    def run():
        for _ in run_parts(run_part, parts, outputs):
            pass
        return outputs

    def is_right(outputs):
        # Encrypting twice with a stream cipher decrypts.
        return all(
            _encryptor(name).update(output[:-16].tobytes()) == data[part].tobytes()
            for part, output in zip(parts, outputs, strict=True)
        )

    pool = concurrent.futures.ThreadPoolExecutor(threads)
    run_parts = map if threads == 1 else pool.map
    return run, is_right


def _encryptor(name):
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if name == "AES":
        return Cipher(algorithms.AES(SECRET), modes.CTR(bytes(16))).encryptor()
    return Cipher(algorithms.ChaCha20(SECRET, bytes(16)), None).encryptor()
