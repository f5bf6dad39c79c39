"""A batch on its way: each few rows go to the output, to the inference log, or aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.usecase.data import ColumnType
from mlops_mlflow.engines.batch import MISFIT
from mlops_mlflow.engines.contract import REASON, Broken, Reason
from mlops_mlflow.engines.inference_log import LogWriter, Origin
from mlops_mlflow.engines.sinks import Writing
from mlops_mlflow.engines.types import family
from mlops_mlflow.learning.problem import event_nanoseconds
from mlops_mlflow.learning.target import Outcomes
from mlops_mlflow.stages.score.beside import Beside
from mlops_mlflow.stages.score.job import Inputs, Output

PREDICTION, PROBABILITY = "prediction", "probability"
VERSION, SCORED_AT, REQUEST, ROW = "model_version", "scored_at", "request_id", "request_row"


@dataclass(frozen=True)
class Rows:
    """Some rows of a batch.

    Attributes:
        stored: As they are stored; pyarrow RecordBatch of every column.
        table: What the model, the log and the key need of them, typed as the model takes it.
        numbers: Their places in the batch, counted from 0.
    """

    stored: Any
    table: pd.DataFrame
    numbers: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> Rows:
        """Those of them for which this holds."""
        import pyarrow as pa

        return Rows(self.stored.filter(pa.array(mask)), self.table[mask], self.numbers[mask])


@dataclass
class Scoring:
    """A job on its way: rows are predicted where ``take`` is called, and written beside."""

    inputs: Inputs
    broken: Broken
    write: Writing
    log: LogWriter
    aside: Aside
    beside: Beside
    schema: Any
    seen: int = 0
    scored: int = 0
    total: float = 0.0
    decided: Counter[str] = field(default_factory=Counter)
    times: list[NDArray[np.datetime64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.texts = np.array(list(self.broken.texts), dtype=object)

    def take(self, stored: Any, table: pd.DataFrame) -> None:
        """Score some rows: as they are stored (pyarrow RecordBatch), and as the model takes them."""
        rows = Rows(stored, table, np.arange(self.seen, self.seen + len(table)))
        self.seen += len(table)
        reasons = self._reasons(rows)
        if MISFIT in stored.schema.names:
            rows = Rows(stored.drop_columns([MISFIT]), table, rows.numbers)
        if reasons is not None:
            kept = reasons == ""
            self.beside(partial(self._set_aside, rows.where(~kept), reasons[~kept]))
            rows = rows.where(kept)
        if len(rows.numbers):
            decided, scores = self.inputs.model.predict(rows.table[list(self.inputs.model.takes)])
            self._count(decided, scores)
            self.beside(partial(self._keep, rows, decided, scores))

    def _reasons(self, rows: Rows) -> NDArray[Any] | None:
        """Why each row is set aside, empty for one that is scored; None where all of them are."""
        codes, misfits = self.broken.codes[rows.numbers], None
        if MISFIT in rows.stored.schema.names:
            misfits = rows.stored.column(MISFIT).to_numpy(zero_copy_only=False)
        if not codes.any() and (misfits is None or pd.isna(misfits).all()):
            return None
        reasons = np.asarray(self.texts[codes])
        if misfits is not None:
            for place in np.flatnonzero(~pd.isna(misfits)):
                reasons[place] = _both(misfits[place], reasons[place])
        return reasons

    def _count(self, decided: Any, scores: Any) -> None:
        self.scored += len(decided)
        if scores is None:
            self.total += float(np.sum(decided))
            return
        codes, outcomes = pd.factorize(decided)
        self.decided.update(dict(zip(map(str, outcomes), np.bincount(codes).tolist(), strict=True)))
        self.total += float(scores[:, 1].sum())

    def _set_aside(self, rows: Rows, reasons: NDArray[Any]) -> None:
        self.aside.write(rows.stored, reasons)
        self._to_log(rows, _event_times(self.inputs, rows.table), reasons=reasons)

    def _keep(self, rows: Rows, decided: Any, scores: Any) -> None:
        self.write(self._results(rows, decided, scores))
        times = _event_times(self.inputs, rows.table)
        self._to_log(rows, times, predictions=decided, probabilities=scores)
        known = times[~np.isnat(times)]
        if len(known):
            self.times += [known.min(), known.max()]

    def _results(self, rows: Rows, decided: Any, scores: Any) -> Any:
        import pyarrow as pa

        inputs, count = self.inputs, len(rows.numbers)
        columns = [
            *rows.stored.columns,
            pa.array(decided, self.schema.field(PREDICTION).type),
            *map(pa.array, _shown_scores(inputs.model.outcomes, scores).values()),
            pa.repeat(inputs.model.version, count),
            pa.repeat(pa.scalar(inputs.now, self.schema.field(SCORED_AT).type), count),
            pa.repeat(inputs.request, count),
            pa.array(rows.numbers),
        ]
        return pa.record_batch(columns, schema=self.schema)

    def _to_log(self, rows: Rows, times: NDArray[np.datetime64], **told: Any) -> None:
        key = self.inputs.spec.entity_key
        self.log.write(
            rows.numbers,
            _in_arrow(rows.stored, self.log.inputs),
            keys=_in_arrow(rows.stored, [key])[key] if key else None,
            event_times=times,
            **told,
        )

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Rules that were broken, most often broken first."""
        misfits = self.inputs.batch.misfits  # missing ones, to the contract; they are told once
        typed = {(one.column, "missing"): one.count for one in misfits}
        counts = [(one, one.count - typed.get((one.column, one.rule), 0)) for one in self.broken.reasons]
        others = [replace(one, count=count) for one, count in counts if count > 0]
        return tuple(sorted([*misfits, *others], key=lambda one: -one.count))

    @property
    def output(self) -> Output:
        """What became of the batch."""
        task = self.inputs.model.outcomes.task
        mean = self.total / self.scored if self.scored and task != "multiclass" else None
        ends = [_moment(pick(self.times)) if self.times else None for pick in (min, max)]
        decided = tuple(self.decided.most_common())
        return Output(self.seen, self.scored, self.reasons, decided, mean, ends[0], ends[1])


