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
