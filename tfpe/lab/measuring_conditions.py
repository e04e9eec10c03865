"""Under which conditions records were measured: which of them share a table or row."""

import itertools
import json

# Settings by which the rows of one table differ; all others are its conditions.
ROW_SETTINGS = {
    "adaptation",
    "cipher",
    "cipher_options",
    "encrypted_beforehand",
    "jpeg",
    "key_fingerprint",
    "per_image",
    "seed",
    "views",
}
# By which they differ too where each cipher has the network that fits it.
NETWORK_SETTINGS = {
    *("network", "network_words", "depth", "alpha", "block", "rounding", "shakedrop"),
    *("stem", "patch_size", "bits", "tied", "width", "kernel_size", "token_units"),
    *("channel_units", "heads", "mlp_units", "dropout", "tokens"),
}
# There a network on folded pixels has a normalization of its own, too.
MATCHED_SETTINGS = NETWORK_SETTINGS | {"normalization"}


def grouped(items, key):
    """Groups of equal key, a list each, in the order in which they first appear.

    Example:

    >>> grouped([1, 2, 4, 7], lambda number: number % 2)
    [[1, 7], [2, 4]]
    """
    groups = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def conditions(settings):
    """What trainings of one table share, as text to compare: all but `ROW_SETTINGS`."""
    by_row = _row_names(settings)
    stated = settings.stated | {"matched": settings.matched}
    shared = {
        name: value
        for name, value in stated.items()
        # None is what older records lack.
        if name not in by_row and value is not None
    }
    return json.dumps(shared, sort_keys=True)


def _row_names(settings):
    return ROW_SETTINGS | (MATCHED_SETTINGS if settings.matched else set())


def row_settings(settings):
    """What makes the row of a training, as text to compare; seeds share a row."""
    names = sorted(_row_names(settings) - {"key_fingerprint", "seed"})
    told = [settings.stated.get(name) or None for name in names]
    return json.dumps(told, sort_keys=True)


def caption(trainings, among=()):
    """The conditions of training records of one table, in one sentence.

    Args:
        trainings: of one data set and recipe.
        among: those of all tables beside it. Settings that tell it from one of them,
            and that nothing else in the sentence tells, are named.
    """
    settings, results = trainings[0].settings, trainings[0].results
    rows = grouped(trainings, lambda record: row_settings(record.settings))
    seeds = sorted({len({record.settings.seed for record in row}) for row in rows})
    parts = [
        "the network that fits each cipher" if settings.matched else settings.network,
        f"{results.train_images:,} training, {results.validation_images:,} "
        f"validation and {results.test_images:,} test images",
        "train accuracy: while learning, on augmented images",
        f"epochs: {results.epochs}",
        *_telling(trainings[0], among),
        "one seed" if seeds == [1] else f"mean of {' or '.join(map(str, seeds))} seeds",
    ]
    return (
        f"Accuracy in %, {settings.dataset}, recipe {settings.recipe}: "
        f"{'; '.join(parts)}; {machine(trainings)}."
    )


def _telling(record, among):
    """The settings of a training that tell it from others, as texts."""
    stated = record.settings.stated
    named = _row_names(record.settings) | {"dataset", "recipe", "matched"}
    found = []
    for name in sorted(stated.keys() - named):
        same = [r for r in among if _said(name, r) == _said(name, record)]
        values = {json.dumps(r.settings.stated.get(name)) for r in same}
        # What a record lacks it does not tell; those that have it do.
        if len(values) > 1 and stated[name] is not None:
            found.append(f"{name}: {stated[name]}")
    return found


def _said(name, record):
    """What a caption says in words, of those things that a setting decides on."""
    settings, results = record.settings, record.results
    said = settings.dataset, settings.recipe, settings.matched
    match name:
        case "train_images" | "validation_fraction":
            return *said, results.train_images, results.validation_images
        case "epochs":
            return *said, results.epochs
    # A network is said where it is not that of each row.
    by_network = name in NETWORK_SETTINGS and not settings.matched
    return (*said, settings.network) if by_network else said


def machine(records):
    """Where and when: machines and software of all records, each named once."""
    found = [record.environment for record in records]
    names = [
        ", ".join(e.gpu or [f"{e.cpu}, {e.cores} core{'s' * (e.cores != 1)}"])
        for e in found
    ]
    software = [
        ", ".join(
            f"{name} {version}"
            for name in ("tfpe", "keras", e.backend, "sklearn")
            if (version := name and getattr(e, name, None))
        )
        for e in found
    ]
    dates = sorted(e.date[:10] for e in found)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    parts = itertools.chain(dict.fromkeys(names), dict.fromkeys(software))
    return "; ".join([*parts, when])
