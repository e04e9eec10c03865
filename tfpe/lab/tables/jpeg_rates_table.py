"""Records of JPEG on ciphertext as tables and as a figure."""

import math

from tfpe.lab.figures import save_figure
from tfpe.lab.measuring_conditions import grouped, machine
from tfpe.lab.records import of_kind
from tfpe.lab.records.jpeg_records import JpegBench
from tfpe.lab.table import Table, number

SHOWN_QUALITY = 90
LEAST_GAP = 1e-6  # of MS-SSIM to 1, of what is drawn


def jpeg_tables(records):
    """A `Table` for each record of `tfpe bench --jpeg`."""
    return [_table(record) for record in of_kind(records, JpegBench)]


def _table(record):
    settings, results = record.settings, record.results
    quality = min(settings.qualities, key=lambda one: abs(one - SHOWN_QUALITY))
    shown = [point for point in results.points if point.quality == quality]
    plain = {p.sampling: p for p in shown if p.cipher == "plain"}
    deltas = {(delta.form, delta.sampling): delta for delta in results.deltas}

    def bd_rate(point, measure):
        delta = deltas.get((point.form, point.sampling))
        rate = delta and getattr(delta, f"bd_rate_{measure}")
        return number(None if rate is None else 100 * rate, "{:+.1f}")

    def more(point):
        beside = plain.get(point.sampling)
        share = beside and point.bits_per_pixel / beside.bits_per_pixel - 1
        return number(None if share is None else 100 * share, "{:+.1f}")

    columns = {
        "cipher": lambda point: f"`{point.form}`",
        "colour": lambda point: point.sampling,
        "bits a pixel": lambda point: number(point.bits_per_pixel, "{:.2f}"),
        "more than plain, %": more,
        "PSNR, dB": lambda point: number(point.psnr, "{:.1f}"),
        "MS-SSIM": lambda point: number(point.ms_ssim, "{:.4f}"),
        "BD-rate at PSNR, %": lambda point: bd_rate(point, "psnr"),
        "BD-rate at MS-SSIM, %": lambda point: bd_rate(point, "ms_ssim"),
    }
    note = (
        f"JPEG of quality {quality}; decoded, decrypted and compared with the "
        f"photograph; means over {', '.join(settings.photographs)}. BD-rate: bits more "
        f"than plain JPEG for an equal picture, qualities {min(settings.qualities)} to "
        f"{max(settings.qualities)}; none where the curves share less than a quarter "
        f"of its range. {machine([record])}."
    )
    return Table.of("JPEG on ciphertext", shown, columns, [note])


def draw_jpeg(record, path):
    """Draws PSNR and MS-SSIM over bits a pixel, a line for each cipher.

    MS-SSIM is drawn in decibels, -10 log10(1 - MS-SSIM), which tells apart what is
    close to 1.

    Args:
        record: a typed record of `tfpe bench --jpeg`.
        path: of the PNG file.

    Raises:
        ImageFileError, OutputError: it cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    samplings = grouped(record.results.points, lambda point: point.sampling)
    figure = Figure((6 * len(samplings) + 1, 8), layout="constrained")
    axes = figure.subplots(2, len(samplings), squeeze=False)
    for column, points in zip(axes.T, samplings, strict=True):
        for curve in grouped(points, lambda point: point.form):
            plain = curve[0].cipher == "plain"
            style = {"color": "black", "linewidth": 2} if plain else {}
            bits = [point.bits_per_pixel for point in curve]
            shown = (
                [point.psnr for point in curve],
                [-10 * math.log10(max(1 - p.ms_ssim, LEAST_GAP)) for p in curve],
            )
            for axis, values in zip(column, shown, strict=True):
                style |= {"marker": "o", "markersize": 3, "label": curve[0].form}
                axis.plot(bits, values, **style)
        column[0].set(title=f"JPEG {points[0].sampling}", ylabel="PSNR, dB")
        column[1].set(xlabel="bits a pixel", ylabel="MS-SSIM, dB")
        for axis in column:
            axis.set_xscale("log", base=2)
            axis.xaxis.set_major_formatter(ScalarFormatter())
            axis.grid(alpha=0.3)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right")
    save_figure(figure, path)
