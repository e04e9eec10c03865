"""`python -m tfpe` is `tfpe`."""

import sys

from tfpe.cli import main

if __name__ == "__main__":
    sys.exit(main())
