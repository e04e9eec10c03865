"""Training of a learned attack from pictures that the library reads."""

import pathlib

from tfpe.attacks.learned.forms import form_of
from tfpe.attacks.learned.network_file import SUFFIX
from tfpe.ciphers import find_cipher


def train_attack(
    cipher, pictures, path, *, minutes=None, progress=None, seed=0, **given
):
    """Trains the network for a cipher on the evidence of pictures, or reads its file.

    Args:
        cipher: a name in `tfpe.CIPHERS`.
        pictures: a `Pictures`: what is scored is not learned from.
        path: of the file.
        minutes, progress, seed: as of `tfpe.attacks.learned.learning.learn`.
        **given: `options` of the cipher, and what else `learn` takes, such as `steps`,
            `published` and `ciphertexts`.

    Returns:
        An `InverseNetwork`, or None where the time was not enough.
    """
    from tfpe.attacks.learned.learning import learn

    options = given.pop("options", {})
    pictures = pictures.cropped(find_cipher(cipher).block_size(**options))
    return learn(
        form_of(cipher, pictures.shape, **options),
        pictures.evidence,
        path,
        name=pictures.drawn_from,
        minutes=minutes,
        progress=progress,
        seed=seed,
        **{name: value for name, value in given.items() if value is not None},
    )


def learned_record(trained):
    """The record of a trained attack: how good it was on what it did not learn from.

    Args:
        trained: an `InverseNetwork`.

    Returns:
        A dict of the kind "learned-attack", as `tfpe.lab.records.write_record` takes.

    Example:

    >>> from tfpe.attacks.learned.inverse import InverseNetwork
    >>> settings = {"cipher": "le", "options": {}, "image_shape": [32, 32, 3]}
    >>> scores = {"count": 500, "ssim": 0.25, "constant": {"ssim": 0.13}}
    >>> record = learned_record(InverseNetwork(settings | {"held_out": scores}, []))
    >>> record["settings"]["cipher_options"]["block_size"], record["results"]["ssim"]
    (4, 0.25)
    """
    told = {n: v for n, v in trained.settings.items() if n not in ("options", "format")}
    scores = told.pop("held_out")
    # Whose ciphertexts they were is no matter of a record.
    told["ciphertexts"] = "ciphertexts" in told
    told["cipher_options"] = trained.form.options
    if trained.seconds is not None:
        scores = scores | {"seconds": trained.seconds}
    return {"kind": "learned-attack", "settings": told, "results": scores}


def attack_file(folder, cipher, image_shape, **options):
    """Where the network for a cipher and a size of pictures is kept in a folder.

    Example:

    >>> attack_file("kept", "etc", (32, 32, 3), block_size=8).name
    'inverse_network-etc-block_size=8-32x32.attack'
    """
    told = [f"{name}={value}" for name, value in sorted(options.items())]
    name = "-".join([cipher, *told, "x".join(map(str, image_shape[:2]))])
    return pathlib.Path(folder, f"inverse_network-{name}{SUFFIX}")
