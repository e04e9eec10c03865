"""Run by test_pyramidnet.py in a process of its own, on one Keras backend.

Arguments: a folder to write to, and names of modules that must not be imported.
"""

import sys
from pathlib import Path

from blocking import block

folder, *blocked = sys.argv[1:]
block(*blocked)

sys.path.insert(0, str(Path(__file__).parents[2]))

import keras  # noqa: E402
import numpy as np  # noqa: E402

from training.networks.adaptation import ele_adaptnet  # noqa: E402


def check(condition, what):
    if not condition:
        sys.exit(f"{keras.backend.backend()}: {what}")


rng = np.random.default_rng(0)
images, labels = rng.uniform(size=(8, 8, 8, 3)), rng.integers(0, 4, 8)
keras.utils.set_random_seed(0)
model = ele_adaptnet(4, (8, 8, 3), depth=8, alpha=6, l2=1e-4)
start = [np.array(keras.ops.convert_to_numpy(v)) for v in model.variables]
model.compile(
    keras.optimizers.SGD(0.01),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    # Keras cannot compile for torch with every version of it.
    jit_compile=keras.backend.backend() != "torch",
)
history = model.fit(images, labels, batch_size=4, epochs=2, verbose=0).history
check(np.all(np.isfinite(history["loss"])), f"losses {history['loss']}")
for variable, before in zip(model.variables, start, strict=True):
    after = keras.ops.convert_to_numpy(variable)
    check(np.all(np.isfinite(after)), f"{variable.path} is not finite")
    check(not np.array_equal(after, before), f"{variable.path} stays as it was")
model.save(Path(folder) / "model.keras")
loaded = keras.saving.load_model(Path(folder) / "model.keras")
state = keras.ops.convert_to_numpy
for old, new in zip(model.variables, loaded.variables, strict=True):
    if "optimizer" not in old.path:
        check(np.array_equal(state(old), state(new)), f"{old.path} is not saved")
