"""Folders of images: exact round trips, nothing overwritten, every failure told."""

import os
import pathlib
import shutil

import numpy as np
import pytest
from image_folders import (
    CHINA,
    FLOWER,
    assert_same,
    contents,
    document,
    load,
    save,
    save_small,
)
from key_arrays import BYTES
from PIL import Image

import tfpe.files.jobs
import tfpe.files.workers
from tfpe import CIPHERS, Key, pad_to_blocks
from tfpe.files import Summary, decrypt_folder, encrypt_folder

KEY = Key(bytes(range(32)))
OTHER = Key(bytes(32))
METADATA_CHUNKS = (b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs")
SIZES = {
    "x/photo.png": CHINA[50:274, 100:324],
    "x/odd.png": FLOWER[100:133, 200:247],
    "y/z/thirty.png": FLOWER[50:80, 50:80],
    "pixel.png": CHINA[:1, :1],
}


@pytest.fixture
def plain(tmp_path):
    return save(tmp_path / "plain", SIZES)


@pytest.fixture
def small(tmp_path):
    return save_small(tmp_path / "small")


@pytest.mark.parametrize("cipher", BYTES)
@pytest.mark.parametrize("per_image", [False, True])
def test_round_trip(plain, tmp_path, cipher, per_image):
    secret, again = tmp_path / "secret", tmp_path / "again"
    summary = encrypt_folder(plain, secret, KEY, cipher, per_image=per_image)
    assert summary == Summary(len(SIZES), 0, [])
    row = CIPHERS[cipher]
    for number, (path, pixels) in enumerate(sorted(SIZES.items())):
        image = pad_to_blocks(pixels, row.block_size())
        key = KEY
        if per_image:
            folder = document(secret)["folder"]
            key = KEY.derive("folder", folder).for_image(number)
        expected = row(key, image.shape)(image)
        np.testing.assert_array_equal(load(secret)[path], expected)
    assert decrypt_folder(secret, again, KEY) == Summary(len(SIZES), 0, [])
    assert_same(load(again), SIZES)


@pytest.mark.parametrize("cipher", BYTES)
def test_gray_and_colour_in_one_folder(tmp_path, cipher):
    images = {"gray.png": CHINA[:30, :33, 0], "colour.png": FLOWER[:30, :30]}
    plain = save(tmp_path / "plain", images)
    assert encrypt_folder(plain, tmp_path / "secret", KEY, cipher) == Summary(2, 0, [])
    decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY)
    assert_same(load(tmp_path / "again"), images)


@pytest.mark.parametrize(
    "cipher, options",
    [
        ("etc_gray", {"fold": False}),
        ("etc", {"block_size": np.int64(16)}),
        ("le", {"word_bits": 8, "reversal": "independent"}),
        ("logistic", {"chaos": "pwlcm", "select": False}),
    ],
)
def test_options_reach_the_manifest_and_back(plain, tmp_path, cipher, options):
    encrypt_folder(plain, tmp_path / "secret", KEY, cipher, **options)
    written = document(tmp_path / "secret")
    assert written["options"] == CIPHERS[cipher].options(**options)
    decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY)
    assert_same(load(tmp_path / "again"), SIZES)


def test_one_image(plain, tmp_path):
    secret, again = tmp_path / "secret", tmp_path / "again"
    assert encrypt_folder(plain / "x/odd.png", secret, KEY).written == 1
    assert encrypt_folder(plain, tmp_path / "all", KEY).written == 4
    assert decrypt_folder(secret / "odd.png", again, KEY).written == 1
    assert decrypt_folder(tmp_path / "all/y/z/thirty.png", again, KEY).written == 1
    expected = {"odd.png": SIZES["x/odd.png"], "y/z/thirty.png": FLOWER[50:80, 50:80]}
    assert_same(load(again), expected)


def test_progress(small, tmp_path):
    calls = []
    encrypt_folder(
        small, tmp_path / "s", KEY, progress=lambda *call: calls.append(call)
    )
    assert calls == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_keras_reads_the_output(tmp_path):
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    images = {f"{c}/{n}.png": CHINA[n : n + 32, :32] for c in "ab" for n in range(2)}
    encrypt_folder(save(tmp_path / "plain", images), tmp_path / "secret", KEY)
    dataset = keras.utils.image_dataset_from_directory(
        tmp_path / "secret", image_size=(32, 32), shuffle=False, verbose=False
    )
    assert dataset.class_names == ["a", "b"]
    ((batch, labels),) = dataset
    assert labels.numpy().tolist() == [0, 0, 1, 1]
    expected = list(load(tmp_path / "secret").values())
    np.testing.assert_array_equal(tf.cast(batch, tf.uint8), expected)


