"""Pictures in evaluation records, checked, as data for the page."""

import base64
import binascii
import dataclasses
import io

from tfpe.errors import RecordError


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture: what it is called, what it shows, and its PNG as a data URI."""

    name: str
    alt: str
    width: int
    height: int
    source: str = dataclasses.field(repr=False)


def pictures(record):
    """The pictures of `gallery` in an evaluation record, a list.

    Raises:
        RecordError: one is no PNG in base64, or has no alternative text.
    """
    return [_picture(shown) for shown in record.results.gallery or ()]


def _picture(shown):
    from PIL import Image

    name, alt = shown.name, shown.alt
    try:
        data = base64.b64decode(shown.png, validate=True)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            width, height = image.size
            image.verify()
    except (binascii.Error, OSError, SyntaxError, ValueError) as error:
        raise RecordError(
            "A picture of a record should be a PNG file in base64. "
            f"Received: {name!r}, which is not: {error}"
        ) from error
    if not alt.strip():
        raise RecordError(
            f"A picture of a record should say what it shows. Received: {name!r}, "
            "with an empty `alt`"
        )
    encoded = base64.b64encode(data).decode()
    return Picture(
        name.replace("_", " "), alt, width, height, f"data:image/png;base64,{encoded}"
    )
