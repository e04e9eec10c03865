"""Versions and machine that a measurement depends on, beside its settings."""

import datetime
import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

from tfpe import __version__


def environment():
    """What a measurement depends on besides its settings: versions and machine.

    Frameworks are named only where they are imported already, since what a run did not
    import it did not use. Nothing tells the user, host or folder.

    Returns:
        A dict of `date` (UTC), `tfpe`, `python`, `numpy`, `system`, `cpu`, `cores`
        (that this process may use), `memory_gib` and, where imported, `keras`,
        `backend`, `tensorflow`, `jax`, `torch`, `sklearn` and `gpu` (names).

    Example:

    >>> {"cores", "cpu", "date", "memory_gib"} <= set(environment())
    True
    """
    now = datetime.datetime.now(datetime.UTC)
    found = {
        "date": now.isoformat(timespec="seconds"),
        "tfpe": __version__,
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cores": _cores(),
        "memory_gib": _memory_gib(),
    }
    for name in ("keras", "tensorflow", "jax", "torch", "sklearn"):
        version = getattr(sys.modules.get(name), "__version__", None)
        if version:
            found[name] = str(version)  # torch has a class of its own
    if "keras" in found:
        found["backend"] = sys.modules["keras"].config.backend()
    if gpus := _gpus():
        found["gpu"] = gpus
    return found


def _cpu_model():
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return model[1].strip() if model else platform.processor() or "unknown"


def _cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory_gib():
    """Physical memory, or None where the system does not tell."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)


def _gpus():
    """Names of the accelerators of the frameworks that are imported."""
    if tensorflow := sys.modules.get("tensorflow"):
        config = tensorflow.config
        devices = config.list_physical_devices("GPU")
        names = [
            config.experimental.get_device_details(d).get("device_name", d.name)
            for d in devices
        ]
        if names:
            return names
    if jax := sys.modules.get("jax"):
        names = [d.device_kind for d in jax.devices() if d.platform != "cpu"]
        if names:
            return names
    if (torch := sys.modules.get("torch")) and torch.cuda.is_available():
        count = torch.cuda.device_count()
        return [torch.cuda.get_device_name(number) for number in range(count)]
    return []
