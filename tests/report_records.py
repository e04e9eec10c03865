"""Records for tests of the report: small real attacks, and made-up trainings."""

import base64
import io

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

from tfpe import CIPHERS, Key, attacks, metrics
from tfpe.lab.bench.baselines import AES
from tfpe.lab.bench.rows import pack
from tfpe.lab.records import environment

PHOTOGRAPHS = load_sample_images().images
CROPS = np.stack([p[y : y + 32, 240:272] for p in PHOTOGRAPHS for y in (100, 200)])
ENVIRONMENT = {"cpu": "Abacus", "cores": 2, "date": "2026-01-01T", "tfpe": "0"}


def evaluation(cipher, images="photographs", gallery=True):
    """An evaluation record of real attacks on four crops of photographs."""
    key = Key(bytes(range(32)))
    secret = CIPHERS[cipher](key, CROPS.shape[1:])
    encrypted = secret(CROPS)
    bits = CIPHERS[cipher].traits().word_bits
    oracle = attacks.CountingOracle(secret)
    chosen = attacks.chosen_plaintext(oracle, CROPS.shape[1:], bits=bits)
    known = attacks.known_plaintext(CROPS[:2], encrypted[:2], bits=bits)
    rows = [
        _outcome("chosen_plaintext", "chosen plaintext", chosen, secret, encrypted)
        | {
            "evidence": {"kind": "queries", "count": oracle.queries - 1, "verifying": 1}
        },
        _outcome("known_plaintext", "known plaintext", known, secret, encrypted)
        | {"evidence": {"kind": "pairs", "count": 2, "verifying": 0}},
    ]
    if cipher == "logistic":
        seen = np.stack([attacks.mode_filter(image) for image in encrypted])
        seen = np.broadcast_to(seen.reshape(*seen.shape[:3], -1), CROPS.shape)
        row = _scores("mode_filter", "ciphertext only", np.ascontiguousarray(seen))
        rows.append(row | {"evidence": {"kind": "ciphertexts", "count": 1}})
    claimed, effective = CIPHERS[cipher].key_space(CROPS.shape[1:])
    shown = {
        "plain": CROPS[0],
        cipher: encrypted[0],
        "known_plaintext": known.inverse(encrypted[0]),
    }
    return {
        "kind": "evaluation",
        "format": 1,
        "settings": {
            "images": images,
            "image_shape": list(CROPS.shape[1:]),
            "count": len(CROPS),
            "cipher": cipher,
            "cipher_options": CIPHERS[cipher].defaults,
            "key_fingerprint": key.fingerprint,
            "seed": 0,
        },
        "results": {
            "key_space": {"claimed_bits": claimed, "effective_bits": effective},
            "metrics": metrics.image_metrics(CROPS, encrypted),
            "attacks": rows,
            "gallery": [
                {
                    "name": name,
                    "alt": f"A crop of a photograph: {name}",
                    "png": png(image),
                }
                for name, image in shown.items()
            ]
            if gallery
            else [],
        },
        "environment": environment(),
    }


def _outcome(attack, threat_model, found, secret, encrypted):
    score = attacks.score_key(found, secret)
    row = _scores(attack, threat_model, found.inverse(encrypted))
    return row | {"index_accuracy": score.index_accuracy}


def _scores(attack, threat_model, images):
    score = attacks.score_images(images, CROPS)
    return {
        "attack": attack,
        "threat_model": threat_model,
        "outcome": "recovered" if score.exact_pixels == 1 else "partial",
        "message": None,
        "index_accuracy": None,
        "exact_pixels": score.exact_pixels,
        "psnr": score.psnr if np.isfinite(score.psnr) else None,
        "ssim": score.ssim,
        "seconds": 0.0123,
    }


def png(image):
    """An image as PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def training(cipher, accuracy, dataset="cifar10", seed=0, **settings):
    """A made-up training record."""
    epoch = {"epoch": 2, "test_accuracy": accuracy, "test_interval": [0.1, 0.9]}
    epoch |= {"train_accuracy": 0.5, "validation_accuracy": 0.4}
    settings |= {"dataset": dataset, "cipher": cipher, "seed": seed}
    plain = cipher == "plain"
    return {
        "kind": "training",
        "format": 1,
        "settings": {"depth": 20, "alpha": 24.0, "recipe": "small"} | settings,
        "results": {
            "last": epoch,
            "best_validation": epoch,
            "wrong_key_accuracy": None if plain else 0.1,
            "plain_model_accuracy": None if plain else 0.12,
            "images_per_second": 123.4,
            "train_images": 9000,
            "validation_images": 1000,
            "test_images": 10_000,
            "epochs": 3,
            "history": {"val_accuracy": [0.1, 0.2, accuracy]},
        },
        "environment": ENVIRONMENT,
    }


def bench(**speeds):
    """A made-up record of speeds, in GB/s through XLA, at twice that of AES."""
    ratios = {AES: {"low": 1, "median": 2.0, "high": 3}}
    rows = []
    for cipher, speed in speeds.items():
        seconds = 6_291_456 / speed / 1e9
        rows.append(
            {
                "cipher": cipher,
                "runner": "XLA",
                "size": "2048x32x32x3",
                "direction": "encrypt",
                "rounds": 7,
                **dict.fromkeys(("median", "low", "high"), seconds),
                "ratios": ratios,
            }
        )
    return {
        "kind": "bench",
        "format": 1,
        "settings": {"ciphers": list(speeds), "cores": 2, "quick": False},
        "results": {"throughput": pack(rows)},
        "environment": ENVIRONMENT,
    }


def curve(cipher, errors):
    """A made-up curve: `errors` is a dict from evidence to errors, one for each key."""
    points = [
        {"evidence": n, "key": str(k), "error": e, "error_up_to_channel_order": e}
        for n, values in errors.items()
        for k, e in enumerate(values)
    ]
    return {
        "kind": "attack-curve",
        "format": 1,
        "settings": {
            "attack": "ciphertext_only",
            "images": "cifar10",
            "cipher": cipher,
        },
        "results": {"points": points},
        "environment": ENVIRONMENT,
    }
