"""A saved model on encrypted test images: accuracy, report by class, confusion."""

import numpy as np

from tfpe.ciphers import find_cipher
from tfpe.lab.intervals import accuracy_interval
from tfpe.lab.table import Cell, Table, number
from tfpe.lab.terminal import print_table, table_console
from training.encryption import Encryption
from training.run import experiment_key
from training.saved_models import ModelError, confusion, load_model, predict
from training.splits import Part

MOST_CLASSES = 12


def evaluate(
    path,
    image_set,
    cipher="plain",
    key=None,
    per_image=False,
    seed=0,
    jpeg=0,
    options=None,
):
    """Tests a saved model.

    Args:
        path: a .keras file, such as `training.train` writes.
        image_set: a `training.images.ImageSet`; its test images are used.
        cipher: a name in `tfpe.CIPHERS`, or "plain".
        key: a `tfpe.Key`; by default the public one of comparisons with `seed`.
        per_image: whether every image has its own key.
        seed: of the default key.
        options: of the cipher, a dict.
        jpeg: quality of the JPEG files in which the images are sent, or 0.

    Returns:
        A dict: `accuracy`, `interval` (95 %), `test_images`, `classes` (precision,
        recall, f1-score and support by class name), `confusion`, `class_names`,
        `key_fingerprint` (None for plain).

    Raises:
        ModelError: the file is no model, or has another input or other classes.
        WrongKeyError: the model encrypts by itself, under another key.
    """
    from sklearn.metrics import classification_report

    encryption = None
    if cipher != "plain":
        key = experiment_key(seed) if key is None else key
        options = find_cipher(cipher).options(**(options or {}))
        encryption = Encryption(key, cipher, per_image, options)
    model = load_model(path, encryption)
    x, y = image_set.x_test, image_set.y_test
    numbers = len(image_set.x_train) + np.arange(len(x))
    names = image_set.class_names
    expected = [tuple(x.shape[1:])]
    if encryption is not None:
        expected.append(encryption.output_shape(x.shape[1:]))
    takes = any(_fits(model.input_shape, shape) for shape in expected)
    if not takes or not _fits(model.output_shape, (len(names),)):
        raise ModelError(
            f"The model should take images {expected[-1]} and know {len(names)} "
            f"classes. Received: one of input {model.input_shape} and output "
            f"{model.output_shape}"
        )
    predicted = predict(model, Part(x, y, numbers), encryption, jpeg=jpeg)
    right = int((predicted == y).sum())
    report = classification_report(
        y,
        predicted,
        labels=range(len(names)),
        target_names=names,
        output_dict=True,
        zero_division=0,
    )
    return {
        "accuracy": right / len(y),
        "interval": accuracy_interval(right, len(y)),
        "test_images": len(y),
        "classes": {name: report[name] for name in names},
        "confusion": confusion(y, predicted, names),
        "class_names": list(names),
        "key_fingerprint": encryption and encryption.key.fingerprint,
    }


def _fits(shapes, expected):
    """Whether a model's one shape, without the batch, can be `expected`."""
    if not isinstance(shapes, tuple) or len(shapes) != 1 + len(expected):
        return False  # several inputs or outputs, or another rank
    pairs = zip(shapes[1:], expected, strict=True)
    return all(size in (None, other) for size, other in pairs)


def show_evaluation(outcome, figure_path=None, console=None):
    """Prints the outcome of `evaluate`; draws its confusion matrix to a PNG file."""
    console = console or table_console()
    low, high = outcome["interval"]
    console.print(
        f"Accuracy {100 * outcome['accuracy']:.2f} % of {outcome['test_images']} test "
        f"images, 95 % interval {100 * low:.2f} to {100 * high:.2f} %",
        highlight=False,
    )
    if outcome["key_fingerprint"]:
        console.print(f"Under key {outcome['key_fingerprint']}", highlight=False)
    columns = {"class": lambda name: name}
    for title in ("precision", "recall", "f1-score"):
        columns[title] = lambda name, title=title: number(
            outcome["classes"][name][title]
        )
    columns["images"] = lambda n: number(outcome["classes"][n]["support"], "{:.0f}")
    print_table(Table.of("", outcome["classes"], columns), console)
    names = outcome["class_names"]
    if len(names) <= MOST_CLASSES:
        # Numbers above: names of ten classes are wider than a terminal.
        rows = [
            [Cell(str(place)), Cell(name, tone="wrap"), *(Cell(str(n)) for n in counts)]
            for place, (name, counts) in enumerate(
                zip(names, outcome["confusion"], strict=True)
            )
        ]
        title = "Confusion: true class, and how often each was predicted"
        header = ["", "class", *map(str, range(len(names)))]
        print_table(Table(title, header, rows), console)
    if figure_path is not None:
        from matplotlib.figure import Figure

        from tfpe.lab.figures import save_figure
        from training.report import draw_confusion

        figure = Figure(figsize=(6, 6), layout="constrained")
        draw_confusion(figure.subplots(), outcome["confusion"], names, "")
        save_figure(figure, figure_path)
