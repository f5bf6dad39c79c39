"""Evidently's data summary of a bounded sample; the only place of this stage that imports Evidently."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.engines.tables import read_rows

ROWS = 20_000


def summary(path: Path, rows: int, *, seed: int) -> str:
    """HTML of ``DataSummaryPreset`` on at most 20,000 rows.

    Raises:
        UseCaseError: Evidently is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently's own, about names that its dependencies will drop
        return _summary(path, rows, seed)


def _summary(path: Path, rows: int, seed: int) -> str:
    try:
        from evidently import Report
        from evidently.presets import DataSummaryPreset
    except ImportError as error:
        raise UseCaseError(
            "Evidently is not installed",
            expected="the extra `evidently`",
            hint="pip install 'mlops-mlflow[evidently]', or leave the option out",
        ) from error
    chosen = None if rows <= ROWS else np.sort(np.random.default_rng(seed).choice(rows, ROWS, replace=False))
    with tempfile.TemporaryDirectory() as folder:
        report = Report([DataSummaryPreset()]).run(read_rows(path, None, chosen), None)
        file = Path(folder) / "summary.html"
        report.save_html(str(file))
        return file.read_text(encoding="utf-8")
