"""Pairs to learn from: public pictures and their ciphertexts under fresh keys."""

import keras
import numpy as np

from tfpe.attacks.learned.forms import POLARITIES
from tfpe.attacks.learned.fresh_keys import encrypted

LEARNING, HELD_OUT = range(2)  # streams of random numbers under one seed


class Pairs(keras.utils.PyDataset):
    """Batches of some steps of a run; each depends on the seed and its step alone.

    Args:
        form: a `Form`.
        pictures: `uint8 (N, H, W, C)`.
        ciphertexts: of the pictures, as they leaked, under one key that nobody here
            knows: only the pictures teach then. Default: made under fresh keys.
        batch_size: pairs of a step.
        seed: whole number.
        first, last: numbers of the steps, the last one excluded.
        outputs: names of what the network says; default all that can be taught.
    """

    def __init__(
        self,
        form,
        pictures,
        batch_size,
        seed,
        first,
        last,
        ciphertexts=None,
        outputs=None,
    ):
        super().__init__()
        self._form, self._pictures = form, pictures
        self._batch_size, self._seed = batch_size, seed
        self._first, self._last = first, last
        self._ciphertexts, self._outputs = ciphertexts, outputs

    def __len__(self):
        return self._last - self._first

    def __getitem__(self, index):
        rng = np.random.default_rng([self._seed, LEARNING, self._first + index])
        chosen = rng.integers(0, len(self._pictures), self._batch_size)
        plain = self._pictures[chosen]
        if self._ciphertexts is not None:
            # The picture tells all that can be taught without the key.
            names = self._outputs or ["picture"]
            return self._ciphertexts[chosen], dict.fromkeys(names, as_target(plain))
        mirrored = rng.integers(0, 2, len(plain)) > 0
        plain = np.where(mirrored[:, None, None, None], plain[:, :, ::-1], plain)
        ciphertexts, targets = pair(self._form, plain, rng)
        names = targets if self._outputs is None else self._outputs
        return ciphertexts, {name: targets[name] for name in names}


class Unpaired(keras.utils.PyDataset):
    """Batches for a GAN: ciphertexts, and plain pictures of others.

    Args:
        form: a `Form`.
        pictures: `uint8 (N, H, W, C)`. Where no ciphertexts are given, those of one
            half are made under fresh keys, and the other half is shown plain.
        batch_size, seed, first, last: as of `Pairs`.
        ciphertexts: of a victim, under keys that nobody here knows.
    """

    def __init__(self, form, pictures, batch_size, seed, first, last, ciphertexts=None):
        super().__init__()
        self._form, self._given = form, ciphertexts
        self._hidden, self._shown = np.split(pictures, [len(pictures) // 2])
        if ciphertexts is not None:
            self._hidden, self._shown = ciphertexts, pictures
        self._batch_size, self._seed = batch_size, seed
        self._first, self._last = first, last

    def __len__(self):
        return self._last - self._first

    def __getitem__(self, index):
        rng = np.random.default_rng([self._seed, LEARNING, self._first + index])
        ciphertexts, plain = (
            images[rng.integers(0, len(images), self._batch_size)]
            for images in (self._hidden, self._shown)
        )
        if self._given is None:
            ciphertexts, _ = pair(self._form, ciphertexts, rng)
        ones = np.ones((self._batch_size, 1), np.float32)
        wanted = {"real": ones, "shown": 0 * ones, "judged": ones}
        return (ciphertexts, as_target(plain)), wanted


def pair(form, plain, rng):
    """Ciphertexts of plain pictures under fresh keys, and what a network should say.

    Returns:
        `(ciphertexts, targets)`: `uint8 (B, H, W, C)`, and a dict of `picture`, floats
        from 0 to 1, and what `Form.targets` gives; where polarities are guessed, the
        picture is the target of `choices` too.
    """
    keys = form.keys(rng, len(plain), plain.shape[1:])
    targets = {"picture": as_target(plain)} | form.targets(keys)
    if form.family == POLARITIES:
        targets["choices"] = targets["picture"]  # it tells which of them are right
    return encrypted(keys, plain), targets


def as_target(plain):
    """Bytes as values from 0 to 1, as networks give pictures."""
    return plain.astype(np.float32) / 255


def held_out_pairs(form, plain, seed):
    """Ciphertexts of pictures that nothing is learned from, under keys of their own."""
    rng = np.random.default_rng([seed, HELD_OUT])
    return pair(form, plain, rng)[0]
