"""Makes modules impossible to find, as on a machine that does not have them."""

import sys


class Without:
    """A finder of modules that does not find some of them.

    `sys.modules[name] = None` would not do: Keras takes a name there for the module.
    """

    def __init__(self, finder, names):
        self._finder, self._names = finder, names

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self._names:
            return None
        return self._finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self._finder, name)


def block(*names):
    """From here on, importing one of these raises `ModuleNotFoundError`."""
    sys.meta_path[:] = [Without(finder, names) for finder in sys.meta_path]
