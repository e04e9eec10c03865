"""Ciphers on the device of this machine: the layer beside a copy, in one run."""

import dataclasses
import pathlib

import keras
import numpy as np

from tfpe import PerceptualEncrypt
from tfpe.ciphers import CIPHERS
from tfpe.errors import TfpeError
from tfpe.keys import Key
from tfpe.lab.bench.timing import interleave
from tfpe.lab.records import check_replaceable, read_record, write_record
from tfpe.lab.records.speed_records import ThroughputRow
from training.run_folder import OUT

COPY = "device copy"
CALLS = 20  # of a program in one round: one alone takes less time than to start it
CHECKED = 256  # images of each result that are compared with the oracle


def cipher_throughput(
    images=16_384, side=32, repeats=7, ciphers=None, out=OUT, again=True
):
    """Times every cipher in the layer on the device, beside a copy of the same bytes.

    The images lie on the device before and after. A copy reads and writes each byte
    once: no cipher can do with less.

    Args:
        images: how many are encrypted in one call.
        side: their height and width.
        repeats: rounds in which all programs run in turn.
        ciphers: names in `tfpe.CIPHERS`; default all.
        out: folder of the record.
        again: measure, and replace a record of these settings; else it is returned.

    Returns:
        The record: for each program the median and quartiles of images a second, and
        of the ratio to the copy.

    Raises:
        TfpeError: a result is not that of the oracle.
        RecordError: `out` holds a record of other settings.
    """
    names = list(ciphers or CIPHERS)
    settings = {
        "backend": keras.backend.backend(),
        "ciphers": names,
        "images": images,
        "image_shape": [side, side, 3],
        "repeats": repeats,
        "calls": CALLS,
    }
    path = pathlib.Path(out, f"cipher-throughput-{settings['backend']}.json")
    check_replaceable(path, "cipher-throughput", settings)
    if path.exists() and not again:
        return read_record(path)
    key = Key(bytes(range(32)))
    batch = np.random.default_rng(0).integers(0, 256, (images, side, side, 3), np.uint8)
    start, finish = _device()
    batch_there = start(batch)
    rows = []
    # One at a time: the tables of all ciphers need not lie on the device together.
    for name in names:
        bytes_out = CIPHERS[name].traits().gives_bytes
        dtype = "uint8" if bytes_out else "float32"
        layer = PerceptualEncrypt(key, name, dtype=dtype)
        secret = CIPHERS[name](key, batch.shape[1:])
        encrypt, copy = _compiled(layer), _compiled(_copy)
        programs = {
            COPY: (_calls(copy, batch_there, finish), _right(batch ^ 1)),
            name: (
                _calls(encrypt, batch_there, finish),
                _right(secret.definition(batch[:CHECKED])),
            ),
        }
        found = interleave(programs, repeats, [COPY])[name]
        per_second = [
            round(images * CALLS / found[quantity], 1)
            for quantity in ("median", "high", "low")
        ]
        ratio = found["ratios"][COPY]
        rows.append(
            ThroughputRow(
                cipher=name,
                images_per_second=per_second[0],
                images_per_second_range=per_second[1:],
                to_copy=round(ratio["median"], 4),
                to_copy_range=[round(ratio[end], 4) for end in ("low", "high")],
            )
        )
    record = {
        "kind": "cipher-throughput",
        "settings": settings,
        "results": {"rows": list(map(dataclasses.asdict, rows))},
    }
    return write_record(path, record)


def _copy(images):
    # Not the images themselves: a compiler would not copy those.
    return images ^ 1


def _calls(program, batch, finish):
    def run():
        for _ in range(CALLS):
            result = program(batch)
        finish(result)
        return result

    return run


def _right(expected):
    expected = expected[:CHECKED]

    def is_right(result):
        found = keras.ops.convert_to_numpy(result[: len(expected)])
        return np.array_equal(found, expected)

    return is_right


def _compiled(function):
    """A function of one batch as the backend compiles it best."""
    match keras.backend.backend():
        case "jax":
            import jax

            return jax.jit(function)
        case "tensorflow":
            import tensorflow as tf

            return tf.function(function, jit_compile=True)
    return function


def _device():
    """(move a NumPy batch to the device, wait until a result is there)."""
    match keras.backend.backend():
        case "jax":
            import jax

            return jax.device_put, lambda result: result.block_until_ready()
        case "tensorflow":
            import tensorflow as tf

            return tf.constant, lambda result: result[0, 0, 0, 0].numpy()
        case "torch":
            import torch

            on_gpu = torch.cuda.is_available()
            return (
                keras.ops.convert_to_tensor,
                lambda result: torch.cuda.synchronize() if on_gpu else None,
            )
    raise TfpeError(
        "`KERAS_BACKEND` should be jax, tensorflow or torch. "
        f"Received: {keras.backend.backend()!r}"
    )
