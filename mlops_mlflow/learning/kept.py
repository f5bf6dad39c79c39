"""Predictions kept with a run, so that figures of two runs can be paired long after both have ended.

The file is a long table that any tool reads: one line per model and row, with names of classes rather than numbers.
Roles, models and classes stand in cells or behind a prefix, so that no name, however odd, meets another column's.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.usecase.success import Value

FILE = "predictions.parquet"
PROBABILITY = "probability of "
_ABOUT = b"mlops.predictions"  # metadata of the file: what its lines do not say

Role = Literal["chosen", "candidate", "baseline", "champion"]


@dataclass(frozen=True)
class Kept:
    """What one model said of some rows.

    Attributes:
        role: What it is in this run.
        name: Of the candidate or the baseline; of a champion the number of its version.
        rows: Place of each row in dataset.parquet, shape (rows,).
        made: Its predictions of them.
    """

    role: Role
    name: str
    rows: NDArray[np.int64]
    made: Predictions


def to_parquet(kept: Sequence[Kept]) -> bytes:
    """The content of ``predictions.parquet``: zstd, figures as float64.

    Args:
        kept: Of one task, with the same classes and prices; at least one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = kept[0].made
    value = None if first.value is None else first.value.model_dump(mode="json")
    about = {"task": first.task, "classes": first.classes, "value": value}
    table = pa.concat_tables([_table(one) for one in kept])
    file = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_ABOUT: json.dumps(about)}), file, compression="zstd")
    return file.getvalue()


def from_parquet(source: Path) -> tuple[Kept, ...]:
    """The models of a file that ``to_parquet`` made, in their order, exactly as they were.

    Raises:
        DataError: It is another file, or a broken one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(source)
        about = json.loads((table.schema.metadata or {})[_ABOUT])
        return tuple(_models(table, about))
    except (pa.ArrowException, KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{source.name} does not hold predictions of a run",
            expected="the file that evaluate or validate logged",
            got=f"{type(error).__name__}: {error}".splitlines()[0],
            hint="run the stage again",
        ) from error


def _table(one: Kept) -> Any:
    import pyarrow as pa

    made, count = one.made, len(one.made)
    columns: dict[str, Any] = {
        name: pa.array([text] * count) for name, text in (("role", one.role), ("model", one.name))
    }
    columns |= {"row": pa.array(one.rows, pa.int64())}
    columns |= {"actual": _outcomes(made, made.actual), "decided": _outcomes(made, made.decided)}
    for number, label in enumerate(made.classes):
        columns[f"{PROBABILITY}{label}"] = pa.array(np.asarray(made.scores, dtype=float)[:, number])
    return pa.table(columns)


def _outcomes(made: Predictions, values: NDArray[np.generic]) -> Any:
    """Numbers as they are; classes by name."""
    import pyarrow as pa

    if made.task == "regression":
        return pa.array(values.astype(float))
    return pa.array(made.classes, pa.string()).take(pa.array(values.astype(np.int64)))


def _models(table: Any, about: dict[str, Any]) -> list[Kept]:
    """One per run of lines with the same role and model."""
    import pyarrow.compute as pc

    keys = pc.binary_join_element_wise(table["role"], table["model"], "\n").to_numpy(zero_copy_only=False)
    begins = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])[: len(keys)]
    ends = [*begins[1:].tolist(), len(keys)]
    return [_model(table.slice(begin, end - begin), about) for begin, end in zip(begins.tolist(), ends, strict=True)]


def _model(table: Any, about: dict[str, Any]) -> Kept:
    import pyarrow as pa
    import pyarrow.compute as pc

    classes = tuple(about["classes"])

    def outcomes(name: str) -> NDArray[Any]:
        if about["task"] == "regression":
            return np.asarray(table[name].to_numpy(), dtype=float)
        return np.asarray(pc.index_in(table[name], pa.array(classes, pa.string())).to_numpy(), dtype=np.int64)

    scores = [table[f"{PROBABILITY}{label}"].to_numpy() for label in classes]
    made = Predictions(
        about["task"],
        outcomes("actual"),
        outcomes("decided"),
        np.column_stack(scores) if scores else None,
        classes,
        None if about["value"] is None else Value.model_validate(about["value"]),
    )
    return Kept(table["role"][0].as_py(), table["model"][0].as_py(), table["row"].to_numpy(), made)
