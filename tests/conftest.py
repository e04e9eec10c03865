"""What several test files share: seeded images, keys, real photographs, skips."""

import contextlib
import os

# Beside other workers, each on a core: the threads of one would wait for those of all.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")

import hypothesis
import numpy as np
import pytest
from image_folders import crops, save
from sklearn.datasets import load_sample_images

from tfpe import Key

# torch's compiler for GPUs ends a process that loaded TensorFlow before it.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401

# Notebooks, which run as tests too, at a size that takes less than a minute each.
os.environ.setdefault("TFPE_NOTEBOOK_SIZE", "test")

# The same examples in every run: a test that fails once fails again.
hypothesis.settings.register_profile(
    "tfpe", derandomize=True, database=None, deadline=None
)
hypothesis.settings.load_profile("tfpe")


# What takes longest, the longest first: a long file at the end keeps the cores waiting.
LONGEST = [
    "test_train.py",
    "test_layers.py",
    "2_train_on_encrypted_cifar.ipynb",
    "test_compare.py",
    "test_pyramidnet.py",
    "test_ciphertext_only.py",
    "test_strategies.py",
    "test_matching.py",
    "test_roles.py",
    "3_break_the_ciphers.ipynb",
    "test_skins.py",
    "test_cli.py",
    "1_encrypt_images.ipynb",
    "test_workflow_distributed.py",
    "test_training_receipts.py",
    "test_bench.py",
]


def pytest_configure(config):
    config.option.loadscopereorder = False  # pytest-xdist: files of many tests first


def pytest_collection_modifyitems(items):
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture
def rng():
    return np.random.default_rng(2203)


@pytest.fixture
def key():
    return Key(bytes(range(32)))


@pytest.fixture(scope="session")
def photographs():
    """The two real photographs of scikit-learn, `uint8 (427, 640, 3)` each."""
    return load_sample_images().images


@pytest.fixture(scope="session")
def cifar_directory():
    """A TFDS data_dir that holds cifar10, from the environment; else a skip."""
    directory = os.environ.get("TFPE_TEST_DATA")
    if not directory:
        pytest.skip("set TFPE_TEST_DATA to a TFDS data_dir that holds cifar10")
    return directory


def functions_as_they_stand():
    """TensorFlow compiles no function: so few steps are done sooner than compiled."""
    tensorflow = pytest.importorskip("tensorflow")
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.fixture
def uncompiled():
    yield from functions_as_they_stand()


@pytest.fixture(scope="module")
def uncompiled_file():
    """The same, for all of a file."""
    yield from functions_as_they_stand()


@pytest.fixture
def traces(monkeypatch):
    """The models whose training step was traced, one for each time; TensorFlow's."""
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("the other backends do not trace a step twice")
    import tensorflow as tf

    found, step = [], keras.Model.train_step

    def train_step(model, data):
        if not tf.executing_eagerly():
            found.append(model.name)
        return step(model, data)

    monkeypatch.setattr(keras.Model, "train_step", train_step)
    return found


@pytest.fixture
def nan_where_it_predicts(monkeypatch):
    """Networks of `training` that learn, and whose predictions are all NaN."""
    import keras

    from training import train

    class Broken(keras.layers.Layer):
        def call(self, logits, training=False):
            return logits if training else logits * float("nan")

    build = train.build_model
    monkeypatch.setattr(
        train,
        "build_model",
        lambda *inputs: keras.Sequential([build(*inputs), Broken()]),
    )


@pytest.fixture
def determinism_ends():
    """A deterministic training run leaves TensorFlow so; other tests want it as it was.

    There is no public way back.
    """
    yield
    from tensorflow.python.framework import config

    config.disable_op_determinism()


@pytest.fixture
def float64():
    """Keras computes in 64 bits."""
    import keras

    policy, floats = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floats)
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def torch():
    """torch, which is in no extra; else a skip."""
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def npz(tmp_path):
    """tiny.npz: 20 pictures to train and 5 to test, of 3 classes."""
    images, labels = crops(25), np.arange(25) % 3
    arrays = {"x_train": images[:20], "y_train": labels[:20]}
    arrays |= {"x_test": images[20:], "y_test": labels[20:, None]}
    np.savez(tmp_path / "tiny.npz", **arrays)
    return tmp_path / "tiny.npz"


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of 4 images of 10 x 10, two a batch, a checkpoint after each batch."""
    from tfpe.dataset import own_sources, source, writer

    monkeypatch.setattr(own_sources, "SHARD_BYTES", 4 * 300)
    monkeypatch.setattr(source, "BATCH_BYTES", 600)
    monkeypatch.setattr(writer, "CHECKPOINT_BYTES", 1)


@pytest.fixture
def photo_folder(tmp_path, monkeypatch, photographs):
    """A working folder: owner.key, photos/ of 40 pictures, leaked/ with 16 of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TFPE_KEY_FILE", raising=False)
    Key(bytes(range(32))).save("owner.key")
    pieces = {
        f"p/{side}-{row}-{column}.png": photo[row : row + 32, column : column + 32]
        for side, photo in enumerate(photographs)
        for row in range(0, 384, 96)
        for column in range(0, 480, 96)
    }
    save(tmp_path / "photos", pieces)
    save(tmp_path / "leaked", dict(list(pieces.items())[::2][:16]))
    return tmp_path
