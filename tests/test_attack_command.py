"""`tfpe attack` and `tfpe evaluate`, and oracles as a user has them."""

import errno
import json
import os
import pathlib
import stat

import numpy as np
import pytest
from image_folders import load, save
from key_arrays import TRANSFORMS

from tfpe import CIPHERS, Key, PerceptualEncrypt, Preparation, Transform, attacks
from tfpe.attacks import CountingOracle, chosen_plaintext
from tfpe.cli import main
from tfpe.errors import AttackError
from tfpe.files import encrypt_folder
from tfpe.lab.evaluation.attack_files import read_ciphertexts
from tfpe.lab.evaluation.chosen_queries import answers_of, chosen_queries

SHAPE = (32, 32, 3)


def bits_of(cipher):
    return 4 if cipher in ("le", "ele") else 8


def queries_of(cipher):
    return 5 if cipher in ("le", "ele") else 3


def run(*arguments):
    return main([str(argument) for argument in arguments])


def encrypt(cipher, source="photos", target="encrypted"):
    key = Key.load("owner.key")
    assert not encrypt_folder(source, target, key, cipher).failed


@pytest.mark.parametrize("cipher", TRANSFORMS)
def test_the_layer_is_an_oracle(key, cipher):
    """3 or 5 queries, and one that verifies, through the Keras layer."""
    oracle = CountingOracle(PerceptualEncrypt(key, cipher))
    recovered = chosen_plaintext(oracle, SHAPE, bits_of(cipher))
    assert recovered == CIPHERS[cipher](key, SHAPE)
    assert oracle.queries == queries_of(cipher) + 1


@pytest.mark.parametrize("cipher", TRANSFORMS)
def test_the_file_tool_is_an_oracle(photo_folder, cipher):
    """The same through the files that `tfpe encrypt` writes."""
    make = ["attack", "chosen_plaintext", "--cipher", cipher, "--size", "32x32"]
    assert run(*make, "--make-queries", "queries") == 0
    assert len(load(photo_folder / "queries")) == queries_of(cipher) + 1
    owner = ["encrypt", "-q", "-k", "owner.key", "--cipher", cipher]
    assert run(*owner, "queries", "-o", "answers") == 0
    bits = bits_of(cipher)
    asked = chosen_queries(attacks.ATTACKS["chosen_plaintext"], SHAPE, bits=bits)
    oracle = answers_of(asked, read_ciphertexts("answers"))
    recovered = chosen_plaintext(oracle, SHAPE, bits)
    assert recovered == CIPHERS[cipher](Key.load("owner.key"), SHAPE)


def test_chosen_plaintext_on_files(photo_folder, capsys):
    encrypt("ele")
    base = ["attack", "chosen_plaintext", "--size", "32x32"]
    assert run(*base, "--cipher", "ele", "--make-queries", "queries") == 0
    assert run(*base, "--cipher", "ele", "--make-queries", "queries") == 1
    encrypt("ele", "queries", "answers")
    capsys.readouterr()
    more = ["--answers", "answers", "encrypted", "-o", "opened", "--json", "-q"]
    more += ["--truth", "photos", "--save-transform", "key.npz", "--figure", "f.png"]
    assert run(*base, *more) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["exact_pixels"] == 1 and summary["scored"] == 40
    assert summary["evidence"] == {"kind": "queries", "count": 5, "verifying": 1}
    plain, opened = load(photo_folder / "photos"), load(photo_folder / "opened")
    assert all(np.array_equal(opened[name], plain[name]) for name in plain)
    # The key is written on request only, for its owner only.
    assert stat.S_IMODE((photo_folder / "key.npz").stat().st_mode) == 0o600
    with np.load("key.npz") as file:
        saved = Transform(file["perm"], file["mask"], int(file["bits"]), SHAPE)
    assert saved == CIPHERS["ele"](Key.load("owner.key"), SHAPE)
    assert (photo_folder / "f.png").stat().st_size > 1000
    # Nothing is overwritten, and what is there stays.
    assert run(*base, *more) == 1
    assert len(load(photo_folder / "opened")) == 40


def test_an_oracle_made_from_a_key(photo_folder, capsys):
    command = ["attack", "chosen_plaintext", "-k", "owner.key", "--size", "32x32"]
    assert run(*command, "--cipher", "pbe", "--json", "-q") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["index_accuracy"] == 1 and summary["evidence"]["count"] == 3
    assert run(*command, "-q") == 1
    assert "--cipher" in capsys.readouterr().err


def test_known_plaintext_on_files(photo_folder, capsys):
    encrypt("le")
    command = ["attack", "known_plaintext", "--plain", "leaked", "-q"]
    command += ["--cipher-folder", "encrypted", "-o", "opened", "--json"]
    assert run(*command, "--truth", "photos", "-k", "owner.key") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["evidence"]["count"] == 16 and summary["unseen"]
    assert summary["scored"] == 24
    assert summary["index_accuracy"] > 0.98 and summary["ssim"] > 0.9
    assert len(load(photo_folder / "opened")) == 40
    assert "perm" not in summary and "mask" not in summary


