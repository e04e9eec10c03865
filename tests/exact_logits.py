"""How far logits on ciphertext are from those on images; also as a script.

As one, `exact_logits.py CASES.json` prints what it finds for each case, so that one
process answers all questions to a backend.
"""

import dataclasses
import json
import sys

import keras
import numpy as np
from patch_models import NORMALISATIONS, SHAPE, attending, convolutional, images

import tfpe
from tfpe import Key
from tfpe.errors import NetworkError
from training.networks import find_network

KEY = Key(bytes(range(32)))
STEMS = {"convolution": convolutional, "reshape, permute": attending}
NETWORKS = {
    "convmixer": {"width": 8, "depth": 1},
    "mlp_mixer": {"width": 8, "depth": 1},
    "vit": {"width": 12, "depth": 1},
    "pyramidnet": {"depth": 8, "alpha": 3, "shakedrop": 0, "stem": "words"},
}
REFUSED = "refused"


@dataclasses.dataclass(frozen=True)
class Case:
    """A question.

    Attributes:
        cipher, options: of the transform.
        network: a name in `STEMS` or `NETWORKS`.
        patch: side of its patches.
        normalisation: a name in `NORMALISATIONS`, for those in `STEMS`.
        dtype: in which Keras computes.
    """

    cipher: str
    network: str
    patch: int
    normalisation: str = "unit"
    dtype: str = "float64"
    options: dict = dataclasses.field(default_factory=dict)

    def __str__(self):
        options = " ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.cipher} {options} {self.network} {self.patch} {self.dtype}"

    def transform(self):
        return tfpe.CIPHERS[self.cipher](KEY, SHAPE, **self.options)

    def model(self, transform):
        if self.network in STEMS:
            normalisation = NORMALISATIONS[self.normalisation]()
            return STEMS[self.network](self.patch, normalisation)
        found = tfpe.structure(transform)
        stem = {"patch_size": self.patch, "bits": found.bits}
        stem["tied"] = bool((found.at(self.patch) or found).tied)
        options = NETWORKS[self.network] | stem
        return find_network(self.network).build(10, SHAPE, 1e-4, **options)


def difference(case):
    """The largest, in units of the largest logit; or `REFUSED`."""
    policy, floats = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx(case.dtype)
    keras.config.set_dtype_policy(case.dtype)
    try:
        transform, x = case.transform(), images()
        model = case.model(transform)
        try:
            matched = tfpe.match(model, transform)
        except NetworkError:
            return REFUSED
        one, other = (
            keras.ops.convert_to_numpy(network(data.astype(case.dtype)))
            for network, data in ((matched, transform(x)), (model, x))
        )
        assert one.dtype == other.dtype == case.dtype
        return float(np.abs(one - other).max() / np.abs(other).max())
    finally:
        keras.config.set_floatx(floats)
        keras.config.set_dtype_policy(policy)


def compute_in_64_bits():
    """Makes Keras compute in the dtype that it is asked for, also on JAX and torch.

    There its rules of promotion turn `float64` into `float32`, so that products, means
    and batch normalisation of a model in 64 bits round to 32: `BIT64_TO_BIT32_DTYPE`
    in keras/src/backend/common/dtypes.py; keras-team/keras, issue 23704.
    """
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


if __name__ == "__main__":
    compute_in_64_bits()
    cases = json.loads(open(sys.argv[1]).read())
    print(json.dumps([difference(Case(**case)) for case in cases]))
