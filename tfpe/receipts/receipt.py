"""`Receipt`: a set that was encrypted, in the words that a prediction needs."""

import dataclasses

from tfpe.ciphers import find_cipher
from tfpe.errors import CipherOptionError
from tfpe.pixels.padding import padded_size
from tfpe.pixels.value_ranges import BYTE_RANGE
from tfpe.storage.signed_json import Kind, canonical

KIND = Kind("tfpe receipt", 1, "a receipt of tfpe", "tfpe receipt")
# What two receipts of one set share: images may be added to it, and classes with them.
IDENTITY = (
    *("name", "key_fingerprint", "cipher", "options", "per_image"),
    *("hidden_labels", "preparation", "source_tag", "copies", "augment", "lossy"),
)


@dataclasses.dataclass(frozen=True)
class Receipt:
    """How the images of a set were encrypted, and what their classes are called.

    Attributes:
        name: of the set.
        key_fingerprint: of the key that encrypted it.
        cipher, options: of `tfpe.CIPHERS`; options with the defaults filled in.
        per_image: whether each image has a sub-key of its own.
        hidden_labels: whether classes have opaque numbers or names, which only the file
            that hid them maps back.
        classes: feature -> names of its classes in their order; empty where numbers
            hide them.
        image_shape, cipher_shape: (height, width, channels) of plain and of encrypted
            images, height and width None where they vary; None where nothing is known.
        value_range: lowest and highest value of the images that a model takes.
        preparation: what was done to images before, as in their manifest; or None.
        depth: bits of a value, 8 or 16; None where both are there or nothing is known.
        stored: what images do not tell, as `tfpe.pixels.depth` says it; or None.
        source_tag: a keyed mark of what was encrypted; tells the owner alone.
        labels_tag: a keyed mark of hidden labels, which tells the file that hid them.
        copies, augment: views of each training image and how they differ, as of
            `tfpe.dataset.encrypt_dataset`; None where there is one.
        lossy: how ciphertexts are sent where that loses something, a dict as of
            `tfpe.pixels.jpeg_coding`; None where they are sent as they are.
    """

    name: str
    key_fingerprint: str
    cipher: str
    options: dict
    per_image: bool = False
    hidden_labels: bool = False
    classes: dict = dataclasses.field(default_factory=dict)
    image_shape: tuple | None = None
    cipher_shape: tuple | None = None
    value_range: tuple = BYTE_RANGE
    preparation: dict | None = None
    source_tag: str | None = None
    depth: int | None = None
    stored: dict | None = None
    labels_tag: str | None = None
    copies: int | None = None
    augment: list | None = None
    lossy: dict | None = None

    @property
    def class_names(self):
        """Names of the classes in the order of a model's outputs; [] where unknown."""
        if "label" in self.classes:
            return list(self.classes["label"])
        return list(*self.classes.values()) if len(self.classes) == 1 else []

    def sealed(self, key):
        """The receipt as a dict for JSON, with a keyed tag that shows any change."""
        fields = {n: v for n, v in dataclasses.asdict(self).items() if v is not None}
        return KIND.sign(key, KIND.head | fields)

    def is_of_set(self, document):
        """Whether the dict `document` is a receipt of the same set."""
        mine = {name: getattr(self, name) for name in IDENTITY}
        return canonical(mine) == canonical({name: document.get(name) for name in mine})


def open_receipt(document, key, where):
    """The `Receipt` in a dict that `Receipt.sealed` gave.

    Args:
        document: a dict.
        key: a `tfpe.Key`.
        where: names the document in errors.

    Raises:
        ManifestError: of another format or version, or changed.
        WrongKeyError: `key` is not the one of the set.
    """
    fields = KIND.open(document, key, where)
    fields = {n: v for n, v in fields.items() if n not in KIND.head}
    for name in ("image_shape", "cipher_shape", "value_range"):
        fields[name] = tuple(fields[name]) if fields.get(name) else fields.get(name)
    fields["value_range"] = fields["value_range"] or BYTE_RANGE
    return Receipt(**fields)


def shape_of_ciphertext(image_shape, cipher, options):
    """(height, width, channels) of the ciphertext of images of `image_shape`."""
    row = find_cipher(cipher)
    block, (*sides, channels) = row.block_size(**options), image_shape
    if None in sides:
        shape = row.cipher_shape((block, block, channels), **options)
        return (None, None, shape[2])
    padded = [padded_size(side, block) for side in sides]
    return tuple(row.cipher_shape((*padded, channels), **options))


def require_agreement(inside, given):
    """Raises `CipherOptionError` where a model carries the receipt of another set."""
    names = "cipher", "options", "per_image", "preparation", "value_range", "lossy"
    for name in names:
        expected, received = getattr(inside, name), getattr(given, name)
        if canonical(expected) != canonical(received):
            raise CipherOptionError(
                f"`{name}` of {given.name} should be that of the receipt in the model, "
                f"{expected!r}. Received: {received!r}"
            )
