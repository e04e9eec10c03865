"""Kinds of records: checked where they are read and written, by the names of fields."""

import copy
import json
import pathlib

import pytest

from tfpe.errors import RecordError
from tfpe.lab.records import KINDS, load_records, typed, write_record
from tfpe.lab.tables import rendering

RESULTS = pathlib.Path(__file__).parents[1] / "results"
# By name: others of a kind come and go, and hold other fields.
NAMES = {
    "attack-curve": "attack-curve-known_plaintext-cifar10-le",
    "before-after": "bench-before-after",
    "bench": "bench-speed",
    "cipher-throughput": "cipher-throughput-jax",
    "dataset": "bench-dataset",
    "errata": "errata-seed",
    "evaluation": "evaluation-cifar10-le",
    "frontier": "frontier-cifar10-pbe-folded-seed0",
    "hybrid": "bench-hybrid",
    "jpeg": "bench-jpeg",
    "learned-attack": "learned-attack-cifar10-inverse_network-pbe-seed0",
    "matched-speed": "matched-speed-matched-torch",
    "svm": "svm-digits",
    "training": "training-cifar10-small-le-seed0",
    "training-speed": "training-speed-small-tensorflow",
}
DOCUMENTS = {
    kind: json.loads((RESULTS / f"{name}.json").read_text())
    for kind, name in NAMES.items()
}
# What no table can do without, of each kind.
NEEDED = {
    "attack-curve": ("results.points.0.evidence", "settings.attack"),
    "before-after": ("results.rows.0.factor", "settings.before"),
    "bench": ("settings.ciphers", "environment.cpu"),
    "cipher-throughput": ("results.rows.0.to_copy", "settings.backend"),
    "dataset": ("results.runs.0.seconds", "settings.source"),
    "errata": ("results.weak_share", "settings.mu_range"),
    "hybrid": ("results.savings.0.coded_bytes", "settings.timed_sides"),
    "evaluation": ("results.attacks.0.outcome", "settings.images"),
    "frontier": ("results.accuracy", "settings.name"),
    "jpeg": ("results.points.0.psnr", "settings.qualities"),
    "learned-attack": ("settings.steps", "results.count"),
    "matched-speed": ("results.rows.0.to_beside", "settings.backend"),
    "svm": ("results.rows.0.test_accuracy", "settings.gamma"),
    "training": ("results.last.test_accuracy", "settings.recipe"),
    "training-speed": ("results.parameters", "settings.backend"),
}
CASES = [(kind, path) for kind, paths in NEEDED.items() for path in paths]


def inside(document, path):
    """What holds the last name of a path, and that name."""
    *way, name = path.split(".")
    for step in way:
        document = document[int(step) if step.isdigit() else step]
    return document, name


def test_every_kind_is_read():
    assert set(KINDS) == set(DOCUMENTS) == set(NEEDED)
    assert all(record["kind"] == kind for kind, record in DOCUMENTS.items())
    for record in load_records(RESULTS):
        assert type(record) is KINDS[record.kind]
        assert typed(record) is record


@pytest.mark.parametrize(("kind", "path"), CASES)
def test_what_is_absent_or_of_another_type_is_named(kind, path, tmp_path):
    document = copy.deepcopy(DOCUMENTS[kind])
    holder, name = inside(document, path)
    holder[name] = {"another": "type"}
    with pytest.raises(RecordError, match=rf"{name} should be .*Received: .*another"):
        typed(document)
    del holder[name]
    with pytest.raises(RecordError, match=f"should have `{name}`"):
        typed(document)
    # Neither is written, and of a file the message tells the name.
    with pytest.raises(RecordError, match=f"`{name}`"):
        write_record(tmp_path / "new.json", document)
    assert not list(tmp_path.iterdir())
    (tmp_path / "old.json").write_text(json.dumps(document))
    with pytest.raises(RecordError, match=f"old.json.* `{name}`"):
        load_records(tmp_path)


def test_what_is_not_known_is_passed_over_and_what_is_absent_was_as_usual():
    document = copy.deepcopy(DOCUMENTS["training"])
    document["settings"] |= {"weather": "fine"}
    document["results"]["weather"] = ["fine"]
    settings = typed(document).settings
    assert settings.stated["weather"] == "fine" and not settings.matched
    assert settings.network == "PyramidNet (20, 24)"
    other = typed({**document, "kind": "weather"})
    assert other.settings.stated == document["settings"]


@pytest.mark.parametrize("error", [TypeError, KeyError, AttributeError, ValueError])
def test_mistakes_of_a_table_are_no_faults_of_the_records(error, monkeypatch):
    def mistaken(records):
        raise error("ours")

    monkeypatch.setitem(rendering.TABLES, "svm", mistaken)
    with pytest.raises(error, match="ours"):
        rendering.render_table("svm", [DOCUMENTS["svm"]])


HUGE = 10**400
HAND_EDITED = [
    ("training", "results.last.test_accuracy", 1.5),
    ("training", "results.best_validation.test_accuracy", -0.5),
    ("training", "results.test_images", 0),
    ("training", "results.seconds", HUGE),
    ("training-speed", "results.keras_to_torch", None),
    ("training-speed", "results.keras_to_torch_range", []),
    ("svm", "results.rows.0.cipher", "another"),
    ("svm", "results.rows.0.test_accuracy", 2),
    ("dataset", "results.runs", []),
    ("dataset", "results.runs.0.seconds", 0),
    ("errata", "settings.mu_range", [1]),
    ("jpeg", "results.points", []),
    ("jpeg", "results.points.0.bits_per_pixel", HUGE),
    ("jpeg", "results.points.0.quality", 0),
    ("jpeg", "results.points.0.ms_ssim", 1.5),
    ("jpeg", "results.points.0.cipher", "another"),
    ("errata", "results.lyapunov_high", float("inf")),
    ("errata", "results.float32_states_most", HUGE),
    ("bench", "results.throughput.256x32x32x3.encrypt.le.Keras layer", [1]),
    ("hybrid", "results.savings.0.coded_bytes", 0),
    ("hybrid", "results.speed.0.megabytes_per_second.median", None),
    ("cipher-throughput", "results.rows.0.to_copy_range", [1, 2, 3]),
]


@pytest.mark.parametrize(("kind", "path", "value"), HAND_EDITED)
def test_what_no_measurement_gives_is_refused(kind, path, value, tmp_path):
    document = copy.deepcopy(DOCUMENTS[kind])
    holder, name = inside(document, path)
    holder[name] = value
    # As hand-edited text: 1e999 is read as infinity.
    text = json.dumps(document).replace("Infinity", "1e999")
    (tmp_path / "edited.json").write_text(text)
    with pytest.raises(RecordError, match=r"edited.json.*should (be|hold|stand)"):
        load_records(tmp_path)


def test_half_a_character_is_refused(tmp_path):
    document = copy.deepcopy(DOCUMENTS["svm"])
    document["environment"]["cpu"] = "\ud800"
    (tmp_path / "edited.json").write_text(json.dumps(document))
    with pytest.raises(RecordError, match="edited.json is damaged"):
        load_records(tmp_path)
    with pytest.raises(RecordError):
        write_record(tmp_path / "new.json", document)


def test_a_network_that_is_not_stated_is_said_to_be():
    document = copy.deepcopy(DOCUMENTS["training-speed"])
    document["settings"] |= {"network_words": None, "alpha": None}
    assert "not stated" in rendering.render_table("training-speed", [document])
