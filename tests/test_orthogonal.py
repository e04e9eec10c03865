"""orthogonal: real ciphertexts, exact everywhere; what takes them and what refuses.

Budget: 20 s.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rotated_images import BATCH, KEY, SECRET, SHAPE, images

import tfpe
from tfpe import CIPHERS, Key, PerceptualEncrypt
from tfpe.algebra.keyed import Keyed
from tfpe.algebra.orthogonal import UNIT, Orthogonal
from tfpe.attacks import ATTACKS, Evidence, orthogonal_known_plaintext, run
from tfpe.ciphers.rotated import _drawn, _in_order
from tfpe.cli import main
from tfpe.errors import (
    AttackError,
    CipherOptionError,
    TfpeError,
)

# --- exactness ------------------------------------------------------------------------


@settings(max_examples=100)
@given(
    st.binary(min_size=32, max_size=32),
    st.sampled_from([1, 2, 3, 4, 8]),
    st.sampled_from([1, 3]),
    st.sampled_from(["noise", "black", "white", "checks"]),
)
def test_lossless_with_a_wide_margin(secret, side, channels, kind):
    shape = (2 * side, side, channels)
    encrypt = CIPHERS["orthogonal"](Key(secret), shape, block_size=side)
    x = {
        "noise": images(2, shape, secret[0]),
        "black": np.zeros((2, *shape), np.uint8),
        "white": np.full((2, *shape), 255, np.uint8),
        "checks": images(2, shape, secret[0]) // 128 * np.uint8(255),
    }[kind]
    y = encrypt(x)
    assert y.dtype == np.float32 and np.array_equal(y, encrypt.definition(x))
    assert np.array_equal(encrypt.inverse(y), x)
    assert np.abs(encrypt.inverse.levels(y) - x).max() < 1e-3  # of 0.5
    # Lengths stay, but for the rounding of the matrix.
    before, after = (np.linalg.norm(v.astype(float)) for v in ((2.0 * x - 255), y))
    assert after * 255 == pytest.approx(before, rel=1e-3)


def test_the_largest_blocks():
    x = images(1, (16, 16, 3))
    encrypt = CIPHERS["orthogonal"](KEY, (16, 16, 3), block_size=16)
    y = encrypt(x)
    assert np.array_equal(y, encrypt.definition(x))
    assert np.array_equal(encrypt.inverse(y), x)
    assert np.abs(encrypt.inverse.levels(y) - x).max() < 1e-2


@pytest.mark.parametrize("secret", [SECRET, BATCH], ids=["one key", "keys"])
def test_every_framework_gives_the_same_bits(secret):
    import jax
    import tensorflow as tf

    ways = {
        "TF": (tf.constant, lambda f: f),
        "tf.function": (tf.constant, tf.function),
        "XLA": (tf.constant, lambda f: tf.function(f, jit_compile=True)),
        "JAX": (jax.numpy.asarray, lambda f: f),
        "jit": (jax.numpy.asarray, jax.jit),
        "NumPy": (np.asarray, lambda f: f),
    }
    check_bits(secret, ways)


@pytest.mark.parametrize("secret", [SECRET, BATCH], ids=["one key", "keys"])
def test_torch_gives_the_same_bits(secret):
    torch = pytest.importorskip("torch")
    check_bits(secret, {"torch": (torch.tensor, lambda f: f)})


def check_bits(secret, ways):
    """Every way, both directions: the bits of the definition."""
    x = images()
    y = secret.definition(x)
    # What is no ciphertext is refused where values are seen, else gives bytes.
    broken = y.copy()
    broken[0, 0, 0], broken[1, :8] = np.nan, 1e6
    clear = secret.inverse.definition(broken)
    for name, (tensor, compiled) in ways.items():
        assert np.array_equal(compiled(secret)(tensor(x)), y), name
        assert np.array_equal(compiled(secret.inverse)(tensor(y)), x), name
        if name in ("TF", "JAX", "NumPy", "torch"):  # nothing is compiled
            for turn in (secret.inverse, (secret @ CIPHERS["le"](KEY, SHAPE)).inverse):
                for value in (np.nan, np.inf, -np.inf):
                    broken[0, 0, 0] = value
                    with pytest.raises(tfpe.errors.ImageError, match="finite numbers"):
                        compiled(turn)(tensor(broken))
            broken[0, 0, 0] = np.nan
        else:
            result = compiled(secret.inverse)(tensor(broken))
            assert np.array_equal(result, clear), name


def test_the_matrix_is_the_same_whatever_sums_it():
    words = KEY.material("test", (1,)).words("gaussian", 48**2)
    drawn = _drawn(words, 48)
    terms = np.random.default_rng(0).normal(size=(48, 5))
    assert np.array_equal(_in_order(terms)[0], np.add.accumulate(terms, axis=0)[-1])
    from scipy.special import ndtri

    uniform = ((words >> np.uint64(12)) + 0.5) * 2.0**-52
    by_lapack, upper = np.linalg.qr(ndtri(uniform).reshape(48, 48).T)
    by_lapack = (by_lapack * np.sign(np.diag(upper))).T
    assert np.abs(drawn * UNIT - by_lapack).max() < 0.05


def test_a_group_as_far_as_it_goes():
    assert SECRET.inverse @ SECRET == tfpe.Transform.identity(SHAPE)
    assert (BATCH.inverse @ BATCH).is_identity
    assert SECRET.inverse.inverse is SECRET and hash(SECRET) == hash(SECRET)
    again = CIPHERS["orthogonal"](KEY, SHAPE)
    assert again == SECRET and again.inverse == SECRET.inverse
    assert Keyed.stack([SECRET.inverse, again.inverse]).batch_size == 2
    le = CIPHERS["le"](KEY, SHAPE)
    both, x = SECRET @ le, images()
    assert np.array_equal(both(x), SECRET(le(x)))
    assert np.array_equal(both.inverse(both(x)), x)


WRONG = {
    "bytes behind floats": lambda: CIPHERS["le"](KEY, SHAPE) @ SECRET,
    "floats to encrypt": lambda: SECRET(images().astype(np.float32)),
    "bytes to decrypt": lambda: SECRET.inverse(images()),
    "not orthogonal": lambda: tfpe.ciphers.orthogonal_transform(
        np.ones((3, 3)), (1, 1, 3), 1
    ),
    "NaN": lambda: tfpe.ciphers.orthogonal_transform(
        np.full((3, 3), np.nan), (1, 1, 3), 1
    ),
    "another shape": lambda: tfpe.ciphers.orthogonal_transform(np.eye(4), (1, 1, 3), 1),
    "text": lambda: tfpe.ciphers.orthogonal_transform([["a"]], (1, 1, 1), 1),
    "large blocks": lambda: CIPHERS["orthogonal"](KEY, (32, 32, 3), block_size=32),
    "long rows": lambda: Orthogonal([[2**24]], [0], (1, 1, 1)),
    "another size": lambda: Orthogonal([[16448]], [0], (2, 1, 1)),
    "no matrix": lambda: Orthogonal([1], [0], (1, 1, 1)),
    "structure": lambda: tfpe.structure(SECRET),
    "PNG": lambda: tfpe.files.encrypt_folder(".", "out", KEY, "orthogonal"),
    "data set": lambda: tfpe.dataset.encrypt_dataset("x.npz", "o", KEY, "orthogonal"),
    "bytes from the layer": lambda: PerceptualEncrypt(KEY, "orthogonal", dtype="uint8"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_say_what_was_received(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", x_train=images(), y_train=np.arange(4))
    with pytest.raises(TfpeError, match="should.*Received|needs.*Received"):
        WRONG[case]()
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_commands_refuse_it_before_they_start(photo_folder, capsys):
    common = ["--cipher", "orthogonal", "photos"]
    for command in (
        ["encrypt", "-q", "-k", "owner.key", *common, "-o", "out"],
        ["decrypt", "-q", "-k", "owner.key", *common, "-o", "out"],
        ["dataset", "encrypt", "-q", "-k", "owner.key", *common, "-o", "out"],
        ["evaluate", "-q", *common],
        ["bench", "--quick", "--cipher", "orthogonal"],
    ):
        assert main(command) != 0, command
        assert "orthogonal, whose ciphertexts are real" in capsys.readouterr().err
    assert not (photo_folder / "out").exists()


# --- the attack -----------------------------------------------------------------------


@pytest.mark.parametrize("side", [1, 2, 4])
def test_one_image_gives_the_key(side, photographs):
    secret = CIPHERS["orthogonal"](KEY, (32, 32, 3), block_size=side)
    plain = np.stack([photo[100:132, 200:232] for photo in photographs])
    pairs = plain, secret(plain)
    evidence = Evidence(pairs=pairs, cipher="orthogonal", options={"block_size": side})
    found = run(ATTACKS["orthogonal_known_plaintext"], evidence)
    assert found.key == secret and found.options == {"block_size": side}
    assert np.array_equal(found.key.inverse(pairs[1]), plain)


def test_never_a_wrong_key_in_silence():
    shape = (32, 32, 3)
    secret, other = (
        CIPHERS["orthogonal"](key, shape) for key in (KEY, KEY.derive("other"))
    )
    flat = np.full((2, *shape), 200, np.uint8)
    flat[:, :8] = images(2, (8, 32, 3))  # 32 blocks, of 48 that are needed
    with pytest.raises(AttackError, match="48 independent blocks.*Received: 33"):
        orthogonal_known_plaintext(flat, secret(flat))
    bright = 255 - images(1, shape) // 8
    assert orthogonal_known_plaintext(bright, secret(bright)) == secret
    x = images(2, shape)
    two = np.stack([secret(x[0]), other(x[1])])
    changed = secret(x)
    changed[0, 0, 0, 0] += 0.5
    for cipher in (two, changed, changed * np.float32(1e3)):
        with pytest.raises(AttackError, match="no such key explains|independent"):
            orthogonal_known_plaintext(x, cipher)
    for cipher, size in ((x, 4), (secret(x)[:1], 4), (secret(x), 5)):
        with pytest.raises(AttackError, match="Received"):
            orthogonal_known_plaintext(x, cipher, size)
    with pytest.raises(AttackError, match="no such key|independent"):
        orthogonal_known_plaintext(x, secret(x), 2)
    with pytest.raises(CipherOptionError):
        orthogonal_known_plaintext(x, secret(x), 0)
