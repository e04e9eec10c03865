"""What cells and notes of tables say, for all that a record may hold or lack."""

import copy
import dataclasses
import itertools

import pytest
import report_records as make

from tfpe.attacks.evidence import MODELS
from tfpe.errors import RecordError
from tfpe.lab.records import typed
from tfpe.lab.records.attack_records import Outcome
from tfpe.lab.table import NONE
from tfpe.lab.tables import scorecard_table as cells
from tfpe.lab.tables.accuracy import comparison_table
from tfpe.lab.tables.attack_tables import (
    attack_table,
    metrics_table,
    terminal_attack_table,
)
from tfpe.lab.tables.scorecard import Row

MODEL = "known plaintext"


@pytest.fixture(scope="module")
def document():
    return make.evaluation("logistic", gallery=False)


def outcome(outcome, count=2, **fields):
    row = {"attack": "known_plaintext", "threat_model": MODEL, "outcome": outcome}
    row |= {"evidence": {"kind": "pairs", "count": count}}
    record = make.evaluation("negpos", gallery=False)
    record["results"]["attacks"] = [row]
    [found] = typed(record).results.attacks
    return Outcome(**{**vars(found), **fields})


def row(**fields):
    return Row(**({"name": "le", "cipher": "le", "evaluated": True} | fields))


def test_evidence_in_words_and_in_order():
    shown = {
        "2": outcome("recovered"),
        "3 (2 keys)": outcome("recovered", 3, keys=2),
        "12,000, or mirrored": outcome("recovered", 12_000, up_to="mirror"),
        "partly: 1": outcome("partial", 1),
        "not by 1": outcome("failed", 1),
    }
    found = [
        cells.evidence_cell(row(evidence={MODEL: o}), MODEL) for o in shown.values()
    ]
    assert [cell.text for cell in found] == list(shown)
    values = [cell.value for cell in found]
    assert values == sorted(set(values)), "what needs less sorts first"
    assert [cell.tone for cell in found] == ["bad"] * 3 + ["fair", "good"]
    none = outcome("recovered", None)
    assert cells.evidence_cell(row(evidence={MODEL: none}), MODEL).text == "?"
    assert cells.evidence_cell(row(evaluated=False), MODEL) == cells.NOT_MEASURED
    assert cells.evidence_cell(row(cipher="plain"), MODEL) == NONE
    for model, said in {MODEL: "no use", "ciphertext only": "none tried"}.items():
        assert cells.evidence_cell(row(per_image=True), model) == said
    assert cells.evidence_cell(row(), MODEL) == "none tried"


def test_costs_in_words():
    plain = row(name="plain", cipher="plain", drop=0.0, speed=1.0)
    for cell in (cells.drop_cell, cells.speed_cell, cells.key_space_cell):
        assert cell(plain) == NONE
    assert cells.accuracy_cell(row()) == cells.NOT_MEASURED
    assert cells.drop_cell(row()) == NONE
    assert cells.drop_cell(row(accuracy=0.5)) == cells.NOT_MEASURED
    assert cells.drop_cell(row(accuracy=0.5, drop=0.1)).text == "10.00"
    assert cells.speed_cell(row()) == cells.NOT_MEASURED
    assert cells.speed_cell(row(speed=2.0, per_image=True)) == NONE
    assert cells.speed_cell(row(speed=2.0)).text == "2.00"
    assert cells.speed_cell(row(speed=2.0, speed_to_aes=0.5)).text == "2.00 (0.50x)"
    assert cells.key_space_cell(row()) == cells.NOT_MEASURED
    bits = cells.key_space_cell(row(claimed_bits=30_295.2, effective_bits=5_822.0))
    assert (bits.text, bits.value) == ("30,295 / 5,822", 5_822.0)
    assert cells.key_space_cell(row(claimed_bits=8.0)).text == f"8 / {NONE}"


@pytest.mark.parametrize(
    "ssim, tone",
    [
        (None, ""),
        (0.0, "good"),
        (0.299, "good"),
        (0.3, "fair"),
        (0.9, "bad"),
        (1, "bad"),
    ],
)
def test_tones_of_what_is_seen(ssim, tone):
    best = None if ssim is None else outcome("partial", ssim=ssim)
    cell = cells.ssim_cell(row(best=best, cipher_ssim=0.25))
    after = NONE if ssim is None else f"{ssim:.2f}"
    assert (cell.text, cell.tone, cell.value) == (f"0.25 → {after}", tone, ssim)


