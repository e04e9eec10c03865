"""Run by test_train.py: one small training run, killed where it is told.

Arguments: the run folder, and "none", "batch:EPOCH:STEP" (while that batch is made) or
"backup:EPOCH" (when the backup is written and not yet in its place).
"""

import os
import signal
import sys

import numpy as np

from training.batches import Batches
from training.recipes import find_recipe
from training.splits import Part, Parts
from training.train import train

folder, where = sys.argv[1:]
kind, *place = where.split(":")
place = [int(number) for number in place]


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


if kind == "batch":
    make = Batches.__getitem__

    def make_or_die(self, step):
        if [self.epoch, step] == place:
            kill()
        return make(self, step)

    Batches.__getitem__ = make_or_die
if kind == "backup":
    replace = os.replace

    def replace_or_die(source, target):
        if str(target).endswith(f"epoch-{place[0]:05d}.weights.h5"):
            kill()
        replace(source, target)

    os.replace = replace_or_die

random = np.random.default_rng(0)
labels = np.arange(80, dtype=np.int32) % 2
images = random.integers(0, 200, (80, 8, 8, 3)) + 40 * labels[:, None, None, None]
images, numbers = images.astype(np.uint8), np.arange(80)
parts = Parts(
    *(Part(images[s], labels[s], numbers[s]) for s in np.split(numbers, [48, 64]))
)
recipe = find_recipe(
    "tiny", alpha=3, epochs=4, batch_size=16, shakedrop=0.5, deterministic=True
)
train(parts, 2, recipe, 0, None, folder, {"epochs": 4})
