"""What encrypts inside a Keras model: found, and taken off where it stands in front.

A layer `PerceptualEncrypt`, a `Transform` that a functional model applies, or a layer
that holds one of both: as an attribute, or a `Lambda` in its function.
"""

import inspect

import keras

from tfpe.algebra.keyed import Keyed
from tfpe.layers import ApplyTransform, PerceptualEncrypt

REMOVABLE = PerceptualEncrypt | ApplyTransform


def encrypting_parts(model):
    """What encrypts in a model, or a part of one, and in all inside it.

    Args:
        model: a Keras layer, model or operation.

    Returns:
        A list of layers and operations.

    Example:

    >>> import keras, tfpe
    >>> encrypt = tfpe.ciphers.pbe(tfpe.Key.generate(), (8, 8, 3))
    >>> inputs = keras.Input((8, 8, 3), dtype="uint8")
    >>> model = keras.Model(inputs, keras.layers.Flatten()(encrypt(inputs)))
    >>> [type(part).__name__ for part in encrypting_parts(model)]
    ['ApplyTransform']
    """
    layers = model._flatten_layers() if isinstance(model, keras.Layer) else [model]
    parts = {}
    for layer in layers:
        # A functional model has operations that are no layers.
        for part in (layer, *getattr(layer, "operations", [])):
            if _encrypts(part):
                parts[id(part)] = part
    return list(parts.values())


def without_front(model):
    """A functional model behind what encrypts at its inputs; it shares the weights.

    Args:
        model: a functional `keras.Model`.

    Returns:
        A `keras.Model`; None where an input is also used unencrypted, or where nothing
        is behind.
    """
    behind = {id(tensor): _behind(tensor, model) for tensor in model.inputs}
    if any(tensor is None for tensor in behind.values()):
        return None
    inputs = keras.tree.map_structure(lambda t: behind[id(t)], model._inputs_struct)
    return keras.Model(inputs, model._outputs_struct, name=f"{model.name}_cloud")


def _behind(tensor, model):
    """The first tensor behind `tensor` that is not encrypted further, or None."""
    users = [
        node
        for nodes in model._nodes_by_depth.values()
        for node in nodes
        if any(tensor is used for used in node.input_tensors)
    ]
    if any(tensor is output for output in model.outputs):
        return None
    if not any(isinstance(node.operation, REMOVABLE) for node in users):
        return tensor
    return _behind(users[0].outputs[0], model) if len(users) == 1 else None


def _encrypts(part):
    if isinstance(part, REMOVABLE):
        return True
    held = list(vars(part).values())
    if isinstance(part, keras.layers.Lambda) and inspect.isfunction(part.function):
        function, variables = part.function, inspect.getclosurevars(part.function)
        held += [*variables.globals.values(), *variables.nonlocals.values()]
        held += [*(function.__defaults__ or ())]
        held += [*(function.__kwdefaults__ or {}).values()]
    return any(isinstance(value, Keyed | PerceptualEncrypt) for value in held)
