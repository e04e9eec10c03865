"""Perceptual (learnable) image encryption for privacy-preserving deep learning.

>>> import numpy as np
>>> import tfpe
>>> key = tfpe.Key.generate()
>>> images = np.zeros((2, 32, 32, 3), np.uint8)
>>> cipher = tfpe.ciphers.logistic(key, (32, 32, 3))
>>> bool((cipher.inverse(cipher(images)) == images).all())
True

- `Key`: 32 secret bytes; `CIPHERS`: the table of ciphers, which are functions
  `(key, image_shape) -> Keyed` in `tfpe.ciphers`.
- `Transform`: one secret permutation and one secret mask, applied to arrays of NumPy,
  TensorFlow, JAX and torch; `PerceptualEncrypt`: the same as a Keras layer.
- `Keyed`: what every cipher is, and `Transform` the first kind of; `Substitution`,
  secret tables of values, and `Orthogonal`, a secret matrix for blocks, are others. `@`
  makes chains of them.
- `tfpe.data`, `tfpe.files`, `tfpe.dataset`: pipelines, folders of images, data sets.
- `Preparation`: size, gray or RGB, and conversions of pictures before encryption.
- `client_model`, `cloud_model`, `predict`, `export`: what owner and cloud hand over.
- `structure`, `match`, `unmatch`: what a network may know of a cipher, and a plain
  model as one for ciphertexts of a key.
- `tfpe.attacks`, `tfpe.metrics`: what breaks the ciphers, and what does not show it.

The names below are imported on first use, so that the command line starts at once
and nothing needs TensorFlow that does not use it. A saved model that holds a
`PerceptualEncrypt` layer loads after `from tfpe import PerceptualEncrypt`.
"""

import importlib

__version__ = "0.1.0"

_PUBLIC = {
    "CIPHERS": "tfpe.ciphers",
    "Key": "tfpe.keys",
    "Keyed": "tfpe.algebra.keyed",
    "Orthogonal": "tfpe.algebra.orthogonal",
    "PerceptualEncrypt": "tfpe.layers",
    "Preparation": "tfpe.pixels.preparation",
    "Substitution": "tfpe.algebra.substitution",
    "Transform": "tfpe.algebra.transform",
    "client_model": "tfpe.roles",
    "cloud_model": "tfpe.roles",
    "crop": "tfpe.pixels.padding",
    "export": "tfpe.roles",
    "match": "tfpe.matching",
    "pad_to_blocks": "tfpe.pixels.padding",
    "predict": "tfpe.roles",
    "structure": "tfpe.ciphers.structures",
    "unmatch": "tfpe.matching",
}
_MODULES = (
    *("attacks", "chaos", "ciphers", "data", "dataset"),
    *("errors", "files", "metrics", "roles"),
)

__all__ = sorted([*_PUBLIC, *_MODULES])


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"tfpe.{name}")
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'tfpe' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
