"""Run by test_strategies.py: `python -m training` with two virtual CPU devices."""

import sys

import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)

from training import strategies  # noqa: E402
from training.cli import main  # noqa: E402

with strategies.scope("mirrored"):
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
if replicas != 2:
    sys.exit(f"{replicas} replicas")
sys.exit(main(sys.argv[1:]))
