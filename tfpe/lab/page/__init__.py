"""`tfpe report`: one page that needs no network, rendered from records alone.

It shows the scorecard, what each cipher's attacks got with pictures, accuracies beside
published ones and curves, under which conditions all of it was measured, and what was
not. Nothing on it is written by hand but the words around the figures.
"""

from tfpe.lab.page.page import render_report, write_report

__all__ = ["render_report", "write_report"]
