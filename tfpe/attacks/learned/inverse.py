"""A learned attack that is ready: ciphertexts in, pictures out."""

import functools
import pathlib

import numpy as np

from tfpe.attacks.learned.forms import form_of
from tfpe.attacks.learned.network_file import read_network
from tfpe.attacks.learned.published_networks import PUBLISHED
from tfpe.errors import AttackError

BATCH = 64
VALUES = 2**20  # of the ciphertexts that go through a network at a time
STRIDE = 8  # pictures of any size are padded to multiples of it


class InverseNetwork:
    """A trained network and what it is for.

    Args:
        settings: a dict, of the file.
        weights: arrays, of the file.

    Attributes:
        settings: of its training: cipher, options, sizes, pictures, steps, and what
            its pictures of held-out ciphertexts scored, `held_out`.
        form: the `Form` that it was trained for.
        seconds: that its training took here, all slices of it; None where it comes from
            a file, which is the same whoever trained it.

    Example:

    >>> settings = {"cipher": "le", "options": {}, "image_shape": [32, 32, 3]}
    >>> InverseNetwork(settings, []).check((32, 32, 3), "etc")
    Traceback (most recent call last):
    tfpe.errors.AttackError: ... Received: one for le, ciphertexts of etc
    """

    def __init__(self, settings, weights):
        self.settings, self._weights, self.seconds = settings, weights, None
        shape, options = tuple(settings["image_shape"]), settings["options"]
        self.form = form_of(settings["cipher"], shape, **options)

    @classmethod
    def load(cls, path):
        """Reads a file.

        Raises:
            AttackError: it is missing, another, damaged, or not trained to the end.
        """
        settings, arrays = read_network(path)
        if "held_out" not in settings:
            raise AttackError(
                "A learned attack should be trained to the end. Received: "
                f"{pathlib.Path(path)}, of {settings['done']} steps out of "
                f"{settings['steps']}; the command that began it goes on"
            )
        return cls(settings, arrays)

    def check(self, image_shape, cipher=None, options=None):
        """Raises where ciphertexts are not those that it was trained for.

        Args:
            image_shape: of the ciphertexts.
            cipher: what they are known to be encrypted with, or None.
            options: of that cipher.

        Raises:
            AttackError: another cipher, option or size.
        """
        form, wanted = self.form, tuple(image_shape)
        fits = wanted == form.image_shape
        if self.any_size:
            size = form.block_size
            whole = not (wanted[0] % size or wanted[1] % size)
            fits = wanted[2] == form.image_shape[2] and whole
        if not fits:
            raise AttackError(
                "A learned attack should be trained on pictures of the size of the "
                f"ciphertexts. Received: one for {form.image_shape}, ciphertexts of "
                f"{wanted}"
            )
        if cipher is not None and cipher != form.cipher:
            raise AttackError(
                "A learned attack should be trained for the cipher of the ciphertexts. "
                f"Received: one for {form.cipher}, ciphertexts of {cipher}"
            )
        given = form.options if cipher is None else {**form.options, **(options or {})}
        different = sorted(n for n in given if given[n] != form.options.get(n))
        if different:
            name = different[0]
            raise AttackError(
                "A learned attack should be trained for the options of the cipher. "
                f"Received: one for {name}={form.options.get(name)!r}, ciphertexts "
                f"with {name}={given[name]!r}"
            )

    @property
    def any_size(self):
        """Whether it takes ciphertexts of any size."""
        name = self.settings.get("network", {}).get("published")
        return self.form.any_size and (name is None or PUBLISHED[name].any_size)

    @functools.cached_property
    def model(self):
        """The `keras.Model`."""
        model = self.form.build(**self.settings["network"])
        load_arrays(model.variables, self._weights)
        return model

    @functools.cached_property
    def _to_pictures(self):
        """The model without what it says beside the picture, which can be large."""
        import keras

        picture = self.model.output["picture"]
        return keras.Model(self.model.input, {"picture": picture})

    def __call__(self, ciphertexts):
        """The picture behind each of `uint8 (B, H, W, C)` ciphertexts."""
        count, height, width, channels = ciphertexts.shape
        self.check(ciphertexts.shape[1:])
        if self.any_size:
            below = ((0, 0), (0, -height % STRIDE), (0, -width % STRIDE), (0, 0))
            ciphertexts = np.pad(ciphertexts, below, "edge")
        step = max(1, min(BATCH, VALUES // ciphertexts[0].size))
        pictures = np.empty((count, height, width, channels), np.uint8)
        for first in range(0, count, step):
            batch = ciphertexts[first : first + step]
            short = step - len(batch) if count > step else 0
            filled = np.pad(batch, ((0, short), (0, 0), (0, 0), (0, 0)))
            shown = self._to_pictures.predict_on_batch(filled)["picture"][: len(batch)]
            values = np.rint(255 * np.clip(shown[:, :height, :width], 0, 1))
            pictures[first : first + step] = values
        return pictures


def load_arrays(variables, arrays):
    """Sets variables of a model or an optimizer.

    Raises:
        AttackError: there are others.
    """
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [array.shape for array in arrays]:
        raise AttackError(
            f"A learned attack should hold {len(shapes)} weights of the shapes of its "
            f"network. Received: {len(arrays)}, or others; train it again"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
