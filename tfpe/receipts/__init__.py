"""Receipts: what the owner keeps of an encrypted set, to use models trained on it.

A receipt names the set, its key (by the fingerprint), cipher, options and classes, and
holds no secret. `tfpe predict --set` and `tfpe.client_model(..., receipt=...)` take all
of it from there and refuse another key.
"""

from tfpe.receipts.model_files import attach_receipt, model_receipt
from tfpe.receipts.receipt import Receipt
from tfpe.receipts.receipt_files import (
    check_place,
    free_path,
    leave_receipt,
    receipt_file,
    save_receipt,
)
from tfpe.receipts.sets import public_receipt, read_receipt

__all__ = [
    "Receipt",
    "attach_receipt",
    "check_place",
    "free_path",
    "leave_receipt",
    "model_receipt",
    "public_receipt",
    "read_receipt",
    "receipt_file",
    "save_receipt",
]
