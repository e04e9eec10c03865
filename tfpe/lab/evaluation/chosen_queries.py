"""Chosen images as files: what an attack asks for, and the answers of the owner."""

import math
import pathlib

import numpy as np

from tfpe.attacks import Evidence, run
from tfpe.errors import AttackError, ImageFileError
from tfpe.lab.evaluation.attack_result import write_images


class Recorder:
    """An oracle that writes down what it is asked, and answers what it was told.

    Args:
        answers: a dict from the bytes of an image to its ciphertext.

    Attributes:
        asked: the images asked for, in order.
    """

    def __init__(self, answers=None):
        self._answers = answers or {}
        self.asked = []

    def __call__(self, images):
        self.asked += list(images)
        found = [self._answers.get(image.tobytes()) for image in images]
        if any(answer is None for answer in found):
            raise _Unanswered
        return np.stack(found)


class _Unanswered(Exception):
    """Something was asked that has no answer yet."""


def chosen_queries(attack, image_shape, **options):
    """What an attack with chosen plaintexts asks for: queries, then one to verify.

    Args:
        attack: a row of `ATTACKS` with chosen plaintexts.
        image_shape: (height, width, channels).
        **options: of the attack.

    Returns:
        `uint8 (Q + 1, H, W, C)`.

    Example:

    >>> from tfpe.attacks import ATTACKS
    >>> chosen_queries(ATTACKS["chosen_plaintext"], (32, 32, 3)).shape
    (4, 32, 32, 3)
    """
    recorder = Recorder()
    try:
        run(attack, Evidence(oracle=recorder, shape=image_shape), **options)
    except _Unanswered:
        # No attack here looks at an answer before it has asked for all of them.
        pass
    random = np.random.default_rng(0).integers(0, 256, (1, *image_shape), np.uint8)
    return np.concatenate([np.stack(recorder.asked), random])


def query_names(count):
    """Names of the files of `count` queries."""
    return [f"query-{number:02}.png" for number in range(count)]


def write_queries(folder, images):
    """Writes chosen images to a folder that is new or empty.

    Raises:
        ImageFileError: something is in the folder.
    """
    folder = pathlib.Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ImageFileError(
            f"Queries should go to a new or empty folder. Received: {folder}"
        )
    files = zip(query_names(len(images)), images, strict=True)
    return write_images(folder, dict(files))


def answers_of(queries, ciphertexts):
    """An oracle of the answers to queries: a `Recorder`.

    Args:
        queries: `uint8 (Q, H, W, C)`, of `chosen_queries`.
        ciphertexts: the `Ciphertexts` of the folder that the owner encrypted.

    Raises:
        AttackError: answers are missing, or of another size.
    """
    place = {name: k for k, name in enumerate(ciphertexts.names)}
    missing = [name for name in query_names(len(queries)) if name not in place]
    if missing:
        raise AttackError(
            f"The answers should hold the ciphertext of each query. Received: none of "
            f"{missing[0]}, for {len(queries)} queries"
        )
    asked, told = queries.shape[1:], ciphertexts.images.shape[1:]
    # One plane in the place of three is etc_gray: of another shape, but as large.
    if math.prod(asked) != math.prod(told) or (asked[2] == told[2] and asked != told):
        raise AttackError(
            f"The answers should be of the size asked for, {asked}. Received: {told}"
        )
    pairs = zip(queries, query_names(len(queries)), strict=True)
    return Recorder({q.tobytes(): ciphertexts.images[place[n]] for q, n in pairs})
