"""A generator and the judge that it learns from: GANs through Keras's own `fit`.

One step trains both on the same batch: the judge on real pictures and on shown ones,
the generator on what the judge says of these while the judge's weights stand still.
Papers train the judge first and then the generator on the judge of after that step.
"""

import dataclasses
from collections.abc import Callable

import keras
from keras import layers, ops

from tfpe.attacks.learned.published_networks import convolution
from tfpe.errors import AttackError

REAL, SHOWN, JUDGED = "real", "shown", "judged"
LEAST_SIDE = 16
BETA = 0.5  # of Adam
SLOPE = 0.2


class Players(layers.Layer):
    """What the judge says of real pictures, of shown ones, and to the generator.

    Args:
        generator: a `keras.Model` from ciphertexts to a dict with `picture`.
        judge: a `keras.Model` from pictures to logits, `(B, 1)`.

    Input shape:
        Ciphertexts and real pictures of others, `(B, H, W, C)`.

    Output shape:
        A dict of logits `(B, 1)`: `real`, `shown`, and `judged`, the last two of the
        same pictures. Gradients of the first two reach the judge alone, of the last
        one the generator alone.
    """

    def __init__(self, generator, judge, **options):
        super().__init__(**options)
        self.generator, self.judge = generator, judge
        self.built = True

    def call(self, inputs, training=False):
        ciphertexts, real = inputs
        picture = self.generator(ciphertexts, training=training)["picture"]
        still = [ops.stop_gradient(v.value) for v in self.judge.trainable_variables]
        others = [v.value for v in self.judge.non_trainable_variables]
        judged, _ = self.judge.stateless_call(still, others, picture)
        return {
            REAL: self.judge(real, training=training),
            SHOWN: self.judge(ops.stop_gradient(picture), training=training),
            JUDGED: judged,
        }

    def compute_output_spec(self, inputs, training=False):
        count = inputs[0].shape[0]
        return {n: keras.KerasTensor((count, 1)) for n in (REAL, SHOWN, JUDGED)}


class SpectralConv(layers.Conv2D):
    """A convolution without a bias whose kernel has the largest singular value 1.

    Source: Miyato, Kataoka, Koyama, Yoshida, Spectral Normalization for Generative
    Adversarial Networks, ICLR 2018: one step of the power method for each call.
    """

    def __init__(self, *sizes, **options):
        super().__init__(*sizes, use_bias=False, **options)

    def build(self, shape):
        super().build(shape)
        self.direction = self.add_weight(
            shape=(self.filters, 1),
            initializer="random_normal",
            trainable=False,
            name="direction",
        )

    def call(self, images, training=False):
        kernel = ops.convert_to_tensor(self.kernel)
        matrix = ops.reshape(kernel, (-1, self.filters))
        fixed = ops.stop_gradient(matrix)
        left = _unit(ops.matmul(fixed, self.direction))
        right = _unit(ops.matmul(ops.transpose(fixed), left))
        if training:
            self.direction.assign(right)
        largest = ops.sum(left * ops.matmul(matrix, right))
        return ops.conv(
            images, kernel / largest, self.strides, self.padding, "channels_last"
        )


def dcgan_judge(image_shape, width):
    """The discriminator of the GAN of 2010.06198, as its laboratory's code has it.

    Two convolutions of 4 x 4 that halve the picture, the second one spectrally
    normalised, then one value for each place, of which the largest counts (in that
    code the largest of the first 3 x 3).
    """
    images = keras.Input(image_shape)
    features = convolution(width, 4, strides=2, use_bias=False)(2 * images - 1)
    features = layers.LeakyReLU(SLOPE)(features)
    features = SpectralConv(2 * width, 4, strides=2, padding="same")(features)
    features = layers.LeakyReLU(SLOPE)(features)
    values = convolution(1, 4, padding="valid", use_bias=False)(features)
    return keras.Model(images, layers.GlobalMaxPooling2D()(values), name="judge")


