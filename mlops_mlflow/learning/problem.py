"""The learning problem that ``prepare`` sets up and the later stages read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.bootstrap import FEWEST_BLOCKS
from mlops_mlflow.core.metrics.catalogue import DEFAULT_METRIC, quality_metrics
from mlops_mlflow.core.monitoring.reference import Slice
from mlops_mlflow.core.records import OWN_RUN, Dataset
from mlops_mlflow.core.splits import PARTS, Parts, SplitPlan
from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.tables import read_rows
from mlops_mlflow.engines.types import is_zoned
from mlops_mlflow.learning.features import FeaturePlan
from mlops_mlflow.learning.package import CodePackage
from mlops_mlflow.learning.target import Outcomes

DAY, ROW = "day", "row"
"""What blocks are, where no group is declared."""


@dataclass(frozen=True)
class Rows:
    """Rows of one part.

    Attributes:
        table: What a model takes.
        actual: Outcomes as in the data.
        about: Columns for slices, blocks and examples: key, event time, group, slices.
        numbers: Place of each row in the dataset.
    """

    table: pd.DataFrame
    actual: NDArray[Any]
    about: pd.DataFrame
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        """Rows."""
        return len(self.table)

    def sample(self, most: int, *, seed: int) -> Rows:
        """At most so many of the rows, drawn evenly, in their order."""
        if len(self) <= most:
            return self
        chosen = draw(len(self), most, seed=seed)
        return Rows(self.table.iloc[chosen], self.actual[chosen], self.about.iloc[chosen], self.numbers[chosen])


def draw(rows: int, most: int, *, seed: int) -> NDArray[np.int64]:
    """Places of at most so many of the rows, drawn evenly, in their order."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


