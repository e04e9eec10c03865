"""The networks of recipes: their options, sizes and choice. Budget: 20 s."""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import tfpe
from tfpe import Key
from tfpe.errors import NetworkError
from tfpe.lab.measuring_conditions import conditions
from tfpe.lab.records.reading import read
from tfpe.lab.records.training_records import TrainingSettings
from training.compare import compare
from training.images import load
from training.networks import NETWORKS, find_network
from training.networks.matched import matched_network, matched_recipe
from training.recipe import RecipeError
from training.recipes import find_recipe
from training.run import Run

SMALL = {
    "pyramidnet": {"depth": 8, "alpha": 3},
    "convmixer": {"width": 8, "depth": 1},
    "mlp_mixer": {"width": 8, "depth": 1},
    "vit": {"width": 12, "depth": 1},
    "resnet9": {"width": 4},
    "set_transformer": {"width": 16, "depth": 1},
}


@pytest.mark.parametrize("said", ["docs/workflow.md", "tfpe/cli/predict_command.py"])
def test_what_predictions_import_registers_all_layers(said):
    """A new process, as `tfpe predict` is; the sources say which layers there are."""
    root = pathlib.Path(__file__).parents[1]
    text = (root / said).read_text("utf-8")
    [module] = re.findall(r"(?:--import |_module\(\")(training[.\w]*)", text)
    decorated = r"serializable\(package=\"training\"\)\nclass (\w+)"
    sources = (path.read_text("utf-8") for path in root.glob("training/**/*.py"))
    layers = {name for source in sources for name in re.findall(decorated, source)}
    code = f"import {module}, keras; print(*keras.saving.get_custom_objects())"
    out = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=root)
    assert {f"training>{name}" for name in layers} <= {*out.split()} and len(layers) > 4


def parameters(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize(
    "name, options, count",
    [
        ("pyramidnet", {"depth": 20, "alpha": 24.0}, 146_353),
        # 0.17 M, 1.1 M and 6.3 M: Trockman & Kolter, Tolstikhin, Dosovitskiy et al.
        ("convmixer", {}, 170_634),
        ("mlp_mixer", {}, 1_132_170),
        ("vit", {"width": 384, "depth": 7, "heads": 12, "mlp_units": 384}, 6_268_042),
        ("resnet9", {}, 6_573_130),
    ],
)
def test_parameter_counts(name, options, count):
    row = find_network(name)
    assert parameters(row.build(10, (32, 32, 3), **options)) == count


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_built_named_and_saved(name, tmp_path):
    import keras

    row = find_network(name)
    options = row.check(**SMALL[name])
    model = row.build(4, (16, 16, 3), 1e-4, **options)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    logits = keras.ops.convert_to_numpy(model(images))
    assert logits.shape == (2, 4) and row.words(options)
    assert len(model.losses) > 2
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.array_equal(keras.ops.convert_to_numpy(loaded(images)), logits)


@pytest.mark.parametrize(
    "name, wrong",
    [
        ("pyramidnet", {"width": 3}),
        ("pyramidnet", {"shakedrop": 1}),
        ("pyramidnet", {"stem": "dense"}),
        ("convmixer", {"width": 0}),
        ("convmixer", {"bits": 2}),
        ("mlp_mixer", {"depth": 1.5}),
        ("vit", {"tied": 1}),
    ],
)
def test_options_that_do_not_fit(name, wrong):
    with pytest.raises(NetworkError, match="Received"):
        find_network(name).check(**wrong)
    with pytest.raises(RecipeError, match="Received"):
        find_recipe("tiny", network=name, **wrong)


def test_another_network_has_its_own_options():
    recipe = find_recipe("small", network="convmixer", width=32)
    assert recipe.options == find_network("convmixer").check(width=32)
    assert "alpha" not in recipe.settings and recipe.settings["width"] == 32
    assert find_recipe("small", depth=38).options["alpha"] == 24
    with pytest.raises(RecipeError, match="chooses its options"):
        find_recipe("matched", depth=8)
    with pytest.raises(NetworkError, match="heads"):
        find_network("vit").build(10, (16, 16, 3), width=10, heads=3)


@pytest.mark.parametrize(
    "cipher, network, bits, tied",
    [
        ("le", "pyramidnet", 4, True),
        ("blockshuffle", "pyramidnet", 8, True),
        ("pbe", "pyramidnet", 8, False),
        ("logistic", "pyramidnet", 1, False),
        ("ele", "mlp_mixer", 4, False),
        ("etc", "mlp_mixer", 8, False),
    ],
)
def test_the_network_that_fits(cipher, network, bits, tied):
    transform = tfpe.CIPHERS[cipher](Key.generate(), (32, 32, 3))
    name, options = matched_network(tfpe.structure(transform))
    assert name == network
    assert (options["bits"], options["tied"], options["patch_size"]) == (bits, tied, 4)
    recipe = matched_recipe(find_recipe("matched"), cipher, (32, 32, 3))
    assert (recipe.network, recipe.options["bits"]) == (network, bits)
    with pytest.raises(NetworkError, match="whole image"):
        matched_recipe(find_recipe("matched"), "shuffle", (32, 32, 3))


@pytest.mark.parametrize("cipher", ["ffx", "orthogonal"])
@pytest.mark.parametrize("per_image", [False, True])
def test_a_cipher_without_words_that_move_is_refused_by_name(cipher, per_image):
    with pytest.raises(NetworkError, match=cipher):
        matched_recipe(find_recipe("matched"), cipher, (32, 32, 3), per_image)


def test_matched_runs_beside_the_same_network_on_plain_images(tmp_path):
    images = load("digits")
    recipe = find_recipe("matched", epochs=1, train_images=90)
    shared = (images, recipe)
    folders = {"out": tmp_path / "out", "runs": tmp_path / "runs"}
    for wrong in ("plain", "plain-as-shuffle"):
        with pytest.raises((RecipeError, NetworkError), match="Received"):
            compare(*shared, [wrong], **folders)
    with pytest.raises(RecipeError, match="plain-as-NAME"):
        compare(images, find_recipe("tiny"), ["plain-as-le"], **folders)
    runs = [
        Run(*shared, name, 0, None, tmp_path, tmp_path)
        for name in ("plain-as-etc", "etc", "plain-as-pbe", "pbe")
    ]
    settings = [json.loads(json.dumps(run.settings)) for run in runs]
    assert [one["cipher"] for one in settings] == ["plain", "etc", "plain", "pbe"]
    words = [one["network_words"] for one in settings]
    assert words[0] == words[1] != words[2] == words[3]
    assert len({run.name for run in runs}) == 4
    # One table; the rows say their network.
    settings = [read(TrainingSettings, one, "settings") for one in settings]
    assert len(set(map(conditions, settings))) == 1
    names = [one.row_name for one in settings]
    assert len(set(names)) == 4 and all("words" in name for name in names)
