"""Figures, with matplotlib, always to files."""

import numpy as np


def gallery(columns, path):
    """Draws images in a table: a column for each name, one row for each image.

    Args:
        columns: a dict from name to a list of `uint8` images, `(H, W, C)` or `(H, W)`;
            every list as long as the others.
        path: of the PNG file to write.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "gallery.png"
    >>> gallery({"plain": [np.zeros((4, 4, 3), np.uint8)]}, path)
    >>> path.stat().st_size > 0
    True
    """
    from matplotlib.figure import Figure

    names = list(columns)
    rows = len(columns[names[0]])
    wide = min(len(names), 6)
    tall = -(-len(names) // wide) * rows
    figure = Figure(figsize=(2.6 * wide, 1.95 * tall), layout="constrained")
    axes = figure.subplots(tall, wide, squeeze=False)
    for panel in axes.flat:
        panel.set_axis_off()
    for place, name in enumerate(names):
        for row, image in enumerate(columns[name]):
            panel = axes[place // wide * rows + row, place % wide]
            panel.imshow(np.squeeze(image), cmap="gray", vmin=0, vmax=255)
            if row == 0:
                panel.set_title(name, fontsize=11)
    figure.savefig(path, dpi=110)
