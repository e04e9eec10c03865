"""The attacks on a setting of the frontier, and how their pictures are scored."""

import time

import numpy as np

from tfpe import metrics
from tfpe.attacks import ATTACKS, Evidence, attempt
from tfpe.attacks.attack import KEY, PICTURES
from tfpe.attacks.learned.candidates import recognised
from tfpe.attacks.learned.forms import form_of
from tfpe.attacks.learned.learning import constant_picture
from tfpe.ciphers import find_cipher
from tfpe.lab.records.frontier_records import Reconstruction
from tfpe.metrics.perceptual_similarity import mean_lpips
from training.train import predict_labels

PAIRS = 64  # that an attacker of one key knows
# An attack that opens each picture with much work: how many, of how many blocks.
SLOW, MOST_BLOCKS = 20, 64
RECOGNISED = 100  # ciphertexts that are looked for among known pictures


def attacks_on(setting, encryption, image_set, places, learned, score):
    """What each attack makes of the ciphertexts of test images.

    Args:
        setting: a `Setting`.
        encryption: a `training.encryption.Encryption`; None of plain images.
        image_set: a `training.images.ImageSet`.
        places: of the test images that are attacked.
        learned: an `InverseNetwork`, or None.
        score: `(pictures, attack, ...) -> Reconstruction`.

    Returns:
        A list of `Reconstruction`.
    """
    plain = image_set.x_test[places]
    if encryption is None:
        return [score(plain, "ciphertext", evidence="nothing is hidden")]
    ciphertexts = encryption(plain, places)
    found = [score(ciphertexts, "ciphertext", evidence="as anyone sees it")]
    known = {"cipher": setting.cipher, "options": encryption.options}
    if not setting.per_image:
        return [*found, *_from_pairs(encryption, image_set, ciphertexts, known, score)]
    traits = find_cipher(setting.cipher).traits(**encryption.options)
    for row in ATTACKS.values():
        alone = row.takes == ("ciphertexts",) and row.returns == PICTURES
        if not row.needs(traits) or not (alone or (row.learned and learned)):
            continue
        blocks = plain[0, ..., 0].size // traits.block_size**2
        if row.per_picture and blocks > MOST_BLOCKS:
            message = f"not tried on {blocks} blocks, for its time"
            found.append(Reconstruction(attack=row.name, message=message))
            continue
        count = SLOW if row.per_picture else len(plain)
        given = {"ciphertexts": ciphertexts[:count], "model": learned, **known}
        finding = attempt(row, Evidence(**given))
        if finding.error is not None:
            found.append(Reconstruction(attack=row.name, message=str(finding.error)))
            continue
        pictures = row.aligned(finding.pictures, plain[:count], setting.cipher)
        evidence = "1 ciphertext"
        if row.learned:
            evidence += f", after {learned.settings['steps']:,} steps of training"
        found.append(
            score(pictures, row.name, evidence=evidence, seconds=finding.seconds)
        )
    return found


def recognised_share(setting, encryption, image_set, places):
    """The share of ciphertexts that are recognised among all test images, known plain.

    One key for all falls to exact attacks: then every ciphertext is.
    """
    if encryption is None or not setting.per_image:
        return 1.0
    shape = image_set.x_test.shape[1:]
    form = form_of(setting.cipher, shape, **encryption.options)
    places = places[:RECOGNISED]
    ciphertexts = encryption(image_set.x_test[places], places)
    return float(recognised(form, ciphertexts, image_set.x_test, places).mean())


def _from_pairs(encryption, image_set, ciphertexts, known, score):
    """Exact attacks: training images are known with their ciphertexts."""
    traits = find_cipher(known["cipher"]).traits(**known["options"])
    plain = image_set.x_train[:PAIRS]
    pairs = plain, encryption(plain, np.arange(PAIRS))
    for row in ATTACKS.values():
        if row.takes != ("pairs",) or row.returns != KEY or not row.needs(traits):
            continue
        finding = attempt(row, Evidence(pairs=pairs, **known))
        if finding.error is not None:
            yield Reconstruction(attack=row.name, message=str(finding.error))
            continue
        yield score(
            finding.key.inverse(ciphertexts),
            row.name,
            evidence=f"{PAIRS} known pairs",
            seconds=finding.seconds,
        )


def baselines(image_set, places, score):
    """Pictures of who knows nothing but the kind, or the class, of each image."""
    train, labels = image_set.x_train, image_set.y_train
    constant = constant_picture(train)[None].repeat(len(places), axis=0)
    means = np.stack(
        [
            np.rint(train[labels == label].mean(axis=0)).astype(np.uint8)
            for label in range(len(image_set.class_names))
        ]
    )
    return [
        score(constant, "constant", evidence="the best constant picture"),
        score(
            means[image_set.y_test[places]],
            "class mean",
            evidence="the mean picture of the class, which is known",
        ),
    ]


def scores(pictures, attack, *, plain, labels, gallery, places, classifier, **told):
    """The `Reconstruction` that pictures are.

    Args:
        pictures: `uint8 (B, H, W, C)`, of the first B of `plain`.
        attack: its name.
        plain, labels, places: the plain pictures, their classes, and where they are in
            the gallery.
        gallery: all test images.
        classifier: a model from plain pictures to logits.
        **told: `evidence` and `seconds`.
    """
    began, count = time.perf_counter(), len(pictures)
    plain, labels, places = plain[:count], labels[:count], places[:count]
    pooled = [images.reshape(-1, *images.shape[2:]) for images in (pictures, plain)]
    psnr = float(metrics.psnr(*pooled))
    told.setdefault("seconds", time.perf_counter() - began)
    return Reconstruction(
        attack=attack,
        ssim=float(np.mean(metrics.ssim(pictures, plain))),
        psnr=psnr if np.isfinite(psnr) else None,
        ms_ssim=float(np.mean(metrics.ms_ssim(pictures, plain))),
        lpips=mean_lpips(pictures, plain),
        identification_rate=metrics.identification_rate(pictures, gallery, places),
        classifier_accuracy=float(
            (predict_labels(classifier, pictures) == labels).mean()
        ),
        **told,
    )
