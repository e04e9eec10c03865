"""What TensorFlow and JAX should know before the first step of a training on CPUs."""

import importlib.metadata
import importlib.util
import os

CONVOLUTIONS = "--xla_cpu_experimental_ynn_fusion_type"


def quicken_steps():
    """Has both frameworks take the fast way; call it before the first tensor is made.

    Who has set one of the variables of the environment keeps what was chosen.
    """
    _keep_memory()
    _leave_convolutions_to_xla()


def _keep_memory():
    """Has TensorFlow keep the memory of one training step for the next.

    Its allocator for CPUs gives every large tensor back to the system, which clears the
    pages and maps them anew in the next step. The one that it has for GPUs keeps them,
    until the process ends, and computes the same.
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    # Without a limit of its own: 64 GiB, whatever the machine has.
    os.environ.setdefault("TF_CPU_BFC_MEM_LIMIT_IN_MB", str(2**20))


def _leave_convolutions_to_xla():
    """Has the XLA of JAX compile the gradients of kernels itself.

    jaxlib 0.8.2 to 0.10 gives them to YNNPACK, with which a step of `small` takes 2.5
    times as long (0.10.2); 0.11 does not. XLA ends a process over a flag that it does
    not know: that of TensorFlow, which may be in the same process, knows it from 2.21.
    """
    slow = (0, 8, 2) <= _version("jaxlib") < (0, 11)
    alone = importlib.util.find_spec("tensorflow") is None
    flags = os.environ.get("XLA_FLAGS", "")
    known = alone or _version("tensorflow") >= (2, 21)
    if slow and known and CONVOLUTIONS not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {CONVOLUTIONS}=".lstrip()


def _version(package):
    """The numbers of an installed version, such as `(0, 10, 2)`; none, `()`."""
    try:
        numbers = importlib.metadata.version(package).split(".")
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(int(number) for number in numbers[:3] if number.isdigit())
