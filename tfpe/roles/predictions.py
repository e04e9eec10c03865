"""What a model's outputs say: probabilities, names of classes, accuracy."""

import dataclasses

import numpy as np

from tfpe.dataset.labels import load_labels, require_labels_of
from tfpe.errors import ManifestError, TfpeError
from tfpe.manifests.names import KIND as NAMES
from tfpe.manifests.names import load_names
from tfpe.roles.labelled_images import LabelledImages
from tfpe.storage.signed_json import read_json

TOLERANCE = 1e-3


def probabilities(outputs):
    """Outputs for each class as probabilities.

    Rows of numbers from 0 to 1 that are 1 together are a distribution already; where
    one row is none, all are logits, and softmax is taken.

    One output from 0 to 1, of a sigmoid, is the probability of the second class of two.

    Args:
        outputs: floats `(B, classes)`, or `(B, 1)` of a sigmoid.

    Returns:
        `float64 (B, classes)`.

    Raises:
        TfpeError: other shapes, one output that is no probability, NaN or infinity.

    Example:

    >>> probabilities(np.array([[0.25, 0.75]])).tolist()
    [[0.25, 0.75]]
    >>> probabilities(np.array([[0.0, np.log(3)]])).round(6).tolist()
    [[0.25, 0.75]]
    """
    outputs = np.asarray(outputs, np.float64)
    if outputs.shape[1:] == (1,) and ((outputs >= 0) & (outputs <= 1)).all():
        return np.concatenate([1 - outputs, outputs], axis=1)
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise TfpeError(
            "The model should have an output for each class, or one from 0 to 1 of a "
            "sigmoid for the second of two. Received: "
            f"outputs of shape {outputs.shape}; tfpe.predict gives them in Python"
        )
    if not np.isfinite(outputs).all():
        raise TfpeError("The model should give numbers. Received: NaN or infinity")
    if outputs.min() >= -TOLERANCE and abs(outputs.sum(axis=1) - 1).max() <= TOLERANCE:
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@dataclasses.dataclass(frozen=True)
class Classes:
    """What the outputs of a model stand for.

    Attributes:
        count: how many there are.
        names: in the order of the outputs, or None where nothing tells them.
        order: output of each class, by its number in the plain set; None where hidden.
    """

    count: int
    names: list | None
    order: list | None

    @property
    def shown(self):
        """Names, or numbers where there are none."""
        return self.names or list(map(str, range(self.count)))

    def places(self, labels):
        """The output of each label, a number or the name of a class; None: unknown.

        An image without a label has None for one.
        """
        names, found = self.names, set(labels) - {None}
        if names is None and self.order and len(found) == self.count:
            names = sorted(found, key=str)  # class folders, as Keras orders them
        outputs = {name: place for place, name in enumerate(names or [])}
        if self.order is not None:
            outputs |= dict(enumerate(self.order))
        return [outputs.get(label) for label in labels]


def classes_of(receipt, count, key, labels=None):
    """The `Classes` of a model.

    Args:
        receipt: a `tfpe.receipts.Receipt`, or None.
        count: number of the model's outputs.
        key: a `tfpe.Key`.
        labels: the file that hid labels or names, which maps them back, or None.

    Raises:
        ManifestError: the file or the receipt does not fit the model.
        WrongKeyError: the file belongs to another key.
    """
    hidden = receipt is not None and receipt.hidden_labels
    if labels is not None and not hidden:
        raise ManifestError(
            "`labels` is for models of sets whose labels or names are hidden, which a "
            f"receipt tells. Received: labels={labels} and "
            + (f"the receipt of {receipt.name}" if receipt else "no receipt")
        )
    names = receipt.class_names if receipt else []
    order = None if hidden else list(range(count))
    if labels is not None:
        names, order = _shown(labels, receipt, key)
    if names and len(names) != count:
        raise ManifestError(
            f"The model should have an output for each class of the set, {len(names)}. "
            f"Received: {count} outputs"
        )
    return Classes(count, names or None, order)


def _shown(file, receipt, key):
    """Names in the order of opaque numbers or names, and the order of the plain set."""
    if read_json(file).get("format") == NAMES.format:
        folders = {}  # each has one opaque name, wherever it stands
        for hidden, path in load_names(file, key).items():
            pair = hidden.split("/")[:-1], path.split("/")[:-1]
            folders.update(zip(*pair, strict=True))
        opaque = receipt.class_names
        if not opaque or not folders.keys() >= set(opaque):
            raise _other_set(file, receipt)
        names = [folders[name] for name in opaque]
        return names, [names.index(name) for name in sorted(names)]
    plain, numbers = load_labels(file, key)
    if receipt.class_names:  # opaque names of folders, which no numbers map back
        raise _other_set(file, receipt)
    require_labels_of(plain, key, dataclasses.asdict(receipt), file, receipt.name)
    feature = "label" if "label" in plain else next(iter(plain), None)
    names, order = plain.get(feature, []), numbers.get(feature, [])
    return [names[order.index(place)] for place in range(len(names))], order


def _other_set(file, receipt):
    return ManifestError(
        f"`labels` should be the file that hid the classes of {receipt.name}. "
        f"Received: {file}, which does not name them"
    )


@dataclasses.dataclass(frozen=True)
class Predictions:
    """What a model says of pictures.

    Attributes:
        found: `tfpe.roles.labelled_images.LabelledImages`.
        probabilities: `(B, classes)`.
        classes: `Classes`.
    """

    found: LabelledImages
    probabilities: np.ndarray
    classes: Classes

    def best(self):
        """(name of the image, name or number of its class, probability) of each."""
        numbers, shown = self.probabilities.argmax(axis=1), self.classes.shown
        rows = zip(self.found.names, numbers, self.probabilities, strict=True)
        return [(name, shown[number], float(row[number])) for name, number, row in rows]

    def score(self):
        """(images of the right class, images of a known class)."""
        if self.found.labels is None:
            return 0, 0
        places = self.classes.places(self.found.labels)
        numbers = self.probabilities.argmax(axis=1).tolist()
        right = [place == number for place, number in zip(places, numbers, strict=True)]
        return sum(right), sum(place is not None for place in places)

    def notes(self):
        """What is to be said of the accuracy, where labels are known: lines."""
        right, known = self.score()
        if self.found.labels is None:
            return
        if known:
            yield f"Accuracy on {known} images: {right / known:.4f}"
        if self.classes.order is None:
            yield "No accuracy: classes are hidden; --labels FILE maps them back"
        elif left_out := len(self.found.labels) - known:
            images = "image" if left_out == 1 else "images"
            yield f"Not scored: {left_out} {images} of no class of the model"

    def document(self, receipt):
        """All of it as a dict for JSON."""
        shown, (right, known) = self.classes.shown, self.score()
        rows = zip(self.best(), self.probabilities.tolist(), strict=True)
        return {
            "set": receipt and receipt.name,
            "key_fingerprint": receipt and receipt.key_fingerprint,
            "accuracy": right / known if known else None,
            "scored": known,
            "images": [
                {
                    "image": name,
                    "class": label,
                    "probability": share,
                    "probabilities": dict(zip(shown, row, strict=True)),
                }
                for (name, label, share), row in rows
            ],
        }
