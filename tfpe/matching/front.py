"""How a model begins: affine layers, then a patch embedding."""

import keras

from tfpe.errors import NetworkError
from tfpe.layers.perceptual_encrypt import PerceptualEncrypt
from tfpe.layers.word_layers import WordPatchEmbedding
from tfpe.matching.kernels import ConvolutionKernel, EmbeddingKernel
from tfpe.matching.layers import TokenOrder
from tfpe.matching.vision_transformer import behind_patches, is_vit_embedding


class Front:
    """The beginning of a model: affine layers, a patch embedding, and what follows.

    Attributes:
        affine: layers of Rescaling and Normalization.
        layer: the patch embedding.
        order: the `TokenOrder` behind it, or None.
        rest: models of all that follows.
    """

    def __init__(self):
        self.affine, self.layer, self.order, self.rest = [], None, None, []

    def embedding(self):
        if isinstance(self.layer, keras.layers.Conv2D):
            return ConvolutionKernel(self.layer, self.affine)
        return EmbeddingKernel(self.layer)


def find_front(model):
    """The `Front` of a model.

    Raises:
        NetworkError: no such model, or it does not begin with a patch embedding.
    """
    check_model(model)
    front = Front()
    _walk(model, front)
    if front.layer is None:
        raise NetworkError("The model should have a patch embedding. Received: none")
    return front


def check_model(model):
    """Raises `NetworkError` where the way of the images through it cannot be seen."""
    if len(getattr(model, "inputs", None) or ()) != 1:
        raise NetworkError(
            "`model` should be a Sequential or functional Keras model, built, that "
            f"takes images alone. Received: {type(model).__name__}"
        )


def _walk(model, front):
    """Follows the images through `model` until the patch embedding."""
    if isinstance(model, keras.Sequential):
        layers = list(model.layers)
        for number, layer in enumerate(layers):
            if _step(layer, front):
                rest = layers[number + 1 :]
                if rest:
                    front.rest.append(_sequential(rest, layer.output))
                return
        return
    tensor = model.inputs[0]
    while True:
        nodes = _users(tensor, model)
        ends = [one for one in model.outputs if one is tensor]
        if len(model.outputs) == len(ends) == 1 and not nodes:
            return  # of a model in the model, which the images leave here
        if len(nodes) != 1 or ends or len(model.inputs) != 1:
            found = [node.operation.name for node in nodes] + ["an output"] * len(ends)
            raise NetworkError(
                "The images should go into a patch embedding and nowhere else. "
                f"Received: model {model.name!r}, in which they go to {found}"
            )
        if len(nodes[0].output_tensors) != 1:
            raise NetworkError(
                "The images should go through layers of one output. Received: "
                f"{nodes[0].operation.name!r}, which has {len(nodes[0].output_tensors)}"
            )
        tensor = nodes[0].output_tensors[0]
        if _step(nodes[0].operation, front):
            users = _users(tensor, model)
            if len(users) == 1 and isinstance(users[0].operation, TokenOrder):
                front.order, tensor = users[0].operation, users[0].output_tensors[0]
            if model.output is not tensor:
                front.rest.append(keras.Model(tensor, _outputs(model, tensor)))
            return


def _outputs(model, first):
    """The outputs of a model; of the tensor that a new one begins with, a copy.

    Keras finds no way from a tensor to itself.
    """
    return keras.tree.map_structure(
        lambda one: keras.layers.Identity()(one) if one is first else one, model.output
    )


def _users(tensor, model):
    """The nodes of a functional model that take a tensor.

    Not those of an operation's own list, which other models fill too.
    """
    return [
        node
        for nodes in model._nodes_by_depth.values()
        for node in nodes
        if any(one is tensor for one in node.input_tensors)
    ]


def _sequential(layers, tensor):
    return keras.Sequential(
        [keras.Input(tensor.shape[1:], dtype=tensor.dtype), *layers]
    )


def _step(layer, front):
    """Takes one layer up; True where the patch embedding was found in it."""
    if isinstance(layer, keras.layers.InputLayer):
        return False
    if isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization):
        front.affine.append(layer)
        return False
    if isinstance(layer, keras.Model) and getattr(layer, "inputs", None):
        _walk(layer, front)
        return front.layer is not None
    if isinstance(layer, WordPatchEmbedding):
        if front.affine:
            raise NetworkError(
                "A WordPatchEmbedding should take bytes. Received: "
                f"{front.affine[-1].name!r} before it"
            )
    elif is_vit_embedding(layer) and _cuts_patches(layer.patch_embedding):
        front.rest.append(behind_patches(layer))
        layer = layer.patch_embedding
    elif isinstance(layer, PerceptualEncrypt):
        raise NetworkError(
            "The model should be the one behind the encryption: tfpe.cloud_model takes "
            f"that off. Received: one that begins with {layer.name!r}"
        )
    elif not _is_patch_convolution(layer):
        raise NetworkError(
            "The model should begin with a patch embedding, a Conv2D with strides = "
            "kernel size or a WordPatchEmbedding, behind Rescaling or Normalization at "
            f"most. Received: {type(layer).__name__} {layer.name!r}"
        )
    front.layer = layer
    return True


def _is_patch_convolution(layer):
    if type(layer) is not keras.layers.Conv2D or not _cuts_patches(layer):
        return False
    shape, [side, _] = layer.input.shape, layer.kernel_size
    return None not in shape[1:] and shape[1] % side == shape[2] % side == 0


def _cuts_patches(layer):
    """Whether a Conv2D takes squares that do not overlap."""
    size = tuple(layer.kernel_size)
    return (
        size[0] == size[1]
        and tuple(layer.strides) == size
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.groups == 1
        and layer.data_format == "channels_last"
    )
