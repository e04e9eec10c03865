"""Kernel SVMs on encrypted images: some ciphers change no prediction at all.

A cipher that only moves whole bytes and complements some of them (etc, iib, pbe,
shuffle, negpos) is an isometry of centred pixels: under one key all distances and dot
products between images stay as they are, so a kernel SVM predicts as it does on plain
images, exactly. Ciphers that split bytes (le, ele) or add other masks (logistic) do
not.

Exactly needs care: pixels as (x - 127.5) / 128, whose dot products float64 holds
without rounding, and a gamma that is a number; `gamma="scale"` on uncentred pixels,
scaling, PCA and LinearSVC (which regularises its intercept) agree only roughly.

Source: etc: Kurihara et al. 2015; SVMs on it: Maekawa et al. 2018, Privacy-preserving
SVM computing in the encrypted domain, APSIPA ASC.
"""

import dataclasses
import functools
import json
import pathlib
import sys
import time

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.ciphers import find_cipher
from tfpe.cli.common import read_key, seed_number
from tfpe.cli.packages import require
from tfpe.errors import TfpeError
from tfpe.keys import Key
from tfpe.lab.records import check_replaceable, typed, write_record
from tfpe.lab.records.training_records import SvmRow
from tfpe.lab.tables.accuracy import svm_table
from tfpe.lab.terminal import print_table
from tfpe.pixels.padding import pad_to_blocks
from training import argument_types
from training.images import load
from training.run_folder import OUT
from training.splits import stratified_split

CIPHERS = ("plain", "etc", "iib", "pbe", "shuffle", "negpos", "le", "ele", "logistic")


def run_svm(image_set, ciphers, key, c=1.0, gamma=None, say=None):
    """Trains an SVM of each kernel on each cipher, and counts equal predictions.

    Args:
        image_set: a `training.images.ImageSet`.
        ciphers: names of `tfpe.CIPHERS`; "plain" is always first.
        key: one `tfpe.Key` for all images.
        c: the SVM's C.
        gamma: scale of both kernels, gamma * <x, y> and exp(-gamma * |x - y|^2); by
            default 4 / values in an image.
        say: called with a line of progress.

    Returns:
        A list of dicts, one for each cipher and kernel: `test_accuracy`,
        `predictions_equal_plain` (a count), `isometry` (what theory says), `seconds`.
    """
    from sklearn.svm import SVC

    ciphers = list(dict.fromkeys(["plain", *ciphers]))
    for cipher in ciphers[1:]:
        find_cipher(cipher).require_bytes("The comparison of SVMs")
    train, test = _padded(image_set, ciphers)
    gamma = gamma or default_gamma(train.shape[1:])
    plain, rows = {}, []
    for number, cipher in enumerate(ciphers, 1):
        if say:
            say(f"{cipher}: {number} of {len(ciphers)}")
        transform = _transform(cipher, key, train.shape[1:])
        x_train, x_test = centred(transform(train)), centred(transform(test))
        for kernel, function in kernels().items():
            start = time.perf_counter()
            model = SVC(C=c, kernel=functools.partial(function, gamma=gamma))
            found = model.fit(x_train, image_set.y_train).predict(x_test)
            plain.setdefault(kernel, found)
            row = SvmRow(
                cipher=cipher,
                kernel=kernel,
                isometry=is_isometry(transform),
                test_accuracy=float(np.mean(found == image_set.y_test)),
                predictions_equal_plain=int(np.sum(found == plain[kernel])),
                seconds=round(time.perf_counter() - start, 2),
            )
            rows.append(dataclasses.asdict(row))
    return rows


def centred(images):
    """Flat float64 pixels in -1 .. 1, of which 255 - x is the negative, exactly.

    Example:

    >>> centred(np.array([[[[0], [255]]]], np.uint8)).tolist()
    [[-0.99609375, 0.99609375]]
    """
    return (images.reshape(len(images), -1) - 127.5) / 128


def default_gamma(image_shape):
    """A gamma that depends on nothing but the number of values.

    That of scikit-learn's "scale" for centred pixels of variance 1/4.

    Example:

    >>> default_gamma((32, 32, 3)) == 4 / 3072
    True
    """
    return 4 / int(np.prod(image_shape))


def is_isometry(transform):
    """Whether a `Keyed` map keeps every distance between centred images.

    Example:

    >>> from tfpe.ciphers import le, negpos
    >>> key = Key(bytes(32))
    >>> is_isometry(negpos(key, (8, 8, 3))), is_isometry(le(key, (8, 8, 3)))
    (True, False)
    """
    if not isinstance(transform, Transform):
        return False
    coarse = transform.coarsen()
    return coarse.bits == 8 and bool(np.isin(coarse.mask, (0, 255)).all())