def test_names_sort_behind_their_cipher():
    names = ["plain", "le", "le, block_size 2", "ele"]
    ciphers = ["plain", "le", "le", "ele"]
    found = [
        cells.name_cell(row(name=name, cipher=cipher))
        for name, cipher in zip(names, ciphers, strict=True)
    ]
    values = [cell.value for cell in found]
    assert values == sorted(set(values))
    assert [cell.tone for cell in found] == ["", "code", "", "code"]


def test_only_changed_options_are_named(document):
    document = copy.deepcopy(document)
    settings, results = document["settings"], document["results"]
    usual = settings["cipher_options"] = {"block_size": 4, "word_bits": 4}
    options = [usual, usual | {"block_size": 2}, None]
    usual_row = results["attacks"][0]
    results["attacks"] = [usual_row | {"cipher_options": one} for one in options]
    results["variants"] = None
    table = terminal_attack_table(typed(document))
    names = [cells[0].text for cells in table.rows]
    assert names == ["chosen plaintext", "chosen plaintext (block_size=2)"] + names[:1]


def test_tests_of_keystreams_are_counted(document):
    document = copy.deepcopy(document)

    def stream(*passed):
        tests = {f"test_{n}": {"passed": one} for n, one in enumerate(passed)}
        return {"statistical_tests": tests}

    for streams, said in {
        (True, True, None): "passes 2 of 2 tests of SP 800-22.",
        (
            True,
            False,
            False,
        ): "passes 1 of 3 tests of SP 800-22; it fails: test 1, test 2.",
        (None,): None,
        (): None,
    }.items():
        metrics = document["results"]["metrics"]
        metrics["keystream"] = {"applied": stream(*streams)}
        notes = [n for n in metrics_table(typed(document)).notes if "800-22" in n]
        assert notes == ([f"The mask as applied {said}"] if said else [])


def test_limits_of_noise_in_words(document):
    document = copy.deepcopy(document)
    for low, high in itertools.product((None, 0.0, 0.25), (None, 0.0, 0.5)):
        metric = {"value": 0.5, "limits": [low, high]}
        document["results"]["metrics"] = {"ssim": metric}
        [shown] = metrics_table(typed(document)).rows
        parts = [] if low is None else [f"at least {low:.4g}"]
        parts += [] if high is None else [f"at most {high:.4g}"]
        both = f"{low:.4g} to {high:.4g}" if len(parts) == 2 else (parts or [NONE])[0]
        assert shown[-1].text == both


def test_outcomes_sort_by_how_bad_they_are(document):
    document = copy.deepcopy(document)
    usual = document["results"]["attacks"][0]
    told = ("recovered", "partial", "failed")
    document["results"]["attacks"] = [usual | {"outcome": one} for one in told]
    table = attack_table(typed(document).results.attacks)
    found = [shown[table.header.index("outcome")] for shown in table.rows]
    assert [cell.text for cell in found] == list(told)
    assert [cell.tone for cell in found] == ["bad", "fair", "good"]
    assert [cell.value for cell in found] == [0, 1, 2]
    assert {shown[table.header.index("keys")].text for shown in table.rows} == {"1"}


@pytest.mark.parametrize("length", [78, 79, 80, 81, 500])
def test_a_value_that_is_refused_is_shown_in_80_letters(length, document):
    document = copy.deepcopy(document)
    value = "x" * (length - 2)
    document["settings"]["count"] = value
    with pytest.raises(RecordError) as error:
        typed(document)
    shown = str(error.value).partition("Received: ")[2]
    assert shown == (repr(value) if length <= 80 else f"{repr(value)[:77]}...")


@pytest.mark.parametrize("unit", sorted({unit for _, unit in MODELS.values()}))
def test_evidence_of_every_kind_is_counted_in_words(unit):
    found = outcome("failed")
    for count, ending in ((1, ""), (2, "s")):
        amount = dataclasses.replace(found.evidence, kind=unit, count=count)
        words = dataclasses.replace(found, evidence=amount).amount
        assert words.startswith(f"{count} ") and words.endswith(ending)
        assert words.endswith("s") == (count > 1)


@pytest.mark.parametrize("epochs, words", [(1, ", 1 epoch, "), (3, ", 3 epochs, ")])
def test_a_comparison_of_one_epoch_is_of_one(epochs, words):
    record = typed(make.training("plain", 0.5, epochs=epochs))
    assert words in comparison_table([record]).caption
