"""What `tfpe encrypt` and `tfpe dataset encrypt` share: workers, and sizes told."""

import pytest
from image_folders import CHINA, contents, save
from PIL import Image

from tfpe import Key
from tfpe.cli import main, sizes
from tfpe.errors import OutputError
from tfpe.files import encrypt_folder
from tfpe.files.workers import worker_count


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """owner.key, and photos/ of two classes, 9 JPEG files each."""
    monkeypatch.chdir(tmp_path)
    Key(bytes(range(32))).save("owner.key")
    pieces = {f"{n % 2}/{n}.png": CHINA[n : n + 64, n : n + 64] for n in range(18)}
    save(tmp_path / "photos", pieces)
    for path in (tmp_path / "photos").rglob("*.png"):
        with Image.open(path) as image:
            image.save(path.with_suffix(".jpg"), quality=60)
        path.unlink()
    return tmp_path


@pytest.mark.parametrize("command", ["encrypt", "dataset encrypt"])
def test_any_number_of_workers_writes_the_same(command, folder):
    for workers in ("1", "3"):
        line = f"{command} -q -k owner.key --cipher le photos --workers {workers}"
        assert main([*line.split(), "-o", workers]) == 0
    one, three = contents(folder / "1"), contents(folder / "3")
    assert one and one == three


@pytest.mark.parametrize("workers", [0, -1, 257, True, 1.5, "2"])
def test_workers_are_a_number(workers, folder, key):
    with pytest.raises(OutputError, match="`workers` should be"):
        encrypt_folder(folder / "photos", folder / "out", key, "le", workers=workers)
    assert not (folder / "out").exists()


def test_workers_by_default_are_few():
    assert 1 <= worker_count() <= 4 and worker_count(9) == 9


@pytest.mark.parametrize("command", ["encrypt", "dataset encrypt"])
def test_growth_is_told_once(command, folder, monkeypatch, capsys):
    monkeypatch.setattr(sizes, "TOLD_BYTES", 1)
    line = f"{command} -q -k owner.key --cipher ele photos -o out".split()
    assert main(line) == 0
    said = capsys.readouterr().err
    assert said.count(" MB became ") == 1 and "--size" in said
    assert main(line) == 0
    assert "became" not in capsys.readouterr().err
    before, after = (sizes.size_on_disk(path) for path in ("photos", "out"))
    assert f"{sizes.megabytes(before)} became" in said and after > 5 * before


def test_small_growth_is_not_told(folder):
    assert sizes.growth_line("photos", "photos") is None
    assert sizes.size_on_disk("photos/0/0.jpg") < sizes.size_on_disk("photos")


@pytest.fixture
def lost(folder, capsys):
    """out/ from photos/, without its manifest.json, and out.receipt.json."""
    assert main("encrypt -q -k owner.key --cipher ele photos -o out".split()) == 0
    assert main("decrypt -q -k owner.key out -o plain".split()) == 0
    (folder / "out/manifest.json").rename(folder / "kept.json")
    capsys.readouterr()
    return folder


def decrypt(line, capsys):
    code = main(f"decrypt -q -k owner.key {line}".split())
    return code, capsys.readouterr().err


@pytest.mark.parametrize("name", ["out", "out.receipt.json"])
def test_a_receipt_decrypts_where_the_manifest_is_lost(lost, name, capsys):
    code, told = decrypt(f"--set {name} out -o again", capsys)
    assert code == 0 and "nothing tells whether" in told
    assert contents(lost / "again") == contents(lost / "plain")
    one = next((lost / "out").rglob("*.png")).relative_to(lost)
    assert decrypt(f"--set {name} {one} -o one", capsys)[0] == 0


def test_a_set_whose_manifest_is_lost_is_named_by_its_path(lost, capsys):
    (lost / "sets").mkdir()
    (lost / "out").rename(lost / "sets/out")
    assert decrypt("--set sets/out sets/out -o again", capsys)[0] == 0
    assert contents(lost / "again") == contents(lost / "plain")
    code, told = decrypt("--set sets sets/out -o third", capsys)
    assert code == 1 and "sets should be the folder of" in told


def test_a_receipt_gives_the_size_of_images(folder, capsys):
    """Their manifest is lost, and sides are no whole blocks."""
    save(folder / "odd", {"a/1.png": CHINA[:21, :30], "b/2.png": CHINA[9:30, :30]})
    assert main("encrypt -q -k owner.key --cipher le odd -o out".split()) == 0
    assert main("decrypt -q -k owner.key out -o plain".split()) == 0
    (folder / "out/manifest.json").unlink()
    assert decrypt("--set out out -o again", capsys)[0] == 0
    assert contents(folder / "again") == contents(folder / "plain")


def test_a_receipt_that_does_not_fit_decrypts_nothing(lost, capsys):
    (lost / "kept.json").rename(lost / "out/manifest.json")
    assert decrypt("--set out out -o again", capsys)[0] == 0, "both say the same"
    code, told = decrypt("--set out --cipher le out -o third", capsys)
    assert code == 1 and "--cipher should be 'ele'" in told
    assert main("encrypt -q -k owner.key --cipher pbe photos -o other".split()) == 0
    capsys.readouterr()
    code, told = decrypt("--set other out -o third", capsys)
    assert code == 1 and "--cipher should be 'ele'" in told
    code, told = decrypt("--set nothing out -o third", capsys)
    assert code == 1 and "--set should be a receipt" in told
    encrypt = "encrypt -q -k owner.key --cipher le --per-image photos -o each"
    assert main(encrypt.split()) == 0
    (lost / "each/manifest.json").unlink()
    code, told = decrypt("--set each each -o third", capsys)
    assert code == 1 and "sub-key each" in told
    assert not (lost / "third").exists()


def test_each_kind_of_decryption_names_the_other(lost, capsys):
    encrypt = "dataset encrypt -q -k owner.key --cipher le photos -o cloud"
    assert main(encrypt.split()) == 0
    for source in ("cloud", "cloud/photos_le/1.0.0"):
        code, told = decrypt(f"{source} -o third", capsys)
        assert code == 1 and "tfpe dataset decrypt" in told
    (lost / "kept.json").rename(lost / "out/manifest.json")
    assert main("dataset decrypt -q -k owner.key out -o third".split()) == 1
    assert "(tfpe decrypt)" in capsys.readouterr().err
    assert not (lost / "third").exists()
