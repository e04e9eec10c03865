"""A run is gone on with for the very same source: pixels count, not shapes."""

import numpy as np
import pytest
from image_folders import contents, crops, save

from tfpe import Key, dataset
from tfpe.dataset import encrypt_dataset
from tfpe.errors import ManifestError, OutputError

KEY = Key(bytes(range(32)))


def write_npz(path, images):
    labels = np.arange(len(images)) % 3
    np.savez(path, x_train=images, y_train=labels)
    return path


def write_folder(path, images):
    pieces = {f"{n % 3}/{n}.png": image for n, image in enumerate(images)}
    save(path, pieces)
    return path


def changed(images):
    """One bit of one pixel of the last image: what is written by then is the same."""
    images = images.copy()
    images[-1, 0, 0, 0] ^= 1
    return images


@pytest.mark.parametrize("finished", [False, True], ids=["killed", "finished"])
@pytest.mark.parametrize("write", [write_npz, write_folder])
def test_other_pixels_of_the_same_shape_are_another_source(
    write, finished, tmp_path, small_shards, monkeypatch
):
    images, name = crops(20), "tiny.npz" if write is write_npz else "tiny"
    source = write(tmp_path / name, images)
    frame, batches = dataset.record_bytes.frame, []

    def failing(records):
        batches.append(records)
        if len(batches) > 4 and not finished:
            raise OutputError("no space")
        return frame(records)

    with monkeypatch.context() as patch:
        patch.setattr(dataset.record_bytes, "frame", failing)
        try:
            encrypt_dataset(source, tmp_path / "cloud", KEY, "le")
        except OutputError:
            assert not finished
    before = contents(tmp_path / "cloud")
    assert before and any("metadata" in f for f in before) == finished
    write(tmp_path / name, changed(images))
    with pytest.raises(ManifestError, match="source"):
        encrypt_dataset(source, tmp_path / "cloud", KEY, "le")
    assert contents(tmp_path / "cloud") == before
    write(tmp_path / name, images)
    done = encrypt_dataset(source, tmp_path / "cloud", KEY, "le")
    assert done.skipped and done.written + done.skipped == len(images)
