"""What `match`, `unmatch` and their layers are given amiss is refused. Budget: 15 s."""

import re

import keras
import numpy as np
import pytest
from keras import layers
from patch_models import SHAPE, agree, convolutional, images

import tfpe
from tfpe import Key, PerceptualEncrypt
from tfpe.errors import ImageError, NetworkError, TfpeError
from tfpe.layers import FoldedChannels, WordPatchEmbedding, Words
from tfpe.matching.layers import TokenOrder
from training.networks.unordered_tokens import UnorderedTokens

KEY = Key(bytes(range(32)))
LE, ELE = (tfpe.CIPHERS[name](KEY, SHAPE) for name in ("le", "ele"))
PATCHES = layers.Conv2D(4, 4, 4)


def model(*parts, shape=SHAPE, **options):
    return keras.Sequential([keras.Input(shape, **options), *parts])


def plain(shape=SHAPE, **options):
    return model(
        layers.Rescaling(1 / 255), layers.Conv2D(5, 4, 4), shape=shape, **options
    )


def locked():
    config = PerceptualEncrypt(KEY, "le").get_config()
    return PerceptualEncrypt.from_config(config)


class Subclassed(keras.Model):
    def call(self, x):
        return x


def two_inputs():
    one, other = keras.Input(SHAPE), keras.Input(SHAPE)
    return keras.Model([one, other], layers.Conv2D(4, 4, 4)(one + other))


BUILT = r"Sequential or functional Keras model, built.*Received: "
WRONG = {
    "no model": (lambda: (None, LE), BUILT + "NoneType"),
    "a layer": (lambda: (layers.Conv2D(4, 4, 4), LE), BUILT + "Conv2D"),
    "subclassed": (lambda: (Subclassed(), LE), BUILT + "Subclassed"),
    "not built": (lambda: (keras.Sequential([PATCHES]), LE), BUILT + "Sequential"),
    "no layers": (lambda: (model(), LE), "Received: Sequential"),
    "two inputs": (lambda: (two_inputs(), LE), BUILT + "Functional"),
    "any size": (
        lambda: (model(layers.Conv2D(4, 4, 4), shape=(None, None, 3)), LE),
        r"the images that the model takes, \(None, None, 3\)",
    ),
    "channels first": (
        lambda: (model(shape=(3, 16, 16)), LE),
        "Received: Sequential",
    ),
    "no transform": (lambda: (plain(), None), r"such as tfpe.*Received: NoneType"),
    "a name": (lambda: (plain(), "le"), r"such as tfpe.*Received: str"),
    "a key": (lambda: (plain(), KEY), r"such as tfpe.*Received: Key"),
    "a locked layer": (lambda: (plain(), locked()), "Received: PerceptualEncrypt"),
    "a locked layer first": (
        lambda: (model(locked(), layers.Conv2D(4, 4, 4)), LE),
        "tfpe.cloud_model takes that off",
    ),
    "another shape": (
        lambda: (plain(), tfpe.ciphers.le(KEY, (32, 32, 3))),
        "images that the model takes",
    ),
    "gray": (
        lambda: (plain(), tfpe.ciphers.ele(KEY, (16, 16, 1))),
        "images that the model takes",
    ),
    "other numbers for other rows": (
        lambda: (
            model(layers.Rescaling(np.ones((16, 1, 1))), layers.Conv2D(4, 4, 4)),
            LE,
        ),
        r"each of the 3 channels.*\(16, 1, 1\)",
    ),
    "as many rows as channels": (
        lambda: (
            model(
                layers.Normalization(axis=1, mean=[1, 2, 3], variance=[1, 4, 9]),
                layers.Conv2D(4, 1, 1),
                shape=(3, 3, 3),
            ),
            tfpe.ciphers.pbe(KEY, (3, 3, 3)),
        ),
        r"each of the 3 channels.*\(1, 3, 1, 1\)",
    ),
    "blocks that move": (
        lambda: (convolutional(8, layers.Rescaling(1.0)), ELE),
        "moves blocks of side 4, also between patches",
    ),
    "words already": (
        lambda: (model(Words(4), layers.Conv2D(4, 4, 4), dtype="uint8"), LE),
        "Received: Words",
    ),
    "scaled words": (
        lambda: (model(layers.Rescaling(2.0), WordPatchEmbedding(4)), LE),
        "should take bytes",
    ),
}


@pytest.mark.parametrize("function", [tfpe.match, tfpe.unmatch])
@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_matched_or_unmatched(case, function):
    make, message = WRONG[case]
    with pytest.raises(NetworkError, match=re.compile(message, re.DOTALL)):
        function(*make())


