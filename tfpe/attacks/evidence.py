"""What an attacker has: arrays and an oracle, no paths and no key of the library."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from tfpe.checks import batch_of, image_shape_of
from tfpe.errors import AttackError, ImageError
from tfpe.keys import KEY_BYTES

CHOSEN = "chosen plaintext"
KNOWN = "known plaintext"
CIPHERTEXT_ONLY = "ciphertext only"
KEY_CHECK = "key check"
KNOWN_MODEL = "known model"

# Fields by which evidence is counted, the strongest first: threat model, and unit.
MODELS = {
    "secret": (KEY_CHECK, "keys"),
    "oracle": (CHOSEN, "queries"),
    "packer": (CHOSEN, "queries"),
    "stems": (KNOWN_MODEL, "models"),
    "pairs": (KNOWN, "pairs"),
    "packed_pairs": (KNOWN, "pairs"),
    "ciphertexts": (CIPHERTEXT_ONLY, "ciphertexts"),
    "containers": (CIPHERTEXT_ONLY, "ciphertexts"),
}
FIELDS = {
    "secret": "the bytes of a key, with `shape` and `cipher`",
    "oracle": "a function that encrypts images of `shape`",
    "stems": "the first layers of a plain model and of the one matched to the key",
    "pairs": "known plain images and their ciphertexts",
    "ciphertexts": "encrypted images",
    "packer": "a function that packs images of `shape` to containers",
    "packed_pairs": "known plain images and their containers",
    "containers": "packed images",
    "table": "the public table of the code of containers",
    "reference": "other plain pictures",
    "first_pixel": "the plain value of the first pixel of the pictures",
    "model": "a network that was trained for the cipher",
}


@dataclasses.dataclass(frozen=True, repr=False)
class Evidence:
    """What an attacker has; None where he has not.

    A row of `ATTACKS` names the fields that its attack takes, and `run` hands these to
    the function in the order named.

    Attributes:
        ciphertexts: `uint8 (N, H, W, C)`; handed on as `(ciphertexts)`.
        pairs: plain images and their ciphertexts, `uint8 (N, H, W, C)` each, or
            `float32` ciphertexts of a cipher that gives these; handed on as `(plain,
            cipher)`.
        oracle: `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`, encrypts what is asked;
            handed on as `(oracle, image_shape)`.
        packer: `uint8 (B, H, W, C) -> B containers`, packs what is asked; handed on as
            `(packer, image_shape)`.
        packed_pairs: plain images `uint8 (N, H, W, C)` and the list of their
            containers; handed on as `(plain, containers)`.
        containers: a list of the bytes of containers of `tfpe.hybrid`.
        table: the public `tfpe.hybrid.CodeTable` of containers.
        stems: the `Stem` of a plain model and that of the matched one; handed on as
            `(plain, matched, image_shape)`.
        reference: plain pictures that belong to no ciphertext, `uint8 (M, H, W, C)`.
        first_pixel: plain value of the upper left pixel, `(C,)` or one for each
            ciphertext, `(N, C)`.
        model: a `tfpe.attacks.InverseNetwork`, for the cipher and the size of the
            ciphertexts.
        secret: the 32 bytes of a key, for key checks; handed on as
            `(secret, image_shape, cipher)` with the options of the cipher.
        shape: (height, width, channels) of plain images.
        cipher, options: what is known of the cipher: its name, and options other than
            usual. Word and block size of an attack follow from them.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.pbe(Key(bytes(32)), (32, 32, 3))
    >>> evidence = Evidence(oracle=secret, shape=(32, 32, 3), cipher="pbe")
    >>> evidence.first_pixel is None
    True
    """

    ciphertexts: np.ndarray | None = None
    pairs: tuple | None = None
    oracle: Callable | None = None
    packer: Callable | None = None
    packed_pairs: tuple | None = None
    containers: list | None = None
    table: object = None
    stems: tuple | None = None
    reference: np.ndarray | None = None
    first_pixel: np.ndarray | None = None
    model: object | None = None
    secret: bytes | None = None
    shape: tuple | None = None
    cipher: str | None = None
    options: Mapping = dataclasses.field(default_factory=dict)

    def arguments(self, takes, number=None):
        """What a function is called with that takes these fields, checked.

        Args:
            takes: names in `FIELDS`.
            number: of the one ciphertext that it is handed; default all of them.

        Returns:
            `(positional, named)`, a list and a dict.

        Raises:
            AttackError: a field is missing, or not what it should be.
            ImageError: images are not `uint8 (N, H, W, C)`, or there are none.
        """
        positional = []
        for name in takes:
            if getattr(self, name) is None:
                raise AttackError(
                    f"`evidence` should have `{name}`, {FIELDS[name]}. Received: none"
                )
            values = _CHECKS[name](self)
            each = name == "ciphertexts" or (
                name == "first_pixel" and np.ndim(values[0]) == 2
            )
            if each and number is not None:
                values = [values[0][number]]
            positional += values
        return positional, dict(self.options) if "secret" in takes else {}

    def count(self, takes):
        """How many pairs, ciphertexts or keys there are; 0 for an oracle, unasked."""
        name = model_field(takes)
        if name == "secret":
            return 2  # the key, and that near it
        if name == "stems":
            return 1  # the matched one: the plain one is public
        if name in ("oracle", "packer") or (value := getattr(self, name)) is None:
            return 0
        return len(value[0] if name in ("pairs", "packed_pairs") else value)


def model_field(takes):
    """The field that makes the threat model of an attack: the strongest it takes.

    Example:

    >>> model_field(("ciphertexts", "reference"))
    'ciphertexts'
    """
    return next(name for name in MODELS if name in takes)


def _images(name):
    return lambda evidence: [_batch(getattr(evidence, name), name)]


def _batch(images, name, dtype="uint8"):
    batch, single = batch_of(images, name, dtype)
    if single:
        raise ImageError(
            f"`{name}` should have shape (images, height, width, channels). "
            f"Received: shape {batch.shape[1:]}"
        )
    return batch


def _pairs(evidence):
    plain, cipher = evidence.pairs
    real = np.asarray(cipher).dtype == np.float32
    plain = _batch(plain, "plain")
    cipher = _batch(cipher, "cipher", "float32" if real else "uint8")
    if len(plain) != len(cipher):
        raise AttackError(
            "`pairs` should be as many plain images as ciphertexts. "
            f"Received: {len(plain)} and {len(cipher)}"
        )
    return [plain, cipher]


def _oracle(evidence):
    if not callable(evidence.oracle):
        raise AttackError(
            "`oracle` should be a function that encrypts images. "
            f"Received: {type(evidence.oracle).__name__}"
        )
    return [evidence.oracle, _shape(evidence)]


def _packer(evidence):
    if not callable(evidence.packer):
        raise AttackError(
            "`packer` should be a function that packs images. "
            f"Received: {type(evidence.packer).__name__}"
        )
    return [evidence.packer, _shape(evidence)]


def _packed_pairs(evidence):
    plain, containers = evidence.packed_pairs
    return [_batch(plain, "plain"), list(containers)]


def _secret(evidence):
    secret = evidence.secret
    if not isinstance(secret, bytes) or len(secret) != KEY_BYTES:
        raise AttackError(
            f"`secret` should be the {KEY_BYTES} bytes of a key. Received: "
            f"{type(secret).__name__}"
        )
    if evidence.cipher is None:
        raise AttackError("`evidence` should name its `cipher`. Received: none")
    return [secret, _shape(evidence), evidence.cipher]


def _shape(evidence):
    if evidence.shape is None:
        raise AttackError(
            "`evidence` should have the `shape` of images. Received: none"
        )
    return image_shape_of(evidence.shape)


def _first_pixel(evidence):
    first = np.asarray(evidence.first_pixel)
    whole = np.issubdtype(first.dtype, np.integer)
    if not whole or first.ndim not in (1, 2) or first.min() < 0 or first.max() > 255:
        raise AttackError(
            "`first_pixel` should be whole numbers from 0 to 255, one a channel. "
            f"Received: dtype {first.dtype}, shape {first.shape}"
        )
    return [first]


def _model(evidence):
    shape = np.shape(evidence.ciphertexts)[1:]
    evidence.model.check(shape, evidence.cipher, evidence.options)
    return [evidence.model]


_CHECKS = {
    "secret": _secret,
    "oracle": _oracle,
    "packer": _packer,
    "packed_pairs": _packed_pairs,
    "containers": lambda evidence: [list(evidence.containers)],
    "table": lambda evidence: [evidence.table],
    "stems": lambda evidence: [*evidence.stems, _shape(evidence)],
    "pairs": _pairs,
    "ciphertexts": _images("ciphertexts"),
    "reference": _images("reference"),
    "first_pixel": _first_pixel,
    "model": _model,
}
