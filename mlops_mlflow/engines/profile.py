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
EXACT_WINDOW = 50_000
"""The same beside a reference, where all that is asked of distinct values is whether there is more than one."""
CATEGORIES = 50
GREATEST = 1e150
PROBABILITIES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
# A text is long or has many words, and hardly comes twice; a name of a category is neither.
TEXT_LENGTH, TEXT_WORDS, TEXT_DISTINCT = 40, 4, 0.5
_GROUPED_AT_ONCE = 30


@dataclass(frozen=True)
class _Pass:
    """Where passes read from: a view, a sample that stands for it where exactness is too dear, and its rows.

    ``exact`` says whether distinct values are counted.
    """

    connection: duckdb.DuckDBPyConnection
    table: str
    sample: str
    rows: int
    exact: bool

    def row(self, expressions: Sequence[str], source: str | None = None) -> tuple[Any, ...]:
        """One row of aggregates."""
        if not expressions:
            return ()
        return self.connection.execute(f"select {', '.join(expressions)} from {source or self.table}").fetchone() or ()


def profile(
    path: Path | Sequence[Path],
    *,
    target: str | None,
    event_time: str | None,
    keys: Sequence[str] = (),
    bins: int = 20,
    reference: TableProfile | None = None,
) -> TableProfile:
    """Profile Parquet files.

    Above a million rows, distinct values are estimated (and marked so) and quantiles, with the edges that follow from
    them, are those of a million rows spread over the file; counts are always of all rows.

    Args:
        path: The file, or files with the same columns.
        target: Column that is predicted.
        event_time: Column that says when.
        keys: Columns that together name a row.
        bins: How many bins a histogram has at most, where there is no reference.
        reference: Take kinds, edges, categories and classes from this profile, so that both can be compared, and
            merged. That is quick, for nothing needs sorting: no quantiles and no duplicate rows, and above fifty
            thousand rows distinct values are estimated.
    """
    with connect() as connection:
        passes = _prepared(connection, [path] if isinstance(path, Path) else path, compared=reference is not None)
        columns = _first_figures(passes, reference)
        columns = _with_histograms(passes, columns, bins, reference)
        columns = _with_categories(passes, columns, reference)
        known = {column.name: column for column in columns}
        return TableProfile(
            rows=passes.rows,
            columns=tuple(columns),
            duplicate_rows=None if reference else _duplicates(passes, [column.name for column in columns]),
            duplicate_keys=_duplicates(passes, keys) if keys else None,
            time=coverage(connection, passes.table, event_time) if event_time else None,
            target=target_profile(connection, passes.table, known[target], event_time, reference) if target else None,
        )


def _prepared(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], *, compared: bool) -> _Pass:
    """Open the files; what is not finite becomes missing, for it would swallow every mean."""
    source = f"read_parquet({texts(paths)}, file_row_number = true)"
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
    return _Pass(connection, "profiled", "sampled", rows, rows <= (EXACT_WINDOW if compared else EXACT_ROWS))


def _first_figures(passes: _Pass, reference: TableProfile | None) -> list[ColumnProfile]:
    """Counts, moments and the kind of every column, in one pass."""
    described = passes.connection.execute(f"describe {passes.table}").fetchall()
    known = {name: _known_kind(name, column_type, reference) for name, column_type, *_ in described}
    figures = iter(
        passes.row(
            [
                part
                for name, column_type, *_ in described
                for part in _aggregates(quoted(name), column_type, known[name], exact=passes.exact)
            ]
        )
    )
    return [_first_profile(name, kind, figures, passes, known[name]) for name, kind, *_ in described]


def _known_kind(name: str, column_type: str, reference: TableProfile | None) -> Kind | None:
    """The kind that the column has in the reference, if its type is alike."""
    before = reference.column(name) if reference else None
    return before.kind if before is not None and family(before.type) == family(column_type) else None


def _aggregates(column: str, column_type: str, kind: Kind | None, *, exact: bool) -> list[str]:
    """Values, distinct, minimum, maximum, mean, standard deviation, words; null where they mean nothing."""
    distinct = f"count(distinct {column})" if exact else f"approx_count_distinct({column})"
    if kind in ("categorical", "boolean"):
        return [f"count({column})", distinct, *["null"] * 5]
    values = {"integer": f"{column}::double", "number": f"{column}::double", "string": f"length({column})"}
    measured = values.get(family(column_type), "null")
    ends = f"{column}::varchar" if family(column_type) == "datetime" else measured
    # Squares of greater values are beyond a float, and the query would fail for the sake of one of them.
    within = f"case when abs({measured}) <= {GREATEST} then {measured} end"
    moments = [f"avg({within})", f"stddev_pop({within})"] if measured != "null" else ["null", "null"]
    known = family(column_type) != "string" or kind is not None
    words = "null" if known else f"avg(length({column}) - length(replace({column}, ' ', '')) + 1)"
    return [f"count({column})", distinct, f"min({ends})", f"max({ends})", *moments, words]


def _first_profile(
    name: str, column_type: str, figures: Iterator[Any], passes: _Pass, known: Kind | None
) -> ColumnProfile:
    rows = passes.rows
    held, distinct, least, most, mean, std, words = (next(figures) for _ in range(7))
    kind = known or _kind(column_type, distinct / held if held else 0.0, mean, words)
    plain = ColumnProfile(name, column_type, kind, rows, rows - held, distinct, distinct_exact=passes.exact)
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
    """Quantiles in one pass, where edges are not known; histograms over edges at quantiles in another."""
    measured = [column for column in columns if column.kind in ("numeric", "datetime", "text")]
    known = {column.name: _known_edges(column, reference) for column in measured}
    asked = sorted({*PROBABILITIES, *(number / bins for number in range(1, bins))})
    fresh = [column for column in measured if known[column.name] is None]
    found = passes.row([f"quantile_disc({_measure(column)}, {asked})" for column in fresh], passes.sample)
    quantiles: dict[str, dict[float, float]] = {column.name: {} for column in measured}
    for column, values in zip(fresh, found, strict=True):
        quantiles[column.name] = dict(zip(asked, values or (), strict=False))
    edges = {name: _edges(quantiles[name], bins) if before is None else before for name, before in known.items()}
    binned = [column for column in measured if edges[column.name]]
    # Edges as texts: DuckDB would read 0.1 as a decimal, which has not the digits of a float.
    lists = {name: f"{texts(map(repr, ends))}::double[]" for name, ends in edges.items()}
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


def _known_edges(column: ColumnProfile, reference: TableProfile | None) -> tuple[float, ...] | None:
    before = reference.column(column.name) if reference else None
    if before is None or before.kind != column.kind or before.histogram is None:
        return None
    return before.histogram.edges


def _edges(quantiles: Mapping[float, float], bins: int) -> tuple[float, ...]:
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
