"""What a run over a folder did."""

import collections
import dataclasses


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        written: number of images written.
        skipped: number of images that an earlier run had finished.
        failed: (relative path, message) of each image that could not be processed.
        ignored: number of files in the source that are no images.
        gone: encrypted images of `dst` that the source does not hold any more.
        lost: what the preparation took from images for good -> number of images.
    """

    written: int
    skipped: int
    failed: list
    ignored: int = 0
    gone: list = dataclasses.field(default_factory=list)
    lost: dict = dataclasses.field(default_factory=dict)


def count_losses(entries):
    """What was lost -> number of images that lost it."""
    words = collections.Counter(
        word for entry in entries for word in entry.get("lost", ())
    )
    return dict(sorted(words.items()))
