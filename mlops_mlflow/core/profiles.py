"""Profile of a table: compact figures of each column, from which quality, drift and cards are judged.

Counts of profiles over the same edges and categories add up, so that windows of any size are read once and merged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from mlops_mlflow.core.usecase.data import Kind

Unit = Literal["day", "week", "month"]


@dataclass(frozen=True)
class Histogram:
    """Counts between edges; the outer bins are open, so every value has a bin.

    Attributes:
        edges: Ascending.
        counts: One more than edges: up to and with the first edge, above it up to and with the second, ..., above the
            last.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class ColumnProfile:
    """Figures of one column.

    ``minimum`` to ``histogram`` are of the values where the kind is ``numeric``, of the number of characters where it
    is ``text``, and, but for ``mean`` and ``std``, of the time where it is ``datetime`` (text for minimum and maximum,
    seconds since 1970 for quantiles and histogram). They are empty for other kinds.

    Attributes:
        name: Of the column.
        type: DuckDB's.
        kind: What a model would take it for.
        rows: Of the table.
        missing: Rows without a value; what is not finite counts as missing.
        distinct: Distinct values; at least so many where ``distinct_exact`` is false after a merge, about so many
            otherwise.
        distinct_exact: Whether ``distinct`` was counted rather than estimated.
        minimum: Least value.
        maximum: Greatest value.
        mean: Arithmetic mean, without values beyond 1e150, as is the deviation.
        std: Standard deviation of the values as they are (divided by n).
        quantiles: Probability and value; empty after a merge, and over the edges of a reference.
        histogram: Over edges at quantiles of the reference.
        categories: Most frequent values with their counts (``categorical`` and ``boolean``), most frequent first.
        other: Rows whose value is none of the categories.
    """

    name: str
    type: str
    kind: Kind
    rows: int
    missing: int
    distinct: int
    distinct_exact: bool
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[tuple[float, float], ...] = ()
    histogram: Histogram | None = None
    categories: tuple[tuple[str, int], ...] = ()
    other: int = 0


@dataclass(frozen=True)
class TimeCoverage:
    """How rows spread over time.

    Attributes:
        column: The event time.
        missing: Rows without one.
        days: Day (ISO, UTC) and rows, ascending, days without rows left out.
    """

    column: str
    missing: int
    days: tuple[tuple[str, int], ...]

    def per(self, unit: Unit) -> tuple[tuple[str, int], ...]:
        """First day of each unit and its rows."""
        totals: dict[str, int] = defaultdict(int)
        for day, rows in self.days:
            totals[period(day, unit)] += rows
        return tuple(totals.items())

    def gaps(self, unit: Unit) -> tuple[str, ...]:
        """Units between the first and the last that have no rows, by their first day."""
        held = [start for start, _ in self.per(unit)]
        return tuple(start for start in _periods(held[0], held[-1], unit) if start not in set(held)) if held else ()


@dataclass(frozen=True)
class TargetProfile:
    """Balance of the target, and how it moves.

    Attributes:
        column: The target.
        missing: Rows without one.
        classes: Values as text; none where the target is a quantity.
        counts: Rows of each class; rows and sum where the target is a quantity.
        other: Rows whose value is none of the classes.
        days: Day (ISO, UTC) and what ``counts`` says of it, ascending; none without an event time.
    """

    column: str
    missing: int
    classes: tuple[str, ...]
    counts: tuple[float, ...]
    other: int
    days: tuple[tuple[str, tuple[float, ...]], ...]

    @property
    def balance(self) -> tuple[float, ...]:
        """Share of each class; the mean alone where the target is a quantity."""
        return self._figures(self.counts)

    def over_time(self, unit: Unit) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """First day of each unit and its ``balance``."""
        totals: dict[str, tuple[float, ...]] = {}
        for day, counts in self.days:
            start = period(day, unit)
            totals[start] = _added(totals.get(start, (0.0,) * len(counts)), counts)
        return tuple((start, self._figures(counts)) for start, counts in totals.items() if any(counts))

    def _figures(self, counts: tuple[float, ...]) -> tuple[float, ...]:
        if not self.classes:
            return (counts[1] / counts[0],) if counts[0] else ()
        rows = sum(counts)
        return tuple(count / rows for count in counts) if rows else ()


@dataclass(frozen=True)
class TableProfile:
    """Figures of a table.

    Attributes:
        rows: How many.
        columns: In the order of the table.
        duplicate_rows: Rows that repeat another one in every column; None after a merge and beside a reference.
        duplicate_keys: Rows that repeat the key of another one; None without a key and after a merge.
        time: Where there is an event time.
        target: Where there is a target.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    duplicate_rows: int | None = None
    duplicate_keys: int | None = None
    time: TimeCoverage | None = None
    target: TargetProfile | None = None

    def column(self, name: str) -> ColumnProfile | None:
        """The column of this name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TableProfile:
        """From what ``to_dict`` gave, also after a way through JSON."""
        time, target = content["time"], content["target"]
        return cls(
            **{
                **content,
                "columns": tuple(_column_from(column) for column in content["columns"]),
                "time": time and TimeCoverage(**{**time, "days": _pairs(time["days"])}),
                "target": target and _target_from(target),
            }
        )


