"""Error of an attack against its evidence: how many pairs or ciphertexts it takes."""

import time

import numpy as np

from tfpe.attacks import ATTACKS, as_json, attempt, least_error, score_images
from tfpe.ciphers import find_cipher
from tfpe.errors import RecordError, TfpeError
from tfpe.keys import Key
from tfpe.lab.evaluation import seed_bytes
from tfpe.lab.evaluation.ladders import REFERENCES, evidence_of
from tfpe.lab.records import check_replaceable, environment, read_record, write_record

UNSEEN = 500
LEAKED = (1, 10, 100, 1000)  # pairs that a network learns from


def measure_curve(
    attack,
    cipher,
    pictures,
    *,
    counts=None,
    keys=3,
    seed=0,
    path=None,
    overwrite=False,
    progress=None,
    **options,
):
    """Measures the error of unseen pictures after an attack, for more and more images.

    Args:
        attack: a name in `ATTACKS`, of one whose key grows with its evidence; or one
            that learns, from pairs that leaked under one key and from nothing else.
        cipher: a name in `tfpe.CIPHERS` that the attack applies to.
        pictures: a `Pictures`; each key has a draw of its own of the evidence.
        counts: numbers of images; default those of the attack's row, as far
            as the pictures go.
        keys: number of keys, and of draws.
        seed: of keys and draws.
        path: of the record, written after each point; points that a record of the same
            settings holds already are not measured again.
        overwrite: begin anew, also where a record of other settings is.
        progress: called with (done, total, what), after each point.
        **options: of the cipher.

    Returns:
        The record, of kind "attack-curve". Its results hold `points`, each of

        evidence, key     number of images, number of the key
        error             mean |recovered - plain| of unseen pictures, in levels 0 to
                          255; None where the attack raised, `message` says why
        error_up_to_channel_order, error_up_to_negatives
                          the least over 6 channel orders, and over 48 candidates (with
                          negatives of channels): for ciphertexts alone
        error_up_to_mirror, and so on
                          up to what the attack leaves open (`Attack.up_to`)
        index_accuracy    fraction of the key's words that are right
        undetermined      words that the pairs leave open; None for ciphertexts alone
        seconds           of the attack

    Raises:
        TfpeError: the attack has no such curve or is not for this cipher, or there are
            too few pictures.
        RecordError: `path` holds something else.
    """
    known = [
        name
        for name, one in ATTACKS.items()
        if (one.has_curve or one.learned) and cipher in one.ciphers
    ]
    if attack not in known:
        raise TfpeError(
            f"`attack` should be one that grows with its evidence, for {cipher} one of "
            f"{known}. Received: {attack!r}"
        )
    row, tried = find_cipher(cipher), ATTACKS[attack]
    options = row.check(pictures.shape[2], **options)
    row.require_bytes("An evaluation, whose metrics are of pictures,", **options)
    pictures = pictures.cropped(row.block_size(**options))
    evidence = pictures.evidence
    spare = 2 if "reference" in tried.takes else 1
    usual = (LEAKED if tried.learned else tried.curve) or tried.rungs(
        pictures.shape, **tried.options_for(cipher, **options)
    )
    counts = sorted(counts or [n for n in usual if spare * n <= len(evidence)])
    if not counts or not 1 <= counts[0] <= counts[-1] <= len(evidence):
        raise TfpeError(
            f"`counts` should be from 1 to {len(evidence)}, the number of pictures "
            f"beside those scored. Received: {counts}"
        )
    settings = {
        "attack": attack,
        "threat_model": "known plaintext" if tried.learned else tried.threat_model,
        "evidence_kind": "pairs" if tried.learned else tried.unit,
        "images": pictures.name,
        "image_shape": list(pictures.shape),
        "count": pictures.count,
        "unseen": min(UNSEEN, len(pictures.scored)),
        "cipher": cipher,
        "cipher_options": options,
        "counts": counts,
        "keys": keys,
        "key_fingerprints": [_key(seed, k).fingerprint for k in range(keys)],
        "seed": seed,
    }
    if tried.learned:
        settings["steps"] = _steps_of_pairs(cipher, pictures.shape, options)
    points = _points_there(path, settings, overwrite)
    done = {(point["evidence"], point["key"]) for point in points}
    record = {"kind": "attack-curve", "settings": settings}
    record["results"] = {"points": points}
    total = len(counts) * keys
    for count in counts:
        for number in range(keys):
            if (count, number) not in done:
                points.append(
                    _point(tried, cipher, options, pictures, count, number, seed)
                )
                points.sort(key=lambda point: (point["evidence"], point["key"]))
                if path is not None:
                    record["environment"] = environment()
                    write_record(path, record, overwrite=True)
            if progress:
                progress(
                    sum(n < count for n in counts) * keys + number + 1,
                    total,
                    f"{attack} on {cipher}: {count} images, key {number}",
                )
    return record