def sia_judge(image_shape, width):
    """A discriminator as of SIA-GAN: spectral norms, attention, 13 million weights.

    What its layers are is not known where this was read: they are ours.
    """
    width = 2 * width // 3  # beside a generator of 96, 64
    images = keras.Input(image_shape)
    features = SpectralConv(width, 3, padding="same")(2 * images - 1)
    features = layers.LeakyReLU(SLOPE)(features)
    for number, times in enumerate((2, 4, 8, 16)):
        features = SpectralConv(times * width, 4, strides=2, padding="same")(features)
        features = layers.LeakyReLU(SLOPE)(features)
        if number == 1:
            features = Attention()(features)
        if number == 2:
            features = SpectralConv(times * width, 3, padding="same")(features)
            features = layers.LeakyReLU(SLOPE)(features)
    values = layers.Dense(1)(ops.sum(features, axis=(1, 2)))
    return keras.Model(images, values, name="judge")


class Attention(layers.Layer):
    """Every place looks at every other one, as in SAGAN: nothing of it at first."""

    def build(self, shape):
        width = shape[-1]
        self.asks, self.answers = (SpectralConv(max(1, width // 8), 1) for _ in "qk")
        self.says = SpectralConv(width, 1)
        for part in (self.asks, self.answers, self.says):
            part.build(shape)
        self.share = self.add_weight(shape=(), initializer="zeros", name="share")

    def call(self, features, training=False):
        _, height, width, channels = features.shape
        asked, answered, said = (
            ops.reshape(part(features, training=training), (-1, height * width, n))
            for part, n in (
                (self.asks, max(1, channels // 8)),
                (self.answers, max(1, channels // 8)),
                (self.says, channels),
            )
        )
        likely = ops.softmax(ops.einsum("bnd,bmd->bnm", asked, answered))
        seen = ops.reshape(ops.matmul(likely, said), (-1, height, width, channels))
        return features + self.share * seen


def crossentropy(wanted, logits):
    """Of the GAN: the generator's is that of a judge who takes its pictures as real."""
    return keras.losses.binary_crossentropy(wanted, logits, from_logits=True)


def hinge(wanted, logits):
    """Of the judge of SIA-GAN: no more is won beyond 1."""
    return ops.mean(ops.relu(1 - (2 * wanted - 1) * logits), axis=-1)


def pushed(wanted, logits):
    """Of its generator: as real as can be."""
    return -ops.mean((2 * wanted - 1) * logits, axis=-1)


@dataclasses.dataclass(frozen=True)
class Judge:
    """A discriminator: `build`, `(image shape, width)`, and the losses of both."""

    build: Callable
    judging: Callable
    generating: Callable


JUDGES = {
    "dcgan": Judge(dcgan_judge, crossentropy, crossentropy),
    "sia": Judge(sia_judge, hinge, pushed),
}


def players(generator, form, published, width=None):
    """The model that trains both: ciphertexts and real pictures to logits.

    Args:
        generator: what `published.build` made.
        form: a `Form`.
        published: a `Published` with a judge.
        width: as of the generator.

    Raises:
        AttackError: pictures are too small for a judge.
    """
    if min(form.image_shape[:2]) < LEAST_SIDE:
        raise AttackError(
            f"Pictures for a GAN should be at least {LEAST_SIDE} x {LEAST_SIDE}. "
            f"Received: shape {form.image_shape}"
        )
    judge = JUDGES[published.judge].build(form.image_shape, width or published.width)
    inputs = (
        keras.Input(form.image_shape, dtype="uint8", name="ciphertext"),
        keras.Input(form.image_shape, name="picture"),
    )
    return keras.Model(inputs, Players(generator, judge)(inputs), name="players")


def compile_players(model, published, rate):
    """Compiles with Adam; its steps are kept for each weight, so that one serves both.

    Args:
        model: of `players`.
        published: a `Published` with a judge.
        rate: of learning.
    """
    judge = JUDGES[published.judge]
    losses = {REAL: judge.judging, SHOWN: judge.judging, JUDGED: judge.generating}
    model.compile(keras.optimizers.Adam(rate, beta_1=BETA), loss=losses)
    model.optimizer.build(model.trainable_variables)


def _unit(vector):
    return vector / (ops.norm(vector) + 1e-12)