def subset(image_set, train_images, test_images, seed):
    """At most so many images of each part, stratified by class and seeded."""
    arrays = {}
    for part, count in (("train", train_images), ("test", test_images)):
        x, y = (getattr(image_set, f"{name}_{part}") for name in "xy")
        if count < len(x):
            chosen = stratified_split(y, count, seed)[1]
            x, y = x[chosen], y[chosen]
        arrays |= {f"x_{part}": x, f"y_{part}": y}
    return dataclasses.replace(image_set, **arrays)


def add_arguments(parser):
    """The options of `python -m training svm`, beyond those of the images."""
    parser.add_argument(
        "--ciphers",
        default=CIPHERS,
        type=argument_types.names,
        help=f"names between commas (default: {','.join(CIPHERS)})",
    )
    parser.add_argument(
        "--train-images",
        default=2000,
        type=argument_types.count,
        help="take at most as many (default: 2000)",
    )
    parser.add_argument(
        "--test-images",
        default=2000,
        type=argument_types.count,
        help="take at most as many (default: 2000)",
    )
    parser.add_argument(
        "--c",
        default=1.0,
        type=argument_types.positive,
        help="C of the SVM (default: 1)",
    )
    parser.add_argument(
        "--gamma",
        type=argument_types.positive,
        help="scale of both kernels (default: 4 / values in an image)",
    )
    parser.add_argument(
        "--seed",
        default=0,
        type=seed_number,
        help="seed of subset and key (default: 0)",
    )
    parser.add_argument(
        "--out", default=OUT, help=f"folder of the record (default: {OUT})"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(options):
    """Shows which ciphers leave the predictions of a kernel SVM exactly as they are."""
    require("sklearn", "scipy", *([] if options.json else ["rich"]))
    for name in options.ciphers:
        if name != "plain":
            find_cipher(name)
    whole = load(options.dataset, options.data_dir)
    image_set = subset(whole, options.train_images, options.test_images, options.seed)
    # An experiment hides nothing, and with a key made of the seed it can be repeated.
    key = Key(bytes(32)).derive("svm", options.seed)
    if options.key:
        key = read_key(options.key)
    settings = {
        "dataset": image_set.name,
        "source": image_set.source,
        "data_checksum": whole.checksum,
        "train_images": len(image_set.x_train),
        "test_images": len(image_set.x_test),
        "ciphers": list(options.ciphers),
        "C": options.c,
        "gamma": options.gamma or default_gamma(image_set.x_train.shape[1:]),
        "seed": options.seed,
        "key_fingerprint": key.fingerprint,
    }
    path = pathlib.Path(options.out, f"svm-{image_set.name}.json")
    check_replaceable(path, "svm", settings)
    rows = run_svm(
        image_set,
        options.ciphers,
        key,
        options.c,
        settings["gamma"],
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    results = {"image_shape": image_set.x_train.shape[1:], "rows": rows}
    record = {"kind": "svm", "settings": settings, "results": results}
    record = write_record(path, record)
    if options.json:
        print(json.dumps(record, indent=2))
    else:
        print_table(svm_table(typed(record)))
    print(f"Record: {path}", file=sys.stderr)
    images = settings["test_images"]
    wrong = {
        row["cipher"]
        for row in rows
        if row["isometry"] and row["predictions_equal_plain"] != images
    }
    if wrong:
        raise TfpeError(
            "Isometries should leave every prediction as it is on plain images. "
            f"Received: other predictions with {sorted(wrong)}"
        )
    return 0


def kernels():
    """The kernels, as functions: scikit-learn takes one product for all the images."""
    from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel

    # With the scale of the other: unscaled, C = 1 leaves no soft margin.
    return {
        "linear": functools.partial(polynomial_kernel, degree=1, coef0=0),
        "rbf": rbf_kernel,
    }


def _padded(image_set, ciphers):
    """Train and test images, padded alike for all of the ciphers."""
    sizes = [find_cipher(name).block_size() for name in ciphers if name != "plain"]
    size = int(np.lcm.reduce([1, *sizes]))
    return pad_to_blocks(image_set.x_train, size), pad_to_blocks(image_set.x_test, size)


def _transform(cipher, key, image_shape):
    return find_cipher("identity" if cipher == "plain" else cipher)(key, image_shape)
