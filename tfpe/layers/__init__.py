"""Keras layers: a cipher, and the words and patches that fit one."""

from tfpe.layers.perceptual_encrypt import ApplyTransform, PerceptualEncrypt
from tfpe.layers.words import WordPatchEmbedding, Words

__all__ = ["ApplyTransform", "PerceptualEncrypt", "WordPatchEmbedding", "Words"]
