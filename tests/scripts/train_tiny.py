"""Run by test_train.py: one small training run, killed where it is told.

Arguments: the run folder, and "batch:EPOCH:STEP" (while that batch is made) or
"backup:EPOCH" (when the backup is written and not yet in its place). The run is that of
test_train.py, which starts and ends it without a kill.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import tensorflow as tf  # noqa: E402
from test_train import make_parts, random_recipe  # noqa: E402

from training.batches import Batches  # noqa: E402
from training.train import train  # noqa: E402

folder, where = sys.argv[1:]
tf.config.run_functions_eagerly(True)  # as in test_train.py
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

train(make_parts(), 2, random_recipe(), 0, None, folder, {"epochs": 3})
