"""Records of JPEG on ciphertext."""

import dataclasses
from typing import Annotated, ClassVar

from tfpe.ciphers import find_cipher
from tfpe.lab.records.reading import SOME, Count, Positive, Share
from tfpe.lab.records.record import Record


@dataclasses.dataclass(frozen=True)
class JpegSettings:
    """Which photographs, ciphers, qualities and samplings."""

    photographs: list[str]
    qualities: Annotated[list[Count], SOME]
    stated: dict[str, object] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class JpegPoint:
    """One quality of one cipher, "plain" for none: means over the photographs."""

    cipher: str
    cipher_options: dict[str, object]
    sampling: str
    quality: Count
    bits_per_pixel: Positive
    psnr: float
    ms_ssim: Share

    def __post_init__(self):
        if self.cipher != "plain":
            find_cipher(self.cipher)

    @property
    def form(self):
        """The cipher and its options, in words."""
        return form_of(self)


@dataclasses.dataclass(frozen=True)
class JpegDelta:
    """More bits than plain JPEG at equal PSNR and MS-SSIM; None: not comparable."""

    cipher: str
    cipher_options: dict[str, object]
    sampling: str
    bd_rate_psnr: float | None
    bd_rate_ms_ssim: float | None

    @property
    def form(self):
        """The cipher and its options, in words."""
        return form_of(self)


def form_of(row):
    """As `iib 16/8`: the cipher, and the sides of its blocks and sub-blocks."""
    sides = [row.cipher_options.get(n) for n in ("block_size", "sub_block_size")]
    return " ".join([row.cipher, *["/".join(str(s) for s in sides if s)][: any(sides)]])


@dataclasses.dataclass(frozen=True)
class JpegResults:
    """All points, and the curves that they make against plain JPEG."""

    points: Annotated[list[JpegPoint], SOME]
    deltas: list[JpegDelta]


@dataclasses.dataclass(frozen=True)
class JpegBench(Record):
    """What JPEG makes of ciphertexts."""

    TELLING: ClassVar = ("forms", "qualities", "samplings")
    settings: JpegSettings
    results: JpegResults
