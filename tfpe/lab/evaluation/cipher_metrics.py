"""All metrics of one cipher: images, near keys, near images, its keystream."""

import numpy as np

from tfpe import metrics
from tfpe.ciphers import CIPHERS
from tfpe.keys import Key

# 125,460 bytes: every test of SP 800-22 runs.
STREAM_SHAPE = (204, 205, 3)
# Options that leave values out of the stream, or move them after it.
BESIDE_STREAM = {"select", "channel_shuffle"}
NOISE_NPCR, NOISE_UACI = 255 / 256, 257 / 768


def cipher_metrics(case, near_seed):
    """The metrics of a case, ready for JSON.

    Args:
        case: a `Case`.
        near_seed: the 32 bytes of its key with one bit changed.

    Returns:
        What `tfpe.metrics.image_metrics` gives, and

        key_change      npcr, uaci of ciphertexts under keys that differ in one bit
        pixel_change    npcr, uaci of ciphertexts of images that differ in one value;
                        without diffusion npcr is one value of all, `no_diffusion`
        keystream       of ciphers that xor a stream: `generated`, the metrics of the
                        stream itself, and `applied`, of what images are xored with
                        where options leave a part of it out
    """
    plain, cipher = case.scored, case.encrypted()
    near = CIPHERS[case.cipher](Key(near_seed), case.pictures.shape, **case.options)
    changed = plain.copy()
    changed[:, 0, 0, 0] ^= 1
    results = {
        **metrics.image_metrics(plain, cipher, case.secret.inverse),
        "key_change": _change(cipher, near(plain)),
        "pixel_change": _change(cipher, case.secret(changed)),
    }
    results["pixel_change"]["no_diffusion"] = 1 / plain[0].size
    if streams := _streams(case):
        results["keystream"] = {
            name: metrics.keystream_metrics(stream) for name, stream in streams.items()
        }
    return results


def _change(first, second):
    size = first[0].size
    return {
        "npcr": {
            "value": float(np.mean(metrics.npcr(first, second))),
            "ideal": NOISE_NPCR,
            "limits": [metrics.npcr_limit(size), None],
        },
        "uaci": {
            "value": float(np.mean(metrics.uaci(first, second))),
            "ideal": NOISE_UACI,
            "limits": list(metrics.uaci_limits(size)),
        },
    }


def _streams(case):
    """The streams of a cipher that xors one, long enough for all tests."""
    build, key = CIPHERS[case.cipher], Key(case.seed)
    bare = case.options | dict.fromkeys(BESIDE_STREAM & case.options.keys(), False)
    traits = build.traits(**bare)
    moves = not traits.in_place or traits.moves_words
    if traits.word_bits is None or moves or traits.negates or traits.leaves_values:
        return {}
    streams = {"generated": build(key, STREAM_SHAPE, **bare).mask}
    if bare != case.options:
        streams["applied"] = build(key, STREAM_SHAPE, **case.options).mask
    return streams
