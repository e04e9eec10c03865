"""Wrong calls of the core: each gets its named error, which says what was received."""

import numpy as np
import pytest

from tfpe import CIPHERS, Key, Transform, chaos, ciphers, crop, pad_to_blocks
from tfpe.errors import (
    CipherOptionError,
    ImageError,
    TfpeError,
    WeakParameterError,
    WrongKeyError,
)

KEY = Key(bytes(range(32)))
SHAPE = (4, 4, 3)
ONE = Transform.identity(SHAPE)
TWO = Transform.stack([ONE, ONE])
PLANES = ciphers.etc_gray(KEY, (8, 8, 3), fold=False)
PARTS = Transform([1, 0], [0, 0], 4)


def images(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


def tensor_of_unknown_rank():
    import tensorflow as tf

    function = tf.function(ONE, [tf.TensorSpec(None, tf.uint8)])
    return function.get_concrete_function()


def jax_floats():
    import jax.numpy as jnp

    return ONE(jnp.zeros(SHAPE))


def le(shape=SHAPE, **options):
    return CIPHERS["le"](KEY, shape, **options)


def sequence(mu=3.99, d0=0.1, length=8, **other):
    return chaos.logistic_sequence(mu, d0, length, **other)


O, I, T, W = CipherOptionError, ImageError, TfpeError, WeakParameterError  # noqa: E741

TRANSFORMS = {
    "bits of no word": (O, lambda: Transform([0, 1], [0, 0], bits=2)),
    "bits a bool": (O, lambda: Transform([0] * 8, [0] * 8, bits=True)),
    "bits a float": (O, lambda: Transform([0], [0], bits=8.0)),
    "perm of floats": (O, lambda: Transform([0.0], [0])),
    "perm of bools": (O, lambda: Transform([False, True], [0, 0])),
    "perm repeats": (O, lambda: Transform([0, 0], [0, 0])),
    "perm too high": (O, lambda: Transform([0, 2], [0, 0])),
    "perm negative": (O, lambda: Transform([0, -1], [0, 0])),
    "perm wraps around": (O, lambda: Transform(np.array([2**64 - 1], "u8"), [0])),
    "perm ragged": (O, lambda: Transform([[0], [0, 1]], [0])),
    "one of two perms repeats": (O, lambda: Transform([[0, 1], [1, 1]], [[0, 0]] * 2)),
    "three axes": (O, lambda: Transform([[[0]]], [[[0]]])),
    "mask of another length": (O, lambda: Transform([0, 1], [0])),
    "mask of floats": (O, lambda: Transform([0], [1.5])),
    "mask above a byte": (O, lambda: Transform([0], [256])),
    "mask above a nibble": (O, lambda: Transform([0, 1], [16, 0], bits=4)),
    "mask negative": (O, lambda: Transform([0], [-1])),
    "input shape too small": (O, lambda: Transform([0, 1], [0, 0], 8, (1, 1, 1))),
    "output shape too large": (O, lambda: Transform([0], [0], 8, (1,), (2,))),
    "half a byte": (O, lambda: Transform([0], [0], 4, (1,))),
    "input shape of floats": (I, lambda: Transform([0], [0], 8, (1.0,))),
    "input shape with a zero": (I, lambda: Transform([0], [0], 8, (0, 1))),
    "identity of a number": (I, lambda: Transform.identity(3)),
    "identity of a negative": (I, lambda: Transform.identity((-2, -2, 3))),
    "compose other shapes": (O, lambda: ONE @ Transform.identity((4, 3, 4))),
    "compose planes with colours": (O, lambda: PLANES @ PLANES),
    "compose other batches": (O, lambda: TWO @ Transform.stack([ONE] * 3)),
    "stack nothing": (O, lambda: Transform.stack([])),
    "stack a stack": (O, lambda: Transform.stack([ONE, TWO])),
    "stack arrays": (O, lambda: Transform.stack([np.arange(3)])),
    "stack other shapes": (O, lambda: Transform.stack([ONE, PLANES])),
    "refine to longer words": (O, lambda: PARTS.refine(8)),
    "refine to no word": (O, lambda: ONE.refine("4")),
    "coarsen to shorter words": (O, lambda: ONE.coarsen(4)),
    "coarsen what splits bytes": (O, lambda: PARTS.coarsen(8)),
}
IMAGES = {
    "floats": (I, lambda: ONE(images(*SHAPE, dtype=np.float32))),
    "signed bytes": (I, lambda: ONE(images(*SHAPE, dtype=np.int8))),
    "wide": (I, lambda: ONE(images(*SHAPE, dtype=np.uint16))),
    "bools": (I, lambda: ONE(images(*SHAPE, dtype=bool))),
    "objects": (I, lambda: ONE(np.full(SHAPE, None))),
    "a list": (I, lambda: ONE([[[0, 0, 0]]])),
    "nothing": (I, lambda: ONE(None)),
    "bytes": (I, lambda: ONE(bytes(48))),
    "rank too low": (I, lambda: ONE(images(4, 4))),
    "rank too high": (I, lambda: ONE(images(1, 1, *SHAPE))),
    "other size, as many bytes": (I, lambda: ONE(images(2, 8, 3))),
    "channels first": (I, lambda: ONE(images(3, 4, 4))),
    "too large": (I, lambda: ONE(images(8, 8, 3))),
    "alpha": (I, lambda: ONE(images(4, 4, 4))),
    "gray": (I, lambda: ONE(images(4, 4, 1))),
    "batch of another size": (I, lambda: TWO(images(3, *SHAPE))),
    "one image for a stack": (I, lambda: TWO(images(*SHAPE))),
    "unknown rank in a graph": (I, tensor_of_unknown_rank),
    "floats of JAX": (I, jax_floats),
    "ciphertext shape to encrypt": (I, lambda: PLANES(images(8, 24, 1))),
    "image shape to decrypt": (I, lambda: PLANES.inverse(images(8, 8, 3))),
}
CIPHER_CALLS = {
    "unknown cipher": (O, lambda: ciphers.find_cipher("aes")),
    "cipher a list": (O, lambda: ciphers.find_cipher(["le"])),
    "unknown option": (O, lambda: le(blocksize=4)),
    "option of another cipher": (O, lambda: CIPHERS["pbe"](KEY, SHAPE, block_size=4)),
    "options in block_size": (O, lambda: CIPHERS["pbe"].block_size(fold=True)),
    "no key": (T, lambda: CIPHERS["le"](None, SHAPE)),
    "bytes for a key": (T, lambda: CIPHERS["le"](bytes(32), SHAPE)),
    "bytes for a key, function": (T, lambda: ciphers.keystream(bytes(32), SHAPE)),
    "path for a key": (T, lambda: CIPHERS["etc"]("owner.key", SHAPE)),
    "no key for each image": (T, lambda: CIPHERS["le"].per_image(b"", SHAPE, [1])),
    "no images": (O, lambda: CIPHERS["le"].per_image(KEY, SHAPE, [])),
    "image number a real": (T, lambda: CIPHERS["le"].per_image(KEY, SHAPE, [0.5])),
    "shape a number": (I, lambda: le(48)),
    "shape None": (I, lambda: le(None)),
    "shape unknown": (I, lambda: le((None, 4, 3))),
    "shape with a batch": (I, lambda: le((1, 4, 4, 3))),
    "shape without channels": (I, lambda: le((4, 4))),
    "shape of floats": (I, lambda: le((4.0, 4, 3))),
    "shape negative": (I, lambda: le((-4, 4, 3))),
    "shape empty": (I, lambda: le((0, 4, 3))),
    "two channels": (I, lambda: CIPHERS["negpos"](KEY, (4, 4, 2))),
    "alpha channel": (I, lambda: CIPHERS["shuffle"](KEY, (4, 4, 4))),
    "size not divisible": (I, lambda: le((4, 6, 3))),
    "size below a block": (I, lambda: CIPHERS["etc"](KEY, SHAPE, block_size=16)),
    "block size 0": (O, lambda: le(block_size=0)),
    "block size a float": (O, lambda: le(block_size=4.0)),
    "block size a bool": (O, lambda: le(block_size=True)),
    "block size a string": (O, lambda: CIPHERS["etc_gray"](KEY, SHAPE, block_size="8")),
    "reversal": (O, lambda: le(reversal="none")),
    "word bits 1": (O, lambda: le(word_bits=1)),
    "word bits a string": (O, lambda: le(word_bits="4")),
    "channel_shuffle 1": (O, lambda: CIPHERS["pbe"](KEY, SHAPE, channel_shuffle=1)),
    "fold a string": (O, lambda: ciphers.etc_gray(KEY, SHAPE, 4, "no")),
    "select None": (O, lambda: CIPHERS["logistic"](KEY, SHAPE, select=None)),
    "chaos": (O, lambda: CIPHERS["logistic"](KEY, SHAPE, chaos="tent")),
    "chaos a list": (O, lambda: CIPHERS["logistic"](KEY, SHAPE, chaos=["pwlcm"])),
    "stream": (O, lambda: CIPHERS["logistic"](KEY, SHAPE, stream="all")),
    "planes of gray": (O, lambda: ciphers.etc_gray(KEY, (8, 8, 1), fold=False)),
    "planes of no width": (
        I,
        lambda: CIPHERS["etc_gray"].plain_shape((8, 8, 1), fold=False),
    ),
}

ORDER, BLOCK = list(range(96)), [0]
MATERIAL = {
    "le short": (O, lambda: ciphers.le_transform(ORDER[:-1], SHAPE)),
    "le repeats": (O, lambda: ciphers.le_transform([0] * 96, SHAPE)),
    "le floats": (O, lambda: ciphers.le_transform(np.arange(96.0), SHAPE)),
    "le of bytes": (O, lambda: ciphers.le_transform(ORDER, SHAPE, word_bits=8)),
    "le mask": (O, lambda: ciphers.le_transform(ORDER, SHAPE, mask=[0] * 95)),
    "le mask of 2": (O, lambda: ciphers.le_transform(ORDER, SHAPE, mask=[2] * 96)),
    "le size": (I, lambda: ciphers.le_transform(ORDER, (5, 4, 3))),
    "ele one order": (O, lambda: ciphers.ele_transform(ORDER, BLOCK, SHAPE)),
    "ele ragged": (
        O,
        lambda: ciphers.ele_transform([[0, 1], [0]], [0, 1], (1, 2, 1), 1),
    ),
    "ele blocks": (O, lambda: ciphers.ele_transform([ORDER], [1], SHAPE)),
    "ele masks": (O, lambda: ciphers.ele_transform([ORDER], BLOCK, SHAPE, 4, [[1]])),
    "pbe rank": (O, lambda: ciphers.pbe_transform(images(4, 4), None)),
    "pbe floats": (O, lambda: ciphers.pbe_transform(np.zeros(SHAPE), None)),
    "pbe bytes": (O, lambda: ciphers.pbe_transform(images(*SHAPE) + 255, None)),
    "pbe channels": (I, lambda: ciphers.pbe_transform(images(4, 4, 2), None)),
    "pbe code 6": (
        O,
        lambda: ciphers.pbe_transform(images(*SHAPE), np.full((4, 4), 6)),
    ),
    "pbe code size": (O, lambda: ciphers.pbe_transform(images(*SHAPE), [[0]])),
    "pbe codes on gray": (O, lambda: ciphers.pbe_transform([[[1]]], [[0]])),
    "logistic 256": (
        O,
        lambda: ciphers.logistic_transform([[[256]]], [[[1]]], None),
    ),
    "logistic select": (
        O,
        lambda: ciphers.logistic_transform(images(*SHAPE), images(4, 4, 1), None),
    ),
    "etc order": (
        O,
        lambda: ciphers.etc_transform([1], [0], [0], None, SHAPE, 4),
    ),
    "etc orientation 8": (
        O,
        lambda: ciphers.etc_transform([0], [8], [0], None, SHAPE, 4),
    ),
    "etc negate": (O, lambda: ciphers.etc_transform([0], [0], [0, 1], None, SHAPE, 4)),
    "etc code": (O, lambda: ciphers.etc_transform([0], [0], [0], [-1], SHAPE, 4)),
    "iib sub-blocks": (O, lambda: CIPHERS["iib"](KEY, SHAPE, sub_block_size=3)),
    "iib turns": (O, lambda: CIPHERS["iib"](KEY, SHAPE, turns="all")),
    "iib orientation of whole blocks": (
        O,
        lambda: ciphers.iib_transform([0], [0], [0], None, SHAPE, 4, 2),
    ),
    "iib order of sub-blocks": (
        O,
        lambda: ciphers.iib_transform(
            [0], [[0] * 4], [0], None, SHAPE, 4, 2, [[0, 0, 1, 2]]
        ),
    ),
    "etc_gray count": (
        O,
        lambda: ciphers.etc_gray_transform([0], [0], [0], (8, 8, 3)),
    ),
    "shuffle": (O, lambda: ciphers.shuffle_transform(ORDER, SHAPE)),
    "blockshuffle": (O, lambda: ciphers.blockshuffle_transform(ORDER, SHAPE, 4)),
    "keystream rank": (O, lambda: ciphers.keystream_transform(images(48))),
    "keystream floats": (O, lambda: ciphers.keystream_transform(np.zeros(SHAPE))),
}
KEYS = {
    "31 bytes": (T, lambda: Key(bytes(31))),
    "33 bytes": (T, lambda: Key(bytes(33))),
    "hex": (T, lambda: Key("00" * 32)),
    "an array": (T, lambda: Key(images(32))),
    "passphrase empty": (T, lambda: Key.from_passphrase("")),
    "passphrase of bytes": (T, lambda: Key.from_passphrase(b"correct horse")),
    "passphrase no text": (T, lambda: Key.from_passphrase("horse \udc80")),
    "salt short": (T, lambda: Key.from_passphrase("horse", b"salt")),
    "salt a string": (T, lambda: Key.from_passphrase("horse", "s" * 16)),
    "label a real": (T, lambda: KEY.derive("client", 1.5)),
    "label a bool": (T, lambda: KEY.derive(True)),
    "label None": (T, lambda: KEY.for_image(None)),
    "another fingerprint": (WrongKeyError, lambda: KEY.require("0" * 16, "this")),
}
PWLCM = {"p": 0.3, "x0": 0.1}
CHAOS = {
    "mu weak": (W, lambda: sequence(3.83)),
    "mu and d0 collapse": (W, lambda: sequence(4.0, 0.5)),
    "mu too low": (O, lambda: sequence(3.5)),
    "mu too high": (O, lambda: sequence(4.1)),
    "mu escapes": (O, lambda: sequence(4.1, allow_weak=True)),
    "mu NaN": (O, lambda: sequence(float("nan"))),
    "mu a string": (O, lambda: sequence("3.99")),
    "d0 at the end": (O, lambda: sequence(d0=1.0)),
    "d0 outside": (O, lambda: sequence(d0=2.0, allow_weak=True)),
    "d0 infinite": (O, lambda: sequence(d0=float("inf"))),
    "length negative": (O, lambda: sequence(length=-1)),
    "length a float": (O, lambda: sequence(length=8.0)),
    "burn-in a bool": (O, lambda: sequence(burn_in=True)),
    "unknown map": (O, lambda: chaos.chaotic_sequence("tent", PWLCM, 8)),
    "map a list": (O, lambda: chaos.chaotic_sequence(["pwlcm"], PWLCM, 8)),
    "parameter missing": (O, lambda: chaos.chaotic_sequence("pwlcm", {"p": 0.3}, 8)),
    "parameter of another map": (
        O,
        lambda: chaos.chaotic_sequence("logistic", PWLCM, 8),
    ),
    "p one half": (
        O,
        lambda: chaos.chaotic_sequence("pwlcm", PWLCM | {"p": 0.5}, 8, allow_weak=True),
    ),
    "exponent outside": (O, lambda: chaos.lyapunov_exponent(4.5)),
    "exponent of NaN": (O, lambda: chaos.lyapunov_exponent(float("nan"))),
}
PADDING = {
    "block size 0": (O, lambda: pad_to_blocks(images(*SHAPE), 0)),
    "block size negative": (O, lambda: pad_to_blocks(images(*SHAPE), -4)),
    "block size a float": (O, lambda: pad_to_blocks(images(*SHAPE), 2.5)),
    "rank": (I, lambda: pad_to_blocks(images(4, 4), 4)),
    "a list": (I, lambda: pad_to_blocks([[[0]]], 4)),
    "crop too large": (I, lambda: crop(images(*SHAPE), 5, 4)),
    "crop to nothing": (I, lambda: crop(images(*SHAPE), 0, 4)),
    "crop to a float": (I, lambda: crop(images(*SHAPE), 2.0, 4)),
    "crop to None": (I, lambda: crop(images(*SHAPE), None, 4)),
}
TABLES = {
    "transform": TRANSFORMS,
    "images": IMAGES,
    "cipher": CIPHER_CALLS,
    "material": MATERIAL,
    "key": KEYS,
    "chaos": CHAOS,
    "padding": PADDING,
}
ROWS = [
    pytest.param(error, call, id=f"{table}: {name}")
    for table, rows in TABLES.items()
    for name, (error, call) in rows.items()
]


@pytest.mark.parametrize("error, call", ROWS)
def test_wrong_call(error, call):
    with pytest.raises(ValueError) as caught:
        call()
    assert type(caught.value) is error
    assert "Received" in str(caught.value)


def test_messages_quote_no_key_material():
    """Material that would be seen at once in a message."""
    loud = 123456789
    for call in (
        lambda: Transform([loud, 0], [0, 0]),
        lambda: Transform([0], [loud]),
        lambda: ciphers.le_transform([loud] * 96, SHAPE),
        lambda: ciphers.keystream_transform(np.full(SHAPE, loud)),
        lambda: ciphers.pbe_transform(np.full(SHAPE, loud), None),
        lambda: ciphers.etc_transform([0], [loud], [0], None, SHAPE, 4),
        lambda: sequence(mu=loud),
        lambda: sequence(d0=loud),
        lambda: Key(str(loud)),
        lambda: Key.from_passphrase("", str(loud)),
        lambda: Key.from_passphrase("horse", str(loud)),
        lambda: Key.from_passphrase(f"{loud}\udc80"),
    ):
        with pytest.raises(TfpeError) as caught:
            call()
        assert str(loud) not in str(caught.value)
        assert "horse" not in str(caught.value)
