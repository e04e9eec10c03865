"""The SVM experiment: isometries change no prediction, other ciphers do."""

import numpy as np
import pytest
from key_arrays import BYTES
from sklearn.svm import SVC

import tfpe
from tfpe.lab.records import read_record
from training import svm
from training.cli import main
from training.images import load

KEY = tfpe.Key(bytes(range(32)))
ISOMETRIES = {
    "plain",
    "identity",
    "etc",
    "etc_gray",
    "iib",
    "pbe",
    "shuffle",
    "negpos",
    "blockshuffle",
}


@pytest.fixture(scope="module")
def digits():
    return svm.subset(load("digits"), 300, 100, seed=3)


@pytest.fixture(scope="module")
def rows(digits):
    return svm.run_svm(digits, BYTES, KEY)


@pytest.mark.parametrize("cipher", ["plain", *BYTES])
def test_isometries_and_only_they_predict_as_on_plain_images(rows, cipher):
    both = [row for row in rows if row["cipher"] == cipher]
    assert [row["kernel"] for row in both] == ["linear", "rbf"]
    for row in both:
        assert row["isometry"] == (cipher in ISOMETRIES)
        if row["isometry"]:
            assert row["predictions_equal_plain"] == 100
        else:
            assert row["predictions_equal_plain"] < 100


def test_the_classifier_has_learned_something(rows):
    [row] = [row for row in rows if (row["cipher"], row["kernel"]) == ("etc", "rbf")]
    assert row["test_accuracy"] > 0.6  # chance is 0.1


@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly"])
@pytest.mark.parametrize("cipher", ["etc", "pbe", "shuffle"])
def test_kernels_of_scikit_learn_agree_exactly_too(digits, cipher, kernel):
    """Not the predicted classes only: no decision value differs by a bit."""
    transform = tfpe.CIPHERS[cipher](KEY, (32, 32, 3))
    x, y = digits.x_train[:150], digits.y_train[:150]

    def decisions(change):
        model = SVC(kernel=kernel, C=0.01, gamma=0.001, degree=2)
        model.fit(svm.centred(change(x)), y)
        return model.decision_function(svm.centred(change(digits.x_test[:50])))

    assert np.array_equal(decisions(transform), decisions(lambda images: images))


def test_another_key_for_the_test_images_is_not_the_same(digits):
    other = tfpe.ciphers.shuffle(tfpe.Key(bytes(32)), (32, 32, 3))
    one = tfpe.ciphers.shuffle(KEY, (32, 32, 3))
    model = SVC(gamma=0.001).fit(svm.centred(one(digits.x_train)), digits.y_train)
    right = model.predict(svm.centred(one(digits.x_test)))
    wrong = model.predict(svm.centred(other(digits.x_test)))
    assert np.mean(wrong == digits.y_test) < np.mean(right == digits.y_test) - 0.3


def test_images_are_padded_alike_for_all_ciphers(digits):
    """Sizes that no block divides: else an isometry of other borders would differ."""
    small = svm.dataclasses.replace(
        digits, x_train=digits.x_train[:, :30, :27], x_test=digits.x_test[:, :30, :27]
    )
    for row in svm.run_svm(small, ["etc", "etc_gray", "shuffle"], KEY):
        assert row["predictions_equal_plain"] == 100


def run(*arguments):
    return main(["svm", *arguments])


def test_command_writes_a_record_and_prints_a_table(tmp_path, capsys):
    small = ("--train-images", "100", "--test-images", "50", "--out", str(tmp_path))
    assert run("--ciphers", "negpos,le", *small) == 0
    record = read_record(tmp_path / "svm-digits.json")
    assert record["settings"]["test_images"] == 50
    assert record["settings"]["source"] == "embedded"
    cells = [(row["cipher"], row["kernel"]) for row in record["results"]["rows"]]
    assert cells == [(c, k) for c in ("plain", "negpos", "le") for k in svm.kernels()]
    assert "negpos" in capsys.readouterr().out
    # Other settings would be lost, and that is said before anything is measured.
    assert run("--ciphers", "negpos,le", "--seed", "1", *small) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "differs in ['key_fingerprint', 'seed']" in line
    assert run("--ciphers", "enigma", *small) == 1
    assert "enigma" in capsys.readouterr().err
    for wrong in (("--train-images", "0"), ("--gamma", "nan"), ("--c", "-1")):
        with pytest.raises(SystemExit):
            run(*wrong)
