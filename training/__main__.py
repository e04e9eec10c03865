"""`python -m training compare | train | evaluate | frontier | svm | speed | gpu`."""

import sys


def run():
    """Runs the command line, also where Ctrl-C comes while it is being imported."""
    try:
        from training.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
