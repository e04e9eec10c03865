"""The scorecard: what each cipher costs and what breaks it, one row each, from records.

README's table and the page of `tfpe report` show the same rows.
"""

import dataclasses
import statistics

from tfpe.ciphers import CIPHERS
from tfpe.lab.bench.baselines import AES
from tfpe.lab.bench.report import README_SIZE, gigabytes_per_second
from tfpe.lab.bench.rows import unpack
from tfpe.lab.conditions import conditions, grouped, row_name
from tfpe.lab.intervals import accuracy_interval
from tfpe.lab.records import newest
from tfpe.lab.tables.outcomes import (
    THREAT_MODELS,
    Outcome,
    most_seen,
    most_telling,
    outcomes,
    without_shared_key,
)

PREFERRED_DATASETS = ("cifar10", "cifar100")
PREFERRED_IMAGES = ("cifar10", "cifar100", "photographs")
RUNNER = "XLA"


@dataclasses.dataclass(frozen=True)
class Row:
    """One cipher of the scorecard; None is what no record tells.

    Attributes:
        name: of the row: the cipher, and options other than its own.
        cipher: a name of `CIPHERS`, or "plain".
        per_image: whether every image has a key of its own.
        accuracy: on test images at the best validation epoch, a fraction; seeds are
            averaged.
        interval: its 95 % interval, two fractions.
        drop: accuracy of plain less that of this row.
        speed: GB/s of encryption through XLA.
        speed_to_aes: times as fast as AES-256-CTR on one core in the same rounds.
        claimed_bits, effective_bits: key space.
        evaluated: whether attacks were measured.
        evidence: a dict from threat model to the most telling `Outcome`, or None
            where no such attack was tried.
        cipher_ssim: of the ciphertext to the plain image.
        best: the `Outcome` after which the picture is nearest to the plain one.
    """

    name: str
    cipher: str
    per_image: bool = False
    accuracy: float | None = None
    interval: list | None = None
    drop: float | None = None
    speed: float | None = None
    speed_to_aes: float | None = None
    claimed_bits: float | None = None
    effective_bits: float | None = None
    evaluated: bool = False
    evidence: dict = dataclasses.field(default_factory=dict)
    cipher_ssim: float | None = None
    best: Outcome | None = None


@dataclasses.dataclass(frozen=True)
class Scorecard:
    """Rows, and the records that they come from: the conditions.

    Attributes:
        rows: a list of `Row`: plain, then the ciphers in the order of `CIPHERS`.
        training: records of one data set and recipe, or none.
        bench: the record of speed, or None.
        evaluations: records of attacks on one set of images, or none.
    """

    rows: list
    training: list
    bench: dict | None
    evaluations: list

    @property
    def images(self):
        """What was attacked, such as "cifar10"; None where nothing was."""
        return self.evaluations[0]["settings"]["images"] if self.evaluations else None


def scorecard(records, images=None):
    """The scorecard of records; those of other kinds are passed over.

    Where there are several data sets, recipes or sets of images, one of each is
    taken: CIFAR-10 first, and of its recipes the one with the most records.

    Args:
        records: a list of records, of all kinds.
        images: take the attacks on these, such as "photographs".

    Returns:
        A `Scorecard`; without records its rows are empty.

    Raises:
        LookupError, TypeError, ValueError: a record lacks what it should hold.

    Example:

    >>> scorecard([]).rows
    []
    """
    training = _training_group(records)
    bench = _bench_record(records)
    evaluations = _evaluation_group(records, images)
    names = {}
    for record in (*training, *evaluations):
        settings = record["settings"]
        names[row_name(settings)] = (
            settings["cipher"],
            bool(settings.get("per_image")),
        )
    for cipher in bench["settings"]["ciphers"] if bench else ():
        names.setdefault(cipher, (cipher, False))
    order = ["plain", *CIPHERS]
    rows = [
        Row(
            name,
            cipher,
            per_image,
            **_accuracy(training, name),
            **_speed(bench, name),
            **_attacks(evaluations, name, cipher, per_image),
        )
        for name, (cipher, per_image) in names.items()
    ]
    rows.sort(key=lambda row: (order.index(row.cipher), row.per_image, row.name))
    return Scorecard(rows, training, bench, evaluations)


