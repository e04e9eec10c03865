"""The table of kinds of records, and documents read as what it names."""

from types import MappingProxyType

from tfpe.lab.records.attack_records import AttackCurve, Evaluation
from tfpe.lab.records.errata_records import Errata
from tfpe.lab.records.frontier_records import Frontier
from tfpe.lab.records.hybrid_records import HybridBench
from tfpe.lab.records.jpeg_records import JpegBench
from tfpe.lab.records.learned_records import LearnedAttack
from tfpe.lab.records.reading import read
from tfpe.lab.records.record import Other, Record
from tfpe.lab.records.speed_records import (
    Bench,
    CipherThroughput,
    DatasetBench,
    TreesBench,
)
from tfpe.lab.records.training_records import (
    MatchedSpeed,
    Svm,
    Training,
    TrainingSpeed,
)

KINDS = MappingProxyType(
    {
        "attack-curve": AttackCurve,
        "before-after": TreesBench,
        "bench": Bench,
        "cipher-throughput": CipherThroughput,
        "dataset": DatasetBench,
        "errata": Errata,
        "evaluation": Evaluation,
        "frontier": Frontier,
        "hybrid": HybridBench,
        "jpeg": JpegBench,
        "learned-attack": LearnedAttack,
        "matched-speed": MatchedSpeed,
        "svm": Svm,
        "training": Training,
        "training-speed": TrainingSpeed,
    }
)


def typed(document, where="The record"):
    """A record as the dataclass of its kind.

    Args:
        document: a dict as it is in a file, or what this function gave.
        where: its name in messages.

    Raises:
        RecordError: it lacks what its kind has.

    Example:

    >>> typed({"kind": "training", "settings": {"cipher": "le"}})
    Traceback (most recent call last):
    tfpe.errors.RecordError: The record.settings should have `dataset`. ...
    """
    if isinstance(document, Record):
        return document
    kind = document.get("kind")
    kind = KINDS.get(kind, Other) if isinstance(kind, str) else Other
    return read(kind, document, where)


def of_kind(records, kind):
    """Those of a list of typed records that are of a kind, a dataclass."""
    return [record for record in records if isinstance(record, kind)]
