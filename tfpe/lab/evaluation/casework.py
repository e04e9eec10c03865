"""An attack on files: evidence in, pictures or a key and their scores out."""

import collections
import dataclasses
import time

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.attacks import CountingOracle, as_json, puzzle_of
from tfpe.attacks.known_plaintext import RecoveredTransform
from tfpe.ciphers import find_cipher
from tfpe.errors import AttackError
from tfpe.lab.evaluation.evidence import (
    SETTINGS,
    answers_of,
    chosen_queries,
    pairs_of,
    read_ciphertexts,
    read_plain,
    read_truth,
    write_queries,
)
from tfpe.lab.evaluation.result import Result
from tfpe.lab.evaluation.trials import KINDS


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What an attacker has, as paths; None where he has not.

    Attributes:
        ciphertexts: to be decrypted.
        cipher_folder, plain: known pairs, by their names.
        reference: other plain pictures.
        first_pixel: plain value of the upper left pixel.
        answers: the queries of `make_queries`, encrypted.
        truth: plain images, for scores only.
        size: (height, width).
        cipher, options: of the cipher; default those of a manifest.
        key: a `tfpe.Key`: the oracle of chosen plaintexts without answers, else for
            scores only.
    """

    ciphertexts: str | None = None
    cipher_folder: str | None = None
    plain: str | None = None
    reference: str | None = None
    first_pixel: list | None = None
    answers: str | None = None
    truth: str | None = None
    size: tuple | None = None
    cipher: str | None = None
    options: dict = dataclasses.field(default_factory=dict)
    key: object = None

    def need(self, **names):
        """Raises unless this has each of `names`, given as name=option in words."""
        for name, option in names.items():
            if getattr(self, name) is None:
                raise AttackError(f"This attack needs {option}. Received: none")


def make_queries(attack, evidence, given, folder):
    """Writes the images that an attack wants encrypted; returns how many.

    Args:
        attack: a row of `ATTACKS` with chosen plaintexts.
        evidence: its `size`, `cipher` and `options` count.
        given: options of the attack.
        folder: new or empty.
    """
    _require_chosen(attack)
    options = _attack_options(attack, evidence.cipher, evidence.options, given)
    shape = _shape(evidence)
    return write_queries(folder, chosen_queries(attack, shape, **options))


def run_attack(attack, evidence, given):
    """Runs an attack on files.

    Args:
        attack: a row of `ATTACKS`.
        evidence: an `Evidence`.
        given: options of the attack; others follow from the cipher.

    Returns:
        A `Result`.

    Raises:
        AttackError: evidence is missing or does not give the key.
        ImageFileError: files are missing, damaged or of several sizes.
    """
    found = None
    source = evidence.answers or evidence.cipher_folder
    if source is not None:
        size = None if evidence.answers else evidence.size
        found = read_ciphertexts(source, size)
    cipher = evidence.cipher or (found and found.cipher)
    options = evidence.options
    if not options and found and cipher == found.cipher:
        options = found.options
    if cipher is not None:
        options = find_cipher(cipher).options(**options)
    evidence = dataclasses.replace(evidence, cipher=cipher, options=options)
    chosen = _attack_options(attack, cipher, options, given)
    summary = {
        "attack": attack.name,
        "threat_model": attack.threat_model,
        "cipher": cipher,
        "cipher_options": options,
        "options": chosen,
        "evidence": {"kind": KINDS[attack.threat_model], "count": 0, "verifying": 0},
        "recovers": attack.recovers,
    }
    run = _RUNS[attack.threat_model]
    result = run(attack, evidence, chosen, found, summary)
    _add_scores(attack, result, evidence)
    return result


def _chosen_plaintext(attack, evidence, chosen, found, summary):
    shape = _shape(evidence)
    asking = chosen_queries(attack, shape, **chosen)
    if evidence.answers is not None:
        oracle = answers_of(asking, found)
    else:
        evidence.need(
            key="an oracle: -k KEY with --cipher and --size, or --make-queries and "
            "then --answers",
            cipher="--cipher",
        )
        build = find_cipher(evidence.cipher)
        oracle = build(evidence.key, shape, **evidence.options)
    oracle = CountingOracle(oracle)
    start = time.perf_counter()
    transform = attack(oracle, shape, **chosen)
    summary["seconds"] = time.perf_counter() - start - oracle.seconds
    summary["evidence"] |= {"count": oracle.queries - 1, "verifying": 1}
    result = Result(summary, transform)
    if evidence.ciphertexts is not None:
        size = transform.output_shape[:2]
        _decrypt(result, read_ciphertexts(evidence.ciphertexts, size), found)
    return result


def _known_plaintext(attack, evidence, chosen, found, summary):
    evidence.need(
        plain="known plain images: --plain DIR",
        cipher_folder="the same encrypted: --cipher-folder DIR",
    )
    block_size = 1
    shape = found.images.shape[1:]
    if evidence.cipher is not None:
        row = find_cipher(evidence.cipher)
        block_size = row.block_size(**evidence.options)
        shape = row.plain_shape(shape, **evidence.options)
    plain, other = read_plain(evidence.plain, shape, block_size)
    names, images, ciphertexts = pairs_of(plain, found)
    start = time.perf_counter()
    transform = attack(images, ciphertexts, **chosen)
    summary["seconds"] = time.perf_counter() - start
    summary["evidence"]["count"] = len(names)
    summary["known"] = names
    summary["unpaired"] = other + len(plain) - len(names)
    if isinstance(transform, RecoveredTransform):
        summary["undetermined"] = int(transform.undetermined.size)
    opened = found
    if evidence.ciphertexts != evidence.cipher_folder:
        opened = read_ciphertexts(evidence.ciphertexts, transform.output_shape[:2])
    result = Result(summary, transform)
    _decrypt(result, opened, found)
    return result


def _ciphertext_only(attack, evidence, chosen, found, summary):
    evidence.need(ciphertexts="CIPHERTEXTS, a folder or an image")
    arguments = [found.images]
    if attack.needs_reference:
        evidence.need(reference="other plain pictures: --reference DIR")
        shape = found.images.shape[1:]
        size = chosen.get("block_size", 1)
        reference, _ = read_plain(evidence.reference, shape, size)
        if not reference:
            raise AttackError(
                "--reference should hold pictures of the size of the ciphertexts, "
                f"{shape}. Received: {evidence.reference}, with none"
            )
        arguments.append(np.stack(list(reference.values())))
    if attack.name == "chang_case_advanced":
        evidence.need(first_pixel="the first pixel of the pictures: --first-pixel")
        arguments.append(evidence.first_pixel)
    start = time.perf_counter()
    if attack.name == "jigsaw":
        if "block_size" not in chosen:
            raise AttackError(
                "jigsaw is for ciphers that move blocks, such as --cipher etc. "
                f"Received: {evidence.cipher or 'no cipher'}"
            )
        planes = puzzle_of(evidence.cipher, found.images.shape[1:])
        solved = [attack(planes(c), chosen["block_size"]) for c in found.images]
        pictures = [
            planes.inverse(t.inverse(planes(c)))
            for t, c in zip(solved, found.images, strict=True)
        ]
        recovered = np.stack(pictures)
    else:
        recovered = attack(*arguments, **chosen)
    summary["seconds"] = time.perf_counter() - start
    summary["evidence"]["count"] = len(found.images)
    if isinstance(recovered, Transform):
        result = Result(summary, recovered)
        _decrypt(result, found)
        return result
    summary["left_out"] = found.other
    return Result(summary, None, found, recovered)


def _key_check(attack, evidence, chosen, found, summary):
    evidence.need(key="a key: -k KEY", cipher="--cipher")
    # The check compares two keys that differ in one bit: it needs the bytes.
    start = time.perf_counter()
    changed = attack(
        evidence.key._secret,
        _shape(evidence),
        evidence.cipher,
        **chosen,
        **evidence.options,
    )
    summary["seconds"] = time.perf_counter() - start
    summary["evidence"]["count"] = 2
    summary["sensitivity"] = changed._asdict()
    return Result(summary, None)


_RUNS = {
    "chosen plaintext": _chosen_plaintext,
    "known plaintext": _known_plaintext,
    "ciphertext only": _ciphertext_only,
    "key check": _key_check,
}


def _decrypt(result, found, known=None):
    """Opens `found` with what `known`, the evidence, gave away."""
    told = (found.settings, known.settings) if known else (None, None)
    if None not in told and told[0] != told[1]:
        names = [name for name in SETTINGS if told[0][name] != told[1][name]]
        raise AttackError(
            "Ciphertexts should be encrypted as the evidence is, or the key opens none "
            f"of them. Received: manifests that differ in {names}"
        )
    if found.images.shape[1:] != result.transform.output_shape:
        raise AttackError(
            "Ciphertexts should have the shape that the key is for, "
            f"{result.transform.output_shape}. Received: {found.images.shape[1:]}"
        )
    result.found = found
    result.recovered = result.transform.inverse(found.images)
    result.summary["left_out"] = found.other


def _add_scores(attack, result, evidence):
    """Scores of key and pictures, up to what the attack leaves open."""
    summary, secret = result.summary, None
    shape = result.transform.input_shape if result.transform else None
    if shape is None and result.recovered is not None:
        shape = result.recovered.shape[1:]
    if shape and evidence.key is not None and evidence.cipher is not None:
        build = find_cipher(evidence.cipher)
        secret = build(evidence.key, shape, **evidence.options)
        if result.transform is not None:
            accuracy = attack.score_key(result.transform, secret).index_accuracy
            summary["index_accuracy"] = accuracy
    if result.recovered is None:
        return
    names, missing = result.found.names, {}
    if evidence.truth is not None:
        size = 1
        if evidence.cipher is not None:
            size = find_cipher(evidence.cipher).block_size(**evidence.options)
        shape = result.recovered.shape[1:]
        result.truth, missing = read_truth(evidence.truth, names, shape, size)
    elif secret is not None:
        plain = secret.inverse(result.found.images)
        result.truth = dict(zip(names, plain, strict=True))
    known = [k for k, name in enumerate(names) if name in result.truth]
    # Evidence tells nothing of what was gained, unless there is nothing else.
    unseen = [k for k in known if names[k] not in summary.get("known", ())]
    scored = unseen or known
    if attack.up_to and (evidence.truth is not None or secret is not None):
        summary["up_to"] = attack.left_open
    if evidence.truth is not None:
        reasons = {names[k]: "that the attack knew" for k in {*known} - {*scored}}
        counts = collections.Counter((missing | reasons).values())
        summary["scored"], summary["not_scored"] = len(scored), dict(counts)
    if scored:
        plain = np.stack([result.truth[names[k]] for k in scored])
        shown = result.recovered[scored]
        summary |= as_json(attack.score_images(shown, plain, evidence.cipher))
        summary["scored"], summary["unseen"] = len(scored), bool(unseen)


def _attack_options(attack, cipher, options, given):
    if cipher is None:
        return given
    return attack.options_for(cipher, **options) | given


def _shape(evidence):
    evidence.need(size="the size of the images: --size HxW")
    size = 1
    if evidence.cipher is not None:
        size = find_cipher(evidence.cipher).block_size(**evidence.options)
    if any(side % size for side in evidence.size):
        raise AttackError(
            f"--size should be whole blocks of {size} x {size} pixels. Received: "
            f"{evidence.size[0]}x{evidence.size[1]}"
        )
    return (*evidence.size, 3)


def _require_chosen(attack):
    if attack.threat_model != "chosen plaintext":
        raise AttackError(
            f"--make-queries is for attacks with chosen plaintexts. Received: "
            f"{attack.name}, {attack.threat_model}"
        )
