"""Figures of an evaluation: pictures, histograms, neighbours, and error curves."""

import pathlib

import numpy as np

from tfpe.lab.evaluation.curves import error_of, error_title
from tfpe.lab.figures import gallery, save_figure

COLOURS = ("tab:red", "tab:green", "tab:blue")
ROWS = 3
POINTS = 2_000
LEAST_ERROR = 1e-4


def draw_evaluation(record, shown, folder):
    """Draws gallery, histograms and neighbours of an evaluation.

    Args:
        record: of `tfpe.lab.evaluation.evaluate`.
        shown: the dict that it filled.
        folder: where to; it is made.

    Returns:
        The paths of the PNG files.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = record["settings"]
    end = f"{settings['images']}-{settings['cipher']}.png"
    paths = [
        folder / f"{name}-{end}" for name in ("gallery", "histogram", "neighbours")
    ]
    rows = min(ROWS, *(len(images) for images in shown.values()))
    gallery({name: list(images[:rows]) for name, images in shown.items()}, paths[0])
    plain, cipher = shown["plain"], shown["encrypted"]
    draw_histograms(plain, cipher, paths[1])
    draw_neighbours(plain, cipher, paths[2])
    return paths


def draw_histograms(plain, cipher, path):
    """Draws how often each value occurs, by channel, in plain pictures and encrypted.

    Args:
        plain, cipher: `uint8 (B, H, W, C)`.
        path: of the PNG file to write.

    Example:

    >>> import tempfile
    >>> images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    >>> path = pathlib.Path(tempfile.mkdtemp(), "histogram.png")
    >>> draw_histograms(images, 255 - images, path)
    >>> path.stat().st_size > 0
    True
    """
    figure, axes = _panels(("plain", "encrypted"))
    for panel, images in zip(axes, (plain, cipher), strict=True):
        for channel in range(images.shape[-1]):
            counts = np.bincount(images[..., channel].ravel(), minlength=256)
            panel.plot(counts / counts.sum(), color=COLOURS[channel], linewidth=0.9)
        panel.set_xlabel("value")
    axes[0].set_ylabel("share of the values")
    save_figure(figure, path)


def draw_neighbours(plain, cipher, path):
    """Draws each value against the one to its right, plain and encrypted.

    Args:
        plain, cipher: `uint8 (B, H, W, C)`; some 2,000 pairs of the first channel.
        path: of the PNG file to write.
    """
    figure, axes = _panels(("plain", "encrypted"))
    for panel, images in zip(axes, (plain, cipher), strict=True):
        left, right = images[:, :, :-1, 0].ravel(), images[:, :, 1:, 0].ravel()
        step = -(-left.size // POINTS)
        panel.scatter(left[::step], right[::step], s=2, alpha=0.5)
        panel.set_aspect("equal")
        panel.set_xlabel("value")
    axes[0].set_ylabel("value to its right")
    save_figure(figure, path)


def draw_curves(records, path):
    """Draws error against evidence, a line for each record and the range of its keys.

    Args:
        records: of `tfpe.lab.evaluation.curves.measure_curve`, of one kind of evidence.
        path: of the PNG file to write. Errors below 0.0001 stand at 0.0001.
    """
    figure, (panel,) = _panels(("",))
    for record in records:
        settings, points = record["settings"], {}
        for point in record["results"]["points"]:
            error = error_of(settings["attack"], point)
            if error is not None:
                points.setdefault(point["evidence"], []).append(error)
        counts = sorted(points)
        errors = [points[n] for n in counts]
        errors = [np.maximum(values, LEAST_ERROR) for values in errors]
        label = f"{settings['cipher']}, {settings['images']}"
        [line] = panel.plot(counts, [e.mean() for e in errors], "o-", label=label)
        low, high = [e.min() for e in errors], [e.max() for e in errors]
        panel.fill_between(counts, low, high, alpha=0.2, color=line.get_color())
    panel.set_xscale("log")
    panel.set_yscale("log")
    settings = records[0]["settings"]
    panel.set_title(settings["attack"], fontsize=11)
    panel.set_xlabel(settings["evidence_kind"])
    panel.set_ylabel(error_title(settings["attack"]))
    panel.legend()
    save_figure(figure, path)


def _panels(titles):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(titles) + 1, 3.6), layout="constrained")
    axes = figure.subplots(1, len(titles), squeeze=False)[0]
    for panel, title in zip(axes, titles, strict=True):
        panel.set_title(title, fontsize=11)
    return figure, axes
