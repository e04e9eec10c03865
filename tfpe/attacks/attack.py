"""A row of the table of attacks: how it is run, and up to what it is scored."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping

from tfpe.attacks.evidence import MODELS, model_field
from tfpe.attacks.scoring import score_images, score_key
from tfpe.attacks.symmetry import aligned, forms, in_words
from tfpe.ciphers import CIPHERS, find_cipher
from tfpe.errors import CipherOptionError

# What an attack returns; fields of `tfpe.attacks.Finding`.
KEY, PICTURES, CHANGES = "key", "pictures", "changes"


@dataclasses.dataclass(frozen=True)
class Attack:
    """A row of `ATTACKS`: an attack, and what is known of it.

    Attributes:
        function: called with the fields of `Evidence` that it takes, then with
            options. An option `bits`, and one that the cipher has too (`block_size`),
            follow from the cipher; `images` is the most ciphertexts that it uses.
        takes: those fields, in the order of the arguments.
        evidence: what it needs, in words.
        needs: `tfpe.ciphers.Traits -> bool`, whether it is for such ciphers.
        recovers: what it returns, in words; "the key" where it is exact.
        reference: where it was published.
        complexity: time, for n words of an image.
        returns: `KEY`: a `Keyed`, such as a `Transform`; `PICTURES`: images; `CHANGES`:
            of a key check.
        form: options of a cipher, where it has them, in which the attack is for it.
        ladder: numbers of images tried one after the other until one gives the key, or
            `(image_shape, **options) -> numbers`; none where more images do not help.
        curve: numbers at which the error is measured; default those of the ladder.
        least: images that it takes at least.
        budget: the most pictures that an evaluation attacks, where each takes long.
        largest: the largest side of pictures that an evaluation tries it on, where its
            cost grows with them; None for any.
        up_to: the symmetries that its evidence leaves open, names in
            `tfpe.attacks.symmetry.SYMMETRIES`: what it returns is scored up to them.
        per_picture: whether each picture is handed to it alone, so that what is left
            open may differ from one to the next; otherwise one form is that of all.
        view: `(cipher, image_shape) -> Transform` of pictures to what it is handed and
            the symmetries are of; None where that is the pictures.
        containers: whether it is for those of `tfpe.hybrid`, and for no cipher of
            `CIPHERS`; what it returns as a key opens containers.
        own_score: `(found, secret, **options) -> NamedTuple`, a score of its own of
            what opened a picture, in its view.
    """

    function: Callable
    takes: tuple
    evidence: str
    needs: Callable
    recovers: str
    reference: str
    complexity: str
    returns: str = KEY
    form: Mapping = dataclasses.field(default_factory=dict)
    ladder: tuple | Callable = ()
    curve: tuple = ()
    least: int = 1
    budget: int | None = None
    largest: int | None = None
    up_to: tuple = ()
    per_picture: bool = False
    view: Callable | None = None
    own_score: Callable | None = None
    containers: bool = False

    @property
    def name(self):
        """The name in `ATTACKS`."""
        return self.function.__name__

    @property
    def summary(self):
        """What it does, in one line."""
        return inspect.getdoc(self.function).partition("\n")[0]

    @property
    def threat_model(self):
        """The threat model: that of the strongest evidence it takes."""
        return MODELS[model_field(self.takes)][0]

    @property
    def unit(self):
        """What its evidence is counted in: "queries", "pairs" and so on."""
        return MODELS[model_field(self.takes)][1]

    @property
    def learned(self):
        """Whether it needs a network that was trained for the cipher before."""
        return "model" in self.takes

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
    def required(self):
        """Options without a default, which the cipher has to tell."""
        parameters = inspect.signature(self.function).parameters
        return [
            n for n in ("bits", "block_size") if n in {*parameters} - {*self.options}
        ]

    @property
    def ciphers(self):
        """Names of the ciphers that it is for, as they are or in its form."""
        if self.containers:
            return ("hybrid",)
        return tuple(
            name
            for name in CIPHERS
            if self.applies(name) or self.applies(name, **self.form_of(name))
        )

    def applies(self, cipher, **options):
        """Whether it is for a cipher with these options.

        Example:

        >>> from tfpe.attacks import ATTACKS
        >>> row = ATTACKS["chang_case_le"]
        >>> row.applies("le"), row.applies("le", word_bits=8)
        (False, True)
        """
        return bool(self.needs(find_cipher(cipher).traits(**options)))

    def form_of(self, cipher, **options):
        """All options of a cipher, changed to the form that the attack is for.

        They stay where the cipher has no such form.

        Example:

        >>> from tfpe.attacks import ATTACKS
        >>> ATTACKS["chang_case_le"].form_of("le")["word_bits"]
        8
        """
        row = find_cipher(cipher)
        options = row.options(**options)
        form = options | {n: v for n, v in self.form.items() if n in options}
        try:
            return row.check(**form)
        except CipherOptionError:  # such as blocks that are too large for it
            return options

    def options_for(self, cipher, **cipher_options):
        """The options that follow from a cipher: its word size, and those it has too.

        Args:
            cipher: a name, or None where it is not known.
            **cipher_options: its options.

        Example:

        >>> from tfpe.attacks import ATTACKS
        >>> ATTACKS["block_chosen_plaintext"].options_for("le", block_size=2)
        {'block_size': 2, 'bits': 4}
        """
        if cipher is None:
            return {}
        row = find_cipher(cipher)
        known = inspect.signature(self.function).parameters
        told = row.options(**cipher_options)
        chosen = {name: told[name] for name in known if name in told}
        if "bits" in known:
            chosen["bits"] = row.traits(**cipher_options).word_bits
        return chosen

    def rungs(self, image_shape, **options):
        """The numbers of images of its ladder, for images of a shape."""
        if callable(self.ladder):
            return self.ladder(image_shape, **options)
        return self.ladder

    @property
    def has_curve(self):
        """Whether its key grows with its evidence."""
        return self.returns == KEY and bool(self.ladder)

    def all_of(self, count):
        """The option by which it uses all of `count` ciphertexts, if it has one."""
        return {"images": max(count, self.least)} if "images" in self.options else {}

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

        >>> from tfpe import Key, ciphers
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
