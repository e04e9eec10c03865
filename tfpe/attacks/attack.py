"""A row of the table of attacks: how it is run, and up to what it is scored."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping

from tfpe.attacks.scoring import score_images, score_key
from tfpe.attacks.symmetry import aligned, forms, in_words
from tfpe.ciphers import find_cipher
from tfpe.keys import KEY_BYTES, Key

CHOSEN = "chosen plaintext"
KNOWN = "known plaintext"
CIPHERTEXT_ONLY = "ciphertext only"
KEY_CHECK = "key check"


@dataclasses.dataclass(frozen=True)
class Attack:
    """A row of `ATTACKS`: an attack, and what is known of it.

    Attributes:
        function: "chosen plaintext": `(oracle, image_shape, **options) -> Transform`;
            "known plaintext": `(plain, cipher, **options) -> Transform`; "ciphertext
            only": `(ciphertexts, **options)` -> Transform or images, with plain
            pictures as the second argument where it `needs_reference`; "key check":
            `(secret, image_shape, **options)` -> fractions.
        threat_model: one of the four.
        evidence: what it needs, in words.
        ciphers: the ciphers it applies to, in the form it is for, and for each the
            options: `{"cipher": of the cipher, "attack": of the attack}`.
        recovers: what it returns, in words; "the key" where it is exact.
        reference: where it was published.
        complexity: time, for n words of an image.
        up_to: the symmetries that its evidence leaves open, names in
            `tfpe.attacks.symmetry.SYMMETRIES`: what it returns is scored up to them.
        per_picture: whether each picture is opened alone, so that what is left open
            may differ from one to the next; otherwise one form is that of all.
        view: `(cipher, image_shape) -> Transform` of pictures to what the symmetries
            are of; None where that is the pictures.
    """

    function: Callable
    threat_model: str
    evidence: str
    ciphers: Mapping[str, Mapping]
    recovers: str
    reference: str
    complexity: str
    up_to: tuple = ()
    per_picture: bool = False
    view: Callable | None = None

    @property
    def name(self):
        """The name in `ATTACKS`."""
        return self.function.__name__

    @property
    def summary(self):
        """What it does, in one line."""
        return inspect.getdoc(self.function).partition("\n")[0]

    @property
    def exact(self):
        """Whether it gives the whole key, on each of its ciphers."""
        return self.recovers == "the key"

    @property
    def options(self):
        """The options of the attack and their default values."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty}

    @property
    def needs_reference(self):
        """Whether it needs other, plain pictures beside ciphertexts."""
        return "reference" in inspect.signature(self.function).parameters

    def options_for(self, cipher, **cipher_options):
        """The options to attack a cipher with: its word and block size.

        Example:

        >>> from tfpe.attacks import ATTACKS
        >>> ATTACKS["block_chosen_plaintext"].options_for("le", block_size=2)
        {'bits': 4, 'block_size': 2}
        """
        row = find_cipher(cipher)
        chosen = dict(self.ciphers.get(cipher, {"attack": {}})["attack"])
        block_size = row.options(**cipher_options).get("block_size")
        known = inspect.signature(self.function).parameters
        if "block_size" in known and block_size is not None:
            chosen["block_size"] = block_size
        if "bits" in known:
            # Any key shows the structure of the cipher.
            side = row.block_size(**cipher_options)
            channels = 1 if cipher_options.get("channel_shuffle") is False else 3
            build = row(Key(bytes(KEY_BYTES)), (side, side, channels), **cipher_options)
            chosen["bits"] = build.bits
        return chosen

    def aligned(self, shown, plain, cipher=None):
        """The pictures it shows, in the form that is nearest to the plain ones.

        Args:
            shown, plain: `uint8 (B, H, W, C)`.
            cipher: the name, where the attack has a `view` for it.
        """
        view = self.view and self.view(cipher, plain.shape[1:])
        return aligned(shown, plain, self.up_to, self.per_picture, view)

    def score_images(self, shown, plain, cipher=None):
        """`tfpe.attacks.score_images`, up to what the attack leaves open.

        Example:

        >>> import numpy as np
        >>> from tfpe.attacks import ATTACKS
        >>> plain = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
        >>> ATTACKS["block_statistics"].score_images(plain[:, :, ::-1], plain).ssim
        1.0
        """
        return score_images(self.aligned(shown, plain, cipher), plain)

    def score_key(self, recovered, secret):
        """`tfpe.attacks.score_key`, up to what the attack leaves open.

        Example:

        >>> from tfpe import ciphers
        >>> from tfpe.attacks import ATTACKS, mirrored
        >>> secret = ciphers.ele(Key(bytes(32)), (8, 8, 3))
        >>> ATTACKS["block_statistics"].score_key(mirrored(secret), secret)
        KeyScore(index_accuracy=1.0, perm_accuracy=1.0, mask_accuracy=1.0)
        """
        if not self.up_to:
            return score_key(recovered, secret)
        keys = (recovered @ form for form in forms(secret.input_shape, self.up_to))
        scores = [score_key(key, secret) for key in keys]
        return max(scores, key=lambda score: score.index_accuracy)

    @property
    def left_open(self):
        """What it leaves open, in words; None for nothing."""
        return in_words(self.up_to, self.per_picture)

    def __call__(self, *evidence, **options):
        """Runs the attack."""
        return self.function(*evidence, **options)
