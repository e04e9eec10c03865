"""An attack on files: folders in, pictures or a key and their scores out."""

import collections
import dataclasses

import numpy as np

from tfpe.attacks import Evidence, InverseNetwork, as_json, run
from tfpe.attacks.attack import PICTURES
from tfpe.ciphers import find_cipher
from tfpe.errors import AttackError
from tfpe.lab.evaluation.attack_files import (
    SETTINGS,
    Ciphertexts,
    pairs_of,
    read_ciphertexts,
    read_plain,
    read_truth,
)
from tfpe.lab.evaluation.attack_result import Result
from tfpe.lab.evaluation.chosen_queries import (
    answers_of,
    chosen_queries,
    write_queries,
)
from tfpe.metrics.perceptual_similarity import mean_lpips

SIZE = "the size of the images: --size HxW"
# What a field of `Evidence` is made of, and how the command line is given it.
NEEDS = {
    "oracle": {"size": SIZE},
    "pairs": {
        "plain": "known plain images: --plain DIR",
        "cipher_folder": "the same encrypted: --cipher-folder DIR",
    },
    "ciphertexts": {"ciphertexts": "CIPHERTEXTS, a folder or an image"},
    "reference": {"reference": "other plain pictures: --reference DIR"},
    "first_pixel": {"first_pixel": "the first pixel of the pictures: --first-pixel"},
    "stems": {
        "plain_model": "the plain model: --plain-model FILE",
        "matched_model": "the one matched to the key: --matched-model FILE",
    },
    "model": {"model": "a network trained for the cipher: --model FILE"},
    "secret": {"key": "a key: -k KEY", "cipher": "--cipher", "size": SIZE},
}
ORACLE = {
    "key": "an oracle: -k KEY with --cipher and --size, or --make-queries and then "
    "--answers",
    "cipher": "--cipher",
}


@dataclasses.dataclass(frozen=True)
class Files:
    """What an attacker has, as paths; None where he has not.

    Attributes:
        ciphertexts: to be decrypted.
        cipher_folder, plain: known pairs, by their names.
        reference: other plain pictures.
        first_pixel: plain value of the upper left pixel.
        answers: the queries of `make_queries`, encrypted.
        plain_model, matched_model: .keras files.
        model: file of a learned attack.
        truth: plain images, for scores only.
        size: (height, width).
        cipher, options: of the cipher; default those of a manifest.
        key: a `tfpe.Key`: the oracle of chosen plaintexts without answers, else for
            scores only.
        found: the `Ciphertexts` read as evidence, or None.
    """

    ciphertexts: str | None = None
    cipher_folder: str | None = None
    plain: str | None = None
    reference: str | None = None
    first_pixel: list | None = None
    answers: str | None = None
    plain_model: str | None = None
    matched_model: str | None = None
    model: str | None = None
    truth: str | None = None
    size: tuple | None = None
    cipher: str | None = None
    options: dict = dataclasses.field(default_factory=dict)
    key: object = None
    found: Ciphertexts | None = None

    def need(self, names):
        """Raises unless this has each of `names`, a dict to options in words."""
        for name, option in names.items():
            if getattr(self, name) is None:
                raise AttackError(f"This attack needs {option}. Received: none")

    def read(self, any_key=False):
        """The same with the ciphertexts that are evidence, and what a manifest says.

        `any_key`: also where each of them has a key of its own.
        """
        source, found = self.answers or self.cipher_folder, None
        if source is not None:
            size = None if self.answers else self.size
            found = read_ciphertexts(source, size, any_key)
        if found and found.per_image and self.key is not None:
            raise AttackError(
                "Scores of images that have a key each should be by --truth. "
                "Received: -k"
            )
        cipher, options = self.cipher or (found and found.cipher), self.options
        if not options and found and cipher == found.cipher:
            options = found.options
        if cipher is not None:
            options = find_cipher(cipher).options(**options)
        return dataclasses.replace(self, cipher=cipher, options=options, found=found)

    @property
    def block_size(self):
        """Of the cipher; 1 where none is named."""
        if self.cipher is None:
            return 1
        return find_cipher(self.cipher).block_size(**self.options)

    @property
    def plain_shape(self):
        """Of the images behind the ciphertexts."""
        shape = self.found.images.shape[1:]
        if self.cipher is None:
            return shape
        return find_cipher(self.cipher).plain_shape(shape, **self.options)

    @property
    def asked_shape(self):
        """Of the images that are asked for."""
        self.need({"size": SIZE})
        if any(side % self.block_size for side in self.size):
            raise AttackError(
                f"--size should be whole blocks of {self.block_size} x "
                f"{self.block_size} pixels. Received: {self.size[0]}x{self.size[1]}"
            )
        return (*self.size, 3)


