"""Jobs write the rows that they predicted to the inference log: all of them, or none."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.inference_log import jobs
from mlops_mlflow.engines.inference_log.columns import constant, keys_as_texts, outcomes, scores, statuses, typed
from mlops_mlflow.engines.inference_log.format import (
    MARK,
    SCHEMA_VERSION,
    Origin,
    escaped,
    file_name,
    input_column,
    schema,
)

if TYPE_CHECKING:
    import pandas as pd

BUFFER_BYTES = 128 * 2**20
"""Rows are gathered up to this size and then divided into days, so that a day gets few files and none is kept open."""
GROUP_ROWS = 122_880


class LogWriter:
    """Writes the rows of one job; a context manager, at whose end they become visible, or vanish after an exception.

    A job that is written again under the same name replaces what it wrote before.

    Args:
        folder: The inference log's; it is made.
        job: Name of the job, the same for the same input and version.
        origin: Model, version, role and time of the job.
        inputs: Arrow type of each column of the model's input.
        classes: Names of the outcomes, in the order of the probabilities; None for a regression.
        request: Id of the request whose rows come without one of their own; the job's name when left out.
    """

    def __init__(
        self,
        folder: Path,
        job: str,
        origin: Origin,
        *,
        inputs: Mapping[str, Any],
        classes: Sequence[str] | None = None,
        request: str | None = None,
    ) -> None:
        self.inputs = dict(inputs)
        self._folder, self._job, self._origin = folder.absolute(), escaped(job), origin
        self._classes = None if classes is None else tuple(classes)
        self._request = request or job
        self._schema = schema(self.inputs, self._classes)
        self._attempt = secrets.token_hex(4)
        self._pending: list[Path] = []
        self._tables: list[Any] = []
        self._days: list[NDArray[np.datetime64]] = []
        self._bytes = 0

    def __enter__(self) -> Self:
        """Open the log, and finish what others left who were killed.

        Raises:
            StorageError: The folder may not be written to.
        """
        jobs.recover(self._folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
                jobs.commit(self._folder, self._job, self._pending)
        finally:
            jobs.discard(self._folder, self._job, self._pending)

    def write(
        self,
        rows: ArrayLike,
        inputs: pd.DataFrame,
        *,
        requests: Sequence[str] | None = None,
        keys: Sequence[Any] | pd.Series[Any] | None = None,
        event_times: NDArray[np.datetime64] | None = None,
        predictions: ArrayLike | None = None,
        probabilities: NDArray[np.float64] | None = None,
        reasons: Sequence[str | None] | None = None,
        failed: bool = False,
        latency_ms: ArrayLike | None = None,
    ) -> None:
        """Take some rows; what is left out is missing in all of them.

        A row with a reason is logged as rejected; one that shows a value of another type than its column's is logged
        without that value, and so is one that failed.

        Args:
            rows: Number of each row within its request, shape (rows,).
            inputs: Their input; columns that the log has not are left out, absent ones are missing.
            requests: Id of the request of each row; the writer's when left out.
            keys: Entity key of each row: texts or whole numbers.
            event_times: datetime64 in UTC.
            predictions: Outcomes, whose ``str`` is the name of a class, or numbers.
            probabilities: Shape (rows, classes).
            reasons: Why rows were not scored; None or empty for one that was.
            failed: Whether the model failed on these rows.
            latency_ms: One number, or one for each row.

        Raises:
            DataError: A scored row holds a value that is not of its column's type.
            StorageError: The disk is full or refuses.
            ValueError: An outcome is none of the classes.
        """
        import pyarrow as pa

        numbers = np.asarray(rows)
        count = len(numbers)
        times = np.full(count, np.datetime64("NaT")) if event_times is None else event_times
        reason, status, unscored = statuses(count, reasons, failed=failed)
        columns = {
            "request_id": pa.repeat(self._request, count) if requests is None else pa.array(requests, pa.string()),
            "row": pa.array(numbers, pa.int32()),
            "logged_at": pa.repeat(pa.scalar(self._origin.logged_at, self._schema.field("logged_at").type), count),
            **{name: constant(getattr(self._origin, name), count) for name in ("model", "version", "role")},
            "status": status,
            "schema_version": pa.repeat(pa.scalar(SCHEMA_VERSION, pa.int16()), count),
            "entity_key": keys_as_texts(keys),
            "event_time": pa.array(times.astype("datetime64[us]"), self._schema.field("event_time").type),
            "reason": reason,
            "latency_ms": None if latency_ms is None else pa.array(np.broadcast_to(latency_ms, count), pa.float64()),
            **{
                input_column(name): typed(inputs[name], kind, unscored)
                for name, kind in self.inputs.items()
                if name in inputs
            },
            "prediction": outcomes(predictions, self._classes),
            **scores(probabilities, self._classes),
        }
        empty = {field.name: pa.nulls(count, field.type) for field in self._schema if columns.get(field.name) is None}
        table = pa.Table.from_pydict({**columns, **empty}, schema=self._schema)
        self._gather(table, np.where(np.isnat(times), self._origin.day, times.astype("datetime64[D]")))

    def _gather(self, table: Any, days: NDArray[np.datetime64]) -> None:
        self._tables.append(table)
        self._days.append(days)
        self._bytes += table.nbytes
        if self._bytes >= BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Write what was gathered, a file for each day."""
        import pyarrow as pa

        if not self._tables:
            return
        table, days = pa.concat_tables(self._tables), np.concatenate(self._days)
        self._tables, self._days, self._bytes = [], [], 0
        if (np.diff(days) < np.timedelta64(0)).any():
            order = np.argsort(days, kind="stable")
            table, days = table.combine_chunks().take(order), days[order]
        for begin, end in _runs(days):
            self._write_file(table.slice(begin, end - begin), days[begin])

    def _write_file(self, table: Any, day: np.datetime64) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = jobs.pending_path(self._folder, day, file_name(self._job, len(self._pending)), self._attempt)
        texts = [
            field.name for field in self._schema if pa.types.is_dictionary(field.type) or field.type == pa.string()
        ]
        with (
            replacing(path, "rows of the inference log") as part,
            pq.ParquetWriter(
                part,
                self._schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=texts,
                store_schema=False,  # dictionaries are read back as texts
            ) as file,
        ):
            file.add_key_value_metadata({MARK: self._origin.to_bytes()})
            file.write_table(table, row_group_size=GROUP_ROWS)
        self._pending.append(path)


def _runs(days: NDArray[np.datetime64]) -> Iterator[tuple[int, int]]:
    """Begin and end of each day's rows."""
    changes = np.flatnonzero(np.diff(days) != np.timedelta64(0)) + 1
    ends = [*changes.tolist(), len(days)]
    yield from zip([0, *ends[:-1]], ends, strict=True) if len(days) else ()
