"""Keras layers: a cipher, and the words and patches that fit one."""

from tfpe.algebra.symbolic import ApplyTransform
from tfpe.layers.folded import FoldedChannels
from tfpe.layers.perceptual_encrypt import PerceptualEncrypt
from tfpe.layers.word_layers import WordPatchEmbedding, Words

__all__ = [
    "ApplyTransform",
    "FoldedChannels",
    "PerceptualEncrypt",
    "WordPatchEmbedding",
    "Words",
]
