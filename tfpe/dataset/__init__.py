"""Encrypted data sets of TensorFlow Datasets (TFDS), and back.

What `encrypt_dataset` writes is read by `tfds.load(NAME, data_dir=DIR)` on machines
that never heard of tfpe.
"""

from tfpe.dataset.plan import Summary
from tfpe.dataset.runs import (
    decrypt_dataset,
    encrypt_dataset,
    reencrypt_dataset,
)

__all__ = ["Summary", "decrypt_dataset", "encrypt_dataset", "reencrypt_dataset"]
