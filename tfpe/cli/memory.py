"""How TensorFlow gets the memory of the steps of a training, on CPUs."""

import os


def keep_memory_of_steps():
    """Has TensorFlow keep the memory of one training step for the next.

    Its allocator for CPUs gives every large tensor back to the system, which clears the
    pages and maps them anew in the next step: up to half of the time of a step. The one
    it has for GPUs keeps them, and computes the same. TensorFlow reads the choice with
    its first tensor; who has set TF_CPU_ALLOCATOR_USE_BFC keeps what was chosen.
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
