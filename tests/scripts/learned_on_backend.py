"""Run by test_learned_backends.py in a process of its own, on one Keras backend.

Arguments: a folder to write to, names of ciphers between commas, and names of modules
that must not be imported.
"""

import sys
from pathlib import Path

from blocking import block

folder, ciphers, *blocked = sys.argv[1:]
block(*blocked)

sys.path.insert(0, str(Path(__file__).parents[2]))

import keras  # noqa: E402
import numpy as np  # noqa: E402

from tfpe.attacks import InverseNetwork  # noqa: E402
from tfpe.attacks.learned import learning  # noqa: E402
from tfpe.attacks.learned.forms import form_of  # noqa: E402

SHAPE = (16, 16, 3)
SIZES = {"pbe": {"widths": [8, 8]}, "ffx": {"widths": [8, 8]}}
pictures = np.random.default_rng(0).integers(0, 256, (30, *SHAPE), np.uint8)
compiled = learning._compile


def in_steps(model, *arguments):
    compiled(model, *arguments)
    model.run_eagerly = keras.backend.backend() != "jax"


learning._compile = in_steps
for cipher in ciphers.split(","):
    path = Path(folder, f"{cipher}.attack")
    name, _, published = cipher.partition("+")
    sizes = SIZES.get(name, {"width": 8, "depth": 1})
    if published:
        sizes = {"published": published, "width": 16}
    form = form_of(name, SHAPE)
    trained = learning.learn(form, pictures, path, steps=2, batch_size=2, **sizes)
    shown = InverseNetwork.load(path)(pictures)
    if not (shown == trained(pictures)).all() or shown.shape != pictures.shape:
        sys.exit(f"{keras.backend.backend()}: {cipher} shows other pictures")