def mean_of(results, name):
    """The mean of a figure over seeds; None where one of them lacks it."""
    values = [result.get(name) for result in results]
    return None if None in values else statistics.fmean(values)


def _training_group(records):
    """Training records of one data set, recipe and network, as the papers train."""
    groups = grouped(
        [
            record
            for record in records
            if record["kind"] == "training"
            and not record["settings"].get("adaptation")
            and not record["settings"].get("matched")
        ],
        conditions,
    )

    def rank(group):
        name, names = group[0]["settings"]["dataset"], PREFERRED_DATASETS
        return names.index(name) if name in names else len(names), -len(group)

    return min(groups, key=rank, default=[])


def attacked_images(records):
    """The sets of images that evaluation records are of, the preferred one first."""
    names = {r["settings"]["images"] for r in records if r["kind"] == "evaluation"}
    preferred = [name for name in PREFERRED_IMAGES if name in names]
    return preferred + sorted(names.difference(preferred))


def _evaluation_group(records, images=None):
    """The newest evaluation record of each row, all on one set of images."""
    images = images or next(iter(attacked_images(records)), None)
    chosen = [
        record
        for record in records
        if record["kind"] == "evaluation" and record["settings"]["images"] == images
    ]
    by_name = grouped(chosen, lambda r: row_name(r["settings"]))
    return [newest(group) for group in by_name]


def _bench_record(records):
    """The newest full record of speed at README's size, or None."""
    return newest(
        record
        for record in records
        if record["kind"] == "bench"
        and not record["settings"].get("quick")
        and README_SIZE in (record["results"].get("throughput") or {})
    )


def _accuracy(training, name):
    accuracies, images = _test_accuracies(training, name)
    if not accuracies:
        return {}
    accuracy = statistics.fmean(accuracies)
    plain, _ = _test_accuracies(training, "plain")
    return {
        "accuracy": accuracy,
        "interval": accuracy_interval(round(accuracy * images), images),
        "drop": statistics.fmean(plain) - accuracy if plain else None,
    }


def _test_accuracies(training, name):
    results = [
        record["results"] for record in training if row_name(record["settings"]) == name
    ]
    images = results[0]["test_images"] if results else None
    return [r["best_validation"]["test_accuracy"] for r in results], images


def _speed(bench, name):
    for row in unpack(bench["results"]["throughput"]) if bench else ():
        wanted = (README_SIZE, "encrypt", RUNNER, name)
        if (row["size"], row["direction"], row["runner"], row["cipher"]) == wanted:
            ratio = (row.get("ratios") or {}).get(AES)
            return {
                "speed": gigabytes_per_second(row),
                "speed_to_aes": ratio["median"] if ratio else None,
            }
    return {}


def _attacks(evaluations, name, cipher, per_image):
    by_name = {row_name(r["settings"]): r for r in evaluations}
    record = by_name.get(name)
    shared_key = record is None and per_image
    if shared_key:
        # What breaks one ciphertext alone does so under any key.
        record = by_name.get(cipher)
    if record is None:
        return {}
    results = record["results"]
    found = outcomes(record)
    if shared_key:
        found = without_shared_key(found)
    space = results.get("key_space") or {}
    ssim = (results.get("metrics") or {}).get("ssim") or {}
    return {
        "claimed_bits": space.get("claimed_bits"),
        "effective_bits": space.get("effective_bits"),
        "evaluated": True,
        "evidence": {model: most_telling(found, model) for model in THREAT_MODELS},
        "cipher_ssim": ssim.get("value"),
        "best": most_seen(found),
    }
