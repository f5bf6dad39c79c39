"""Rows of a Parquet file as a pandas table, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.engines.atomic import replacing

BATCH = 65_536


def read_rows(path: Path, columns: Sequence[str] | None, rows: Any | None) -> Any:
    """Read some columns of some rows.

    One file gives a column the one dtype whichever rows are read: integers are int64, or float64 where the *file* has a
    missing one; booleans are bool, or float64 likewise; decimals are float64; texts are ``object``, missing ones NaN;
    times are datetime64[ns] without a zone, in UTC.

    Args:
        path: A Parquet file.
        columns: Which, in this order; None for all.
        rows: numpy array: boolean, one for each row of the file, or positions in the order wanted; None for all.

    Returns:
        pandas DataFrame with a fresh index.

    Raises:
        DataError: A column is not there, or a time is beyond what nanoseconds can tell.
        IndexError: A position lies outside the file, or the mask has another length than it.
    """
    import pyarrow as pa

    with opened(path) as file:
        target = _schema(file, columns, path)
        mask, order = _selection(rows, file.metadata.num_rows)
        batches = [_cast(batch, target, path) for batch in _chosen(file, target.names, mask)]
    table = pa.Table.from_batches(batches, schema=target)
    del batches
    frame = _frame(table)
    return frame if order is None else frame.take(order).reset_index(drop=True)


def read_batches(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    """Read some columns of all rows as a few pandas tables, one after the other, typed as ``read_rows`` does.

    Raises:
        DataError: As of ``read_rows``.
    """
    with opened(path) as file:
        target = _schema(file, columns, path)
        for batch in _chosen(file, target.names, None):
            yield _frame(_cast(batch, target, path))


def read_beside(path: Path, columns: Sequence[str]) -> Iterator[tuple[Any, Any]]:
    """Read all rows once, as they are stored and some columns of them as a pandas table, a few at a time.

    Returns:
        pyarrow RecordBatch with every column, and pandas DataFrame typed as ``read_rows`` does.

    Raises:
        DataError: As of ``read_rows``.
    """
    with opened(path) as file:
        target = _schema(file, columns, path)
        for batch in file.iter_batches(BATCH):
            yield batch, _frame(_cast(batch.select(target.names), target, path))


def write_parquet(frame: Any, path: Path) -> None:
    """Write a pandas table as Parquet (zstd), whole or not at all; its index is dropped.

    Raises:
        StorageError: The disk is full or refuses the file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(path, f"a table of {len(frame):,} rows") as part:
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), part, compression="zstd")


def opened(path: Path) -> Any:
    """A Parquet file to be read from its beginning to its end, of which no more than that part is held in memory."""
    import pyarrow.parquet as pq

    # What pyarrow reads ahead it keeps until the end: the whole file.
    return pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)


def _schema(file: Any, columns: Sequence[str] | None, path: Path) -> Any:
    import pyarrow as pa

    there = file.schema_arrow.names
    names = there if columns is None else list(columns)
    absent = [name for name in names if name not in there]
    if absent:
        raise DataError(f"{path.name} has no column `{absent[0]}`", expected=", ".join(names), got=", ".join(there))
    return pa.schema([(name, _plain(file, name)) for name in names])


def _frame(table: Any) -> Any:
    import numpy as np

    gaps = [name for name in table.schema.names if table.column(name).null_count]
    frame = table.to_pandas(split_blocks=True, self_destruct=True, date_as_object=False)
    for name in frame[gaps].select_dtypes("object").columns:
        frame[name] = frame[name].where(frame[name].notna(), np.nan)
    return frame


def _selection(rows: Any | None, total: int) -> tuple[Any, Any]:
    """A mask over the file, and how to bring what it gives into the order asked for (None where it is in order)."""
    import numpy as np

    if rows is None:
        return None, None
    rows = np.asarray(rows)
    if rows.dtype == bool:
        if len(rows) != total:
            raise IndexError(f"a mask of {len(rows)} for a file of {total} rows")
        return rows, None
    if len(rows) and (rows.min() < 0 or rows.max() >= total):
        raise IndexError(f"positions {rows.min()} to {rows.max()} of a file of {total} rows")
    mask = np.zeros(total, dtype=bool)
    mask[rows.astype("int64")] = True
    distinct, order = np.unique(rows, return_inverse=True)
    return mask, None if len(distinct) == len(rows) and (np.diff(rows) > 0).all() else order


def _chosen(file: Any, names: list[str], mask: Any | None) -> Iterator[Any]:
    import pyarrow as pa

    begin = 0
    for batch in file.iter_batches(BATCH, columns=names):
        # Parquet gives columns in the order of the file.
        ordered = batch.select(names)
        if mask is None:
            yield ordered
        elif mask[begin : begin + len(batch)].any():
            yield ordered.filter(pa.array(mask[begin : begin + len(batch)]))
        begin += len(batch)


def _plain(file: Any, name: str) -> Any:
    """The Arrow type by which pandas gets the dtype that ``read_rows`` promises."""
    import pyarrow as pa

    kind = file.schema_arrow.field(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        whole = pa.bool_() if pa.types.is_boolean(kind) else pa.int64()
        return pa.float64() if _has_missing(file, name) else whole
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return pa.timestamp("ns")
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _has_missing(file: Any, name: str) -> bool:
    """Whether the column has a missing value anywhere in the file; from its statistics where there are any."""
    place = file.schema_arrow.names.index(name)
    groups = [file.metadata.row_group(number).column(place) for number in range(file.metadata.num_row_groups)]
    if all(group.statistics is not None and group.statistics.has_null_count for group in groups):
        return any(group.statistics.null_count for group in groups)
    return any(batch.column(0).null_count for batch in file.iter_batches(BATCH, columns=[name]))


def _cast(batch: Any, target: Any, path: Path) -> Any:
    import pyarrow as pa

    columns = []
    for field, column in zip(target, batch.columns, strict=True):
        try:
            plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            boolean = pa.types.is_boolean(plain.type) and pa.types.is_floating(field.type)
            columns.append((plain.cast(pa.int8()) if boolean else plain).cast(field.type))
        except pa.ArrowInvalid as error:
            raise DataError(
                f"column `{field.name}` of {path.name} cannot be read as {field.type}: {error}",
                expected="times between the years 1678 and 2261, whole numbers of at most 64 bits",
                hint="set such values to null in the SQL",
            ) from error
    return pa.record_batch(columns, schema=target)
