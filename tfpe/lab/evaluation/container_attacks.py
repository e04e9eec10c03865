"""Attacks on folders of .tfpe containers."""

import collections

import numpy as np

from tfpe.attacks import Evidence, run
from tfpe.attacks.hybrid_lengths import fitting
from tfpe.errors import AttackError
from tfpe.files.finding import find_images, png_name, read_bytes, read_images
from tfpe.files.packing import find_containers
from tfpe.hybrid import CodeTable, Container, Hybrid
from tfpe.lab.evaluation.attack_on_files import SIZE

NEEDS = {
    "packer": {"key": "an oracle: -k KEY", "size": SIZE},
    "packed_pairs": {
        "plain": "known plain images: --plain DIR",
        "cipher_folder": "the same packed: --cipher-folder DIR",
    },
    "containers": {"ciphertexts": "CIPHERTEXTS, a folder or a .tfpe file"},
    "reference": {"reference": "pictures that it may hold: --reference DIR"},
    "table": {"table": "the public table of the code: --table FILE"},
}


def run_container_attack(attack, files, table, given):
    """Runs an attack on containers.

    Args:
        attack: a row of `ATTACKS` that is for containers.
        files: a `tfpe.lab.evaluation.attack_on_files.Files`.
        table: path of the public table, or None.
        given: options of the attack.

    Returns:
        A summary, a dict for JSON, and relative path -> picture.

    Raises:
        AttackError: evidence is missing, or does not give what the attack is after.
        ImageFileError: files are missing or damaged.
    """
    for field in attack.takes:
        for name, words in NEEDS[field].items():
            if (table if name == "table" else getattr(files, name)) is None:
                raise AttackError(f"This attack needs {words}. Received: none")
    packed = {} if files.ciphertexts is None else _read(files.ciphertexts)
    table = None if table is None else CodeTable.load(table)
    fields, ambiguous = {"table": table}, None
    if "packer" in attack.takes:
        secret = Hybrid(files.key, table=table, symbols=table.symbols, nonce=False)
        fields["packer"] = lambda images: [secret(image) for image in images]
        fields["shape"] = shape = (*files.size, 3)
    elif "packed_pairs" in attack.takes:
        known = _read(files.cipher_folder)
        shape = _usual_shape(known)
        plain = _of_shape(files.plain, shape)
        pairs = [name for name in _named(known, shape) if name in plain]
        if not pairs:
            raise AttackError(
                "Plain images should have the names and sizes of containers. Received: "
                "no pair"
            )
        images = np.stack([plain[name] for name in pairs])
        fields["packed_pairs"] = images, [known[name] for name in pairs]
    else:
        shape = _usual_shape(packed)
        reference = _of_shape(files.reference, shape)
        if not reference:
            raise AttackError(
                "--reference should hold pictures of the size of the containers. "
                f"Received: none of {shape[0]} x {shape[1]}"
            )
        candidates = list(reference.values())
        fields["reference"] = np.stack(candidates)
        names = _named(packed, shape)
        fits = fitting([packed[name] for name in names], candidates, table)
        told = [n for n, found in zip(names, fits, strict=True) if len(found) == 1]
        ambiguous = len(names) - len(told)
        names = told or names  # where none is told, the attack says why
        fields["containers"] = [packed[name] for name in names]
        given = given | {"table": table}
    finding = run(attack, Evidence(**fields), **given)
    if finding.key is None:
        pictures, shares = dict(zip(names, finding.pictures, strict=True)), [1.0]
    else:
        names = _named(packed, shape)
        opened = {name: finding.key.open(packed[name]) for name in names}
        pictures = {name: picture for name, (picture, _) in opened.items()}
        shares = [known.mean() for _, known in opened.values()]
    summary = {
        "attack": attack.name,
        "threat_model": attack.threat_model,
        "cipher": "hybrid",
        "evidence": finding.evidence,
        "recovers": attack.recovers,
        "undetermined": finding.undetermined,
        "opened": len(pictures),
        "known_values": float(np.mean(shares)) if shares else None,
        "ambiguous": ambiguous,
        "left_out": len(packed) - len(_named(packed, shape)),
        "seconds": finding.seconds,
    }
    return summary, pictures


def _read(folder):
    """Name as a PNG -> bytes of the containers in a folder, or of one file."""
    jobs, _ = find_containers(folder)
    return {output: read_bytes(file) for file, output in jobs.values()}


def _shape_of(data):
    return Container.from_bytes(data).image_shape


def _usual_shape(packed):
    """The shape that most containers have; what a key is for."""
    return collections.Counter(map(_shape_of, packed.values())).most_common(1)[0][0]


def _named(packed, shape):
    return [name for name, data in packed.items() if _shape_of(data) == tuple(shape)]


def _of_shape(folder, shape):
    """Name as a PNG -> image of a shape."""
    images = read_images(find_images(folder).images)
    return {png_name(p): image for p, image, _ in images if image.shape == shape}