def test_padded_pictures_are_known_pairs_too(photo_folder, photographs, capsys):
    sizes = {f"{k}.png": photographs[0][9 * k : 9 * k + 30, :29] for k in range(40)}
    save(photo_folder / "odd", sizes)
    encrypt("le", "odd", "odd-encrypted")
    command = ["attack", "known_plaintext", "--plain", "odd", "-q", "--force"]
    command += ["--cipher-folder", "odd-encrypted", "-o", "opened"]
    assert run(*command) == 0
    opened = load(photo_folder / "opened")
    assert all(np.array_equal(opened[name], plain) for name, plain in sizes.items())


def test_plain_pictures_are_prepared_as_the_manifest_says(photo_folder, capsys):
    """Pairs, truth: of many sizes and more bits than ciphertexts have."""
    random = np.random.default_rng(0)
    levels = [random.integers(0, 4096, (20, 24 + k)) for k in range(8)]
    scans = {f"{k}.png": a.astype(np.uint16) for k, a in enumerate(levels)}
    save(pathlib.Path("scans"), scans)
    save(pathlib.Path("known"), {f"{k}.png": scans[f"{k}.png"] for k in range(6)})
    key, words = Key.load("owner.key"), Preparation((16, 16), depth=16)
    window = Preparation((16, 16), window=(2048, 4096))
    for target, preparation in {"8": window, "16": words}.items():
        encrypt_folder("scans", target, key, "pbe", preparation=preparation)
    command = ["attack", "known_plaintext", "--truth", "scans", "--json", "-q"]
    assert run(*command, "--plain", "known", "--cipher-folder", "8") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["scored"] == 2 and summary["exact_pixels"] > 0.99
    assert run(*command, "--plain", "known", "--cipher-folder", "16") == 1
    assert "Received: ciphertexts of 16 bits, as in 16/0.png" in capsys.readouterr().err


def test_ciphertexts_alone_on_files(photo_folder, capsys):
    encrypt("logistic")
    command = ["attack", "mode_filter", "encrypted", "--truth", "photos", "--json"]
    assert run(*command, "-q", "-o", "shown") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["gray_correlation"] > 0.5 and "index_accuracy" not in summary
    assert len(load(photo_folder / "shown")) == 40
    window = ["--attack-option", "window=3"]
    assert run("attack", "mode_filter", "encrypted", "-q", *window) == 0


def test_key_check(photo_folder, capsys):
    command = ["attack", "key_sensitivity", "-k", "owner.key", "--size", "16x16"]
    assert run(*command, "--cipher", "negpos", "--json", "-q") == 0
    summary = json.loads(capsys.readouterr().out)
    assert 0.3 < summary["sensitivity"]["mask_changed"] < 0.7


def test_the_table(capsys):
    assert run("attack") == 0
    assert "known_plaintext" in capsys.readouterr().out
    assert run("attack", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["attack"] for row in rows] == list(attacks.ATTACKS)


