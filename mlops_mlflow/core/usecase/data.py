"""Sections about data: what is predicted, where it comes from, what must hold of it, how it is divided."""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mlops_mlflow.core.usecase.base import Column, Duration, Moment, Scalar, Section, Share, Task

Kind = Literal["numeric", "categorical", "text", "datetime", "boolean"]
ColumnType = Literal["integer", "number", "string", "boolean", "datetime"]
Format = Literal["csv", "parquet", "jsonl"]


class Target(Section):
    """What is predicted."""

    column: Column
    task: Task | None = None
    """Inferred from the column when left out, and checked against it when given."""
    positive: Scalar | None = None
    """The outcome that a binary target is about; the greater of the two values when left out."""


class EventTime(Section):
    """When an entity was met: the time at which the prediction would have been made."""

    column: Column
    zone: str = "UTC"
    """IANA name; times without a zone are read in it."""

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("expected an IANA time zone such as UTC or Europe/Berlin") from None
        return zone


class Labels(Section):
    """Where outcomes come from, and how long they take; for monitoring."""

    source: str
    """One of the sources."""
    delay: Duration
    """After this, the labels of a window are complete."""


class Source(Section):
    """A table.

    ``path`` (a file), ``package`` and ``path`` (a file inside an installed package), or ``sql`` (a database).
    """

    path: str | None = None
    """Relative to the use case's folder, or to the package; ``*`` matches several files of one shape."""
    package: str | None = None
    """An installed Python package that carries the file."""
    sql: str | None = None
    """SQLAlchemy URL with its driver; secrets as ``${NAME}`` from the environment; files as for ``path``."""
    query: str | None = None
    """What is read from the database; ``:since`` and ``:until`` are bound."""
    table: str | None = None
    """Read a whole table instead of a query."""
    format: Format | None = None
    """Inferred from the file's ending when left out; ``.zip`` and ``.gz`` are opened."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    null_values: tuple[str, ...] = ("", "NA")
    """Words in a CSV that mean missing."""

    @model_validator(mode="after")
    def _one_kind(self) -> Source:
        if self.sql is None:
            if self.path is None:
                raise ValueError("needs `path`, `package` and `path`, or `sql` and `query` or `table`")
            if self.query or self.table:
                raise ValueError("`query` and `table` go with `sql`")
            return self
        if self.path or self.package or self.format or self.delimiter:
            raise ValueError("`sql` does not go with `path`, `package`, `format` or `delimiter`")
        if (self.query is None) == (self.table is None):
            raise ValueError("`sql` needs one of `query` and `table`")
        return self


class DataRange(Section):
    """Which rows the first training reads: bound as ``:since`` and ``:until``, in the zone of the event time."""

    since: Moment | None = None
    until: Moment | None = None

    @model_validator(mode="after")
    def _ordered(self) -> DataRange:
        if self.since is None or self.until is None:
            return self
        if (self.since.tzinfo is None) != (self.until.tzinfo is None):
            raise ValueError("`since` and `until` must both name an offset from UTC, or neither")
        if self.since >= self.until:
            raise ValueError("`since` must be before `until`")
        return self


class ColumnRule(Section):
    """What must hold of one column; what is not said is not checked."""

    type: ColumnType | None = None
    min: float | None = None
    max: float | None = None
    allowed: tuple[Scalar, ...] | None = None
    pattern: str | None = None
    """Regular expression that the whole text matches."""
    nullable: bool = False
    unique: bool = False
    required: bool = True
    """Whether the column has to be there."""


class Contract(Section):
    """What the integrated dataset promises; rows that break it are set aside and counted."""

    quarantine_at_most: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of rows; above it the stage fails."""
    columns: dict[Column, ColumnRule] = Field(default_factory=dict)


class Split(Section):
    """How rows are divided; equal times, and rows of one group, stay together.

    ``random`` and ``grouped`` place each row by a hash of its own key, so that it stays where it is when others come;
    the shares are therefore met on average, and a table of a few hundred rows may miss them by some percent.
    """

    by: Literal["time", "random", "stratified", "grouped"] = "random"
    train: Share = 0.70
    validation: Share = 0.15
    test: Share = 0.15
    group: Column | None = None

    @model_validator(mode="after")
    def _whole(self) -> Split:
        if abs(self.train + self.validation + self.test - 1) > 1e-6:
            raise ValueError(
                f"`train`, `validation` and `test` must add up to 1, not {self.train + self.validation + self.test:g}"
            )
        if (self.by == "grouped") != (self.group is not None):
            raise ValueError("`group` goes with `by: grouped`, and `by: grouped` needs it")
        return self


class Features(Section):
    """How columns become features.

    Where ``features.module`` has no ``preprocessor``, trees and ensembles of trees (of scikit-learn, XGBoost, LightGBM
    and CatBoost) are given each category as one number, and gaps as they are where they take them; other estimators a
    column for each category, numbers scaled and gaps filled.
    """

    module: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.py$")] | None = None
    """Python file beside ``usecase.yaml`` with ``derive(table)`` or ``preprocessor(kinds)``."""
    exclude: tuple[Column, ...] = ()
    """Columns that the model does not see."""
    kinds: dict[Column, Kind] = Field(default_factory=dict)
    """Exceptions to what is inferred from the data."""
    trusted_types: tuple[str, ...] = ()
    """Types beyond scikit-learn's that a saved model may contain."""
