"""Key spaces: those of the design, and effective ones counted key by key."""

import itertools
import math

import numpy as np
import pytest

from tfpe import CIPHERS, ciphers


def test_key_spaces_of_the_design():
    def bits(name, **options):
        return CIPHERS[name].key_space((32, 32, 3), **options)

    log2_96 = math.log2(math.factorial(96))
    log2_64 = math.log2(math.factorial(64))
    log2_48 = math.log2(math.factorial(48))
    log2_256 = math.log2(math.factorial(256))
    pbe = 3072 + 1024 * math.log2(6)
    assert round(pbe) == 5719 and round(log2_96, 1) == 498.3
    expected = {
        "le": (log2_96 + 96, log2_96),
        "ele": (64 * (log2_96 + 96) + log2_64, 64 * log2_96 + log2_64),
        "pbe": (pbe, pbe),
        "logistic": (8 * 3072 + pbe, 103 + pbe),
        "etc": 2 * (log2_64 + 64 * (3 + 1 + math.log2(6)),),
        "etc_gray": 2 * (log2_48 + 48 * 4,),
        "iib": 2 * (log2_64 + 64 * (4 * 3 + 1 + math.log2(6)),),
        "ffx": 2 * (log2_256 + math.log2(math.comb(48, 24)),),
        "orthogonal": 2 * (15 * 24 * 47 + 1,),
        "identity": (0, 0),
        "negpos": (3072, 3072),
        "shuffle": 2 * (math.lgamma(3073) / math.log(2),),
        "blockshuffle": 2 * (log2_48,),
        "keystream": (24576, 256),
    }
    assert set(expected) == set(CIPHERS)
    for name, figures in expected.items():
        assert bits(name) == pytest.approx(figures, rel=1e-12)
    assert bits("le", reversal="independent").effective == bits("le").claimed
    assert bits("le", word_bits=8).effective == pytest.approx(log2_48)
    shared = bits("logistic", stream="shared", chaos="shake256")
    assert shared == pytest.approx((8 * 3072 + pbe, 256 + pbe))
    assert bits("pbe", channel_shuffle=False) == (3072, 3072)
    # The paper's count, N! 2^N 6^N 8^(s N), at 16 x 16 and 8 x 8; and variants.
    for_jpeg = {"block_size": 16, "sub_block_size": 8}
    paper = math.log2(24) + 4 * (1 + math.log2(6) + 4 * 3)
    assert bits("iib", **for_jpeg) == pytest.approx((paper, paper))
    tripled = bits("iib", **for_jpeg, turns="per_channel").effective
    assert tripled == pytest.approx(paper + 2 * 4 * 4 * 3)
    moved = bits("iib", **for_jpeg, sub_block_shuffle=True, block_shuffle=False)
    assert moved.effective == pytest.approx(paper + 4 * math.log2(24) - math.log2(24))


ORDERS_2, ORDERS_3, ORDERS_4 = (
    list(itertools.permutations(range(n))) for n in (2, 3, 4)
)
PIXEL_BITS = [np.reshape(b, (1, 1, 3)) for b in itertools.product([0, 1], repeat=3)]
BITS_2 = list(itertools.product([0, 1], repeat=2))
ENUMERATED = {
    "pbe": (
        (1, 1, 3),
        {},
        ciphers.pbe_transform,
        (PIXEL_BITS, [[[code]] for code in range(6)]),
    ),
    "etc": (
        (2, 2, 3),
        {"block_size": 2},
        lambda *m: ciphers.etc_transform([0], *m, (2, 2, 3), 2),
        ([[o] for o in range(8)], [[0], [1]], [[code] for code in range(6)]),
    ),
    "etc, block_size 1": (
        (1, 2, 1),
        {"block_size": 1, "channel_shuffle": False},
        lambda *m: ciphers.etc_transform(m[0], [0, 0], m[1], None, (1, 2, 1), 1),
        (ORDERS_2, BITS_2),
    ),
    "etc_gray": (
        (1, 1, 3),
        {"block_size": 1},
        lambda order, n: ciphers.etc_gray_transform(order, [5] * 3, n, (1, 1, 3), 1),
        (ORDERS_3, list(itertools.product([0, 1], repeat=3))),
    ),
    "iib": (
        (4, 2, 1),
        {"block_size": 2, "sub_block_size": 1, "sub_block_shuffle": True},
        lambda order, a, b, n: ciphers.iib_transform(
            order, [[0, 7, 3, 1]] * 2, n, None, (4, 2, 1), 2, 1, [a, b]
        ),
        (ORDERS_2, ORDERS_4, ORDERS_4, BITS_2),
    ),
    "iib, per channel": (
        (2, 2, 3),
        {"block_size": 2, "sub_block_size": 2, "turns": "per_channel"},
        lambda turns, n, code: ciphers.iib_transform(
            [0], [[turns]], n, code, (2, 2, 3), 2, 2
        ),
        (
            list(itertools.product(range(8), repeat=3)),
            [[0], [1]],
            [[code] for code in range(6)],
        ),
    ),
    "le": (
        (2, 2, 3),
        {"block_size": 1},
        lambda order: ciphers.le_transform(order, (2, 2, 3), 1),
        (list(itertools.permutations(range(6))),),
    ),
    "le, independent": (
        (2, 2, 1),
        {"block_size": 1, "reversal": "independent"},
        lambda order, mask: ciphers.le_transform(order, (2, 2, 1), 1, mask),
        (ORDERS_2, BITS_2),
    ),
    "ele, independent": (
        (1, 2, 1),
        {"block_size": 1, "reversal": "independent"},
        lambda a, b, order, m, n: ciphers.ele_transform(
            [a, b], order, (1, 2, 1), 1, [m, n]
        ),
        (ORDERS_2, ORDERS_2, ORDERS_2, BITS_2, BITS_2),
    ),
    "shuffle": (
        (1, 1, 3),
        {},
        lambda perm: ciphers.shuffle_transform(perm, (1, 1, 3)),
        (ORDERS_3,),
    ),
    "blockshuffle": (
        (2, 3, 3),
        {"block_size": 1},
        lambda perm: ciphers.blockshuffle_transform(perm, (2, 3, 3), 1),
        (ORDERS_3,),
    ),
}


@pytest.mark.parametrize("name", ENUMERATED)
def test_effective_key_space_counts_distinct_transforms(name):
    """All key material of a tiny image, one by one."""
    shape, options, builder, material = ENUMERATED[name]
    distinct = set()
    for values in itertools.product(*material):
        transform = builder(*values).refine(1)
        distinct.add((transform.perm.tobytes(), transform.mask.tobytes()))
    space = CIPHERS[name.partition(",")[0]].key_space(shape, **options)
    assert math.log2(len(distinct)) == pytest.approx(space.effective)
