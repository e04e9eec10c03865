"""How far training is: on a terminal a display in place, in a log some lines."""

import contextlib
import datetime
import statistics
import sys
import time

from tfpe.cli.streams import note

# In a log: no more than one line an epoch, and none sooner than this after another.
SECONDS_BETWEEN_LINES = 10


class Progress(contextlib.AbstractContextManager):
    """Shows run, epoch, last figures, time passed and left; nothing where `quiet`.

    Args:
        quiet: show nothing at all.
    """

    def __init__(self, quiet=False):
        self._quiet, self._live = quiet, None
        self._started, self._line_at = time.monotonic(), -SECONDS_BETWEEN_LINES
        self._runs = self._number = self._epochs = self._epoch = 0
        self._name, self._logs = "", None
        self._done = self._skipped = 0
        self._epoch_at = self._started
        self._seconds = []

    def __enter__(self):
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                console=Console(stderr=True),
                get_renderable=self._display,
                refresh_per_second=2,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(self, *error):
        if self._live:
            self._live.stop()

    def plan(self, runs, done, epochs):
        """How many runs there are, how many of them are done, and epochs of each."""
        self._runs, self._epochs, self._skipped = runs, epochs, done * epochs

    def begin(self, number, name):
        """A run begins."""
        self._number, self._name, self._epoch, self._logs = number, name, 0, None
        self.say(f"run {number} of {self._runs}: {name}")

    def epoch(self, epoch, logs=None):
        """An epoch of this run is done; without `logs`: an earlier command did it."""
        if logs is None:
            self._skipped += epoch
        else:
            self._done += 1
            self._seconds.append(logs["seconds"])
        self._epoch, self._logs = epoch, logs
        self._epoch_at = time.monotonic()
        now, last = time.monotonic(), epoch == self._epochs
        late = now - self._line_at >= SECONDS_BETWEEN_LINES
        if logs and self._live is None and (late or last):
            self._line_at = now
            self.say(f"{self._figures()}; {self._times()}")
        elif logs and last:
            self.say(self._figures())

    def say(self, text):
        """A line that stays."""
        if not self._quiet:
            note(text)

    def left(self):
        """Seconds left of all runs, about; None before the first epoch."""
        if not self._seconds:
            return None
        rest = self._runs * self._epochs - self._skipped - self._done
        # The median: the first epoch of each run compiles.
        return max(rest, 0) * statistics.median(self._seconds)

    def _figures(self):
        text = f"epoch {self._epoch} of {self._epochs}"
        if self._logs:
            shares = {"accuracy": "accuracy", "val_accuracy": "validation"}
            told = [f"{shares[n]} {100 * self._logs[n]:.1f} %" for n in shares]
            text += ": " + ", ".join([f"loss {self._logs['loss']:.3f}", *told])
        return text

    def _times(self):
        now = time.monotonic()
        passed, left = now - self._started, self.left()
        if left is not None:
            # Of the epoch that is running, what has passed is not left.
            left -= min(now - self._epoch_at, left, self._seconds[-1])
        if left is None:
            return f"{_clock(passed)} passed; the first epoch tells how long it takes"
        return (
            f"{_clock(passed)} passed, about {_clock(left)} left, "
            f"{_clock(passed + left)} in all"
        )

    def _display(self):
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        if not self._number:
            return Text("")
        lines = (
            f"run {self._number} of {self._runs}: {self._name}",
            self._figures() + ("" if self._epoch else ": the first is running"),
            self._times(),
        )
        total = self._runs * self._epochs
        bar = ProgressBar(total, self._skipped + self._done, width=60)
        texts = (Text(line, no_wrap=True, overflow="ellipsis") for line in lines)
        return Group(*texts, bar)


def _clock(seconds):
    return str(datetime.timedelta(seconds=round(seconds)))
