"""What opens the hybrid without a nonce, and not with one; what its lengths tell."""

import json

import numpy as np
import pytest
from image_folders import load, save

from tfpe import Key
from tfpe.attacks import ATTACKS, Evidence, HybridForm, run
from tfpe.cli import main
from tfpe.errors import AttackError, ImageFileError
from tfpe.hybrid import CodeTable, Container, Hybrid, split_sides

SHAPE = 16, 24, 3
SECRET = Key(bytes(32))
ROWS = [row for row in ATTACKS.values() if row.containers]


@pytest.fixture(scope="module")
def crops(photographs):
    """Pieces of the photographs, of SHAPE."""
    height, width, _ = SHAPE
    return [
        np.ascontiguousarray(photo[row : row + height, column : column + width])
        for row in range(0, 400, 40)
        for column in range(0, 600, 60)
        for photo in photographs
    ]


@pytest.fixture(scope="module")
def table(crops):
    return CodeTable.public(crops[:5])


def evidence(images, table, seed=0, **options):
    """What the rows on containers take, of `images` under one key."""
    secret = Hybrid(SECRET.derive(seed), table=table, **options)
    packed = [secret(image) for image in images]

    def packer(batch):
        return [secret(image) for image in batch]

    pairs = np.stack(images), packed
    return secret, Evidence(packer=packer, packed_pairs=pairs, table=table, shape=SHAPE)


def test_rows_are_for_the_hybrid_alone():
    assert [row.name for row in ROWS] == [
        *("hybrid_chosen_plaintext", "hybrid_known_plaintext", "hybrid_lengths")
    ]
    for row in ROWS:
        assert row.ciphers == ("hybrid",) and not row.applies("le")


@pytest.mark.parametrize("seed", range(3))
def test_two_chosen_images_open_all_others_without_a_nonce(table, crops, seed, rng):
    secret, given = evidence(crops[:1], table, seed, nonce=False)
    found = run(ATTACKS["hybrid_chosen_plaintext"], given)
    assert (found.count, found.verifying, found.undetermined) == (2, 1, 0)
    for image in (*crops[5:8], rng.integers(0, 256, SHAPE, np.uint8)):
        opened, known = found.key.open(secret(image))
        assert known.all() and np.array_equal(opened, image)


@pytest.mark.parametrize("seed", range(3))
def test_known_images_open_others_without_a_nonce(table, crops, seed):
    secret, given = evidence(crops[seed + 10 : seed + 14], table, seed, nonce=False)
    found = run(ATTACKS["hybrid_known_plaintext"], given)
    assert found.count == 4
    shares = []
    for image in crops[30:40]:
        opened, known = found.key.open(secret(image))
        assert np.array_equal(opened[known], image[known]) and not opened[~known].any()
        shares.append(known.mean())
    assert np.mean(shares) > 0.8


def test_what_known_images_leave_open_is_not_shown(table, crops):
    known = [crop.copy() for crop in crops[10:14]]
    for image in known:
        image[:6] = 7  # 72 pairs a plane that look alike
    secret, given = evidence(known, table, nonce=False)
    found = run(ATTACKS["hybrid_known_plaintext"], given)
    assert found.undetermined == 72
    opened, told = found.key.open(secret(crops[20]))
    assert not told[:6].any() and told[6:].mean() > 0.5
    assert np.array_equal(opened[told], crops[20][told]) and not opened[~told].any()


def test_a_key_that_changes_is_told(table, crops):
    packers = [evidence(crops[:1], table, n, nonce=False)[1].packer for n in (0, 1)]
    asked = []

    def changing(images):
        asked.append(images)
        return packers[len(asked) > 2](images)

    with pytest.raises(AttackError, match="those found do not explain"):
        ATTACKS["hybrid_chosen_plaintext"].function(changing, SHAPE, table)


@pytest.mark.parametrize("row", ROWS[:2], ids=lambda row: row.name)
def test_a_nonce_keeps_them_out(row, table, crops):
    _, given = evidence(crops[10:14], table)
    with pytest.raises(AttackError, match="one key stream"):
        run(row, given)


def test_one_known_image_leaves_the_key_stream_open(table, crops):
    secret, _ = evidence(crops[:1], table, nonce=False)
    known = ATTACKS["hybrid_known_plaintext"].function
    with pytest.raises(AttackError, match="more than one|too many"):
        known(np.stack(crops[:1]), [secret(crops[0])], table)


@pytest.mark.parametrize(
    "options",
    [
        *({}, {"nonce": False}, {"symbols": "bytes"}, {"permute": "rows"}),
        *({"table": "clear"}, {"neighbours": "channels", "substitution": "add"}),
    ],
)
def test_lengths_tell_which_picture_it_is_whatever_the_nonce(options, crops):
    secret = Hybrid(SECRET, **options)
    packed = [secret(image) for image in crops[3:6]]
    given = Evidence(containers=packed, reference=np.stack(crops[:40]))
    found = run(ATTACKS["hybrid_lengths"], given)
    assert (found.count, found.kind) == (3, "ciphertexts")
    assert np.array_equal(found.pictures, crops[3:6])


