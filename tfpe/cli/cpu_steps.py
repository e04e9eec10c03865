"""What TensorFlow and JAX should know before the first step of a training on CPUs."""

import importlib.util
import os

CONVOLUTIONS = "--xla_cpu_experimental_ynn_fusion_type"


def quicken_steps():
    """Has both frameworks take the fast way; call it before the first tensor is made.

    Whoever has set a variable of TensorFlow's, or the flag of XLA, keeps that choice.
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

    jaxlib 0.8.2 to 0.10 can give them to YNNPACK, with which a step of `small` takes
    twice as long (0.10.2); 0.11.2 does not. XLA ends a process over a flag that it does
    not know: that of TensorFlow, which may be in the same process, knows it from 2.21.
    """
    flags = os.environ.get("XLA_FLAGS", "").strip()
    in_file = flags and not flags.startswith("-")  # XLA_FLAGS may name a file of flags
    if in_file or CONVOLUTIONS in flags or os.environ.get("KERAS_BACKEND") != "jax":
        return
    slow = (0, 8, 2) <= _version("jaxlib") < (0, 11)
    alone = importlib.util.find_spec("tensorflow") is None
    if slow and (alone or _version("tensorflow") >= (2, 21)):
        os.environ["XLA_FLAGS"] = f"{flags} {CONVOLUTIONS}=".lstrip()


def _version(package):
    """The numbers of an installed version, such as `(0, 10, 2)`; none, `()`."""
    import importlib.metadata

    try:
        numbers = importlib.metadata.version(package).split(".")
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(int(number) for number in numbers[:3] if number.isdigit())
