"""`python -m tfpe.lab.bench`: `tfpe bench`."""

import sys

from tfpe.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", *sys.argv[1:]]))
