"""The scorecard: what each cipher costs and what breaks it, one row each, from records.

README's table and the page of `tfpe report` show the same rows.
"""

import dataclasses

from tfpe.lab.bench.baselines import AES
from tfpe.lab.bench.rows import unpack
from tfpe.lab.bench.speed_report import README_SIZE, gigabytes_per_second
from tfpe.lab.measuring_conditions import conditions, grouped
from tfpe.lab.records import newest, of_kind
from tfpe.lab.records.attack_records import Evaluation, Outcome
from tfpe.lab.records.cipher_settings import ORDER
from tfpe.lab.records.speed_records import Bench
from tfpe.lab.records.training_records import Training
from tfpe.lab.tables.accuracy import mean_accuracy
from tfpe.lab.tables.strongest_outcomes import (
    THREAT_MODELS,
    most_seen,
    most_telling,
    outcomes,
    without_shared_key,
)

PREFERRED_DATASETS = ("cifar10", "cifar100")
PREFERRED_IMAGES = ("cifar10", "cifar100", "photographs")
# What of the throughput is shown: size, direction, runner.
_MEASURED = README_SIZE, "encrypt", "XLA"


@dataclasses.dataclass(frozen=True)
class Row:
    """One cipher of the scorecard; None is what no record tells.

    Attributes:
        name: of the row: the cipher, and options other than its own.
        cipher: a name of `CIPHERS`, or "plain".
        per_image: whether every image has a key of its own.
        usual: whether the options of the cipher are its own.
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
    usual: bool = True
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
        trainings: of one data set and recipe, or none.
        bench: the record of speed, or None.
        evaluations: records of attacks on one set of images, or none.
    """

    rows: list
    trainings: list
    bench: Bench | None
    evaluations: list

    @property
    def images(self):
        """What was attacked, such as "cifar10"; None where nothing was."""
        return self.evaluations[0].settings.images if self.evaluations else None


def scorecard(records, images=None):
    """The scorecard of records; those of other kinds are passed over.

    Where there are several data sets, recipes or sets of images, one of each is
    taken: CIFAR-10 first, and of its recipes the one with the most records.

    Args:
        records: a list of typed records, of all kinds.
        images: take the attacks on these, such as "photographs".

    Returns:
        A `Scorecard`; without records its rows are empty.

    Example:

    >>> scorecard([]).rows
    []
    """
    trainings = _one_training(records)
    bench = _bench(records)
    evaluations = _one_evaluation(records, images)
    names = {}
    for record in (*trainings, *evaluations):
        settings = record.settings
        per_image = getattr(settings, "per_image", False)
        usual = not settings.other_options
        names[settings.row_name] = settings.cipher, per_image, usual
    for cipher in bench.settings.ciphers if bench else ():
        names.setdefault(cipher, (cipher, False, True))
    speeds = _speeds(bench)
    rows = [
        Row(
            name,
            cipher,
            per_image,
            usual,
            **_accuracy(trainings, name),
            **speeds.get(name, {}),
            # With other options it is another cipher, of which they say nothing.
            **_attacks(records, evaluations, name, cipher, per_image and usual),
        )
        for name, (cipher, per_image, usual) in names.items()
    ]
    rows.sort(key=lambda row: (ORDER.index(row.cipher), row.per_image, row.name))
    return Scorecard(rows, trainings, bench, evaluations)


def attacked_images(records):
    """The sets of images that evaluation records are of, the preferred one first."""
    names = {record.settings.images for record in of_kind(records, Evaluation)}
    preferred = [name for name in PREFERRED_IMAGES if name in names]
    return preferred + sorted(names.difference(preferred))


def _one_training(records):
    """Training records of one data set, recipe and network, as the papers train."""
    groups = grouped(
        [
            record
            for record in of_kind(records, Training)
            if not record.settings.adaptation
            and not record.settings.matched
            # Those stand beside others in tables of their own.
            and not (record.settings.views or record.settings.jpeg)
        ],
        lambda record: conditions(record.settings),
    )

    def rank(group):
        name, names = group[0].settings.dataset, PREFERRED_DATASETS
        return names.index(name) if name in names else len(names), -len(group)

    return min(groups, key=rank, default=[])


def _one_evaluation(records, images):
    """The newest evaluation record of each row, all on one set of images."""
    images = images or next(iter(attacked_images(records)), None)
    chosen = [r for r in of_kind(records, Evaluation) if r.settings.images == images]
    return [newest(group) for group in grouped(chosen, lambda r: r.settings.row_name)]


def _bench(records):
    """The newest full record of speed at README's size, or None."""
    return newest(
        record
        for record in of_kind(records, Bench)
        if not record.settings.quick
        and README_SIZE in (record.results.throughput or {})
    )


def _accuracy(trainings, name):
    own, plain = (
        [record for record in trainings if record.settings.row_name == wanted]
        for wanted in (name, "plain")
    )
    if not own:
        return {}
    accuracy, interval = mean_accuracy(own)
    drop = mean_accuracy(plain)[0] - accuracy if plain else None
    return {"accuracy": accuracy, "interval": interval, "drop": drop}


def _speeds(bench):
    """Name of a cipher -> its fields of `Row`."""
    found = {}
    for row in unpack(bench.results.throughput) if bench else ():
        if (row["size"], row["direction"], row["runner"]) == _MEASURED:
            ratio = (row.get("ratios") or {}).get(AES)
            found[row["cipher"]] = {
                "speed": gigabytes_per_second(row),
                "speed_to_aes": ratio["median"] if ratio else None,
            }
    return found


def _attacks(records, evaluations, name, cipher, per_image):
    by_name = {record.settings.row_name: record for record in evaluations}
    record = by_name.get(name)
    shared_key = record is None and per_image
    if shared_key:
        # What breaks one ciphertext alone does so under any key.
        record = by_name.get(cipher)
    if record is None:
        return {}
    space, metrics = record.results.key_space, record.results.metrics
    found = outcomes(record, records)
    if shared_key:
        found = without_shared_key(found)
    return {
        "claimed_bits": space.claimed_bits if space else None,
        "effective_bits": space.effective_bits if space else None,
        "evaluated": True,
        "evidence": {model: most_telling(found, model) for model in THREAT_MODELS},
        "cipher_ssim": metrics.ssim.value if metrics and metrics.ssim else None,
        "best": most_seen(found),
    }