def make_queries(attack, files, given, folder):
    """Writes the images that an attack wants encrypted; returns how many.

    Args:
        attack: a row of `ATTACKS` that takes an oracle.
        files: their `size`, `cipher` and `options` count.
        given: options of the attack.
        folder: new or empty.
    """
    if "oracle" not in attack.takes:
        raise AttackError(
            f"--make-queries is for attacks with chosen plaintexts. Received: "
            f"{attack.name}, {attack.threat_model}"
        )
    chosen = attack.options_for(files.cipher, **files.options) | given
    return write_queries(folder, chosen_queries(attack, files.asked_shape, **chosen))


def run_attack(attack, files, given):
    """Runs an attack on files.

    Args:
        attack: a row of `ATTACKS`.
        files: a `Files`.
        given: options of the attack; others follow from the cipher.

    Returns:
        A `Result`.

    Raises:
        AttackError: evidence is missing or does not give the key.
        ImageFileError: files are missing, damaged or of several sizes.
    """
    # What gives pictures takes each ciphertext by itself.
    files = files.read(any_key=attack.returns == PICTURES)
    chosen = attack.options_for(files.cipher, **files.options) | given
    evidence, told = _evidence(attack, files, chosen)
    finding = run(attack, evidence, **given)
    summary = {
        "attack": attack.name,
        "threat_model": attack.threat_model,
        "cipher": files.cipher,
        "cipher_options": files.options,
        "options": finding.options,
        "evidence": finding.evidence,
        "recovers": attack.recovers,
        "seconds": finding.seconds,
        **told,
    }
    if finding.undetermined is not None:
        summary["undetermined"] = finding.undetermined
    if attack.learned:
        summary["learned"] = evidence.model.settings
    if finding.changes is not None:
        summary["sensitivity"] = finding.changes._asdict()
    result = Result(summary, finding.key, recovered=finding.pictures)
    if finding.key is not None:
        _decrypt(result, files)
    elif finding.pictures is not None:
        result.found, summary["left_out"] = files.found, files.found.other
    _add_scores(attack, result, files)
    return result


def _evidence(attack, files, chosen):
    """The `Evidence` of files, and what the summary tells of it."""
    for field in attack.takes:
        files.need(NEEDS[field])
    told, fields = {}, {"cipher": files.cipher, "options": files.options}
    if {"oracle", "secret"} & {*attack.takes}:
        fields["shape"] = files.asked_shape
    if "oracle" in attack.takes:
        fields["oracle"] = _oracle(attack, files, chosen)
    if "pairs" in attack.takes:
        plain, other = read_plain(
            *(files.plain, files.plain_shape, files.block_size),
            files.found.preparation,
        )
        names, *fields["pairs"] = pairs_of(plain, files.found)
        told = {"known": names, "unpaired": other + len(plain) - len(names)}
    if "ciphertexts" in attack.takes:
        fields["ciphertexts"] = files.found.images
    if "reference" in attack.takes:
        fields["reference"] = _reference(files, chosen)
    if "stems" in attack.takes:
        fields |= _stems(files)
    if "model" in attack.takes:
        fields["model"] = InverseNetwork.load(files.model)
    if "secret" in attack.takes:
        # The check compares two keys that differ in one bit: it needs the bytes.
        fields["secret"] = files.key._secret
    return Evidence(first_pixel=files.first_pixel, **fields), told


