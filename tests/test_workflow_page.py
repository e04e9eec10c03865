"""docs/workflow.md and docs/receipts.md, command by command."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds
from image_folders import CHINA, contents, save
from pages import blocks

import tfpe
from tfpe import Key
from tfpe.cli import main
from tfpe.dataset import encrypt_dataset

ROLE_COMMANDS, VIEW_COMMAND, KEY_COMMANDS = blocks("docs/workflow.md", "sh")
CLOUD, VIEWS, FOLDERS, BEAM = blocks("docs/workflow.md", "python")
(CLIENT,) = blocks("docs/receipts.md", "python")


@pytest.fixture
def owner(tmp_path, monkeypatch):
    """A folder with a key and an .npz file in the place of CIFAR-10."""
    monkeypatch.chdir(tmp_path)
    Key(bytes(range(32))).save("owner.key")
    images = np.stack([CHINA[n : n + 32, n : n + 32] for n in range(40)])
    labels = np.arange(40) % 10
    parts = {"x_train": images, "y_train": labels, "x_test": images[:10]}
    np.savez("cifar10.npz", **parts, y_test=labels[:10])
    return tmp_path


def run(commands, **replaced):
    for line in commands.splitlines():
        words = [replaced.get(word, word) for word in line.split()[1:]]
        if line.startswith("python "):
            done = subprocess.run(
                [sys.executable, *words], check=True, capture_output=True, text=True
            )
            assert "Warning" not in done.stderr, done.stderr
        else:
            assert main(words) == 0, line


def test_the_roles_and_their_keys(owner, capsys):
    assert len(CLOUD.strip().splitlines()) <= 12
    (owner / "cloud.py").write_text(CLOUD)
    save(owner / "new-images", {"1.png": CHINA[:32, :32], "2.png": CHINA[9:41, :32]})
    capsys.readouterr()
    run(ROLE_COMMANDS, cifar10="cifar10.npz")
    out = capsys.readouterr().out.splitlines()
    names = [line.partition(",")[0] for line in out]
    assert names == ["image", "1.png", "2.png"]
    names = {"tfpe": tfpe, "key": Key.load("owner.key")}
    names["model"] = keras.models.load_model("model.keras")
    names["images"] = CHINA[None, :32, :32]
    exec(compile(CLIENT, "receipts.md", "exec"), names)
    assert np.allclose(names["client"](names["images"]), names["outputs"])
    old = "owner.key." + Key.load("owner.key").fingerprint
    run(KEY_COMMANDS, **{"owner.key.FINGERPRINT": old})
    # The new key is another one: the same command says so, and which one is needed.
    predict = next(line for line in ROLE_COMMANDS.splitlines() if "predict" in line)
    capsys.readouterr()
    assert main(predict.split()[1:]) == 1
    out, err = capsys.readouterr()
    assert not out and f"-k {old}" in err
    assert main(predict.replace("owner.key", old).split()[1:]) == 0
    assert Key.load(old).derive("hospital-7") == Key.load("hospital-7.key")
    assert Key.load("owner.key") not in (Key.load(old), Key.load("hospital-7.key"))
    run("tfpe dataset decrypt next -q -k owner.key -o again")
    plain, again = contents(owner / "plain"), contents(owner / "again")
    shards = [path for path in plain if "tfrecord" in path]
    assert len(shards) == 2
    assert all(plain[path] == again[path] for path in shards)


def test_a_view_in_each_epoch(owner):
    run(VIEW_COMMAND, cifar10="cifar10.npz")
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    names = {"model": model, "tfds": tfds}
    exec(compile(VIEWS, "workflow.md", "exec"), names)
    assert model.optimizer.iterations == 20 and len(names["views"]) == 4


def test_readme_shows_the_same_commands():
    assert f"tfpe keygen -o owner.key\n{ROLE_COMMANDS}" in blocks("README.md", "sh")


def test_keras_reads_encrypted_folders_of_classes(owner):
    images = {f"{n % 2}/{n}.png": CHINA[n : n + 32, n : n + 32] for n in range(6)}
    save(owner / "photos", images)
    assert main("encrypt -q -k owner.key --cipher ele photos -o encrypted".split()) == 0
    names = {}
    exec(compile(FOLDERS, "workflow.md", "exec"), names)
    assert names["train"].class_names == ["0", "1"]
    [(batch, _)] = names["train"]
    assert batch.shape == (6, 32, 32, 3)


@pytest.mark.filterwarnings("ignore")  # Beam's own, a dozen kinds
def test_beam(owner):
    pytest.importorskip("apache_beam", reason="the extra `beam` is not installed")
    code = BEAM.replace('"cifar10"', '"cifar10.npz"')
    exec(compile(code, "workflow.md", "exec"), {})
    encrypt_dataset("cifar10.npz", "local", Key.load("owner.key"), "ele")
    assert contents(owner / "cloud-beam") == contents(owner / "local")
