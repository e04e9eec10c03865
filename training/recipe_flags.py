"""The flags of a recipe: one for each of its fields and each option of a network."""

import argparse
import dataclasses
import inspect
import re

from training import argument_types
from training.networks import NETWORKS
from training.recipe import CHOICES, Recipe
from training.recipes import RECIPES


def add_recipe(command, only=None, without=(), default="tiny"):
    """Adds `--recipe`, and flags of all its fields or of `only` some of them."""

    def wanted(name):
        left_out = "name", "options", *without
        return name not in left_out and (only is None or name in only)

    command.add_argument(
        "--recipe",
        default=default,
        choices=list(RECIPES),
        help=f"training/recipes.py says what each takes (default: {default})",
    )
    knobs = command.add_argument_group(
        "fields of the recipe", "these replace the values that the recipe has"
    )
    meanings = field_meanings()
    for field in dataclasses.fields(Recipe):
        if wanted(field.name):
            meaning = meanings.get(field.name)
            choices = CHOICES.get(field.name, ())
            _add_knob(knobs, field.name, field.default, choices, meaning)
    for name, option in network_options().items():
        if wanted(name):
            rows = [row.name for row in NETWORKS.values() if name in row.options]
            meaning = f"{option.meaning} ({', '.join(rows)})"
            _add_knob(knobs, name, option.default, option.choices, meaning)


def network_options():
    """The options of all networks, name -> the first `Option` of that name."""
    options = {}
    for row in NETWORKS.values():
        for name, option in row.options.items():
            options.setdefault(name, option)
    return options


def _add_knob(knobs, name, default, choices, meaning):
    """Adds the flag of a field of `Recipe`, or of an option of a network."""
    flag = "--" + name.replace("_", "-")
    knobs.add_argument(flag, default=None, help=meaning, **_value(default, choices))


def _value(default, choices):
    """How argparse reads a value like `default`."""
    if isinstance(default, bool):
        return {"action": argparse.BooleanOptionalAction}
    if choices:
        return {"choices": choices, "type": type(default)}
    if isinstance(default, tuple):
        return {"type": argument_types.fractions, "metavar": "0.5,0.75"}
    whole = isinstance(default, int)
    return {"type": int, "metavar": "N"} if whole else {"type": float, "metavar": "X"}


def field_meanings():
    """Field name -> help, from the docstring of `Recipe`."""
    text = inspect.getdoc(Recipe).partition("Attributes:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w[\w, ]*): (.*(?:\n        .*)*)", text, re.MULTILINE)
    return {
        name: " ".join(meaning.split()).rstrip(".")
        for names, meaning in entries
        for name in names.split(", ")
    }