def merge(a: TableProfile, b: TableProfile) -> TableProfile:
    """The profile of the rows of both, which must have the same columns, edges, categories and classes.

    Counts, minimum, maximum, mean and standard deviation are those of all rows; quantiles and duplicates cannot be
    told, and of distinct values only a lower bound, unless all are categories.

    Raises:
        ValueError: The profiles were made over different edges or categories.
    """
    if [column.name for column in a.columns] != [column.name for column in b.columns]:
        raise ValueError("profiles of different columns cannot be merged")
    return TableProfile(
        rows=a.rows + b.rows,
        columns=tuple(_merged_columns(x, y) for x, y in zip(a.columns, b.columns, strict=True)),
        time=_merged_times(a.time, b.time) if a.time and b.time else None,
        target=_merged_targets(a.target, b.target) if a.target and b.target else None,
    )


def period(day: str, unit: Unit) -> str:
    """First day of the unit that holds this day; weeks begin on Monday."""
    start = date.fromisoformat(day)
    if unit == "week":
        start -= timedelta(days=start.weekday())
    return (start.replace(day=1) if unit == "month" else start).isoformat()


def _periods(first: str, last: str, unit: Unit) -> list[str]:
    starts = [first]
    while starts[-1] < last:
        step = {"day": 1, "week": 7, "month": 31}[unit]
        starts.append(period((date.fromisoformat(starts[-1]) + timedelta(days=step)).isoformat(), unit))
    return starts


def _merged_columns(a: ColumnProfile, b: ColumnProfile) -> ColumnProfile:
    same_edges = (a.histogram and a.histogram.edges) == (b.histogram and b.histogram.edges)
    if a.kind != b.kind or not same_edges or dict(a.categories).keys() != dict(b.categories).keys():
        raise ValueError(f"profiles of `{a.name}` over different edges or categories cannot be merged")
    counts = dict(b.categories)
    categories = _by_count((value, count + counts[value]) for value, count in a.categories)
    exact = bool(categories) and not a.other and not b.other
    mean, std = _merged_moments(a, b)
    return replace(
        a,
        rows=a.rows + b.rows,
        missing=a.missing + b.missing,
        distinct=sum(count > 0 for _, count in categories) if exact else max(a.distinct, b.distinct),
        distinct_exact=exact,
        minimum=_outer(min, a.minimum, b.minimum),
        maximum=_outer(max, a.maximum, b.maximum),
        mean=mean,
        std=std,
        quantiles=(),
        histogram=_merged_histograms(a.histogram, b.histogram),
        categories=categories,
        other=a.other + b.other,
    )


def _merged_moments(a: ColumnProfile, b: ColumnProfile) -> tuple[float | None, float | None]:
    if a.mean is None or a.std is None:
        return b.mean, b.std
    if b.mean is None or b.std is None:
        return a.mean, a.std
    n, m = a.rows - a.missing, b.rows - b.missing
    difference = b.mean - a.mean
    spread = (n * a.std**2 + m * b.std**2) / (n + m) + difference**2 * n * m / (n + m) ** 2
    return a.mean + difference * m / (n + m), spread**0.5


def _merged_histograms(a: Histogram | None, b: Histogram | None) -> Histogram | None:
    if a is None or b is None:
        return None
    return Histogram(a.edges, tuple(x + y for x, y in zip(a.counts, b.counts, strict=True)))


def _merged_times(a: TimeCoverage, b: TimeCoverage) -> TimeCoverage:
    days: dict[str, int] = defaultdict(int)
    for day, rows in (*a.days, *b.days):
        days[day] += rows
    return TimeCoverage(a.column, a.missing + b.missing, tuple(sorted(days.items())))


def _merged_targets(a: TargetProfile, b: TargetProfile) -> TargetProfile:
    if a.classes != b.classes:
        raise ValueError(f"profiles of the target `{a.column}` with different classes cannot be merged")
    days = dict(a.days)
    for day, counts in b.days:
        days[day] = _added(days[day], counts) if day in days else counts
    counts = _added(a.counts, b.counts)
    return TargetProfile(
        a.column, a.missing + b.missing, a.classes, counts, a.other + b.other, tuple(sorted(days.items()))
    )


def _added(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _by_count(categories: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(categories, key=lambda item: (-item[1], item[0])))


def _outer(choose: Any, a: float | str | None, b: float | str | None) -> Any:
    there = [value for value in (a, b) if value is not None]
    return choose(there) if there else None


def _column_from(content: Mapping[str, Any]) -> ColumnProfile:
    histogram = content["histogram"]
    return ColumnProfile(
        **{
            **content,
            "quantiles": _pairs(content["quantiles"]),
            "histogram": histogram and Histogram(tuple(histogram["edges"]), tuple(histogram["counts"])),
            "categories": _pairs(content["categories"]),
        }
    )


def _target_from(content: Mapping[str, Any]) -> TargetProfile:
    days = tuple((day, tuple(counts)) for day, counts in content["days"])
    return TargetProfile(
        **{**content, "classes": tuple(content["classes"]), "counts": tuple(content["counts"]), "days": days}
    )


def _pairs(content: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(tuple(pair) for pair in content)
