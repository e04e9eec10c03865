"""Under which conditions records were measured: which of them share a table or row."""

import itertools
import json

from tfpe.ciphers import CIPHERS

# Settings by which the rows of one table differ; all others are its conditions.
ROW_SETTINGS = {
    "adaptation",
    "cipher",
    "cipher_options",
    "encrypted_beforehand",
    "key_fingerprint",
    "per_image",
    "seed",
}
# By which they differ too where each cipher has the network that fits it.
NETWORK_SETTINGS = {
    *("network", "network_words", "depth", "alpha", "block", "rounding", "shakedrop"),
    *("stem", "patch_size", "bits", "tied", "width", "kernel_size", "token_units"),
    *("channel_units", "heads", "mlp_units", "dropout"),
}


def grouped(items, key, with_key=False):
    """Groups of equal key, in the order in which they first appear."""
    groups = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups.items() if with_key else groups.values()


def conditions(record):
    """What records of one table share, as text to compare: all but `ROW_SETTINGS`."""
    settings, by_row = record["settings"], _row_names(record["settings"])
    shared = {k: v for k, v in settings.items() if k not in by_row}
    return json.dumps(shared, sort_keys=True)


def _row_names(settings):
    return ROW_SETTINGS | (NETWORK_SETTINGS if settings.get("matched") else set())


def network_words(settings):
    """The network of a training record in words; older ones have PyramidNets only.

    Example:

    >>> network_words({"depth": 110, "alpha": 270})
    'PyramidNet (110, 270)'
    """
    words = settings.get("network_words")
    return words or f"PyramidNet ({settings['depth']}, {settings['alpha']:g})"


def row_settings(record):
    """What makes the row of a record, as text to compare; seeds share a row."""
    settings = record["settings"]
    names = sorted(_row_names(settings) - {"key_fingerprint", "seed"})
    return json.dumps([settings.get(name) or None for name in names], sort_keys=True)


def row_name(settings):
    """The name of a row: the cipher, and what is not as usual.

    Example:

    >>> row_name({"cipher": "le", "cipher_options": {"block_size": 8}})
    'le, block_size 8'
    >>> row_name({"cipher": "ele", "encrypted_beforehand": True})
    'ele, encrypted beforehand'
    """
    name = settings["cipher"]
    options = settings.get("cipher_options") or {}
    usual = CIPHERS[name].defaults if options else {}
    parts = [f"{o} {value}" for o, value in options.items() if usual.get(o) != value]
    if settings.get("per_image"):
        parts.append("a key for each image")
    if settings.get("encrypted_beforehand"):
        parts.append("encrypted beforehand")
    if adaptation := settings.get("adaptation"):
        parts.append(f"{adaptation.upper()}-AdaptNet")
    if settings.get("matched"):
        parts.append(network_words(settings))
    return ", ".join([name, *parts])


def caption(records, different=()):
    """The conditions of training records of one table, in one sentence.

    Args:
        records: of one data set and recipe.
        different: settings that tell this table from others, as of
            `different_conditions`.
    """
    settings, results = records[0]["settings"], records[0]["results"]
    rows = grouped(records, row_settings)
    seeds = sorted(
        {len({record["settings"]["seed"] for record in row}) for row in rows}
    )
    parts = [
        *([] if settings.get("matched") else [network_words(settings)]),
        f"{results['train_images']:,} training, {results['validation_images']:,} "
        f"validation and {results['test_images']:,} test images",
        "train accuracy: while learning, on augmented images",
        f"epochs: {results['epochs']}",
        *(f"{name}: {settings.get(name)}" for name in different),
        "one seed" if seeds == [1] else f"mean of {' or '.join(map(str, seeds))} seeds",
    ]
    return (
        f"Accuracy in %, {settings['dataset']}, recipe {settings['recipe']}: "
        f"{'; '.join(parts)}; {machine(records)}."
    )


def different_conditions(records):
    """Settings, beyond those in every caption, by which the tables differ."""
    stated = ROW_SETTINGS | NETWORK_SETTINGS | {"dataset", "recipe", "epochs"}
    settings = [record["settings"] for record in records]
    names = sorted({name for one in settings for name in one} - stated)
    return [
        name
        for name in names
        if len({json.dumps(one.get(name)) for one in settings}) > 1
    ]


def machine(records):
    """Where and when: machines and software of all records, each named once."""
    found = [record["environment"] for record in records]
    names = [
        ", ".join(e.get("gpu") or [f"{e['cpu']}, {e['cores']} cores"]) for e in found
    ]
    software = [
        ", ".join(
            f"{name} {e[name]}"
            for name in ("tfpe", "keras", e.get("backend"), "sklearn")
            if name in e
        )
        for e in found
    ]
    dates = sorted(e["date"][:10] for e in found)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    parts = itertools.chain(dict.fromkeys(names), dict.fromkeys(software))
    return "; ".join([*parts, when])
