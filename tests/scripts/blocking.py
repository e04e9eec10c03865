"""Makes modules impossible to import, as on a machine that does not have them."""

import importlib.abc
import sys


class Blocker(importlib.abc.MetaPathFinder):
    """A finder that refuses some modules.

    `sys.modules[name] = None` would not do: Keras takes a name there for the module.
    """

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)


def block(*names):
    """From here on, importing one of these raises `ModuleNotFoundError`."""
    sys.meta_path.insert(0, Blocker(names))
