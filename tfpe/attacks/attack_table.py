"""The table of attacks: what each takes, which traits of a cipher it needs, and where
it was published."""

from types import MappingProxyType

from tfpe.algebra.structure import IMAGE
from tfpe.attacks.attack import CHANGES, KEY, PICTURES, Attack
from tfpe.attacks.block_statistics import block_statistics
from tfpe.attacks.chang_case import (
    chang_case_advanced,
    chang_case_basic,
    chang_case_le,
    chang_case_pbe,
)
from tfpe.attacks.chosen_plaintext import chosen_plaintext
from tfpe.attacks.ciphertext_only import FEWEST_IMAGES, ciphertext_only
from tfpe.attacks.evidence import MODELS
from tfpe.attacks.hybrid_chosen_plaintext import hybrid_chosen_plaintext
from tfpe.attacks.hybrid_known_plaintext import hybrid_known_plaintext
from tfpe.attacks.hybrid_lengths import hybrid_lengths
from tfpe.attacks.inverse_network import inverse_network
from tfpe.attacks.jigsaw import jigsaw, jigsaw_score, puzzle_of
from tfpe.attacks.key_sensitivity import key_sensitivity
from tfpe.attacks.known_model import known_model
from tfpe.attacks.known_plaintext import known_plaintext
from tfpe.attacks.learned.forms import has_network
from tfpe.attacks.least_squares import orthogonal_known_plaintext
from tfpe.attacks.mode_filter import mode_filter
from tfpe.attacks.nibble_statistics import nibble_statistics, numbers_of_images
from tfpe.attacks.pixel_chosen_plaintext import logistic_chosen_plaintext
from tfpe.attacks.repeated_blocks import (
    block_chosen_plaintext,
    block_known_plaintext,
)
from tfpe.attacks.seed_algorithm import seed_algorithm
from tfpe.attacks.table_statistics import substitution_statistics
from tfpe.attacks.value_tables import (
    substitution_chosen_plaintext,
    substitution_known_plaintext,
)

CHANG_CASE = "Chang & Case 2020, arXiv 2004.13263"
UNPUBLISHED = "not published elsewhere"
PAIRS = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


def _no_cipher(traits):
    """Containers are of none of the ciphers."""
    return False


