"""Features of the use case: either or both of `derive` and `preprocessor`; delete what is not needed."""

from __future__ import annotations

import pandas as pd


def derive(table: pd.DataFrame) -> pd.DataFrame:
    """Add columns that follow from the other columns of the same row.

    It runs on training data and on single requests alike, so it must not look at other rows and must not keep anything.

    Args:
        table: Rows as the dataset holds them.

    Returns:
        The same rows with more columns.
    """
    return table.assign(calls_per_hour=60 * table["support_calls"] / (table["monthly_minutes"] + 1))


# def preprocessor(kinds: dict[str, str]):
#     """An unfitted scikit-learn transformer for columns of these kinds; without it, a usual one is made."""
