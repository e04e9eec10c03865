"""What opens the hybrid without a nonce, and not with one."""

import numpy as np
import pytest

from tfpe import Key
from tfpe.attacks.hybrid_chosen_plaintext import hybrid_chosen_plaintext
from tfpe.errors import AttackError
from tfpe.hybrid import CodeTable, Container, Hybrid
from tfpe.hybrid.bit_stream import write_bits
from tfpe.hybrid.pairing import arrange, to_symbols

SHAPE = 16, 24, 3


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    return CodeTable.public([rng.integers(0, 40, (64, 64, 3), np.uint8)])


@pytest.mark.parametrize("seed", range(3))
def test_two_chosen_images_open_all_others_without_a_nonce(table, seed, rng):
    secret = Hybrid(Key(bytes(32)).derive(seed), table=table, nonce=False)
    stream, order = hybrid_chosen_plaintext(secret, SHAPE, table)
    image = rng.integers(0, 256, SHAPE, np.uint8)
    symbols = to_symbols(arrange(image, "crt", "horizontal"), "crt")[:, order]
    bits, _, _ = write_bits(symbols.reshape(-1), table)
    payload = Container.from_bytes(secret(image)).payload
    assert (bits ^ stream[: bits.size]).tobytes() == payload


def test_a_nonce_keeps_it_out(table):
    secret = Hybrid(Key(bytes(32)), table=table)
    with pytest.raises(AttackError):
        hybrid_chosen_plaintext(secret, SHAPE, table)
