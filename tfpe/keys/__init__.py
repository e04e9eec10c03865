"""Keys: 32 secret bytes, what is derived from them, and the files that hold them."""

from tfpe.keys.key import KEY_BYTES, Key, Keys, check_key, check_keys

__all__ = ["KEY_BYTES", "Key", "Keys", "check_key", "check_keys"]
