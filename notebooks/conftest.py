"""Notebooks run as tests, at a size that takes less than a minute each."""

import os

os.environ.setdefault("TFPE_NOTEBOOK_SIZE", "test")