REFUSED = {
    "unknown attack": ("attack rot13", "NAME should be"),
    "no evidence": ("attack ciphertext_only", "needs CIPHERTEXTS"),
    "too few": ("attack ciphertext_only encrypted/p/0-0-0.png", "at least 25"),
    "no pairs": (
        "attack known_plaintext --cipher-folder encrypted",
        "needs known plain images",
    ),
    "foreign plain images": (
        "attack known_plaintext --plain foreign --cipher-folder encrypted",
        "no pair",
    ),
    "inconsistent pairs": (
        "attack known_plaintext --plain mixed --cipher-folder encrypted",
        "no such key explains",
    ),
    "no oracle": ("attack chosen_plaintext --cipher le --size 32x32", "an oracle"),
    "no size": ("attack chosen_plaintext -k owner.key --cipher le", "--size"),
    "part of a block": (
        "attack chosen_plaintext -k owner.key --cipher le --size 30x30",
        "whole blocks",
    ),
    "missing key": (
        "attack chosen_plaintext -k no.key --cipher le --size 32x32",
        "no.key",
    ),
    "foreign answers": (
        "attack chosen_plaintext --size 32x32 --answers encrypted",
        "the ciphertext of each query",
    ),
    "queries of a known pair": (
        "attack known_plaintext --size 32x32 --make-queries q",
        "chosen plaintexts",
    ),
    "missing folder": ("attack mode_filter nothing", "should exist"),
    "no reference": ("attack nibble_statistics encrypted", "--reference"),
    "no first pixel": ("attack chang_case_advanced encrypted", "--first-pixel"),
    "wrong size": ("attack mode_filter encrypted --size 8x8", "of one shape"),
    "option of no attack": (
        "attack mode_filter encrypted --attack-option bits=4",
        "Options of mode_filter",
    ),
    "no blocks": (
        "attack jigsaw encrypted --cipher pbe",
        "ciphers that have --option block_size, such as etc, ",
    ),
    "damaged image": ("attack mode_filter broken", "broken/x.png: "),
    "damaged manifest": ("attack mode_filter foreign_manifest", "`options` should be"),
    "figure of no kind": (
        "attack mode_filter encrypted --figure owner.key",
        "should end in .png",
    ),
    "figure that is there": (
        "attack mode_filter encrypted --figure encrypted/p/0-0-0.png",
        "--force",
    ),
    "evidence of another key": (
        "attack known_plaintext encrypted --plain leaked --cipher-folder other",
        "differ in ['key_fingerprint']",
    ),
    "a key for each image": ("attack ciphertext_only each", "a key of its own"),
    "evaluate: unknown cipher": ("evaluate photos --cipher rot13", "cipher"),
    "evaluate: missing": ("evaluate nothing --cipher le", "nothing"),
    "evaluate: no curve": (
        "evaluate photos --cipher ele --curve ciphertext_only",
        "one of ['known_plaintext', 'block_statistics', 'inverse_network']",
    ),
    "evaluate: options of two": (
        "evaluate photos --cipher le,ele --option block_size=8",
        "one cipher",
    ),
    "evaluate: seed": ("evaluate photos --cipher le --seed -1", "--seed"),
    "evaluate: small": ("evaluate photos --cipher pbe --size 8x8", "at least 11 x 11"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, photo_folder, photographs, capsys):
    encrypt("le")
    command, message = REFUSED[name]
    if name == "foreign plain images":
        save(photo_folder / "foreign", {"x.png": photographs[0][:32, :32]})
    if name == "inconsistent pairs":
        pieces = load(photo_folder / "leaked")
        names = list(pieces)
        save(
            photo_folder / "mixed",
            {n: pieces[names[k - 1]] for k, n in enumerate(names)},
        )
    if name == "damaged image":
        pathlib.Path("broken").mkdir(exist_ok=True)
        pathlib.Path("broken/x.png").write_bytes(b"no image")
    if name == "damaged manifest":
        save(photo_folder / "foreign_manifest", {"x.png": photographs[0][:32, :32]})
        manifest = '{"cipher": "pbe", "options": [1], "images": 3}'
        pathlib.Path("foreign_manifest/manifest.json").write_text(manifest)
    if name == "evidence of another key":
        encrypt_folder("photos", "other", Key(bytes(32)), "le")
    if name == "a key for each image":
        encrypt_folder("photos", "each", Key.load("owner.key"), "pbe", per_image=True)
    capsys.readouterr()
    assert run(*command.split(), "-q") == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("tfpe: error: ") and message in err
    assert err.count("\n") == 1


def test_a_full_disk_leaves_what_was_there(photo_folder, monkeypatch, capsys):
    encrypt("le")
    command = ["attack", "known_plaintext", "--plain", "leaked", "encrypted", "-q"]
    command += ["-o", "opened", "--figure", "f.png", "--save-transform", "k.npz"]

    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    pathlib.Path("f.png").write_bytes(b"of before")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert run(*command, "--force") == 1
    assert "No space left" in capsys.readouterr().err
    assert pathlib.Path("f.png").read_bytes() == b"of before"
    assert not pathlib.Path("k.npz").exists()
    # Half of the pictures are there: the command without --force goes on with them.
    pathlib.Path("f.png").unlink()
    assert run(*command[:-4]) == 0
    pathlib.Path("opened/p/0-0-0.png").unlink()
    assert run(*command) == 0 and pathlib.Path("k.npz").stat().st_mode & 0o777 == 0o600
    assert run(*command, "--force") == 1  # k.npz would be lost, and that is said first


def test_an_attack_on_another_cipher_is_told(photo_folder, capsys):
    encrypt("ele")
    assert run("attack", "mode_filter", "encrypted", "-o", "opened", "-q") == 0
    told = capsys.readouterr().err
    assert "mode_filter is for logistic, ffx; these are of ele" in told


def test_answers_of_another_shape_are_refused(photo_folder, photographs):
    """As large as the queries, but no transform of their shape."""
    shape = (64, 16, 3)
    asked = chosen_queries(attacks.ATTACKS["chosen_plaintext"], shape)
    names = [f"query-{number:02}.png" for number in range(len(asked))]
    save(photo_folder / "answers", dict.fromkeys(names, photographs[0][:32, :32]))
    with pytest.raises(AttackError, match="size asked for"):
        answers_of(asked, read_ciphertexts("answers"))


def test_reference_of_another_size_is_refused(photo_folder, capsys):
    encrypt("le")
    save(photo_folder, {"small/a.png": np.zeros((8, 8, 3), np.uint8)})
    command = ["attack", "nibble_statistics", "encrypted", "--reference", "small"]
    assert run(*command, "-o", "opened") == 1
    assert "pictures of the size of the ciphertexts" in capsys.readouterr().err
    assert not (photo_folder / "opened").exists()
