"""Progress of training: time left and in all, few lines in a log, a clean terminal."""

import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from training import progress as module
from training.progress import Progress

LOGS = {"loss": 1.25, "accuracy": 0.5, "val_accuracy": 0.25, "seconds": 2.0}


def test_time_left_is_that_of_all_runs(capsys):
    with Progress() as shown:
        shown.plan(runs=3, done=1, epochs=10)
        assert shown.left() is None
        shown.begin(2, "digits-le")
        shown.epoch(4)  # an earlier command did these
        for epoch in (5, 6):
            shown.epoch(epoch, LOGS)
        # 4 epochs of this run and 10 of the third, of 2 seconds each.
        assert shown.left() == 28
    err = capsys.readouterr().err
    assert "run 2 of 3: digits-le" in err
    assert "epoch 5 of 10: loss 1.250, accuracy 50.0 %, validation 25.0 %" in err
    assert re.search(r"passed, about 0:00:\d\d left, 0:00:\d\d in all", err)


@pytest.mark.parametrize(("gap", "most"), [(0, 42), (1000, 3)])
def test_a_log_gets_a_line_an_epoch_at_most(gap, most, monkeypatch, capsys):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", gap)
    with Progress() as shown:
        shown.plan(1, 0, 40)
        shown.begin(1, "digits-le")
        for epoch in range(40):
            shown.epoch(epoch + 1, LOGS)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= most and "epoch 40 of 40" in lines[-1]
    assert max(map(len, lines)) < 120 and "\x1b" not in "".join(lines)


def test_quiet_says_nothing(capsys):
    with Progress(quiet=True) as shown:
        shown.plan(1, 0, 1)
        shown.begin(1, "digits-le")
        shown.epoch(1, LOGS)
    assert capsys.readouterr() == ("", "")


SCRIPT = """
import time
from training.progress import Progress
with Progress() as shown:
    shown.plan(2, 0, 100)
    shown.begin(1, "digits-tiny-le-seed0")
    for epoch in range(100):
        shown.epoch(epoch + 1, {logs})
        time.sleep(0.3)
"""


EPOCH = re.compile(rb"epoch \d+ of 100")


def test_ctrl_c_leaves_the_terminal_clean():
    """In a real terminal: shown in place, and the cursor is there again at the end."""
    main, side = pty.openpty()
    command = [sys.executable, "-c", SCRIPT.format(logs=LOGS)]
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen(
        command, stdin=side, stdout=side, stderr=side, env=environment
    )
    os.close(side)
    seen, deadline = b"", time.monotonic() + 20
    # Not every epoch is shown: some pass between two looks at the display.
    while len(set(EPOCH.findall(seen))) < 2 and time.monotonic() < deadline:
        seen += os.read(main, 65536)
    process.send_signal(signal.SIGINT)
    try:
        while chunk := os.read(main, 65536):
            seen += chunk
    except OSError:  # Linux says so where the other side is closed
        pass
    process.wait(10)
    os.close(main)
    text = seen.decode()
    assert "run 1 of 2: digits-tiny-le-seed0" in text and "in all" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    # The display is wiped before the message of the interruption.
    assert text.rindex("\x1b[2K") < text.rindex("KeyboardInterrupt")