def _both(misfits: str, broken: str) -> str:
    """All that is wrong with a row; what is not of its column's type is missing to the contract, which is told once."""
    others = [one for one in broken.split("; ") if one and f"{one.removesuffix('missing')}not " not in misfits]
    return "; ".join([misfits, *others])


class Aside:
    """Rows that are set aside, with their reasons; the file is made for the first of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def __enter__(self) -> Aside:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Bring the file to its end; there is none where no row was set aside."""
        if self._writer is not None:
            self._writer.close()

    def write(self, stored: Any, reasons: NDArray[Any]) -> None:
        """Take some rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        # Rows that were set aside before have a reason already, which is the old one.
        fresh = stored.drop_columns([REASON]) if REASON in stored.schema.names else stored
        told = fresh.append_column(REASON, pa.array(reasons, pa.string()))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, told.schema, compression="zstd")
        self._writer.write_batch(told)


def read(inputs: Inputs) -> list[str]:
    """Columns that are needed as the model takes them: its own, and the event time."""
    event_time = inputs.spec.event_time
    return list(dict.fromkeys([*inputs.model.takes, *([event_time.column] if event_time else [])]))


def _logged(inputs: Inputs) -> dict[str, ColumnType]:
    """Columns that the log keeps: those of the model, and those that monitoring looks at by value."""
    spec, found = inputs.spec, {name: family(kind) for name, kind in inputs.batch.columns.items()}
    slices = (spec.monitoring.slices if spec.monitoring else ()) or spec.evaluation.slices
    told: dict[str, ColumnType] = {}
    for name in slices:
        kind = found.get(name, "other")
        if kind != "other":
            told[name] = kind
    return {**told, **inputs.model.takes}


def _in_arrow(stored: Any, names: Iterable[str]) -> pd.DataFrame:
    """Columns as they are stored, without making Python's objects of their values."""
    columns = {name: stored.column(name) for name in names}
    return pd.DataFrame({name: pd.array(one, pd.ArrowDtype(one.type)) for name, one in columns.items()})


def log_writer(inputs: Inputs) -> LogWriter:
    """The inference log of this job, not yet entered."""
    import pyarrow as pa

    kinds = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "string": pa.string(),
        # A missing one makes the column of a table floats; so are those of all files.
        "boolean": pa.float64(),
        "datetime": pa.timestamp("us"),
    }
    model, task = inputs.model, inputs.model.outcomes.task
    return LogWriter(
        inputs.log,
        inputs.request,
        Origin(model.name, model.version, "batch", inputs.now),
        inputs={name: kinds[kind] for name, kind in _logged(inputs).items()},
        classes=None if task == "regression" else model.outcomes.classes,
    )


def _event_times(inputs: Inputs, table: pd.DataFrame) -> NDArray[np.datetime64]:
    """In UTC, to the microsecond; missing where the row has none."""
    spec = inputs.spec
    if spec.event_time is None:
        return np.full(len(table), np.datetime64("NaT", "us"))
    times = table[spec.event_time.column]
    found = event_nanoseconds(spec, inputs.batch.columns, times).astype("datetime64[ns]").astype("datetime64[us]")
    found[times.isna().to_numpy()] = np.datetime64("NaT", "us")
    return found


def _moment(time: Any) -> datetime:
    return datetime.fromtimestamp(time.astype("int64") / 1e6, UTC)


def _shown_scores(outcomes: Outcomes, scores: Any) -> dict[str, NDArray[np.float64]]:
    """Columns of probabilities in the output: that of the positive outcome, or one for each class."""
    if scores is None:
        return {}
    if outcomes.task == "binary":
        return {PROBABILITY: scores[:, 1]}
    return {f"{PROBABILITY} of {name}": scores[:, place] for place, name in enumerate(outcomes.classes)}


def schema_of(inputs: Inputs) -> Any:
    """The output's columns: those of the batch, then ours."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    outcomes = inputs.model.outcomes
    regression = outcomes.task == "regression"
    stored = [field for field in pq.read_schema(inputs.batch.path) if field.name != MISFIT]
    empty = None if regression else np.empty((0, len(outcomes.labels)))
    ours = [
        pa.field(PREDICTION, pa.float64() if regression else pa.array(outcomes.labels).type),
        *(pa.field(name, pa.float64()) for name in _shown_scores(outcomes, empty)),
        pa.field(VERSION, pa.string()),
        pa.field(SCORED_AT, pa.timestamp("us", "UTC")),
        pa.field(REQUEST, pa.string()),
        pa.field(ROW, pa.int64()),
    ]
    taken = [field.name for field in ours if field.name in {one.name for one in stored}]
    if taken:
        raise UseCaseError(
            f"the batch has a column `{taken[0]}`, which is what the output calls one of its own",
            expected=f"a batch without the columns {', '.join(field.name for field in ours)}",
            hint="was this batch scored before? Score the rows as they were, or rename the column",
        )
    return pa.schema([*stored, *ours])
