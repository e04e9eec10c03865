"""Plain images as a model wants them: prepared, encrypted and coded as its set was."""

import numpy as np

from tfpe.ciphers.cache import TransformCache
from tfpe.errors import ImageError
from tfpe.pixels.jpeg_coding import coded
from tfpe.pixels.preparation import Preparation
from tfpe.receipts.receipt import shape_of_ciphertext


def prepared(images, receipt):
    """Images as one array, prepared as those of the receipt's set were.

    Args:
        images: `uint8 (B, H, W, C)`, or `uint16` of one channel, or a list of them.
        receipt: a `Receipt`, or None.

    Returns:
        `uint8 (B, H, W, C)` or `uint16 (B, H, W, 1)`, one or more.

    Raises:
        ImageError: another dtype or rank, several sizes or kinds, or none at all.
    """
    if receipt is not None:
        preparation = Preparation.from_json(receipt.preparation)
        images = [preparation.apply(np.asarray(image)) for image in images]
        if receipt.image_shape is not None and receipt.image_shape[2] == 3:
            images = [i.repeat(3, axis=-1) if i.shape[2] == 1 else i for i in images]
    shapes = {np.shape(image) for image in images}
    if len(shapes) > 1:
        raise ImageError(
            f"Images should be of one size and kind. Received: {sorted(shapes)}"
        )
    depths = {np.asarray(image).dtype.itemsize * 8 for image in images}
    if len(depths) > 1:
        raise ImageError("Images should have all 8 bits or all 16. Received: both")
    images = np.asarray(images)
    channels = {"uint8": (1, 3), "uint16": (1,)}.get(images.dtype.name, ())
    if images.ndim != 4 or not len(images) or not channels:
        raise ImageError(
            "`images` should be uint8 of shape (batch, height, width, channels), or "
            "uint16 of one channel, one or more. "
            f"Received: {images.dtype} of shape {images.shape}"
        )
    if receipt is not None and receipt.depth not in (None, *depths):
        raise ImageError(
            f"Images should have {receipt.depth} bits, as those of {receipt.name}. "
            f"Received: {images.dtype}"
        )
    return images


class ModelEncryption:
    """Encrypts batches for a model, as the cloud would have got them.

    Args:
        key: a `tfpe.Key`.
        settings: as `settle` gives.
    """

    def __init__(self, key, settings):
        self.cipher, self.options = settings.cipher, settings.options
        receipt = settings.receipt
        self.per_image = receipt is not None and receipt.per_image
        self.lossy = None if receipt is None else receipt.lossy
        # Never those of the set: an image of another kind under the same sub-key.
        images = key.derive("predict", receipt.name) if self.per_image else None
        self.transforms = TransformCache(self.cipher, key, self.options, images)

    def shape(self, shape):
        """(height, width, channels) of the ciphertext of images `(B, H, W, C)`."""
        self.cipher.check(shape[-1], **self.options)
        return shape_of_ciphertext(shape[1:], self.cipher.name, self.options)

    def __call__(self, images, first):
        """The ciphertexts of a batch; `first` is the number of its first."""
        own = range(first, first + len(images)) if self.per_image else None
        return coded(self.transforms.encrypt(images, own), self.lossy)
