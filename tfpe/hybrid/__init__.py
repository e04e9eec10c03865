"""Containers: pictures compressed and encrypted without a loss, to keep and to send."""

from tfpe.hybrid.code_table import CodeTable
from tfpe.hybrid.container import Container
from tfpe.hybrid.hybrid_cipher import Hybrid, split_sides
from tfpe.hybrid.pairing import crt_number

__all__ = ["CodeTable", "Container", "Hybrid", "crt_number", "split_sides"]
