"""Write the made-up table of the use case ``ten_million`` in batches, so that making it needs little memory.

usage: python payments_table.py OUT.parquet [ROWS]
"""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, BATCH = 10_000_000, 500_000
COUNTRIES = np.array(["AT", "BE", "CH", "DE", "DK", "ES", "FR", "IT", "NL", "PL", "SE", "UK"])
CHANNELS = np.array(["app", "phone", "shop", "web"])
START = np.datetime64("2024-01-01T00:00:00", "us")


def batch(first: int, rows: int) -> pa.Table:
    """Rows ``first`` to ``first + rows``: 12 columns, two of words; the same numbers whenever they are made."""
    draw = np.random.default_rng(first)
    amount, age, risk = draw.lognormal(3, 1, rows), draw.integers(18, 90, rows), draw.standard_normal(rows)
    odds = 0.8 * risk + 0.3 * np.log(amount) - 4
    return pa.table({
        "payment_id": np.arange(first, first + rows),
        "made_at": START + np.arange(first, first + rows) * np.timedelta64(3, "s"),
        "country": COUNTRIES[draw.integers(0, len(COUNTRIES), rows)],
        "channel": CHANNELS[draw.integers(0, len(CHANNELS), rows)],
        "amount": amount,
        "age": age,
        "risk": risk,
        "balance": draw.normal(1000, 400, rows),
        "payments_before": draw.poisson(5, rows),
        "days_since_last": np.where(draw.random(rows) < 0.1, np.nan, draw.exponential(20, rows)),
        "discount": draw.random(rows).round(2),
        "disputed": (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8),
    })  # fmt: skip


def write(path: str, rows: int) -> None:
    """Write them."""
    with pq.ParquetWriter(path, batch(0, 1).schema) as writer:
        for first in range(0, rows, BATCH):
            writer.write_table(batch(first, min(BATCH, rows - first)))


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else ROWS)