def test_no_metadata_of_the_source(tmp_path):
    """A camera's JPEG: EXIF with GPS and a thumbnail, ICC, comment."""
    thumbnail = Image.fromarray(CHINA[::8, ::8])
    (tmp_path / "plain").mkdir()
    thumbnail.save(tmp_path / "thumbnail.jpg")
    exif = Image.Exif()
    exif[0x010F] = "CameraMakerName"
    exif.get_ifd(0x8825)[1] = "GPSNORTH"
    exif.get_ifd(0x8769)[0x927C] = (tmp_path / "thumbnail.jpg").read_bytes()
    source = tmp_path / "plain/photo.jpg"
    icc = b"ICCPROFILEMARKER" * 8
    Image.fromarray(CHINA).save(source, exif=exif, icc_profile=icc, comment=b"COMMENT")
    os.utime(source, (1e9, 1e9))
    encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY)
    decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY)
    marks = (b"CameraMaker", b"GPSNORTH", b"ICCPROFILE", b"COMMENT", b"Exif", b"JFIF")
    assert all(mark in source.read_bytes() for mark in marks)
    for folder in (tmp_path / "secret", tmp_path / "again"):
        data = (folder / "photo.png").read_bytes()
        assert not [mark for mark in marks if mark in data]
        assert not [chunk for chunk in METADATA_CHUNKS if chunk in data]
        with Image.open(folder / "photo.png") as image:
            image.load()
            assert (image.info, dict(image.getexif())) == ({}, {})
        assert (folder / "photo.png").stat().st_mtime > 1e9 + 1
    expected = np.asarray(Image.open(source))
    assert_same(load(tmp_path / "again"), {"photo.png": expected})


def test_again_skips_and_new_images_join(small, tmp_path):
    secret = tmp_path / "secret"
    encrypt_folder(small, secret, KEY, per_image=True)
    before = contents(secret)
    assert encrypt_folder(small, secret, KEY, per_image=True) == Summary(0, 3, [])
    assert contents(secret) == before
    save(small, {"0.png": CHINA[:9, :9], "aa.png": CHINA[9:18, :9]})
    assert encrypt_folder(small, secret, KEY, per_image=True) == Summary(2, 3, [])
    numbers = {e["path"]: e["number"] for e in document(secret)["images"]}
    expected = {"0.png": 3, "a.png": 0, "aa.png": 4, "b.png": 1, "c.png": 2}
    assert numbers == expected
    decrypt_folder(secret, tmp_path / "again", KEY)
    assert_same(load(tmp_path / "again"), load(small))


def test_force_draws_new_numbers(small, tmp_path):
    secret = tmp_path / "secret"
    encrypt_folder(small, secret, KEY, per_image=True)
    save(small, {"b.png": CHINA[:9, :9]})
    summary = encrypt_folder(small, secret, KEY, per_image=True)
    assert summary.written == 0 and "same sub-key" in dict(summary.failed)["b.png"]
    assert encrypt_folder(small, secret, KEY, per_image=True, force=True).written == 3
    assert [e["number"] for e in document(secret)["images"]] == [3, 4, 5]
    decrypt_folder(secret, tmp_path / "again", KEY)
    assert_same(load(tmp_path / "again"), load(small))


def test_nothing_is_overwritten_without_force(small, tmp_path):
    secret, again = tmp_path / "secret", tmp_path / "again"
    for folder in (secret, again):
        folder.mkdir()
        (folder / "a.png").write_text("a poem")
        (folder / "b.png").mkdir()
    summary = encrypt_folder(small, secret, KEY)
    assert [path for path, _ in summary.failed] == ["a.png", "b.png"]
    assert (secret / "a.png").read_text() == "a poem"
    summary = encrypt_folder(small, secret, KEY, force=True)
    assert [path for path, _ in summary.failed] == ["b.png"]  # a folder stays
    summary = decrypt_folder(secret, again, KEY)
    failed = dict(summary.failed)
    assert "exists already" in failed["a.png"]
    assert (again / "a.png").read_text() == "a poem"
    decrypt_folder(secret, again, KEY, force=True)
    np.testing.assert_array_equal(Image.open(again / "a.png"), FLOWER[:9, :9])
    summary = decrypt_folder(secret, again, KEY)
    assert (summary.written, summary.skipped) == (0, 2)


