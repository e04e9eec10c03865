"""The scorecard: the right record in the right cell, and words where there is none."""

import copy

import pytest
import report_records as make

from tfpe.errors import RecordError
from tfpe.lab.records import typed
from tfpe.lab.tables.rendering import render_table
from tfpe.lab.tables.scorecard import scorecard


@pytest.fixture(scope="module")
def logistic():
    return make.evaluation("logistic", "cifar10")


def cells(records):
    """Rows of the Markdown table by their first cell."""
    lines = [line for line in render_table("scorecard", records).splitlines()]
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return {row[0].strip("`"): row[1:] for row in rows[2:]}


def with_outcomes(record, *rows):
    record = copy.deepcopy(record)
    usual = {"attack": "a", "threat_model": "known plaintext"}
    record["results"]["attacks"] = [
        usual | row | {"evidence": {"kind": "pairs", "count": count}}
        for count, row in rows
    ]
    return record


def test_row_holds_what_the_records_hold(logistic):
    records = [
        make.training("plain", 0.6),
        make.training("logistic", 0.5),
        make.training("logistic", 0.52, seed=1),
        make.bench(logistic=3.0),
        logistic,
    ]
    # The attack on four real crops: three chosen images are exact.
    chosen = logistic["results"]["attacks"][0]
    assert chosen["outcome"] == "recovered" and chosen["ssim"] == 1
    plain, row = cells(records).values()
    assert plain == ["60.00 (59.0 to 61.0)", *["–"] * 7]
    assert row[:3] == ["51.00 (50.0 to 52.0)", "9.00", "3.00 (2.00x)"]
    assert row[3] == "30,295 / 5,822"
    assert row[4] == "3"
    assert row[5] == "partly: 2"
    assert row[6] == "partly: 1"
    before = logistic["results"]["metrics"]["ssim"]["value"]
    assert row[7] == f"{before:.2f} → 1.00"
    text = render_table("scorecard", records)
    assert "mean of 1 or 2 seeds" in text
    assert "Attacks: cifar10, 4 to 4" not in text and "4 images of 32 x 32 x 3" in text


def test_what_no_record_tells_is_said():
    assert render_table("scorecard", []) == "*Not measured yet.*"
    (row,) = cells([make.training("le", 0.5)]).values()
    assert row[1:] == ["not measured"] * 7
    (row,) = cells([make.bench(le=1.0)]).values()
    assert row[0] == "not measured" and row[2] == "1.00 (2.00x)"


def test_least_evidence_that_gave_everything_counts(logistic):
    record = with_outcomes(
        logistic,
        (2, {"outcome": "partial", "ssim": 0.999}),
        (7, {"outcome": "recovered", "ssim": 1.0}),
        (4, {"outcome": "recovered", "ssim": 1.0}),
        (1, {"outcome": "failed"}),
    )
    assert cells([record])["logistic"][5] == "4"
    record = with_outcomes(
        logistic,
        (9, {"outcome": "failed"}),
        (2, {"outcome": "partial", "ssim": 0.2}),
        (3, {"outcome": "partial", "ssim": 0.7}),
    )
    row = cells([record])["logistic"]
    assert row[5] == "partly: 3" and row[7].endswith("→ 0.70")
    assert row[4] == row[6] == "none tried"
    record = with_outcomes(logistic, (5, {"outcome": "failed"}))
    assert cells([record])["logistic"][5] == "not by 5"


def test_a_key_for_each_image_leaves_attacks_on_one_ciphertext(logistic):
    records = [make.training("logistic", 0.5, per_image=True), logistic]
    row = cells(records)["logistic, a key for each image"]
    assert row[4:7] == ["no use", "no use", "partly: 1"]
    seen = logistic["results"]["attacks"][2]["ssim"]
    assert row[7].endswith(f"→ {seen:.2f}")


def test_other_options_are_another_cipher(logistic):
    # The attacks on the usual one say nothing of it.
    options = {"select": False}
    own = make.training("logistic", 0.5, per_image=True, cipher_options=options)
    shown = cells([own, logistic])["logistic, select False, a key for each image"]
    assert shown[0].startswith("50.00") and set(shown[3:]) <= {"–", "not measured"}
    text = render_table("summary", [own, make.training("pbe", 0.4), logistic])
    assert "select" not in text and "`logistic`" in text


def test_one_data_set_and_one_set_of_images(logistic):
    photographs = copy.deepcopy(logistic)
    photographs["settings"]["images"] = "photographs"
    records = [
        make.training("plain", 0.9, dataset="digits"),
        make.training("ele", 0.8, dataset="digits"),
        make.training("plain", 0.5),
        photographs,
        logistic,
    ]
    records = list(map(typed, records))
    card = scorecard(records)
    assert [row.name for row in card.rows] == ["plain", "logistic"]
    assert card.rows[0].accuracy == 0.5 and card.images == "cifar10"
    assert scorecard(records[:2]).rows[1].drop == pytest.approx(0.1)


def test_newer_records_replace_older_ones(logistic):
    older = copy.deepcopy(logistic)
    older["environment"]["date"] = "2020-01-01"
    older["results"]["key_space"] = {"claimed_bits": 1.0, "effective_bits": None}
    assert cells([logistic, older])["logistic"][3] == "30,295 / 5,822"
    assert cells([older])["logistic"][3] == "1 / –"


def test_records_that_lack_something_are_refused(logistic):
    broken = copy.deepcopy(logistic)
    del broken["results"]["attacks"][0]["outcome"]
    with pytest.raises(RecordError, match="outcome"):
        render_table("scorecard", [broken])
    broken["results"]["attacks"][0]["outcome"] = "perhaps"
    with pytest.raises(RecordError, match="perhaps"):
        render_table("scorecard", [broken])


def test_attacks_on_each_set_of_images_have_a_table(logistic):
    photographs = copy.deepcopy(logistic)
    photographs["settings"] |= {"images": "photographs", "note": "cut small"}
    records = [photographs, make.training("plain", 0.5), logistic]
    text = render_table("attacks", records)
    assert text.index("Attacks: cifar10") < text.index("Attacks: photographs")
    rows = [line for line in text.splitlines() if line.startswith("| `logistic`")]
    assert [row.split(" | ")[2:5] for row in rows] == [
        ["3", "partly: 2", "partly: 1"]
    ] * 2
    assert "(cut small)" in text and "plain" not in text
    assert len(render_table("attacks images=photographs", records)) < len(text)


def test_readme_shows_plain_and_one_published_cipher_of_each_kind(logistic):
    names = ["iib", "shuffle", "keystream", "ffx", "etc_gray", "etc", "pbe", "ele"]
    trainings = [make.training(name, 0.5) for name in [*names, "plain", "logistic"]]
    trainings.append(make.training("pbe", 0.4, per_image=True))
    text = render_table("summary", [*trainings, logistic])
    rows = [line.split(" | ")[0].strip("| `") for line in text.splitlines()[2:]]
    per_image = "pbe, a key for each image"
    shown = ["plain", "ele", "pbe", per_image, "logistic", "etc", "ffx"]
    assert [row for row in rows if row][: len(shown)] == shown
    assert text.count("\n| ") == len(shown)