_ROWS = (
    Attack(
        chosen_plaintext,
        ("oracle",),
        "3 chosen images of 32 x 32 (nibbles: 5), 4 of 224 x 224 (nibbles: 6)",
        lambda cipher: cipher.word_bits,
        "the key",
        "Jolfaei et al. 2016, IEEE TIFS 11(2), extended to masks",
        "O(n) a query",
    ),
    Attack(
        block_chosen_plaintext,
        ("oracle",),
        "1 chosen image: it holds the 3 chosen blocks of le",
        lambda cipher: cipher.word_bits and cipher.tied and not cipher.moves_blocks,
        "the key",
        "chosen_plaintext, on blocks",
        "O(n)",
    ),
    Attack(
        known_plaintext,
        ("pairs",),
        "pairs under one key: 1 (nothing moves), 3 (bytes) to 16 (nibbles)",
        lambda cipher: cipher.word_bits,
        "the key but for the positions that it lists as undetermined",
        "Li et al. 2008, doi 10.1016/j.image.2008.01.003, extended to masks",
        "O(N n log n) for N pairs",
        ladder=PAIRS,
        curve=(1, 2, 3, 4, 5, 6, 8, 12, 16),
    ),
    Attack(
        block_known_plaintext,
        ("pairs",),
        "1 pair, now and then 2, under one key: each block is a pair",
        lambda cipher: cipher.word_bits and cipher.tied and not cipher.moves_blocks,
        "the key but for the positions that it lists as undetermined",
        "known_plaintext, on blocks",
        "O(N n log n) for N pairs",
        ladder=PAIRS,
        curve=(1, 2, 3, 4),
    ),
    Attack(
        substitution_chosen_plaintext,
        ("oracle",),
        "1 chosen image of 32 x 32 (4 for a table of each place), 1 of 64 x 64",
        lambda cipher: cipher.substitutes and cipher.tied,
        "the key",
        UNPUBLISHED,
        "O(n)",
    ),
    Attack(
        substitution_known_plaintext,
        ("pairs",),
        "pairs under one key that hold every value: 2 to 16",
        lambda cipher: cipher.substitutes and cipher.tied,
        "the key but for the values that it lists as undetermined",
        UNPUBLISHED,
        "O(n)",
        ladder=PAIRS,
        curve=(1, 2, 3, 4, 6, 8, 12, 16),
    ),
    Attack(
        orthogonal_known_plaintext,
        ("pairs",),
        "1 pair of 32 x 32, 2 where it is flat, under one key",
        lambda cipher: cipher.rotates,
        "the key",
        UNPUBLISHED,
        "O(N n w) for N pairs, blocks of w values",
        ladder=PAIRS,
        curve=(1, 2, 3, 4),
    ),
    Attack(
        known_model,
        ("stems",),
        "a public model of patches, and the same matched to the key",
        lambda cipher: cipher.word_bits and cipher.region != IMAGE,
        "the key",
        UNPUBLISHED,
        "O(P w^3) for P patches of w words",
        largest=64,
    ),
    Attack(
        logistic_chosen_plaintext,
        ("oracle",),
        "2 chosen images",
        lambda cipher: cipher.word_bits and cipher.in_place,
        "the key",
        UNPUBLISHED,
        "O(n)",
    ),
    Attack(
        seed_algorithm,
        ("oracle",),
        "1 chosen image of a constant value",
        lambda cipher: cipher.negates and not cipher.moves_words,
        "the key",
        "Ahmad & Shin 2022, arXiv 2203.16780, Algorithm 1",
        "O(n)",
        form={"channel_shuffle": False},
    ),
    Attack(
        chang_case_le,
        ("oracle",),
        "16 helper blocks, which one image of 32 x 32 holds",
        lambda cipher: (
            cipher.tied
            and cipher.negates
            and cipher.word_bits == 8
            and not cipher.moves_blocks
        ),
        "the key",
        CHANG_CASE,
        "O(n)",
        form={"word_bits": 8},
    ),
    Attack(
        chang_case_pbe,
        ("oracle",),
        "1 chosen image, (1, 2, 3) everywhere",
        lambda cipher: cipher.in_place and cipher.negates,
        "the key",
        CHANG_CASE,
        "O(n)",
    ),
    Attack(
        chang_case_basic,
        ("ciphertexts",),
        "1 ciphertext, any key",
        lambda cipher: cipher.in_place and cipher.negates and cipher.keyed,
        "the image folded to 0 .. 127",
        CHANG_CASE,
        "O(n)",
        returns=PICTURES,
    ),
    Attack(
        chang_case_advanced,
        ("ciphertexts", "first_pixel"),
        "1 ciphertext, any key, and the plain value of its first pixel",
        lambda cipher: cipher.in_place and cipher.negates and cipher.keyed,
        "the image, less well behind edges",
        CHANG_CASE,
        "O(n)",
        returns=PICTURES,
    ),
    Attack(
        ciphertext_only,
        ("ciphertexts",),
        "25 ciphertexts or more under one key",
        lambda cipher: cipher.word_bits and cipher.in_place and cipher.keyed,
        "the key, from some 400 ciphertexts on; nearly, from fewer",
        UNPUBLISHED,
        "O(N n) for N images",
        ladder=(50, 100, 200, 400),
        curve=(50, 100, 400, 1600, 5000),
        least=FEWEST_IMAGES,
    ),
    Attack(
        nibble_statistics,
        ("ciphertexts", "reference"),
        "50 ciphertexts of 32 x 32 under one key, and other, plain pictures",
        lambda cipher: (
            cipher.tied
            and cipher.negates
            and cipher.block_size > 1
            and not cipher.moves_blocks
        ),
        "the key",
        UNPUBLISHED,
        "O(N n), and an assignment of the words of a block",
        ladder=numbers_of_images,
        curve=(50, 100, 200, 400),
    ),
    Attack(
        block_statistics,
        ("ciphertexts", "reference"),
        "400 ciphertexts of 32 x 32 under one key, and other, plain pictures",
        lambda cipher: cipher.region == "block" and cipher.negates,
        "the key, or that of mirrored pictures",
        UNPUBLISHED,
        "O(N n B) for B blocks, and assignments of blocks and nibbles",
        ladder=(100, 200, 400, 800, 1600),
        curve=(100, 200, 400, 1600, 5000),
        up_to=("mirror",),
    ),
    Attack(
        substitution_statistics,
        ("ciphertexts",),
        "some 25 ciphertexts of 32 x 32 under one key",
        lambda cipher: cipher.substitutes and cipher.tied and cipher.leaves_values,
        "the key, from some 1,600 ciphertexts on; nearly, from fewer",
        UNPUBLISHED,
        "O(n), and an assignment of the values of a table",
        ladder=(25, 100, 400, 1600),
        curve=(5, 25, 100, 400, 1600),
    ),
    Attack(
        mode_filter,
        ("ciphertexts",),
        "1 ciphertext, any key",
        lambda cipher: cipher.in_place and cipher.leaves_values and not cipher.negates,
        "the picture in gray",
        UNPUBLISHED,
        "O(n)",
        returns=PICTURES,
    ),
    Attack(
        jigsaw,
        ("ciphertexts",),
        "1 ciphertext of large blocks, any key",
        lambda cipher: cipher.moves_blocks and cipher.word_bits == 8,
        "the picture, as far as its blocks have edges",
        "Gallagher 2012, CVPR; Chuman et al. 2018, IEICE E101-D(1)",
        "O(N^2 B^2) for N blocks of side B",
        returns=PICTURES,
        form={"block_size": 32},
        budget=1,
        up_to=("orientation", "negative", "channel order"),
        per_picture=True,
        view=puzzle_of,
        own_score=jigsaw_score,
    ),
    Attack(
        inverse_network,
        ("ciphertexts", "model"),
        "1 ciphertext, any key, and a network trained on public pictures",
        has_network,
        "the picture, as far as anything of it is the same under all keys",
        UNPUBLISHED,
        "one pass of a network, after its training",
        returns=PICTURES,
    ),
    Attack(
        key_sensitivity,
        ("secret",),
        "a key, and the same with one bit changed",
        lambda cipher: cipher.word_bits,
        "nothing: whether near keys are unrelated",
        "-",
        "two keys",
        returns=CHANGES,
    ),
    Attack(
        hybrid_chosen_plaintext,
        ("packer", "table"),
        "2 chosen images, without a nonce, with a public table",
        _no_cipher,
        "the key stream and the permutation of images of one shape",
        "Li et al. 2014, arXiv 1306.5615, for other CRT schemes",
        "O(n) a query",
        containers=True,
    ),
    Attack(
        hybrid_known_plaintext,
        ("packed_pairs", "table"),
        "6 known images of 16 x 24, 12 of 64 x 64, without a nonce, public table",
        _no_cipher,
        "key stream and permutation, but for places that it lists as undetermined",
        UNPUBLISHED,
        "O(N n^2) for N images of n pairs a plane",
        least=2,
        containers=True,
    ),
    Attack(
        hybrid_lengths,
        ("containers", "reference"),
        "1 container, with a nonce or without, and the pictures it may hold",
        _no_cipher,
        "which picture it is, by its number of bits",
        UNPUBLISHED,
        "O(n) a candidate",
        returns=PICTURES,
        containers=True,
    ),
)
_TABLE = {row.name: row for row in _ROWS}
ATTACKS = MappingProxyType(_TABLE)


def broken_by(cipher):
    """The threat models under which an attack gives the key of a cipher.

    How much evidence each takes is measured: see the records in results/.

    Args:
        cipher: a row of `tfpe.CIPHERS`, taken with its default options.

    Returns:
        A tuple of threat models; none where there is no key.

    Example:

    >>> from tfpe import CIPHERS
    >>> broken_by(CIPHERS["shuffle"])
    ('chosen plaintext', 'known plaintext')
    """
    traits = cipher.traits()
    found = {
        row.threat_model
        for row in ATTACKS.values()
        if traits.keyed and row.returns == KEY and row.needs(traits)
    }
    models = dict.fromkeys(model for model, _ in MODELS.values())
    return tuple(model for model in models if model in found)