def test_a_matched_model_is_matched_only_once():
    matched = tfpe.match(plain(), LE)
    with pytest.raises(NetworkError, match="second @ first"):
        tfpe.match(matched, tfpe.ciphers.pbe(KEY, SHAPE))


@pytest.mark.parametrize("cipher", [LE, ELE], ids=["le", "ele"])
def test_what_others_trained_holds_the_key_once_it_is_unmatched(cipher, tmp_path):
    """The cloud has the weights before, so the weights behind tell the key."""
    trained, x = plain(), images()
    opened = tfpe.unmatch(trained, cipher)
    assert agree(opened(x), trained(cipher(x)), 1e-4)
    with pytest.raises(TfpeError, match="with_key=True"):
        opened.save(tmp_path / "opened.keras")
    # What takes that off again is the way back, and nothing secret is left.
    again = tfpe.unmatch(opened, cipher.inverse)
    assert agree(again(cipher(x)), trained(cipher(x)), 1e-4)
    again.save(tmp_path / "again.keras")


@pytest.mark.parametrize("cipher", ["le", "ele", "pbe", "logistic", "orthogonal"])
def test_another_key_does_not_unmatch(cipher, tmp_path):
    """Its guard would be gone, and the key would not be."""
    first, other = (tfpe.CIPHERS[cipher](Key(bytes([n]) * 32), SHAPE) for n in (1, 2))
    matched = tfpe.match(plain(), first)
    wrong = {"another key": other, "the inverse": first.inverse}
    if cipher != "orthogonal":
        wrong["nothing"] = tfpe.Transform.identity(SHAPE)
        wrong["ffx"] = tfpe.ciphers.ffx(Key(bytes(32)), SHAPE)
        # The same map on smaller words is the same map.
        opened = tfpe.unmatch(matched, first.refine(1))
        assert agree(opened(images()), matched(first(images())), 1e-4)
    for transform in wrong.values():
        with pytest.raises(NetworkError, match="the one that the model was matched to"):
            tfpe.unmatch(matched, transform)
    tfpe.unmatch(matched, first).save(tmp_path / "plain.keras")
    # After a way through a file nobody knows: what comes out stays guarded.
    tfpe.export(matched, tmp_path / "matched.keras", with_key=True)
    again = keras.models.load_model(tmp_path / "matched.keras")
    for transform in (first, other):
        opened = tfpe.unmatch(again, transform)
        with pytest.raises(TfpeError, match="with_key=True"):
            opened.save(tmp_path / "opened.keras")


def test_the_order_of_tokens_is_kept_out_of_files_by_itself(tmp_path):
    matched = tfpe.match(plain(), ELE)
    [order] = [one for one in matched.layers if isinstance(one, TokenOrder)]
    alone = keras.Sequential([keras.Input(order.input.shape[1:]), order])
    with pytest.raises(TfpeError, match="with_key=True"):
        alone.save(tmp_path / "order.keras")


@pytest.mark.parametrize("outputs", ["list", "dict", "tokens alone in a list"])
def test_every_output_stays(outputs):
    image = keras.Input(SHAPE)
    tokens = layers.Conv2D(4, 4, 4)(image)
    logits = layers.Dense(3)(layers.Flatten()(tokens))
    shown = {
        "list": [logits, tokens],
        "dict": {"logits": logits, "tokens": tokens},
        "tokens alone in a list": [tokens],
    }[outputs]
    network, x = keras.Model(image, shown), images()
    for found, wanted in zip(
        keras.tree.flatten(tfpe.match(network, ELE)(ELE(x))),
        keras.tree.flatten(network(x)),
        strict=True,
    ):
        assert agree(found, wanted, 1e-4)


@pytest.mark.parametrize("listed", [False, True])
def test_a_front_in_a_functional_model_of_its_own(listed):
    inner = keras.Input(SHAPE)
    scaled = layers.Rescaling(1 / 255)(inner)
    front = keras.Model(inner, [scaled] if listed else scaled)
    image = keras.Input(SHAPE)
    [scaled] = keras.tree.flatten(front(image))
    network = keras.Model(image, layers.Conv2D(4, 4, 4)(scaled))
    assert agree(tfpe.match(network, ELE)(ELE(images())), network(images()), 1e-4)


def test_what_another_model_does_with_the_images_is_no_matter():
    image, convolution = keras.Input(SHAPE), layers.Conv2D(4, 4, 4)
    network = keras.Model(image, convolution(image))
    keras.Model(image, layers.Flatten()(convolution(image)))
    assert agree(tfpe.match(network, ELE)(ELE(images())), network(images()), 1e-4)


