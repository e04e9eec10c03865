"""The key from a matched model and the plain one. Budget: 20 s."""

import json

import keras
import numpy as np
import pytest
from key_arrays import TRANSFORMS

import tfpe
from tfpe import CIPHERS, Key
from tfpe.attacks import ATTACKS, Evidence, known_model, run
from tfpe.cli import main
from tfpe.errors import AttackError
from tfpe.files import encrypt_folder
from tfpe.layers import WordPatchEmbedding
from tfpe.matching import stem_of
from tfpe.pixels.png import encode_png

SHAPE = (16, 16, 3)
ROW = ATTACKS["known_model"]


def convolution(units=64, side=4):
    return keras.Sequential(
        [keras.Input(SHAPE), keras.layers.Conv2D(units, side, side)]
    )


def words(bits, tied):
    return keras.Sequential([keras.Input(SHAPE), WordPatchEmbedding(32, 4, bits, tied)])


@pytest.mark.parametrize(
    "name", [name for name in TRANSFORMS if name not in ("shuffle", "etc_gray")]
)
def test_the_key_of_every_cipher_that_keeps_to_patches(name):
    assert name in ROW.ciphers
    plain, secret = convolution(), CIPHERS[name](Key.generate(), SHAPE)
    stems = stem_of(plain), stem_of(tfpe.match(plain, secret))
    found = run(ROW, Evidence(stems=stems, shape=SHAPE, cipher=name))
    assert found.key == secret and (found.kind, found.count) == ("models", 1)


def test_it_is_for_no_cipher_that_mixes_the_image_or_substitutes():
    assert not {"shuffle", "etc_gray", "ffx"} & set(ROW.ciphers)


@pytest.mark.parametrize("bits, tied", [(8, False), (4, True), (1, False)])
def test_a_plain_model_of_words(bits, tied):
    plain, secret = words(bits, tied), CIPHERS["ele"](Key.generate(), SHAPE)
    stems = stem_of(plain), stem_of(tfpe.match(plain, secret))
    assert known_model(*stems, SHAPE) == secret


def test_it_stands_training_after_matching():
    plain, secret = convolution(128), CIPHERS["ele"](Key.generate(), SHAPE)
    matched = stem_of(tfpe.match(plain, secret))
    random = np.random.default_rng(0)
    bytes_alike = CIPHERS["etc"](Key.generate(), SHAPE)
    for transform, stem in (
        (secret, matched),
        (bytes_alike, stem_of(tfpe.match(plain, bytes_alike))),
    ):
        noise = 0.3 * stem.kernel.std(axis=2, keepdims=True)
        stem.kernel[:] += noise * random.standard_normal(stem.kernel.shape)
        assert known_model(stem_of(plain), stem, SHAPE) == transform


def test_never_a_wrong_key_in_silence():
    plain, other = convolution(), convolution()
    secret = CIPHERS["pbe"](Key.generate(), SHAPE)
    matched = stem_of(tfpe.match(plain, secret))
    with pytest.raises(AttackError, match="come from the plain one"):
        known_model(stem_of(other), matched, SHAPE)
    with pytest.raises(AttackError, match="one patch size"):
        known_model(stem_of(convolution(side=8)), matched, SHAPE)
    with pytest.raises(AttackError, match="patches"):
        known_model(stem_of(plain), matched, (32, 32, 3))
    plain.layers[0].kernel.assign(keras.ops.ones((4, 4, 3, 64)))
    with pytest.raises(AttackError, match="differ"):
        known_model(stem_of(plain), matched, SHAPE)


def test_on_files(tmp_path, capsys):
    key, plain = Key.generate(), convolution()
    images = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), np.uint8)
    (tmp_path / "plain").mkdir()
    for number, image in enumerate(images):
        (tmp_path / "plain" / f"{number}.png").write_bytes(encode_png(image))
    encrypt_folder(tmp_path / "plain", tmp_path / "encrypted", key, cipher="etc")
    plain.save(tmp_path / "plain.keras")
    matched = tfpe.match(plain, CIPHERS["etc"](key, SHAPE))
    tfpe.export(matched, tmp_path / "matched.keras", with_key=True)
    command = ["attack", "known_model", str(tmp_path / "encrypted"), "--json", "-q"]
    command += ["--truth", str(tmp_path / "plain"), "-o", str(tmp_path / "opened")]
    models = [
        *("--plain-model", str(tmp_path / "plain.keras")),
        *("--matched-model", str(tmp_path / "matched.keras")),
    ]
    assert main([*command, *models]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["exact_pixels"] == 1 and told["threat_model"] == "known model"
    assert len(list((tmp_path / "opened").glob("*.png"))) == 3
    (tmp_path / "damaged.keras").write_bytes(b"no zip file")
    damaged = ["--matched-model", str(tmp_path / "damaged.keras")]
    assert main([*command, *models[:2], *damaged]) == 1
    assert "damaged.keras: it is damaged" in capsys.readouterr().err
    assert main([*command, *models[:2]]) == 1
    assert "--matched-model" in capsys.readouterr().err
