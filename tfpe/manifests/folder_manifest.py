"""manifest.json: what decryption needs to know of a folder, and nothing of the images.

The header names cipher, options and the fingerprint of the key; an entry for each image
holds its path and size, and a digest of the ciphertext. Keyed tags over header and
entries show any change. While a run is at work its entries stand in a journal.
"""

import dataclasses
import json
import pathlib
import secrets

import tfpe
from tfpe.errors import ManifestError
from tfpe.storage.atomic import write_file
from tfpe.storage.signed_json import Kind, parse, read_bytes, same

KIND = Kind("tfpe image folder", 1, "a manifest of a folder of images", "tfpe manifest")
MANIFEST_NAME, JOURNAL_NAME = "manifest.json", "manifest.journal"
SUFFIXES = (".png", ".jpg")  # of ciphertexts


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A manifest that was read: header, genuine entries, and what is wrong with others.

    Attributes:
        header: dict.
        entries: path -> entry, a dict; only those whose tag is right.
        problems: (path, message) of each entry that was changed or is missing.
    """

    header: dict
    entries: dict
    problems: list


def make_header(
    key, cipher, options, per_image, hidden_names, preparation=None, lossy=None
):
    """The header of a new folder; `options` with the defaults filled in.

    `preparation` is the dict of a `Preparation`: what was done before encryption;
    `lossy`, where there is one, the dict of the code that ciphertexts were put in, with
    a loss.

    With `per_image` it gets an identity by chance: images are numbered from 0 in each
    folder, and those of two folders must not share sub-keys.
    """
    header = {
        **KIND.head,
        "tfpe": tfpe.__version__,
        "cipher": cipher,
        "options": options,
        "key_fingerprint": key.fingerprint,
        "per_image": per_image,
        "hidden_names": hidden_names,
        "preparation": preparation or {},
    }
    header |= {"lossy": lossy} if lossy else {}
    return header | ({"folder": draw_identity()} if per_image else {})


def draw_identity():
    """What tells one folder from all others: 32 hexadecimal digits, no secret."""
    return secrets.token_hex(16)


def image_keys(key, header):
    """The key whose `for_image` gives those of the images; None where they share it."""
    return key.derive("folder", header["folder"]) if header["per_image"] else None


def make_entry(key, header, **fields):
    """An entry: `fields` and a keyed tag over them and the header."""
    return KIND.sign(key, fields, "entry", header)


def is_genuine(key, header, entry):
    """Whether `entry` was made by `make_entry` with this key and header."""
    if not isinstance(entry, dict):
        return False
    fields = {name: value for name, value in entry.items() if name != "tag"}
    return same(entry.get("tag"), KIND.tag(key, "entry", header, fields))


def require_settings(header, wanted, where):
    """Raises `ManifestError` unless both headers encrypt alike."""
    for name in {**wanted, "lossy": None}:
        # An older tfpe may have begun the folder: ciphers stay what they are.
        begun = header.get(name, {} if name == "preparation" else None)
        if name not in ("tfpe", "folder") and begun != wanted.get(name):
            raise ManifestError(
                f"`{name}` should be {begun!r}, with which {where} was begun. "
                f"Received: {wanted.get(name)!r}; use another output folder"
            )


def write_manifest(folder, key, header, entries):
    """Writes manifest.json, sorted by path: same images, same bytes."""
    entries = [entries[path] for path in sorted(entries)]
    tags = {
        **header_tag(key, header),
        "images_tag": KIND.tag(key, "images", header, [e["tag"] for e in entries]),
    }
    head = json.dumps(header | tags, indent=2).removesuffix("\n}")
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)
    text = f'{head},\n  "images": [\n{lines}\n  ]\n}}\n'
    write_file(pathlib.Path(folder, MANIFEST_NAME), text.encode())


def read_manifest(folder, key):
    """Reads manifest.json.

    Returns:
        A `Manifest`; changed entries are among its problems, the others are usable.

    Raises:
        ManifestError: missing, unreadable, of another format or version, the header was
            changed, or a path leads out of the folder.
        WrongKeyError: `key` is not the one that made it.
    """
    path = pathlib.Path(folder, MANIFEST_NAME)
    interrupted = path.with_name(JOURNAL_NAME).exists()
    missing = (
        "its encryption was interrupted; run it again"
        if interrupted
        else "no such file; where it is lost, give `cipher` and `size` to decrypt"
    )
    document = parse(read_bytes(path, missing), path)
    header = check_header(document, key, path)
    listed = document.get("images")
    if not isinstance(listed, list):
        raise ManifestError(f"Manifest {path} is damaged: it has no list of images")
    entries, problems = {}, []
    for position, entry in enumerate(listed):
        name = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(name, str):
            check_path(name, path)
        if is_genuine(key, header, entry):
            entries[name] = entry
        else:
            where = name if isinstance(name, str) else f"{MANIFEST_NAME}[{position}]"
            problems.append((where, "Its entry in the manifest was changed"))
    tags = [entry.get("tag") for entry in listed if isinstance(entry, dict)]
    whole = same(document.get("images_tag"), KIND.tag(key, "images", header, tags))
    if not whole and not problems:
        problems.append(
            (MANIFEST_NAME, "Entries were added, moved or taken out of the manifest")
        )
    return Manifest(header, entries, problems)


def check_path(path, where):
    """Raises `ManifestError` unless `path` is relative and stays in its folder."""
    pure = pathlib.PurePath(path)
    unsafe = pure.is_absolute() or pure.drive or ".." in pure.parts or "\0" in path
    if unsafe or pure.as_posix() != path or pure.suffix not in SUFFIXES:
        raise ManifestError(
            f"Paths in {where} should be relative, inside their folder, and end in "
            f"one of {SUFFIXES}. Received: {path!r}"
        )


def header_tag(key, header):
    """The field that shows any change of a header."""
    return {"header_tag": KIND.tag(key, "header", header)}


def check_header(document, key, path):
    """The header in `document`, or an error that says what is wrong with it."""
    header = KIND.open(
        document, key, path, "header", tag="header_tag", apart=("images", "images_tag")
    )
    if header.get("per_image") and not isinstance(header.get("folder"), str):
        raise ManifestError(
            f"{path} should name its folder. Received: none, since an early tfpe began "
            "it, which gave images of several folders the same sub-keys"
        )
    return header