def test_lengths_of_a_public_code_too_and_not_of_permuted_pixels(table, crops):
    reference = np.stack(crops[:40])
    lengths = ATTACKS["hybrid_lengths"].function
    packed = [Hybrid(SECRET, table=table)(crops[7])]
    assert np.array_equal(lengths(packed, reference, table)[0], crops[7])
    with pytest.raises(AttackError, match="table"):
        lengths(packed, reference)
    with pytest.raises(AttackError, match="whose bits 0 of them"):
        lengths(packed, reference[:7], table)
    twice = np.stack([crops[7], crops[7][::-1]])  # the same pairs, the same bits
    with pytest.raises(AttackError, match="whose bits 2 of them"):
        lengths(packed, twice, table)
    with pytest.raises(AttackError, match="pixels"):
        lengths([Hybrid(SECRET, permute="pixels")(crops[7])], reference)


def test_a_clear_table_shows_which_pairs_occur_and_an_encrypted_one_not(crops):
    image = crops[2]
    pairs = image.transpose(2, 0, 1).reshape(-1).view(">u2")
    stored = {}
    for table in ("clear", "encrypted"):
        container = Container.from_bytes(Hybrid(SECRET, table=table)(image))
        _, _, stored[table] = split_sides(container)
    lengths = CodeTable.from_bytes(stored["clear"], "crt").lengths
    assert np.array_equal(lengths > 0, np.bincount(pairs, minlength=2**16) > 0)
    with pytest.raises(ImageFileError, match="damaged"):
        CodeTable.from_bytes(stored["encrypted"], "crt")


def test_evidence_of_another_kind_is_named(table, crops):
    secret, given = evidence(crops[:3], table, nonce=False)
    chosen, known = (row.function for row in ROWS[:2])
    with pytest.raises(AttackError, match="bytes of containers"):
        known(np.stack(crops[:2]), crops[:2], table)
    with pytest.raises(AttackError, match="a container for each image"):
        known(np.stack(crops[:2]), [], table)
    with pytest.raises(AttackError, match="answer with a container"):
        chosen(lambda images: images, SHAPE, table)
    with pytest.raises(AttackError, match="even width"):
        chosen(given.packer, (16, 25, 3), table)
    with pytest.raises(AttackError, match="public table"):
        chosen(given.packer, SHAPE, None)
    with pytest.raises(AttackError, match="another substitution"):
        chosen(evidence(crops[:1], table, substitution="add")[1].packer, SHAPE, table)
    form = HybridForm(np.zeros(9, np.uint8), np.arange(192), (8, 48, 3), table)
    with pytest.raises(AttackError, match="another shape"):
        form.open(secret(crops[0]))


def test_the_commands_open_folders(crops, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    SECRET.save("owner.key")
    images = {f"{number}.png": crops[number] for number in range(10, 30)}
    save(tmp_path / "photos", images)
    save(tmp_path / "leaked", {name: images[name] for name in list(images)[:6]})

    def run_command(text):
        code = main(text.split())
        return code, capsys.readouterr()

    pack = "pack -q -k owner.key --table photos.table photos -o "
    assert run_command(f"{pack} packed --option nonce=false")[0] == 0
    assert run_command(f"{pack} with-nonce")[0] == 0
    known = (
        "attack hybrid_known_plaintext -q --plain leaked --table photos.table --json"
    )
    code, told = run_command(f"{known} --cipher-folder packed packed -o known")
    assert code == 0
    assert (summary := json.loads(told.out))["evidence"]["count"] == 6
    assert summary["opened"] == 20 and summary["known_values"] > 0.8
    chosen = "attack hybrid_chosen_plaintext -q -k owner.key --table photos.table"
    assert run_command(f"{chosen} --size 16x24 packed -o chosen")[0] == 0
    lengths = "attack hybrid_lengths -q --reference photos --table photos.table"
    assert run_command(f"{lengths} with-nonce -o lengths")[0] == 0
    for folder in ("chosen", "lengths"):
        found = load(tmp_path / folder)
        assert len(found) > 15
        assert all(np.array_equal(found[name], images[name]) for name in found)
    code, told = run_command(f"{known} --cipher-folder with-nonce with-nonce -o no")
    assert code == 1 and "none explains" in told.err
    for text, words in {
        "attack hybrid_lengths packed": "--reference",
        "attack hybrid_known_plaintext packed --plain leaked": "--table",
        f"{lengths} packed --truth photos": "without --truth",
        f"{lengths} photos": "should hold .tfpe containers",
    }.items():
        code, told = run_command(text)
        assert code == 1 and words in told.err.replace("\n", " ")
    assert not (tmp_path / "no").exists()
