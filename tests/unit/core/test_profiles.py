from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_mlflow.core.profiles import (
    ColumnProfile,
    Histogram,
    TableProfile,
    TargetProfile,
    TimeCoverage,
    merge,
    period,
)

NUMBER = ColumnProfile(
    "x", "DOUBLE", "numeric", 4, 1, 3, True, 1.0, 3.0, 2.0, 0.5, ((0.5, 2.0),), Histogram((2.0,), (2, 1))
)
WORD = ColumnProfile("c", "VARCHAR", "categorical", 4, 0, 2, True, categories=(("a", 3), ("b", 1)))
TABLE = TableProfile(4, (NUMBER, WORD), duplicate_rows=0)


@pytest.mark.parametrize(
    ("day", "unit", "expected"),
    [("2013-01-06", "day", "2013-01-06"), ("2013-01-06", "week", "2012-12-31"), ("2013-02-28", "month", "2013-02-01")],
)
def test_a_day_belongs_to_a_unit_that_is_named_by_its_first_day(day: str, unit: str, expected: str) -> None:
    assert period(day, unit) == expected  # type: ignore[arg-type]  # parametrised literals are plain texts


def test_units_without_rows_between_the_first_and_the_last_are_gaps() -> None:
    coverage = TimeCoverage("t", 0, (("2013-01-31", 1), ("2013-02-02", 2), ("2013-04-01", 1)))
    assert coverage.per("month") == (("2013-01-01", 1), ("2013-02-01", 2), ("2013-04-01", 1))
    assert coverage.gaps("month") == ("2013-03-01",)
    assert coverage.gaps("week")[0] == "2013-02-04"
    assert coverage.gaps("day")[0] == "2013-02-01"
    assert TimeCoverage("t", 3, ()).gaps("day") == ()


def test_the_target_moves_with_time() -> None:
    days = (("2013-01-01", (1.0, 0.0)), ("2013-01-02", (0.0, 3.0)), ("2013-02-01", (0.0, 0.0)))
    assert TargetProfile("y", 0, ("0", "1"), (1, 3), 0, days).over_time("month") == (("2013-01-01", (0.25, 0.75)),)
    quantity = TargetProfile("y", 0, (), (4, 10.0), 0, (("2013-01-01", (4.0, 10.0)),))
    assert quantity.balance == (2.5,)
    assert quantity.over_time("week") == (("2012-12-31", (2.5,)),)
    assert TargetProfile("y", 2, (), (0, 0.0), 0, ()).balance == ()


def test_a_column_is_found_by_name() -> None:
    assert TABLE.column("c") == WORD
    assert TABLE.column("d") is None


def test_what_a_merge_cannot_tell_is_left_out() -> None:
    got = merge(TABLE, TABLE)
    x, c = got.columns
    assert (got.rows, got.duplicate_rows, x.quantiles, x.distinct, x.distinct_exact) == (8, None, (), 3, False)
    assert (c.distinct, c.distinct_exact, c.categories) == (2, True, (("a", 6), ("b", 2)))


@pytest.mark.parametrize(
    "other",
    [
        replace(TABLE, columns=(WORD,)),
        replace(TABLE, columns=(replace(NUMBER, histogram=Histogram((2.5,), (2, 1))), WORD)),
        replace(TABLE, columns=(NUMBER, replace(WORD, categories=(("a", 4),)))),
        replace(TABLE, columns=(NUMBER, replace(WORD, kind="text"))),
    ],
)
def test_profiles_over_different_edges_or_categories_do_not_merge(other: TableProfile) -> None:
    with pytest.raises(ValueError, match="cannot be merged"):
        merge(TABLE, other)


def test_targets_of_different_classes_do_not_merge() -> None:
    a = TargetProfile("y", 0, ("0", "1"), (1, 1), 0, ())
    with pytest.raises(ValueError, match="different classes"):
        merge(replace(TABLE, target=a), replace(TABLE, target=replace(a, classes=("0", "2"))))
