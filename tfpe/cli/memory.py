"""How TensorFlow gets the memory of the steps of a training, on CPUs."""

import os


def keep_memory_of_steps():
    """Has TensorFlow keep the memory of one training step for the next.

    Its allocator for CPUs gives every large tensor back to the system, which clears the
    pages and maps them anew in the next step. The one that it has for GPUs keeps them,
    until the process ends, and computes the same. TensorFlow reads the choice with its
    first tensor. Who has set TF_CPU_ALLOCATOR_USE_BFC, or the limit beside it, keeps
    what was chosen.
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    # Without a limit of its own: 64 GiB, whatever the machine has.
    os.environ.setdefault("TF_CPU_BFC_MEM_LIMIT_IN_MB", str(2**20))
