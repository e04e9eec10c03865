"""What records say of a cipher, and how its rows are named and ordered."""

import dataclasses

from tfpe.ciphers import CIPHERS, find_cipher

ORDER = ("plain", *CIPHERS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CipherSettings:
    """What is said of a cipher; what older records do not say was as usual."""

    cipher: str
    cipher_options: dict[str, object] | None = None
    key_fingerprint: str | None = None
    seed: int | None = None
    stated: dict[str, object] = dataclasses.field(repr=False)

    def __post_init__(self):
        if self.cipher != "plain":
            find_cipher(self.cipher)

    @property
    def place(self):
        """Where its rows stand: plain first, then in the order of `CIPHERS`."""
        return ORDER.index(self.cipher)

    @property
    def row_name(self):
        """The name of its row: the cipher, and what is not as usual."""
        return ", ".join([self.cipher, *self.unusual()])

    @property
    def other_options(self):
        """The options of the cipher that are not its own, name -> value."""
        options = self.cipher_options or {}
        usual = CIPHERS[self.cipher].defaults if self.cipher in CIPHERS else {}
        return {o: value for o, value in options.items() if usual.get(o) != value}

    def unusual(self):
        """What is not as usual, a list of texts."""
        return [f"{name} {value}" for name, value in self.other_options.items()]
