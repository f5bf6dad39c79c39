"""Evidently's report of a window, to look closer: a bounded sample beside rows drawn from the reference profile.

The only place of this stage that imports Evidently.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.monitoring.typical import OTHER, typical_rows
from mlops_mlflow.core.profiles import ColumnProfile, TableProfile
from mlops_mlflow.engines.tables import read_rows

ROWS = 5_000
FILE = "evidently.html"


def report(window: Path, rows: int, reference: TableProfile, *, seed: int) -> tuple[str, dict[str, str]]:
    """HTML of Evidently's drift report.

    Args:
        window: Rows with the columns of the reference, Parquet.
        rows: How many there are.
        reference: Profile that they are held against.
        seed: Of the sample.

    Returns:
        The page, and why columns are not in it, by name.

    Raises:
        UseCaseError: Evidently is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently's own, about names that its dependencies will drop
        return _report(window, rows, reference, seed)


def _report(window: Path, rows: int, reference: TableProfile, seed: int) -> tuple[str, dict[str, str]]:
    try:
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset
    except ImportError as error:
        raise UseCaseError(
            "Evidently is not installed",
            expected="the extra `evidently`",
            hint="pip install 'mlops-mlflow[evidently]', or leave the report out",
        ) from error
    chosen = None if rows <= ROWS else np.sort(np.random.default_rng(seed).choice(rows, ROWS, replace=False))
    now, before = read_rows(window, None, chosen), typical_rows(reference, min(ROWS, reference.rows), seed=seed)
    left_out, numbers, levels = dict[str, str](), list[str](), list[str]()
    for column in reference.columns:
        why = _unfit(column, now, before)
        if why:
            left_out[column.name] = why
        else:
            (numbers if column.kind == "numeric" else levels).append(column.name)
    if not numbers and not levels:
        raise UseCaseError("no column can be drawn", expected="a column with values on both sides", got=str(left_out))
    before, now = (_plain(frame, numbers, levels, reference) for frame in (before, now))
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=levels)
    current, base = (Dataset.from_pandas(frame, data_definition=definition) for frame in (now, before))
    snapshot = Report([DataDriftPreset(columns=[*numbers, *levels])]).run(current, base)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILE
        snapshot.save_html(str(file))
        return file.read_text(encoding="utf-8"), left_out


def _unfit(column: ColumnProfile, now: pd.DataFrame, before: pd.DataFrame) -> str:
    """Why Evidently would stumble over a column; empty where it would not."""
    if column.name not in before:
        return f"{column.kind} columns are not drawn"
    if column.name not in now:
        return "the window has no such column"
    if not now[column.name].notna().any() or not before[column.name].notna().any():
        return "no value on one side"
    if column.kind == "numeric" and not pd.api.types.is_numeric_dtype(now[column.name]):
        return f"{now[column.name].dtype} in the window, numbers in the reference"
    return ""


def _plain(frame: pd.DataFrame, numbers: list[str], levels: list[str], reference: TableProfile) -> pd.DataFrame:
    """Types that Evidently knows: floats and words; rare levels together, as in the reference."""
    columns: dict[str, Any] = {name: frame[name].astype(float) for name in numbers}
    for name in levels:
        column = reference.column(name)
        known = {value for value, _ in column.categories} if column else set()
        words = frame[name].map(_word, na_action="ignore")
        columns[name] = words.where(words.isna() | words.isin(known), OTHER)
    return pd.DataFrame(columns)


def _word(value: object) -> str:
    """A level as profiles call it."""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
