"""Captions tell tables of other conditions apart, and nothing twice. Budget: 5 s."""

from hypothesis import given
from hypothesis import strategies as st
from test_tables import training

from tfpe.lab.records import typed
from tfpe.lab.tables.accuracy import training_tables

COUNTS = {9000: 9000}  # settings -> what was trained on
# Some of them are missing, as in older records.
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "dataset": st.sampled_from(["cifar10", "digits"]),
        "recipe": st.sampled_from(["small", "matched"]),
        "train_images": st.sampled_from([0, 9000]),
        "learning_rate": st.sampled_from([0.1, 0.2]),
        "normalization": st.sampled_from([None, "centered", "folded"]),
        "matched": st.booleans(),
        "network_words": st.sampled_from(["a network", "PyramidNet (20, 24)"]),
        "shakedrop": st.sampled_from([0, 0.5]),
        "depth": st.sampled_from([20, 38]),
    },
)


def records(settings):
    made = [training("plain", 0.5, 0.5, **one) for one in settings]
    for one, record in zip(settings, made, strict=True):
        record["results"]["train_images"] = COUNTS.get(one.get("train_images"), 45_000)
    return list(map(typed, made))


def captions(*settings):
    return [table.notes[0] for table in training_tables(records(settings))]


@given(st.lists(SETTINGS, min_size=2, max_size=5))
def test_tables_of_other_conditions_are_told_apart(settings):
    told = captions(*settings)
    assert len(set(told)) == len(told)
    # What a record does not state is no condition of it.
    assert "None" not in "".join(told)


@given(st.lists(SETTINGS, min_size=1, max_size=4))
def test_what_a_table_has_is_told_in_any_order(settings):
    assert set(captions(*settings)) == set(captions(*reversed(settings)))


def test_what_is_said_is_not_said_again():
    small = {"recipe": "small", "learning_rate": 0.2, "train_images": 0}
    part = small | {"train_images": 9000}
    matched = {"recipe": "matched", "learning_rate": 0.002, "matched": True}
    for told in captions(small, part, matched):
        after = told.partition("epochs: 30; ")[2]
        assert after.startswith("one seed; "), told
    slow, fast = captions(small, small | {"learning_rate": 0.1}, matched)[:2]
    assert "learning_rate: 0.2" in slow and "learning_rate: 0.1" in fast
    wide, old = captions(small | {"width": 2}, small)
    assert "; width: 2;" in wide and "width" not in old
    for told in captions({"train_images": 0}, {"train_images": 45_000}):
        assert "train_images: " in told


def test_a_network_that_fits_is_said_to():
    [told] = captions({"matched": True, "recipe": "small", "network_words": "P"})
    assert "recipe small: the network that fits each cipher; 45,000 " in told
