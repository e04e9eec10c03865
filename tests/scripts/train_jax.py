"""Run by test_train.py: a comparison from an .npz file on JAX, without TensorFlow."""

import sys

from blocking import block

block("tensorflow", "tensorflow_datasets", "tensorboard")

import keras  # noqa: E402

from training.cli import main  # noqa: E402

code = main(sys.argv[1:])
if keras.backend.backend() != "jax":
    sys.exit("not on JAX")
sys.exit(code)
