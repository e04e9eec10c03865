"""The verdict of a security card: that of the weakest attacker who gets through."""

import copy
import itertools

import pytest
import report_records as make

from tfpe.lab.page.cards import cipher_cards, in_seconds
from tfpe.lab.records import typed

# From the attacker who has least; whoever succeeds with less is worse news.
MODELS = {
    "ciphertext only": "falls to ciphertexts alone",
    "known plaintext": "falls to known images",
    "chosen plaintext": "falls to chosen images",
}
OUTCOMES = ("recovered", "partial", "failed", None)


@pytest.fixture(scope="module")
def record():
    return make.evaluation("logistic", gallery=False)


def verdict_of(record, outcomes):
    """What the card says where the attacks of each model had these outcomes."""
    record = copy.deepcopy(record)
    usual = record["results"]["attacks"][0]
    record["results"]["attacks"] = [
        usual | {"attack": "known_plaintext", "threat_model": model, "outcome": outcome}
        for model, outcome in outcomes
    ]
    [card] = cipher_cards([typed(record)])
    return card.verdict, card.tone


@pytest.mark.parametrize("order", list(itertools.permutations(MODELS)))
def test_the_worst_news_comes_first(order, record):
    for outcomes in itertools.product(OUTCOMES, repeat=len(MODELS)):
        told = [pair for pair in zip(order, outcomes, strict=True) if pair[1]]
        through = [model for model, outcome in told if outcome == "recovered"]
        if through:
            expected = MODELS[min(through, key=list(MODELS).index)], "bad"
        elif any(outcome == "partial" for _, outcome in told):
            expected = "gives way in part", "fair"
        elif told:
            expected = "no measured attack got through", "good"
        else:
            expected = "no attack measured", ""
        assert verdict_of(record, told) == expected


def test_one_success_among_failures_is_what_counts(record):
    for others in itertools.permutations(["failed", "partial", "recovered"]):
        told = [("known plaintext", outcome) for outcome in others]
        assert verdict_of(record, told) == (MODELS["known plaintext"], "bad")


@pytest.mark.parametrize(
    "seconds, words",
    [(0, "under 1 ms"), (0.00099, "under 1 ms"), (0.001, "1 ms"), (0.999, "999 ms")]
    + [(1, "1.0 s"), (119.9, "119.9 s"), (120, "2.0 min"), (3600, "60.0 min")],
)
def test_times_in_words(seconds, words):
    assert in_seconds(seconds) == words