def test_a_changed_source_is_not_passed_over(small, tmp_path):
    secret = tmp_path / "secret"
    encrypt_folder(small, secret, KEY)
    save(small, {"b.png": CHINA[:9, :9]})
    summary = encrypt_folder(small, secret, KEY)
    assert (
        summary.skipped == 2 and "not made from this" in dict(summary.failed)["b.png"]
    )
    assert encrypt_folder(small, secret, KEY, force=True).written == 3


def test_damaged_foreign_and_missing_ciphertexts(small, tmp_path):
    secret, plain = tmp_path / "secret", load(small)
    encrypt_folder(small, secret, KEY)
    save(secret, {"a.png": CHINA[:12, :12], "foreign.png": CHINA[:9, :9]})
    (secret / "b.png").unlink()
    (secret / "foreign.jpg").write_text("")
    summary = decrypt_folder(secret, tmp_path / "again", KEY)
    assert summary.written == 1
    failed = dict(summary.failed)
    assert sorted(failed) == ["a.png", "b.png", "foreign.jpg", "foreign.png"]
    assert "pixels are not those" in failed["a.png"] and "missing" in failed["b.png"]
    assert "foreign" in failed["foreign.png"]
    assert_same(load(tmp_path / "again"), {"c.png": plain["c.png"]})
    # The owner still has the sources: what is missing is made anew, damage with force.
    assert encrypt_folder(small, secret, KEY).written == 1
    assert encrypt_folder(small, secret, KEY, force=True).written == 3
    decrypt_folder(secret, tmp_path / "again", KEY)
    assert_same(load(tmp_path / "again"), plain)


def test_a_ciphertext_that_links_outside_is_not_read(small, tmp_path):
    secret = tmp_path / "secret"
    encrypt_folder(small, secret, KEY)
    shutil.move(secret / "a.png", tmp_path / "a.png")
    (secret / "a.png").symlink_to(tmp_path / "a.png")
    summary = decrypt_folder(secret, tmp_path / "again", KEY)
    assert summary.written == 2 and "lead" in dict(summary.failed)["a.png"]


def test_lossless_copies_of_ciphertexts_still_decrypt(small, tmp_path):
    secret = tmp_path / "secret"
    encrypt_folder(small, secret, KEY)
    for file in secret.glob("*.png"):
        with Image.open(file) as image:
            image.convert("RGBA").save(file, optimize=True)
    assert decrypt_folder(secret, tmp_path / "again", KEY).written == 3


def test_only_the_fingerprint_of_the_key_is_written(small, tmp_path):
    encrypt_folder(small, tmp_path / "secret", KEY, hide_names=tmp_path / "names.json")
    secret = bytes(range(32))
    for path, data in contents(tmp_path).items():
        assert secret not in data and secret.hex().encode() not in data, path


@pytest.mark.parametrize(("small_bytes", "most"), [(0, 8), (2**14, 2 * 4 * 16)])
def test_memory_is_bounded_by_a_queue(small, tmp_path, monkeypatch, small_bytes, most):
    """Images in work at one time stay few, however many there are."""
    monkeypatch.setattr(tfpe.files.workers, "SMALL_BYTES", small_bytes)
    for number in range(260):
        shutil.copy(small / "a.png", small / f"{number:03d}.png")
    done, read = [0], []
    prepare = tfpe.files.jobs.read_image

    def counted(*arguments):
        read.append(len(read) - done[0])
        return prepare(*arguments)

    monkeypatch.setattr(tfpe.files.jobs, "read_image", counted)

    def progress(count, total):
        done[0] = count

    encrypt_folder(small, tmp_path / "secret", KEY, progress=progress)
    assert len(read) == 263 and max(read) <= most


def test_paths_may_be_text_and_names_any(tmp_path, monkeypatch):
    names = ["grün.png", "a b.png", "日本.png", "x.y.png", "quote'\".png"]
    plain = save(tmp_path / "plain", dict.fromkeys(names, CHINA[:9, :9]))
    if os.fsencode("ü") == "ü".encode():
        shutil.copy(plain / "a b.png", os.fsencode(plain) + b"/latin\xe9.png")
    monkeypatch.chdir(tmp_path)
    count = len(os.listdir(plain))
    assert encrypt_folder("plain", "out/secret", KEY).written == count
    assert decrypt_folder("out/secret", "again", KEY).written == count
    assert sorted(os.listdir("again")) == sorted(os.listdir("plain"))
    assert pathlib.Path("out/secret/manifest.json").read_text().isascii()
