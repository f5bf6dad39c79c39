"""The inference log: every row that a model predicted, as Parquet files in a folder for each day.

``<folder>/date=YYYY-MM-DD/<job>-<n>.parquet``; the date is that of the row's event time in UTC, or of the job's time
where a row has none. What the columns are is in ``format``, how a job becomes visible all at once in ``jobs``.
"""

from mlops_mlflow.engines.inference_log.format import Origin, Role, Status
from mlops_mlflow.engines.inference_log.jobs import expire, recover
from mlops_mlflow.engines.inference_log.reading import Selected, Skipped, Span, select_window, versions
from mlops_mlflow.engines.inference_log.writing import LogWriter

__all__ = [
    "LogWriter",
    "Origin",
    "Role",
    "Selected",
    "Skipped",
    "Span",
    "Status",
    "expire",
    "recover",
    "select_window",
    "versions",
]
