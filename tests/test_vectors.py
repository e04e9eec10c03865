"""The vectors: the library and the second implementation both give them.

If one of these fails, what an older release encrypted can no longer be decrypted.
"""

import hashlib
import json
import pathlib

import make_vectors
import numpy as np
import pytest
import reference
import reference_keys

from tfpe import CIPHERS, Key, Transform, ciphers
from tfpe.chaos import CHAOS, chaotic_sequence, logistic_sequence
from tfpe.ciphers import inside_out, learnable, pixel, substituted

VECTORS = pathlib.Path(__file__).parent / "vectors"


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


@pytest.mark.parametrize("name", [*CIPHERS, "keys", "chaos"])
def test_every_file_says_where_it_comes_from(name):
    provenance = load(name)["provenance"]
    assert "python tests/make_vectors.py" in provenance["generated_by"]
    assert provenance["generator"] and provenance["confirmed_by"]


def test_every_cipher_has_vectors_and_no_vector_is_of_no_cipher():
    files = {path.stem for path in VECTORS.glob("*.json")}
    assert files == {*CIPHERS, "keys", "chaos"}


@pytest.mark.parametrize("name", CIPHERS)
def test_every_option_value_has_a_vector(name):
    table = reference.OPTION_VALUES[name]
    assert set(table) == set(CIPHERS[name].defaults)
    cases = load(name)["cases"]
    for option, values in table.items():
        seen = {json.dumps(case["options"][option]) for case in cases}
        assert seen == {json.dumps(value) for value in values}
        assert CIPHERS[name].defaults[option] in values


def test_the_option_values_are_those_of_the_library():
    table = reference.OPTION_VALUES
    assert table["le"]["reversal"] == table["ele"]["reversal"] == learnable.REVERSALS
    assert table["logistic"]["chaos"] == tuple(pixel.CHAOS_BITS)
    assert table["logistic"]["stream"] == pixel.STREAMS
    assert table["iib"]["turns"] == inside_out.TURNS
    assert table["ffx"]["tables"] == substituted.TABLES


@pytest.mark.parametrize("name", CIPHERS)
def test_library_gives_the_vectors(name):
    for case in load(name)["cases"]:
        shape = tuple(case["image_shape"])
        plain = np.array(reference.plain_image(shape), np.uint8).reshape(shape)
        key = Key(bytes.fromhex(case["key"]))
        transform = CIPHERS[name](key, shape, **case["options"])
        encrypted = transform(plain)
        digest = hashlib.sha256(encrypted.tobytes()).hexdigest()
        assert digest == case["cipher_sha256"], case["options"]
        assert np.array_equal(transform.inverse(encrypted), plain)
        if "cipher" in case:
            assert plain.tobytes().hex() == case["plain"]
            assert encrypted.tobytes().hex() == case["cipher"]
            assert explicit_transform(name, shape, case) == transform


def explicit_transform(name, shape, case):
    """The same transform by the explicit builder, from the material in the file."""
    material = dict(case["material"])
    if name == "identity":
        return Transform.identity(shape)
    if name in ("pbe", "logistic", "negpos", "keystream"):
        codes = material.pop("channel_order", None)
        arrays = {name: np.reshape(v, shape) for name, v in material.items()}
        if name == "keystream":
            return ciphers.keystream_transform(**arrays)
        codes = codes if codes is None else np.reshape(codes, shape[:2])
        builder = "logistic_transform" if name == "logistic" else "pbe_transform"
        return getattr(ciphers, builder)(**arrays, channel_order=codes)
    if name == "ffx":
        places = material.pop("places")
        size = case["options"]["block_size"] ** 2 * shape[2]
        material["select"] = [place in places for place in range(size)]
    if name == "orthogonal":
        material["matrix"] = np.array(material["matrix"]) * (255 / 2**22)
    if name in ("etc", "iib"):
        material.setdefault("channel_order", None)
    for option in make_vectors.GIVEN:
        if option in case["options"]:
            material[option] = case["options"][option]
    return getattr(ciphers, f"{name}_transform")(**material, image_shape=shape)


@pytest.mark.parametrize("name", CIPHERS)
def test_second_implementation_gives_the_vectors(name):
    for case in load(name)["cases"]:
        shape, options = tuple(case["image_shape"]), case["options"]
        secret, plain = bytes.fromhex(case["key"]), reference.plain_image(shape)
        encrypted = reference_keys.encrypt(secret, name, shape, options, plain)
        data = make_vectors.written(encrypted)
        assert hashlib.sha256(data).hexdigest() == case["cipher_sha256"], options


@pytest.mark.parametrize("case", load("keys")["cases"], ids=lambda c: c["fingerprint"])
def test_key_vectors(case):
    key = Key(bytes.fromhex(case["key"]))
    assert key.fingerprint == case["fingerprint"]
    for labels, expected in case["derive"]:
        assert key.derive(*labels) == Key(bytes.fromhex(expected))
    for number, expected in case["for_image"]:
        assert key.for_image(number) == Key(bytes.fromhex(expected))
    for message, expected in case["tag"]:
        assert key.tag(bytes.fromhex(message)) == expected
    place = case["material"]
    material = key.material(place["cipher"], place["shape"], **case["options"])
    assert material.bytes("bytes", 16).tolist() == case["bytes"]
    assert material.bits("bits", 21).tolist() == case["bits"]
    assert material.permutation("permutation", 12).tolist() == case["permutation"]
    drawn = material.permutations("permutations", 3, 5)
    assert drawn.tolist() == case["permutations"]
    for below, expected in case["integers"]:
        assert material.integers("integers", 10, below).tolist() == expected
    for low, high, expected in case["uniform"]:
        assert material.uniform("uniform", low, high) == expected


def test_key_vectors_are_made_by_the_second_implementation():
    made = json.loads(json.dumps(list(make_vectors.key_cases())))
    assert made == load("keys")["cases"]


def test_chaos_vectors():
    cases = load("chaos")["cases"]
    assert {case["map"] for case in cases} == set(CHAOS)
    for case in cases:
        name, parameters = case["map"], case["parameters"]
        sequence = chaotic_sequence(name, parameters, 3000, case["burn_in"])
        assert sequence[:16].tolist() == case["first"]
        digest = hashlib.sha256(sequence.tobytes()).hexdigest()
        assert digest == case["sha256_of_3000"]


def test_the_published_anchor():
    anchor = [248, 86, 116, 13, 132, 27, 78, 78]
    assert logistic_sequence(3.99, 0.1, 8).tolist() == anchor
    first = load("chaos")["cases"][0]
    assert first["parameters"] == {"mu": 3.99, "d0": 0.1}
    assert first["first"][:8] == anchor


def test_vectors_are_not_written_over_without_force(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_vectors, "FOLDER", tmp_path)
    document = {"provenance": {}, "cases": [{"a": 1}]}
    monkeypatch.setattr(make_vectors, "documents", lambda: [("x.json", document)])
    assert make_vectors.main([]) == 0
    assert json.loads((tmp_path / "x.json").read_text()) == document
    (tmp_path / "x.json").write_text("older")
    assert make_vectors.main([]) == 0
    assert (tmp_path / "x.json").read_text() == "older"
    assert "Kept as they are: x.json" in capsys.readouterr().err
    assert make_vectors.main(["--force"]) == 0
    assert json.loads((tmp_path / "x.json").read_text()) == document
