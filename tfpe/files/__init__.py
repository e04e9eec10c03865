"""Folders of images, encrypted to PNG files beside a manifest, and back."""

from tfpe.files.folders import Summary, decrypt_folder, encrypt_folder

__all__ = ["Summary", "decrypt_folder", "encrypt_folder"]
