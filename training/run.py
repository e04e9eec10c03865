"""One run of a comparison: a cipher and a seed, trained, tested and recorded."""

import dataclasses
import hashlib
import pathlib
import time

from tfpe.ciphers import find_cipher
from tfpe.errors import TfpeError
from tfpe.keys import Key
from tfpe.lab.records import different_names, read_record, write_record
from tfpe.pixels.jpeg_coding import sent_as_jpeg
from tfpe.receipts import Receipt
from tfpe.storage.locks import FileLock
from training import strategies
from training.encryption import Encryption
from training.networks.matched import matched_recipe
from training.pyramidnet import count_units
from training.recipe import MATCHED, RecipeError
from training.recipes import PER_IMAGE, PLAIN_AS
from training.run_folder import LOCK, safe_name
from training.run_results import measured
from training.splits import split
from training.train import normalization, train


class CompareError(TfpeError):
    """A comparison cannot be made as asked."""


def experiment_key(seed):
    """The key of a comparison: from the seed, public, so that anyone can repeat it.

    Never a key for images of value.
    """
    label = f"tfpe training experiment, seed {seed}"
    return Key(hashlib.sha256(label.encode()).digest())


@dataclasses.dataclass(frozen=True, repr=False)
class Run:
    """One cipher and seed of a comparison; arguments as of `compare`.

    `cipher_options` are those of the cipher that are not as usual.
    """

    image_set: object
    recipe: object
    cipher: str
    seed: int
    key: Key | None
    out: pathlib.Path
    runs: pathlib.Path
    cipher_options: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "_network_recipe", self._fitting_recipe())
        if self.recipe.network == "pyramidnet":
            # Raises where none fit.
            count_units(self.recipe.options["depth"], self.recipe.options["block"])
        if self.plain:
            return
        if self.image_set.receipt is not None:
            raise CompareError(
                f"Images of {self.image_set.name} are encrypted already, with "
                f"{self.image_set.receipt['cipher']}: train on them as they are, which "
                f"is cipher plain. Received: {self.cipher}"
            )
        name = self.cipher.removesuffix(PER_IMAGE)
        options = find_cipher(name).options(**self.cipher_options)
        if self.cipher != name and self.recipe.encrypt_in != "numpy":
            raise RecipeError(
                "`encrypt_in` should be 'numpy' with a key for every image. "
                f"Received: encrypt_in={self.recipe.encrypt_in!r}"
            )
        key = experiment_key(self.seed) if self.key is None else self.key
        encryption = Encryption(key, name, self.cipher != name, options)
        if self.recipe.jpeg and not encryption.gives_bytes:
            raise RecipeError(
                f"`jpeg` should be 0 for real ciphertexts, as of {name}. "
                f"Received: jpeg={self.recipe.jpeg}"
            )
        object.__setattr__(self, "_encryption", encryption)
        normalization(self._network_recipe, not encryption.gives_bytes)  # raises now

    def _fitting_recipe(self):
        """The recipe as it is for these images.

        With the network that fits the cipher where it is "matched", and without the
        augmentation that the owner of an encrypted set has done, or nobody.
        """
        recipe, receipt = self.recipe, self.image_set.receipt
        if recipe.views and (receipt is not None or self.image_set.views):
            raise RecipeError(
                "`views` should be 0 for images that were encrypted beforehand: a set "
                f"holds those that it has. Received: views={recipe.views}"
            )
        if recipe.jpeg and receipt is not None:
            raise RecipeError(
                "`jpeg` should be 0 for images that were encrypted beforehand: their "
                "owner sends them as JPEG, with `tfpe encrypt --jpeg`, and keeps the "
                f"receipt that says so. Received: jpeg={recipe.jpeg}"
            )
        if receipt is not None and recipe.order == "augment_then_encrypt":
            recipe = dataclasses.replace(recipe, crop_padding=0, flip=False)
        if recipe.network != MATCHED:
            if self.cipher.startswith(PLAIN_AS):
                raise RecipeError(
                    f"`network` should be {MATCHED!r} for {PLAIN_AS}NAME. "
                    f"Received: network={self.recipe.network!r}"
                )
            return recipe
        name = self.cipher.removeprefix(PLAIN_AS).removesuffix(PER_IMAGE)
        per_image = self.cipher.endswith(PER_IMAGE)
        options = self.cipher_options
        if receipt is not None:
            name, options = receipt["cipher"], receipt["options"]
            per_image = receipt["per_image"]
        if name == "plain":
            raise RecipeError(
                f"Plain images should be given as {PLAIN_AS}NAME of a cipher, whose "
                f"network they share, with network={MATCHED!r}. Received: plain"
            )
        shape = self.image_set.x_train.shape[1:]
        return matched_recipe(recipe, name, shape, per_image, **options)

    @property
    def plain(self):
        """Whether nothing is encrypted."""
        return self.cipher == "plain" or self.cipher.startswith(PLAIN_AS)

    @property
    def encryption(self):
        """The `Encryption` of this run; None for plain."""
        return None if self.plain else self._encryption

    @property
    def name(self):
        """Names the record file and the run folder; plain runs need no key."""
        adaptation = self.recipe.options.get("adaptation", "none")
        receipt = self.image_set.receipt
        cipher = self.cipher if receipt is None else f"{receipt['cipher']}-beforehand"
        parts = [safe_name(self.image_set.name), self.recipe.name, cipher]
        parts += [] if adaptation == "none" else [f"{adaptation}adaptnet"]
        parts += [f"{n}={v}" for n, v in sorted(self.cipher_options.items())]
        parts += [f"{self.recipe.views}views"] if self.recipe.views else []
        parts += [f"jpeg{self.recipe.jpeg}"] if self.recipe.jpeg else []
        return "-".join([*parts, f"seed{self.seed}"])

    @property
    def settings(self):
        """What a record states and a resumed run must agree with."""
        settings = self._network_recipe.settings | {
            "dataset": self.image_set.name,
            "source": self.image_set.source,
            "data_checksum": self.image_set.checksum,
            "cipher": "plain" if self.plain else self.cipher.removesuffix(PER_IMAGE),
            "seed": self.seed,
        }
        if self.recipe.network == MATCHED:
            settings["matched"] = True
        if self.encryption is not None:
            settings["cipher_options"] = self.encryption.options
            settings["key_fingerprint"] = self.encryption.key.fingerprint
            if self.encryption.per_image:
                settings["per_image"] = True
        receipt = self.image_set.receipt
        if receipt is not None:
            settings |= {
                "cipher": receipt["cipher"],
                "cipher_options": receipt["options"],
                "key_fingerprint": receipt["key_fingerprint"],
                "encrypted_beforehand": True,
            }
            settings |= {"per_image": True} if receipt["per_image"] else {}
            lossy = receipt.get("lossy")
            settings |= {"jpeg": lossy["quality"]} if lossy else {}
        if self.image_set.views:
            settings["views"] = 1 + len(self.image_set.views)
        return settings

    def receipt(self):
        """What the models carry for their owner: as of `attach_receipt`, or None."""
        document, name = self.image_set.receipt, self.image_set.name
        if self.encryption is not None:
            document = self._sealed_receipt()
        classes = list(self.image_set.class_names)
        if document is None:
            return None
        return {
            "document": document,
            "name": document.get("name", name),
            "classes": classes,
        }

    def _sealed_receipt(self):
        shape, encryption = self.image_set.x_train.shape[1:], self.encryption
        return Receipt(
            name=self.name,
            key_fingerprint=encryption.key.fingerprint,
            cipher=encryption.cipher,
            options=encryption.options,
            per_image=encryption.per_image,
            classes={"label": list(self.image_set.class_names)},
            image_shape=shape,
            cipher_shape=tuple(encryption.output_shape(shape)),
            lossy=sent_as_jpeg(self.recipe.jpeg),
        ).sealed(encryption.key)

    @property
    def record_path(self):
        return self.out / f"training-{self.name}.json"

    def finished_record(self):
        """The record, or None; an error where it has other settings."""
        if not self.record_path.exists():
            return None
        record = read_record(self.record_path)
        if different := different_names(record["settings"], self.settings):
            raise CompareError(
                f"{self.record_path} should be a record of these settings. Received: "
                f"one that differs in {different}; move it away, or use another --out"
            )
        return record

    def execute(self, max_seconds=None, tell=lambda epoch, logs=None: None):
        """Trains, tests and writes the record; None where time was up before.

        Of several processes all train; the first tests and writes, the others wait.

        Raises:
            OutputError: another command is at work on this run.
        """
        folder = self.runs / self.name
        if strategies.process(self.recipe.strategy)[0]:
            return self._execute(folder, max_seconds, tell)
        with FileLock(folder / LOCK):
            return self._execute(folder, max_seconds, tell)

    def _execute(self, folder, max_seconds, tell):
        parts = split(self.image_set, self.recipe, self.seed)
        outcome = train(
            parts,
            len(self.image_set.class_names),
            self._network_recipe,
            self.seed,
            self.encryption,
            folder,
            self.settings,
            max_seconds,
            tell,
            self.receipt(),
        )
        if strategies.process(self.recipe.strategy)[0]:
            # Without end: JAX ends this process where the first one fails.
            while (record := self.finished_record()) is None:
                time.sleep(1)
            return record
        if outcome is None:
            return None
        results = measured(self, parts, outcome)
        record = {"kind": "training", "settings": self.settings, "results": results}
        return write_record(self.record_path, record)
