"""Profiles of tables, in a few passes of DuckDB over the file whatever the number of columns."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_mlflow.core.profiles import ColumnProfile, Histogram, TableProfile
from mlops_mlflow.core.usecase.data import Kind
from mlops_mlflow.engines.associations import associations
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.profile_time import coverage, target_profile
from mlops_mlflow.engines.sql import literal, quoted, texts
from mlops_mlflow.engines.types import family

if TYPE_CHECKING:
    import duckdb

__all__ = ["associations", "profile"]

EXACT_ROWS = 1_000_000
CATEGORIES = 50
GREATEST = 1e150
PROBABILITIES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
# A text is long or has many words, and hardly comes twice; a name of a category is neither.
TEXT_LENGTH, TEXT_WORDS, TEXT_DISTINCT = 40, 4, 0.5
_GROUPED_AT_ONCE = 30


@dataclass(frozen=True)
class _Pass:
    """Where passes read from: a view, a sample that stands for it where exactness is too dear, and its rows."""

    connection: duckdb.DuckDBPyConnection
    table: str
    sample: str
    rows: int

    def row(self, expressions: Sequence[str], source: str | None = None) -> tuple[Any, ...]:
        """One row of aggregates."""
        if not expressions:
            return ()
        return self.connection.execute(f"select {', '.join(expressions)} from {source or self.table}").fetchone() or ()


def profile(
    path: Path,
    *,
    target: str | None,
    event_time: str | None,
    keys: Sequence[str] = (),
    bins: int = 20,
    reference: TableProfile | None = None,
) -> TableProfile:
    """Profile a Parquet file.

    Above a million rows, distinct values are estimated (and marked so) and quantiles, with the edges that follow from
    them, are those of a million rows spread over the file; counts are always of all rows.

    Args:
        path: The file.
        target: Column that is predicted.
        event_time: Column that says when.
        keys: Columns that together name a row.
        bins: How many bins a histogram has at most, where there is no reference.
        reference: Take kinds, edges, categories and classes from this profile, so that both can be compared, and
            merged.
    """
    with connect() as connection:
        passes = _prepared(connection, path)
        columns = _first_figures(passes, reference)
        columns = _with_histograms(passes, columns, bins, reference)
        columns = _with_categories(passes, columns, reference)
        known = {column.name: column for column in columns}
        return TableProfile(
            rows=passes.rows,
            columns=tuple(columns),
            duplicate_rows=_duplicates(passes, [column.name for column in columns]),
            duplicate_keys=_duplicates(passes, keys) if keys else None,
            time=coverage(connection, passes.table, event_time) if event_time else None,
            target=target_profile(connection, passes.table, known[target], event_time, reference) if target else None,
        )


def _prepared(connection: duckdb.DuckDBPyConnection, path: Path) -> _Pass:
    """Open the file; what is not finite becomes missing, for it would swallow every mean."""
    source = f"read_parquet({literal(path)}, file_row_number = true)"
    described = connection.execute(f"describe select * exclude (file_row_number) from {source}").fetchall()
    finite = [name for name, kind, *_ in described if kind in ("FLOAT", "DOUBLE")]
    cleaned = ", ".join(
        f"case when isfinite({quoted(name)}) then {quoted(name)} end as {quoted(name)}" for name in finite
    )
    replaced = f" replace ({cleaned})" if finite else ""
    connection.execute(f"create temp view profiled as select * exclude (file_row_number){replaced} from {source}")
    counted = connection.execute("select count(*) from profiled").fetchone()
    rows = int(counted[0]) if counted else 0
    # Steps of the golden ratio spread the sample evenly over the file, and fall in with no period of the data.
    share = 2**32 * EXACT_ROWS // max(rows, 1)
    chosen = f" where file_row_number * 2654435769 % {2**32} < {share}" if rows > EXACT_ROWS else ""
    connection.execute(
        f"create temp view sampled as select * exclude (file_row_number){replaced} from {source}{chosen}"
    )
    return _Pass(connection, "profiled", "sampled", rows)


def _first_figures(passes: _Pass, reference: TableProfile | None) -> list[ColumnProfile]:
    """Counts, moments and the kind of every column, in one pass."""
    described = passes.connection.execute(f"describe {passes.table}").fetchall()
    exact = passes.rows <= EXACT_ROWS
    expressions = [part for name, kind, *_ in described for part in _aggregates(quoted(name), kind, exact=exact)]
    figures = iter(passes.row(expressions))
    return [_first_profile(name, kind, figures, passes.rows, reference) for name, kind, *_ in described]


def _aggregates(column: str, kind: str, *, exact: bool) -> list[str]:
    """Values, distinct, minimum, maximum, mean, standard deviation, words; null where they mean nothing."""
    distinct = f"count(distinct {column})" if exact else f"approx_count_distinct({column})"
    measured = {
        "integer": f"{column}::double",
        "number": f"{column}::double",
        "string": f"length({column})",
    }.get(family(kind))
    ends = measured or (f"{column}::varchar" if family(kind) == "datetime" else "null")
    # Squares of greater values are beyond a float, and the query would fail for the sake of one of them.
    within = f"filter (abs({measured}) <= {GREATEST})"
    moments = [f"avg({measured}) {within}", f"stddev_pop({measured}) {within}"] if measured else ["null", "null"]
    words = f"avg(length({column}) - length(replace({column}, ' ', '')) + 1)" if family(kind) == "string" else "null"
    return [f"count({column})", distinct, f"min({ends})", f"max({ends})", *moments, words]


def _first_profile(
    name: str, column_type: str, figures: Iterator[Any], rows: int, reference: TableProfile | None
) -> ColumnProfile:
    held, distinct, least, most, mean, std, words = (next(figures) for _ in range(7))
    kind = _kind(column_type, distinct / held if held else 0.0, mean, words)
    before = reference.column(name) if reference else None
    if before is not None and family(before.type) == family(column_type):
        kind = before.kind
    plain = ColumnProfile(name, column_type, kind, rows, rows - held, distinct, distinct_exact=rows <= EXACT_ROWS)
    if kind in ("categorical", "boolean"):
        return plain
    return replace(plain, minimum=least, maximum=most, mean=_figure(mean), std=_figure(std))


def _kind(column_type: str, distinct: float, length: float | None, words: float | None) -> Kind:
    """What a model would take the column for; numbers stay numeric however few they are."""
    kinds: dict[str, Kind] = {"integer": "numeric", "number": "numeric", "datetime": "datetime", "boolean": "boolean"}
    if family(column_type) != "string":
        return kinds.get(family(column_type), "categorical")
    long = (length or 0) >= TEXT_LENGTH or (words or 0) >= TEXT_WORDS
    return "text" if long and distinct > TEXT_DISTINCT else "categorical"


def _figure(value: float | None) -> float | None:
    """Sums of several threads differ in their last digits from run to run; twelve digits do not."""
    return None if value is None else float(f"{value:.12g}")


def _measure(column: ColumnProfile) -> str:
    """What of the column is put into bins."""
    name = quoted(column.name)
    return {"numeric": f"{name}::double", "datetime": f"epoch({name})", "text": f"length({name})::double"}[column.kind]


def _with_histograms(
    passes: _Pass, columns: Sequence[ColumnProfile], bins: int, reference: TableProfile | None
) -> list[ColumnProfile]:
    """Quantiles in one pass, histograms over edges at quantiles in another."""
    measured = [column for column in columns if column.kind in ("numeric", "datetime", "text")]
    asked = sorted({*PROBABILITIES, *(number / bins for number in range(1, bins))})
    found = passes.row([f"quantile_disc({_measure(column)}, {asked})" for column in measured], passes.sample)
    quantiles = {
        column.name: dict(zip(asked, values or (), strict=False))
        for column, values in zip(measured, found, strict=True)
    }
    edges = {column.name: _edges(column, quantiles[column.name], bins, reference) for column in measured}
    binned = [column for column in measured if edges[column.name]]
    # Edges as texts: DuckDB would read 0.1 as a decimal, which has not the digits of a float.
    lists = {name: f"{texts(map(repr, known))}::double[]" for name, known in edges.items()}
    counted = passes.row([f"histogram({_measure(column)}, {lists[column.name]})" for column in binned])
    counts: dict[str, Mapping[float, int]] = {
        column.name: value or {} for column, value in zip(binned, counted, strict=True)
    }
    return [
        column
        if column.name not in edges
        else replace(
            column,
            quantiles=tuple((p, quantiles[column.name][p]) for p in PROBABILITIES if p in quantiles[column.name]),
            histogram=_histogram(column, edges[column.name], counts.get(column.name, {})),
        )
        for column in columns
    ]


def _edges(
    column: ColumnProfile, quantiles: Mapping[float, float], bins: int, reference: TableProfile | None
) -> tuple[float, ...]:
    before = reference.column(column.name) if reference else None
    if before is not None and before.kind == column.kind and before.histogram is not None:
        return before.histogram.edges
    return tuple(sorted({quantiles[number / bins] for number in range(1, bins) if number / bins in quantiles}))


def _histogram(column: ColumnProfile, edges: Sequence[float], counts: Mapping[float, int]) -> Histogram:
    if not edges:
        return Histogram((), (column.rows - column.missing,))
    return Histogram(tuple(edges), tuple(counts.get(edge, 0) for edge in (*edges, float("inf"))))


def _with_categories(
    passes: _Pass, columns: Sequence[ColumnProfile], reference: TableProfile | None
) -> list[ColumnProfile]:
    """Most frequent values of all columns in one pass for every thirty of them."""
    grouped = [column for column in columns if column.kind in ("categorical", "boolean")]
    known = {column.name: _known_categories(column, reference) for column in grouped}
    counts: dict[str, list[tuple[str, int]]] = {column.name: [] for column in grouped}
    for begin in range(0, len(grouped), _GROUPED_AT_ONCE):
        some = grouped[begin : begin + _GROUPED_AT_ONCE]
        for place, value, count in passes.connection.execute(_grouping(passes.table, some, known)).fetchall():
            counts[some[place].name].append((value, count))
    return [
        replace(column, **_categories(column, counts[column.name], known[column.name]))
        if column.name in counts
        else column
        for column in columns
    ]


def _known_categories(column: ColumnProfile, reference: TableProfile | None) -> tuple[str, ...] | None:
    before = reference.column(column.name) if reference else None
    return tuple(value for value, _ in before.categories) if before is not None and before.kind == column.kind else None


def _grouping(table: str, columns: Sequence[ColumnProfile], known: Mapping[str, tuple[str, ...] | None]) -> str:
    mapped = []
    for number, column in enumerate(columns):
        text, values = f"{quoted(column.name)}::varchar", known[column.name]
        if values is not None:
            listed = ", ".join(map(literal, values)) or "null"
            text = f"case when {text} in ({listed}) then {text} end"
        mapped.append(f"{text} as c{number}")
    names = [f"c{number}" for number in range(len(columns))]
    place = "case " + " ".join(f"when grouping({name}) = 0 then {number}" for number, name in enumerate(names)) + " end"
    return f"""
        select place, value, n from (
            select {place} as place, coalesce({", ".join(names)}) as value, count(*) as n
            from (select {", ".join(mapped)} from {table})
            group by grouping sets ({", ".join(f"({name})" for name in names)}))
        where value is not null
        qualify row_number() over (partition by place order by n desc, value) <= {CATEGORIES}
        order by place, n desc, value"""


def _categories(
    column: ColumnProfile, counts: Sequence[tuple[str, int]], known: Sequence[str] | None
) -> dict[str, Any]:
    there = dict(counts)
    listed = [(value, there.get(value, 0)) for value in known] if known is not None else list(counts)
    listed.sort(key=lambda item: (-item[1], item[0]))
    return {
        "categories": tuple(listed),
        "other": column.rows - column.missing - sum(count for _, count in listed),
    }


def _duplicates(passes: _Pass, names: Sequence[str]) -> int:
    """Rows that repeat an earlier one in these columns, told by a 64-bit hash."""
    hashed = ", ".join(map(quoted, names))
    (distinct,) = passes.row([f"count(distinct hash({hashed}))"])
    return passes.rows - int(distinct)
