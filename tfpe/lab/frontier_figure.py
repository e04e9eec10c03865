"""The frontier as a figure: accuracy against leakage, a point for each setting."""

from tfpe.lab.figures import save_figure

AXES = {
    "identification_rate": "found among {gallery:,} pictures, share",
    "ssim": "SSIM of the strongest reconstruction",
}
NEAR = 0.03, 1.7  # points that share a label: across, and percentage points of accuracy
KEPT, LEAST_LEAK = 0.8, 0.05  # what nobody has: this much accuracy for so little


def draw_frontier(records, path):
    """Draws accuracy against identification rate, and against SSIM.

    Args:
        records: typed records of kind "frontier", of one data set.
        path: of the PNG file to write.
    """
    from matplotlib.figure import Figure

    results = records[0].results
    figure = Figure(figsize=(14, 6), layout="constrained")
    *panels, legend = figure.subplots(1, 3, width_ratios=(4, 4, 3))
    panels[1].sharey(panels[0])
    for panel, (score, title) in zip(panels, AXES.items(), strict=True):
        places = []
        for record in records:
            found = record.results.strongest(score)
            across = getattr(found, score) if found else 0.0
            colour = "tab:blue" if record.settings.per_image else "tab:red"
            colour = "black" if record.settings.cipher == "plain" else colour
            accuracy = 100 * record.results.accuracy
            panel.plot(across, accuracy, "o", color=colour, alpha=0.7)
            places.append((across, accuracy))
        for place, numbers in shared_labels(places):
            panel.annotate(
                ", ".join(map(str, numbers)),
                place,
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=8,
            )
        panel.axhline(100 * results.chance, color="gray", linewidth=0.8, linestyle=":")
        panel.set_xlabel(title.format(gallery=results.gallery))
        panel.set_xlim(-0.03, 1.12)
    wanted = results.chance + KEPT * ((results.plain_accuracy or 1) - results.chance)
    panels[0].fill_between(
        [0, LEAST_LEAK], 100 * wanted, 100, color="tab:green", alpha=0.15
    )
    panels[0].set_ylabel("test accuracy, %")
    names = [f"{k}  {name}" for k, name in enumerate(legend_names(records), 1)]
    legend.set_axis_off()
    legend.text(0, 0.5, "\n".join(names), fontsize=8, va="center")
    panels[0].set_title(
        "red: one key for all; blue: a key for each image; green: wanted", fontsize=9
    )
    save_figure(figure, path)


def shared_labels(places):
    """Places of labels with the numbers, from 1, of the points that lie there.

    Labels of points that are too near for one each would hide each other.

    Args:
        places: (share or SSIM, accuracy in %) of each point.

    Returns:
        A list of (place of the first of them, their numbers).

    Example:

    >>> shared_labels([(0.5, 40.0), (1.0, 70.0), (0.51, 40.5)])
    [((0.5, 40.0), [1, 3]), ((1.0, 70.0), [2])]
    """
    labels = []
    for number, (across, accuracy) in enumerate(places, 1):
        for (there, height), numbers in labels:
            if abs(across - there) < NEAR[0] and abs(accuracy - height) < NEAR[1]:
                numbers.append(number)
                break
        else:
            labels.append(((across, accuracy), [number]))
    return labels


def legend_names(records):
    """Names of settings, with the network of those that share one."""
    names = [record.settings.row_name for record in records]
    return [
        f"{name},\n    {record.results.network}" if names.count(name) > 1 else name
        for name, record in zip(names, records, strict=True)
    ]
