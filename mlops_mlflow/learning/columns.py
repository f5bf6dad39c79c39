"""Row-wise conversions that a saved model needs: what comes out of a row depends on that row only.

This file is copied into the code package of every saved model (see ``learning.package``), so it imports pandas and
NumPy only, and a model loads where this project is not installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def as_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers and booleans as floats; missing, infinite and what is no number as NaN."""
    if any(kind.kind not in "iufb" for kind in table.dtypes):
        table = table.apply(pd.to_numeric, errors="coerce")
    numbers = table.to_numpy(dtype=float, na_value=np.nan, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    return pd.DataFrame(numbers, index=table.index, columns=table.columns)


def as_categories(table: pd.DataFrame) -> pd.DataFrame:
    """Values as words, missing as a word of its own."""
    return table.apply(_as_words)


def _as_words(column: pd.Series) -> pd.Series:
    codes, values = pd.factorize(column)
    words = np.array([*map(_word, values), "(missing)"], dtype=object)  # the code of missing is -1
    return pd.Series(words[codes], index=column.index)


def _word(value: Any) -> str:
    """1, 1.0 and True are one word: a column of whole numbers or booleans turns to floats where a value is missing."""
    whole = isinstance(value, (bool, np.bool_)) or (isinstance(value, (float, np.floating)) and value % 1 == 0)
    return str(int(value)) if whole else str(value)


def as_text(column: pd.Series) -> pd.Series:
    """Text, missing as empty."""
    return column.astype(object).where(column.notna(), "").astype(str)


def _circle(values: pd.Series, period: float) -> list[pd.Series]:
    angle = values.astype(float) * (2 * np.pi / period)
    return [angle.transform(np.sin), angle.transform(np.cos)]


def _times(column: pd.Series) -> pd.Series:
    """Times without a zone, in UTC where they had one; each text by its own format, what is no time as missing."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
        return column
    return pd.to_datetime(column, errors="coerce", utc=True, format="mixed").dt.tz_localize(None)


def time_of_week(table: pd.DataFrame) -> pd.DataFrame:
    """Hour and weekday of each time column, as points on a circle; nothing that only grows."""
    parts: list[pd.Series] = []
    for name in table.columns:
        times = _times(table[name])
        parts += _circle(times.dt.hour + times.dt.minute / 60, 24) + _circle(times.dt.dayofweek, 7)
    return pd.concat(parts, axis=1).set_axis(range(len(parts)), axis=1)


def calendar(table: pd.DataFrame) -> pd.DataFrame:
    """Hour, weekday and day of the year as points on circles, and days since 2000."""
    parts: list[pd.Series] = []
    for name in table.columns:
        times = _times(table[name])
        parts += _circle(times.dt.dayofyear, 365.25)
        parts.append((times - pd.Timestamp("2000-01-01")).dt.total_seconds() / 86_400)
    wheel = time_of_week(table)
    return pd.concat([wheel, *parts], axis=1).set_axis(range(wheel.shape[1] + len(parts)), axis=1)


def hour_of_week(table: pd.DataFrame) -> pd.DataFrame:
    """0 to 167, Monday at midnight first."""
    times = _times(table.iloc[:, 0])
    return (times.dt.dayofweek * 24 + times.dt.hour).astype(float).to_frame()