def _point(attack, cipher, options, pictures, count, number, seed):
    secret = find_cipher(cipher)(_key(seed, number), pictures.shape, **options)
    order = np.random.default_rng([seed, number]).permutation(len(pictures.evidence))
    plain, reference = (
        pictures.evidence[chosen]
        for chosen in (order[:count], order[count:][:REFERENCES])
    )
    known = {"cipher": cipher, "options": options}
    if attack.learned:
        return _learned_point(secret, known, plain, pictures, count, number)
    evidence = evidence_of(attack, secret, plain, reference, **known)
    found = attempt(attack, evidence, **attack.all_of(count))
    point = {
        "evidence": count,
        "key": number,
        "error": None,
        "index_accuracy": None,
        "undetermined": found.undetermined,
        "seconds": found.seconds,
    }
    if found.error is not None:
        return point | {"message": str(found.error)}
    unseen = pictures.scored[:UNSEEN]
    shown = found.key.inverse(secret(unseen))
    point["error"] = float(np.abs(shown.astype(np.int16) - unseen).mean())
    if found.kind == "ciphertexts":
        point["error_up_to_channel_order"] = least_error(shown, unseen)
        point["error_up_to_negatives"] = least_error(shown, unseen, negatives=True)
    if attack.up_to:
        shown = attack.aligned(shown, unseen, cipher).astype(np.int16)
        point[_up_to(attack)] = float(np.abs(shown - unseen).mean())
    point["index_accuracy"] = attack.score_key(found.key, secret).index_accuracy
    return point


def _steps_of_pairs(cipher, image_shape, options):
    from tfpe.attacks.learned.forms import form_of
    from tfpe.attacks.learned.learning import steps_of_pairs

    return steps_of_pairs(form_of(cipher, image_shape, **options))


def _learned_point(secret, known, plain, pictures, count, number):
    """What a network shows of unseen pictures that was trained on the leaked pairs."""
    from tfpe.attacks.learned.forms import form_of
    from tfpe.attacks.learned.learning import learn_from_pairs

    form = form_of(known["cipher"], pictures.shape, **known["options"])
    start = time.perf_counter()
    trained = learn_from_pairs(form, plain, secret(plain), seed=number)
    seconds, unseen = time.perf_counter() - start, pictures.scored[:UNSEEN]
    shown = trained(secret(unseen))
    return {
        "evidence": count,
        "key": number,
        "error": float(np.abs(shown.astype(np.int16) - unseen).mean()),
        "ssim": as_json(score_images(shown, unseen))["ssim"],
        "index_accuracy": None,
        "undetermined": None,
        "seconds": seconds,
    }


def error_of(attack, point):
    """The error of a point, up to what the attack leaves open. None: it raised."""
    row = ATTACKS.get(attack)
    error = point.get("error")
    return point.get(_up_to(row), error) if row else error


def error_title(attack):
    """What `error_of` tells of the points of an attack."""
    row = ATTACKS.get(attack)
    open_ = f", up to {row.left_open}" if row and row.up_to else ""
    return f"mean error of unseen pictures (0 to 255){open_}"


def _up_to(row):
    """The field of the error up to what an attack leaves open."""
    return "_".join(["error_up_to", *row.up_to]).replace(" ", "_")


def _key(seed, number):
    return Key(seed_bytes(seed)).derive("curve", number)


def _points_there(path, settings, overwrite):
    """The points of a record of the same settings."""
    if path is None:
        return []
    check_replaceable(path, "attack-curve", settings, overwrite)
    if overwrite:
        return []
    try:
        return list(read_record(path)["results"]["points"])
    except RecordError:
        return []
