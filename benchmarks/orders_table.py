"""Write made-up orders for the use case ``orders`` in batches, so that making them needs little memory.

usage: python orders_table.py OUT.parquet ROWS [known]       (with `known` the outcome is there, to train on)
"""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 500_000
WORDS = {
    "country": [f"C{number:02}" for number in range(12)],
    "channel": ["app", "phone", "shop", "web"],
    "product": [f"P{number:03}" for number in range(60)],
    "plan": ["large", "medium", "small"],
    "device": ["desktop", "phone", "tablet"],
}
START = np.datetime64("2024-01-01T00:00:00", "us")


def batch(first: int, rows: int) -> pa.Table:
    """Rows ``first`` to ``first + rows``: 20 columns and the outcome; the same values whenever they are made."""
    draw = np.random.default_rng(first)
    numbers = {name: draw.standard_normal(rows) for name in ("risk", "trend", "distance", "weight", "margin")}
    amount, visits = draw.lognormal(3, 1, rows), draw.poisson(5, rows)
    odds = 0.8 * numbers["risk"] + 0.3 * np.log(amount) - 0.1 * visits - 1
    return pa.table({
        "order_id": np.arange(first, first + rows),
        "placed_at": START + np.arange(first, first + rows) * np.timedelta64(1, "s"),
        **numbers,
        "amount": amount,
        "discount": draw.random(rows).round(2),
        "wait": pa.array(draw.exponential(20, rows), mask=draw.random(rows) < 0.1),
        "age": draw.integers(18, 90, rows),
        "visits": visits,
        "items": draw.integers(1, 9, rows),
        **{name: np.array(words)[draw.integers(0, len(words), rows)] for name, words in WORDS.items()},
        "member": draw.random(rows) < 0.4,
        "gift": draw.random(rows) < 0.1,
        "returned": (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8),
    })  # fmt: skip


def write(path: str, rows: int, *, known: bool) -> None:
    """Write them, with the outcome where it shall be known."""

    def made(first: int, count: int) -> pa.Table:
        table = batch(first, count)
        return table if known else table.drop_columns(["returned"])

    with pq.ParquetWriter(path, made(0, 1).schema) as writer:
        for first in range(0, rows, BATCH):
            writer.write_table(made(first, min(BATCH, rows - first)))


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), known="known" in sys.argv[3:])
