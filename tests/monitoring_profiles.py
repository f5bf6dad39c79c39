"""Profiles of columns from counts, for tests of monitoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_mlflow.core.profiles import ColumnProfile, Histogram, TableProfile


def number(name: str, counts: Sequence[int], *, missing: int = 0, **more: Any) -> ColumnProfile:
    """A numeric column over the edges 1, 2, ...; the values are the numbers of the bins."""
    held = [place for place, count in enumerate(counts) if count]
    known: dict[str, Any] = {
        "type": "DOUBLE",
        "kind": "numeric",
        "distinct": len(held),
        "minimum": float(held[0]) if held else None,
        "maximum": float(held[-1]) if held else None,
        "histogram": Histogram(tuple(float(edge) for edge in range(1, len(counts))), tuple(counts)),
    }
    return ColumnProfile(name=name, rows=sum(counts) + missing, missing=missing, distinct_exact=True, **(known | more))


def levels(name: str, counts: Mapping[str, int], *, other: int = 0, missing: int = 0, **more: Any) -> ColumnProfile:
    """A categorical column."""
    known: dict[str, Any] = {"type": "VARCHAR", "kind": "categorical", "distinct": len(counts) + other}
    return ColumnProfile(
        name=name,
        rows=sum(counts.values()) + other + missing,
        missing=missing,
        distinct_exact=True,
        categories=tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        other=other,
        **(known | more),
    )


def table(*columns: ColumnProfile) -> TableProfile:
    """Of these columns, which have the same number of rows."""
    return TableProfile(columns[0].rows if columns else 0, columns)