def test_what_was_frozen_stays_frozen():
    network = model(layers.Conv2D(5, 4, 4, trainable=False), layers.Flatten())
    matched = tfpe.match(network, ELE)
    assert not matched.trainable_variables
    assert not tfpe.unmatch(matched, ELE).trainable_variables


def seen_before(what):
    image = keras.Input(SHAPE)
    scaled = layers.Rescaling(1 / 255)(image)
    logits = layers.Flatten()(layers.Conv2D(4, 4, 4)(scaled))
    return keras.Model(image, [logits, {"image": image, "scaled": scaled}[what]])


def two_ways():
    inner = keras.Input(SHAPE)
    front = keras.Model(inner, [layers.Rescaling(1 / 255)(inner), inner])
    image = keras.Input(SHAPE)
    return keras.Model(image, layers.Conv2D(4, 4, 4)(front(image)[0]))


class NoConfig(layers.Layer):
    def __init__(self, width):
        super().__init__()

    def call(self, x):
        return x


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (two_ways, "layers of one output"),
        (lambda: seen_before("image"), "and nowhere else.*an output"),
        (lambda: seen_before("scaled"), "and nowhere else.*an output"),
        (lambda: model(layers.Conv2D(4, 4, 4), NoConfig(3)), "as Keras can copy"),
    ],
)
def test_what_keras_cannot_follow_is_told_by_name(make, message):
    with pytest.raises(NetworkError, match=message):
        tfpe.match(make(), ELE)


@pytest.mark.parametrize("dtype", ["uint8", "bfloat16", "float16", "int32", "float64"])
def test_bytes_of_any_dtype_give_what_they_gave(dtype):
    x, network = images(), plain(dtype=dtype)
    matched, y = tfpe.match(network, ELE), ELE(images())
    assert matched.inputs[0].dtype == dtype
    assert agree(matched(y), network(x), 1e-4)
    cast = keras.ops.cast(y, dtype)
    assert agree(matched(cast), matched(y), 0)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16", "mixed_float16"])
def test_sixteen_bits_agree_as_far_as_they_go(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        for first in (plain(), model(WordPatchEmbedding(5, 4, 4, False))):
            matched, x = tfpe.match(first, ELE), images()
            assert matched.layers[1].dtype_policy.name == policy
            one, other = (
                keras.ops.cast(found, "float32")
                for found in (matched(ELE(x)), first(x))
            )
            assert agree(one, other, 3e-2)
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("name", ["pbe", "le", "ele", "etc", "etc_gray", "orthogonal"])
def test_images_of_one_channel(name):
    shape = (16, 16, 1)
    network, transform = plain(shape), tfpe.CIPHERS[name](KEY, shape)
    x = images(shape=shape)
    matched = tfpe.match(network, transform)
    assert agree(matched(transform(x)), network(x), 1e-4)
    assert agree(tfpe.unmatch(matched, transform)(x), network(x), 1e-4)


LAYERS = {
    "Words(4)": lambda: Words(4),
    "Words(8)": lambda: Words(8),
    "patches": lambda: WordPatchEmbedding(3, 4, 1),
    "folded": FoldedChannels,
    "blocks": lambda: UnorderedTokens(3, "blocks"),
    "multisets": lambda: UnorderedTokens(3, "multisets", bits=4),
}
UNFIT = {
    "0 to 1": images() / np.float32(255),
    "-1 to 1": images() / np.float32(127.5) - 1,
    "300": images().astype("int32") + 45,
    "NaN": np.full((3, *SHAPE), np.nan, np.float32),
    "yes or no": images() > 127,
}


@pytest.mark.parametrize("layer", LAYERS)
def test_images_that_are_no_bytes_are_not_taken_for_bytes(layer):
    for wrong in UNFIT.values():
        with pytest.raises(ImageError, match="Received"):
            LAYERS[layer]()(wrong)


@pytest.mark.parametrize("layer", ["Words(8)", "blocks"])
def test_inside_a_graph_they_become_nothing_and_the_others_stay(layer):
    graph = keras.Sequential([keras.Input(SHAPE), LAYERS[layer]()])
    for name in ("-1 to 1", "NaN"):
        mixed = np.concatenate([UNFIT[name][:1], images().astype("float32")])
        found = graph.predict(mixed, verbose=0)
        assert np.isnan(found[0]).all() and np.isfinite(found[1:]).all(), name


def test_floats_between_bytes_are_rounded_where_words_are_smaller():
    x = images().clip(1, 254)
    near = x + np.float32(0.4)
    assert agree(Words(4)(near), Words(4)(x), 0)
    assert agree(Words(8)(near), Words(8)(x) + np.float32(0.8 / 255), 1e-5)
    with pytest.raises(NetworkError, match="height, width, channels"):
        Words(4)(np.zeros((2, 3), np.uint8))