@dataclass(frozen=True)
class Problem:
    """What is learned from what.

    Attributes:
        spec: The use case.
        path: Parquet file of the dataset.
        columns: Name and type of each of its columns.
        digest: Of its content.
        outcomes: What the target holds.
        parts: Part of each row: 0 train, 1 validation, 2 test.
        plan: How they were divided.
        features: How columns become features.
        package: Code that travels with a model.
    """

    spec: UseCaseSpec
    path: Path
    columns: dict[str, str]
    digest: str
    outcomes: Outcomes
    parts: Parts
    plan: SplitPlan
    features: FeaturePlan
    package: CodePackage

    def rows(self, part: str, most: int | None = None) -> Rows:
        """Read the rows of ``train``, ``validation`` or ``test``; at most so many, as ``Rows.sample`` draws them."""
        about = about_columns(self.spec, self.columns)
        wanted = list(dict.fromkeys([*self.features.columns, self.spec.target.column, *about]))
        numbers = np.flatnonzero(self.parts == PARTS.index(part))
        numbers = numbers if most is None else numbers[draw(len(numbers), most, seed=self.spec.seed)]
        frame = read_rows(self.path, wanted, numbers)
        actual = frame[self.spec.target.column].to_numpy()
        return Rows(frame[list(self.features.columns)], actual, frame[about], numbers)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of the task, with value where there are prices."""
        return (*quality_metrics(self.outcomes.task), *(["value_per_row"] if self.spec.value else []))

    def dataset(self, part: str) -> str:
        """Name by which metrics refer to a part."""
        return f"{self.spec.use_case}.{part}"

    def input(self, part: str, run: str = OWN_RUN) -> Dataset:
        """A part as an input of a run; the same rows have the same digest in every run."""
        told = f"{self.digest} {json.dumps(self.plan.to_dict(), sort_keys=True)} {part}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:16]
        rows = int((self.parts == PARTS.index(part)).sum())
        context = "training" if part == "train" else part
        return Dataset(self.dataset(part), digest, "dataset.parquet, by split.json", context, self.columns, rows, run)


def about_columns(spec: UseCaseSpec, columns: dict[str, str]) -> list[str]:
    """Columns that describe a row rather than predict it: key, event time, group, slices of evaluation and bounds."""
    named = [spec.entity_key, spec.event_time and spec.event_time.column, spec.split.group, *spec.evaluation.slices]
    named += [getattr(bound, "by", None) for bound in (*spec.success, *spec.requirements)]
    return list(dict.fromkeys(name for name in named if name and name in columns))


def event_nanoseconds(spec: UseCaseSpec, columns: dict[str, str], times: pd.Series[Any]) -> NDArray[np.int64]:
    """Event times as nanoseconds since 1970 in UTC; times without a zone are read in the declared one.

    In the hour that a clock shows twice the first is meant, and in the one that it skips the next time that exists.
    """
    event_time = spec.event_time
    zoned = event_time is None or is_zoned(columns[event_time.column])
    zone = "UTC" if event_time is None or zoned else event_time.zone
    first = np.ones(len(times), dtype=bool)
    known = times if isinstance(times.dtype, np.dtype) and times.dtype.kind == "M" else pd.to_datetime(times)
    stamps = known.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return np.asarray(stamps.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[ns]").astype("int64"))


def blocks(spec: UseCaseSpec, about: pd.DataFrame) -> tuple[NDArray[np.int64], str]:
    """Blocks that intervals resample, and what they are: the declared group, days, or single rows.

    Days are those of the event time's zone, and need to be at least 8, otherwise rows are drawn.
    """
    if spec.split.group:
        return blocks_of(spec.split.group, spec, about), spec.split.group
    if spec.event_time and spec.event_time.column in about:
        days = blocks_of(DAY, spec, about)
        if days.max(initial=-1) + 1 >= FEWEST_BLOCKS:
            return days, DAY
    return blocks_of(ROW, spec, about), ROW


def blocks_of(what: str, spec: UseCaseSpec, about: pd.DataFrame) -> NDArray[np.int64]:
    """The block of each row: its day, itself, or its group; as ``blocks`` chose for other rows of the same model."""
    if what == ROW:
        return np.arange(len(about), dtype=np.int64)
    if what == DAY and spec.event_time:
        times = pd.to_datetime(about[spec.event_time.column])
        local = times if times.dt.tz is None else times.dt.tz_convert(spec.event_time.zone)
        return pd.factorize(local.dt.normalize())[0].astype(np.int64)
    return pd.factorize(about[what], use_na_sentinel=False)[0].astype(np.int64)


def slice_rows(column: pd.Series[Any], minimum: int) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Value and rows of each slice with enough rows, the largest first."""
    words = column.astype(str)
    for value, count in words.value_counts().items():
        if count >= minimum:
            yield str(value), np.flatnonzero(words.to_numpy() == value)


def watched_columns(spec: UseCaseSpec) -> tuple[str, ...]:
    """Columns by whose values windows of production are looked at: those of monitoring, or else of the evaluation."""
    return (spec.monitoring.slices if spec.monitoring else ()) or spec.evaluation.slices


def watched_slices(spec: UseCaseSpec, about: pd.DataFrame) -> list[Slice]:
    """Their slices with enough rows to be judged."""
    minimum = spec.monitoring.minimum_rows if spec.monitoring else spec.evaluation.minimum_rows
    return [
        Slice(column, value, rows)
        for column in watched_columns(spec)
        for value, rows in slice_rows(about[column], minimum)
    ]


def watched_metrics(spec: UseCaseSpec, task: Task) -> tuple[str, ...]:
    """Metrics that are watched in slices too: those of the alarms, and the usual one of the task."""
    alarms = spec.monitoring.alarm if spec.monitoring else ()
    return tuple(dict.fromkeys([*(alarm.metric for alarm in alarms), DEFAULT_METRIC[task]]))


def chosen_model(candidate: str) -> str:
    """Name under which the chosen candidate's model is logged, beside that of the candidate itself."""
    return f"{candidate}_chosen"
