"""The table of what networks and the exact attack make of pairs under one key."""

import pytest

from tfpe.lab.records import typed
from tfpe.lab.tables.leaked_pairs_table import leaked_pairs_tables

ENVIRONMENT = {"date": "2026", "cpu": "Abacus", "cores": 2, "tfpe": "0"}


def curve(attack, points, cipher="le", images="cifar10", **options):
    """A record of a curve; points are (pairs, key, error, SSIM)."""
    settings = {"attack": attack, "cipher": cipher, "images": images, "unseen": 500}
    settings |= {"evidence_kind": "queries" if "chosen" in attack else "pairs"}
    points = [
        {"evidence": pairs, "key": key, "error": error, "ssim": ssim}
        for pairs, key, error, ssim in points
    ]
    return typed(
        {
            "kind": "attack-curve",
            "settings": settings | {"cipher_options": options},
            "results": {"points": points},
            "environment": ENVIRONMENT,
        }
    )


LEARNED = curve("inverse_network", [(1, 0, 60.0, 0.1), (1, 1, 62.0, 0.2), (9, 0, 5, 1)])


def test_what_is_learned_stands_beside_the_exact_attack():
    # 1 pair is right by luck; with 2 one key is wrong, with 3 one attack raised.
    exact = [(1, 0, 0, None), (1, 1, 0, None), (2, 0, 0.0, None), (2, 1, 3.0, None)]
    exact += [(3, 0, None, None), (3, 1, 0, None), (4, 0, 0.4, None), (4, 1, 0, None)]
    exact = curve("known_plaintext", [*exact, (5, 0, 0, None)])
    others = [
        curve("block_known_plaintext", [(5, 0, 0, None)]),
        curve("chosen_plaintext", [(1, 0, 0, None)]),
    ]
    [table] = leaked_pairs_tables([LEARNED, exact, *others])
    assert table.header == ["cipher", "1 pair", "9 pairs", "exact attack"]
    assert [cell.text for cell in table.rows[0]] == [
        *("le", "61.0 (0.15)", "5.0 (1.00)", "4 pairs (known_plaintext)")
    ]
    assert "500 unseen" in table.notes[0] and "cifar10" in table.caption


@pytest.mark.parametrize(
    "other",
    [
        curve("known_plaintext", [(2, 0, 0.0, None)], block_size=8),
        curve("known_plaintext", [(2, 0, 0.0, None)], images="digits"),
        curve("known_plaintext", [(2, 0, 0.0, None)], cipher="ele"),
    ],
)
def test_an_exact_attack_on_something_else_is_not_shown(other):
    [table] = leaked_pairs_tables([LEARNED, other])
    assert table.rows[0][-1].text == "not measured"
    assert not leaked_pairs_tables([other])


def test_an_exact_attack_that_stays_wrong_is_told():
    [table] = leaked_pairs_tables(
        [LEARNED, curve("known_plaintext", [(2, 0, 0.0, None), (7, 0, 0.5, None)])]
    )
    assert table.rows[0][-1].text == "not by 7 pairs"
