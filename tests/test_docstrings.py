"""Every public name says what it takes, gives and raises, and shows an example."""

import ast
import dataclasses
import importlib.util
import inspect
import pathlib
import pkgutil
import re
import textwrap

import pytest
from pages import PAGES

import tfpe

# What users of the checkout call; the rest of `training` serves its commands.
TRAINING = re.findall(
    r"^::: (training[\w.]*)\.(\w+)$", PAGES["docs/api/training.md"], re.MULTILINE
)
# These train or need a trained model: `python -m training --help` shows commands.
WITHOUT_EXAMPLE = ("compare", "evaluate", "train")


def public_names(module):
    """What a module offers: its `__all__`, or what it defines without underscore."""
    if hasattr(module, "__all__"):
        return module.__all__
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "") == module.__name__
    ]


def public_objects():
    """The public functions and classes, each once."""
    modules = [tfpe, *(getattr(tfpe, name) for name in tfpe.__all__)]
    modules = [module for module in modules if inspect.ismodule(module)]
    objects = [
        getattr(module, name) for module in modules for name in public_names(module)
    ]
    objects += [getattr(importlib.import_module(m), name) for m, name in TRAINING]
    kept = (inspect.isfunction, inspect.isclass)
    objects = [value for value in objects if any(test(value) for test in kept)]
    return {f"{value.__module__}.{value.__qualname__}": value for value in objects}


def own_nodes(function):
    """The syntax nodes of a function, without those of functions inside it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    nodes = list(tree.body)
    while nodes:
        node = nodes.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            nodes += ast.iter_child_nodes(node)


def lacking(value):
    """What the docstring of a public name should have and has not."""
    text = inspect.getdoc(value) or ""
    if not re.match(r".*[.:](\n|$)", text):
        yield "a first line that is a sentence"
    for forgotten in re.findall(r"\b(?:FIGURES?|TODO|TBD|FIXME|XXX)\b", text):
        yield f"what {forgotten} stands for"
    if inspect.isclass(value) and issubclass(value, Exception):
        return
    names = [name for name in inspect.signature(value).parameters if name != "self"]
    # Those that do the same with other evidence say so, and what differs.
    refers = re.search(r"^Args, returns.* as `\w+`", text, re.M)
    if names and not refers:
        if not re.search(r"^(Args|Attributes):", text, re.M):
            yield "Args or Attributes"
        missing = [name for name in names if not re.search(rf"\b{name}\b", text)]
        if missing:
            yield f"its arguments {missing}"
    if dataclasses.is_dataclass(value) or hasattr(value, "_fields"):
        return
    shown = ">>> " in text or re.search(r"^See the example of `\w+`", text, re.M)
    if not shown and value.__name__ not in WITHOUT_EXAMPLE:
        yield "an example"
    if inspect.isfunction(value) and not refers:
        nodes = list(own_nodes(value))
        if any(isinstance(node, ast.Return) and node.value for node in nodes):
            if "\nReturns:\n" not in text:
                yield "Returns"
        if any(isinstance(node, ast.Raise) for node in nodes):
            if "\nRaises:\n" not in text:
                yield "Raises"


@pytest.mark.parametrize("name, value", public_objects().items(), ids=public_objects())
def test_docstring(name, value):
    assert list(lacking(value)) == []


def test_the_check_finds_what_lacks():
    def poor(image, key):
        """Encrypts TODO"""
        if key is None:
            raise ValueError
        return image

    assert list(lacking(poor)) == [
        "a first line that is a sentence",
        "what TODO stands for",
        "Args or Attributes",
        "its arguments ['image', 'key']",
        "an example",
        "Returns",
        "Raises",
    ]


@pytest.mark.parametrize("package", ["tfpe", "training"])
def test_modules_say_what_they_are(package):
    for module in pkgutil.walk_packages([package], f"{package}."):
        path = pathlib.Path(importlib.util.find_spec(module.name).origin)
        assert ast.get_docstring(ast.parse(path.read_text())), module.name
