"""Line figures as SVG that takes the colours and the width of the page around it."""

import io
import math
import re
import textwrap

# Drawn in a colour that nothing else has, then left to the page: it may be dark.
TEXT = "#010203"
# Told apart by colour-blind readers, and seen on white and on near-black.
COLOURS = (
    "#2f7fd1",
    "#d9761a",
    "#159c7c",
    "#c44f95",
    "#8b6fd6",
    "#8f8a1e",
    "#c9473f",
    "#5b8fa8",
)
MARKERS = "osD^vPX*"
DASHES = ("-", "--", ":")  # of the first lines, and of those that repeat their colours
# How many characters of the legend stand side by side, and how many of them a line and
# its margins take.
ACROSS, BESIDE = 76, 8
# Inches: a figure without its legend, and a line of the legend.
WIDTH, HEIGHT, LINE = 4.8, 2.6, 0.17
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tfpe",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "grid.color": TEXT,
    "grid.alpha": 0.15,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(lines, x_label, y_label, spreads=None, log_x=False, log_y=False):
    """Draws lines as SVG, to stand inline in a page.

    Args:
        lines: a dict from name to a list of points (x, y).
        x_label, y_label: of the axes, with units.
        spreads: a dict from name to a list of (x, low, high), drawn as bars.
        log_x, log_y: whether an axis is logarithmic; y is linear near 0.

    Returns:
        Text of an `svg` element without width and height.

    Example:

    >>> draw({"le": [(1, 2.0), (2, 1.0)]}, "images", "error")[:4]
    '<svg'
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        labels = {name: textwrap.fill(name, ACROSS - BESIDE) for name in lines}
        columns = _columns(lines)
        told = sum(label.count("\n") + 1 for label in labels.values()) / columns
        size = WIDTH, HEIGHT + LINE * math.ceil(told)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        for place, (name, points) in enumerate(lines.items()):
            colour = COLOURS[place % len(COLOURS)]
            marker = MARKERS[place % len(MARKERS)]
            x, y = zip(*points, strict=True)
            axes.plot(
                x,
                y,
                color=colour,
                marker=marker,
                linestyle=DASHES[place // len(COLOURS) % len(DASHES)],
                markersize=3.5,
                label=labels[name],
                clip_on=False,
            )
            for at, low, high in (spreads or {}).get(name, ()):
                axes.plot([at, at], [low, high], color=colour, alpha=0.6)
        values = [y for points in lines.values() for _, y in points]
        _scale(axes, lines, values, log_x, log_y)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.grid(True)
        figure.legend(loc="outside upper center", ncols=columns, fontsize=8)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return _inline(text.getvalue(), f"{x_label} {y_label} {sorted(lines)}")


def _columns(names):
    """As many columns as the longest name leaves room for, at most three."""
    return max(1, min(3, len(names), ACROSS // (max(map(len, names)) + BESIDE)))


def _scale(axes, lines, values, log_x, log_y):
    from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator

    if log_x:
        ticks = sorted({x for points in lines.values() for x, _ in points})
        axes.set_xscale("log")
        axes.set_xticks(_apart(ticks), [f"{x:,}" for x in _apart(ticks)])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if min(values) == max(values):
        # A level line says where it is by an axis from 0.
        axes.set_ylim(0, 1.1 * max(values) or 1)
    elif log_y:
        if min(values) > 0:
            axes.set_yscale("log")
        else:
            least = min((v for v in values if v > 0), default=1)
            axes.set_yscale("symlog", linthresh=least)
            axes.set_ylim(bottom=0)


def _apart(ticks):
    """The ticks that are at least half as large again as the one before."""
    kept = []
    for tick in ticks:
        if not kept or tick >= 1.5 * kept[-1]:
            kept.append(tick)
    return kept


def _inline(svg, title):
    """An SVG file as an element of a page, which may hold several."""
    import hashlib

    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace(TEXT, "currentColor")
    # Two figures in one page must not share an id.
    own = "f" + hashlib.sha256(f"{title}{svg}".encode()).hexdigest()[:8] + "-"
    svg = re.sub(r'\bid="', f'id="{own}', svg)
    svg = re.sub(r'href="#', f'href="#{own}', svg)
    return re.sub(r"url\(#", f"url(#{own}", svg).strip()
