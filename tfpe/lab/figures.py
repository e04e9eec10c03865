"""Figures, with matplotlib, always to files."""

import io

import numpy as np

from tfpe.storage.atomic import write_file


def save_figure(figure, path, dpi=110):
    """Writes a matplotlib figure as a PNG file, whole or not at all.

    Args:
        figure: a `matplotlib.figure.Figure`.
        path: of the PNG file; folders are made, a file there is replaced.
        dpi: dots per inch.

    Raises:
        ImageFileError, OutputError: it cannot be written; what was there still is.

    Example:

    >>> import pathlib, tempfile
    >>> from matplotlib.figure import Figure
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "empty.png"
    >>> save_figure(Figure(), path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=dpi)
    write_file(path, data.getvalue())


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
    save_figure(figure, path)


def picture_table(columns, rows, path):
    """Draws images in a table, pixel by pixel: no value is mixed with its neighbours.

    Args:
        columns: a dict from title to a list of (image, caption), one for each row;
            images are `uint8`, `(H, W, C)`, None for an empty place.
        rows: titles of the rows.
        path: of the PNG file to write.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.png"
    >>> image = np.zeros((64, 64, 3), np.uint8)
    >>> picture_table({"plain": [(image, "black")]}, ["photograph"], path)
    >>> path.stat().st_size > 0
    True
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    dots, margin, gap, line = 100, 112, 6, 18
    cells = [cell for column in columns.values() for cell in column]
    images = [image for image, _ in cells if image is not None]
    tall, wide = (max(image.shape[axis] for image in images) for axis in (0, 1))
    height = line + len(rows) * (tall + line + gap)
    width = margin + len(columns) * (wide + gap)
    figure = Figure((width / dots, height / dots), dots, facecolor="white")

    def write(text, x, y, **style):
        figure.text(x / width, y / height, text, va="center", **style)

    for row, title in enumerate(rows):
        top = height - line - row * (tall + line + gap)
        write(title, gap, top - tall / 2, size=9)
        for place, column in enumerate(columns.values()):
            image, caption = column[row]
            left = margin + place * (wide + gap)
            write(
                caption, left + wide / 2, top - tall - line / 2, ha="center", size=7.5
            )
            if image is not None:
                rgb = np.broadcast_to(image, (*image.shape[:2], 3))
                x, y = (wide - image.shape[1]) // 2, (tall - image.shape[0]) // 2
                figure.figimage(rgb, left + x, top - tall + y, origin="upper")
    for place, title in enumerate(columns):
        x = margin + place * (wide + gap) + wide / 2
        write(title, x, height - line / 2, ha="center", size=10, weight="bold")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    # Without the alpha channel, which would make the file larger by an eighth.
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format="png", optimize=True)
    write_file(path, data.getvalue())