def _oracle(attack, files, chosen):
    shape = files.asked_shape
    if files.answers is not None:
        return answers_of(chosen_queries(attack, shape, **chosen), files.found)
    files.need(ORACLE)
    return find_cipher(files.cipher)(files.key, shape, **files.options)


def _stems(files):
    from tfpe.matching import stem_of
    from tfpe.roles.models import load_model

    plain, matched = (
        load_model(path) for path in (files.plain_model, files.matched_model)
    )
    shapes = plain.input_shape[1:], matched.input_shape[1:]
    if shapes[0] != shapes[1] or None in shapes[0]:
        raise AttackError(
            "Both models should take images of one size. "
            f"Received: {shapes[0]} and {shapes[1]}"
        )
    return {"stems": (stem_of(plain), stem_of(matched)), "shape": shapes[0]}


def _reference(files, chosen):
    shape, size = files.plain_shape, chosen.get("block_size", files.block_size)
    prepared = files.found.preparation
    reference, _ = read_plain(files.reference, shape, size, prepared)
    if not reference:
        raise AttackError(
            "--reference should hold pictures of the size of the ciphertexts, "
            f"{shape}. Received: {files.reference}, with none"
        )
    return np.stack(list(reference.values()))


def _decrypt(result, files):
    """Opens the ciphertexts with what the evidence gave away."""
    key, found, known = result.transform, files.found, files.found
    if files.ciphertexts is None:
        return
    if files.answers or files.ciphertexts != files.cipher_folder:
        found = read_ciphertexts(files.ciphertexts, key.output_shape[:2])
    told = (found.settings, known and known.settings)
    if None not in told and told[0] != told[1]:
        names = [name for name in SETTINGS if told[0][name] != told[1][name]]
        raise AttackError(
            "Ciphertexts should be encrypted as the evidence is, or the key opens none "
            f"of them. Received: manifests that differ in {names}"
        )
    if found.images.shape[1:] != key.output_shape:
        raise AttackError(
            "Ciphertexts should have the shape that the key is for, "
            f"{key.output_shape}. Received: {found.images.shape[1:]}"
        )
    result.found, result.recovered = found, key.inverse(found.images)
    result.summary["left_out"] = found.other


def _add_scores(attack, result, files):
    """Scores of key and pictures, up to what the attack leaves open."""
    summary, secret = result.summary, None
    shape = result.transform.input_shape if result.transform else None
    if shape is None and result.recovered is not None:
        shape = result.recovered.shape[1:]
    if shape and files.key is not None and files.cipher is not None:
        build = find_cipher(files.cipher)
        secret = build(files.key, shape, **files.options)
        if result.transform is not None:
            accuracy = attack.score_key(result.transform, secret).index_accuracy
            summary["index_accuracy"] = accuracy
    if result.recovered is None:
        return
    names, missing = result.found.names, {}
    if files.truth is not None:
        shape, size = result.recovered.shape[1:], files.block_size
        prepared = result.found.preparation
        result.truth, missing = read_truth(files.truth, names, shape, size, prepared)
    elif secret is not None:
        plain = secret.inverse(result.found.images)
        result.truth = dict(zip(names, plain, strict=True))
    known = [k for k, name in enumerate(names) if name in result.truth]
    # Evidence tells nothing of what was gained, unless there is nothing else.
    unseen = [k for k in known if names[k] not in summary.get("known", ())]
    scored = unseen or known
    if attack.up_to and (files.truth is not None or secret is not None):
        summary["up_to"] = attack.left_open
    if files.truth is not None:
        reasons = {names[k]: "that the attack knew" for k in {*known} - {*scored}}
        counts = collections.Counter((missing | reasons).values())
        summary["scored"], summary["not_scored"] = len(scored), dict(counts)
    if scored:
        plain = np.stack([result.truth[names[k]] for k in scored])
        shown = result.recovered[scored]
        summary |= as_json(attack.score_images(shown, plain, files.cipher))
        if attack.learned:
            summary["lpips"] = mean_lpips(shown, plain)
        summary["scored"], summary["unseen"] = len(scored), bool(unseen)
