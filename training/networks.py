"""The networks that a recipe can train, by the name of what adapts the images to them.

Importing this file registers their layers, so that their saved models can be read.
"""

from types import MappingProxyType

from training.adaptation import ele_adaptnet, le_adaptnet, pixel_adaptnet
from training.pyramidnet import pyramidnet

# `adaptation` of a recipe -> a function with the arguments of `pyramidnet`. The names
# are those of CHOICES in recipes.py, which is read before Keras is.
NETWORKS = MappingProxyType(
    {
        "none": pyramidnet,
        "le": le_adaptnet,
        "ele": ele_adaptnet,
        "pixel": pixel_adaptnet,
    }
)
