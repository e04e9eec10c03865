"""Folders of images, encrypted to PNG files beside a manifest, and back."""

from tfpe.files.decrypting import decrypt_folder
from tfpe.files.encrypting import encrypt_folder
from tfpe.files.packing import pack_folder, public_table, unpack_folder
from tfpe.files.summary import Summary

__all__ = [
    "Summary",
    "decrypt_folder",
    "encrypt_folder",
    "pack_folder",
    "public_table",
    "unpack_folder",
]
