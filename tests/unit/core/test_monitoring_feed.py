from __future__ import annotations

from typing import Any

import pytest
from monitoring_profiles import levels, number, table

from mlops_mlflow.core.monitoring.feed import feed_signals
from mlops_mlflow.core.monitoring.health import Signal, blocks_retraining
from mlops_mlflow.core.profiles import ColumnProfile, TableProfile
from mlops_mlflow.core.usecase.data import Contract

EVEN = [250] * 4
REFERENCE = number("x", [12_500] * 4)
HARD = ((0.01, 0.0), (0.5, 2.0), (0.99, 3.0))
LOOSE = ((0.01, 0.5), (0.5, 2.0), (0.99, 2.5))


def feed(before: TableProfile, now: TableProfile, **more: Any) -> dict[tuple[str, str], Signal]:
    names = [column.name for column in before.columns]
    asked: dict[str, Any] = {"columns": names, "contract": Contract(), "minimum_rows": 500}
    return {(one.subject, one.method): one for one in feed_signals(before, now, **(asked | more))}


def told(before: ColumnProfile, now: ColumnProfile, **more: Any) -> dict[str, str]:
    """Health by method, of one column, without what is quiet."""
    found = feed(table(before), table(now), **more)
    return {method: one.health for (subject, method), one in found.items() if subject != "rows" and one.health != "ok"}


def contract(**rule: Any) -> Contract:
    return Contract.model_validate({"columns": {"x": rule}})


def test_data_as_they_were_are_ok_with_shares_to_draw() -> None:
    before, now = table(REFERENCE, levels("c", {"a": 50_000})), table(number("x", EVEN), levels("c", {"a": 1_000}))
    found = feed(before, now)
    assert {one.health for key, one in found.items() if key != ("rows", "volume")} == {"ok"}
    assert found.keys() == {
        ("rows", "volume"),
        ("rows", "rejected_share"),
        ("x", "missing_share"),
        ("c", "missing_share"),
        ("c", "unseen_share"),
    }


def test_a_missing_column_breaks_the_feed_unless_the_contract_lets_it() -> None:
    before, now = table(REFERENCE, number("y", [12_500] * 4)), table(number("y", EVEN))
    found = feed(before, now)
    assert found["x", "missing_column"].health == "alarm"
    assert blocks_retraining(found.values())
    assert feed(before, now, contract=contract(required=False))["x", "missing_column"].health == "warning"


def test_columns_that_nobody_needs_may_be_missing() -> None:
    assert ("x", "missing_column") not in feed(table(REFERENCE), table(number("y", EVEN)), columns=["y"])


def test_an_extra_column_warns_unless_the_contract_knows_it() -> None:
    before, now = table(number("y", [12_500] * 4)), table(number("y", EVEN), number("x", EVEN))
    assert feed(before, now)["x", "extra_column"].health == "warning"
    assert ("x", "extra_column") not in feed(before, now, contract=contract(type="number"))


def test_another_type_breaks_the_feed() -> None:
    now = levels("x", {"1,5": 600, "2,5": 400})
    assert told(REFERENCE, now) == {"type": "alarm"}
    assert told(REFERENCE, now, contract=contract(type="number")) == {"type": "alarm"}
    assert told(REFERENCE, now, contract=contract(type="string")) == {}


def test_a_column_without_values_has_lost_them_and_not_its_type() -> None:
    assert told(REFERENCE, levels("x", {}, missing=1_000)) == {"missing_share": "alarm"}


@pytest.mark.parametrize(
    ("before", "now", "health"),
    [
        (0, 10, {}),
        (0, 30, {"missing_share": "warning"}),
        (0, 100, {"missing_share": "alarm"}),
        (10_000, 170, {}),
        (10_000, 0, {}),
        (10_000, 320, {"missing_share": "warning"}),
        (10_000, 500, {"missing_share": "alarm"}),
    ],
)
def test_more_missing_values_than_before_are_told(before: int, now: int, health: dict[str, str]) -> None:
    held, left = (50_000 - before) // 4, (1_000 - now) // 4
    reference = number("x", [held] * 4, missing=50_000 - 4 * held)
    assert told(reference, number("x", [left] * 4, missing=1_000 - 4 * left)) == health


def test_new_levels_are_told() -> None:
    known = levels("x", {"a": 30_000, "b": 20_000})
    assert told(known, levels("x", {"a": 595, "b": 400}, other=5)) == {}
    assert told(known, levels("x", {"a": 560, "b": 400}, other=40)) == {"unseen_share": "warning"}
    assert told(known, levels("x", {"a": 500, "b": 400}, other=100)) == {"unseen_share": "alarm"}


def test_levels_that_are_listed_only_in_the_window_are_new() -> None:
    now = levels("x", {"a": 500, "z": 500})
    assert told(levels("x", {"a": 30_000, "b": 20_000}), now) == {"unseen_share": "alarm"}


def test_a_few_rows_are_not_judged_column_by_column() -> None:
    found = feed(table(REFERENCE), table(number("x", [1] * 4, missing=90)))
    assert found["x", "missing_share"].health == "insufficient data"
    assert found["x", "missing_share"].reason == "94 rows, fewer than 500"


@pytest.mark.parametrize(
    ("quantiles", "extremes", "expected"),
    [
        (HARD, (0.0, 3.0), 0),
        (HARD, (-1.0, 3.0), 1),
        (HARD, (-1.0, 4.0), 2),
        (LOOSE, (-10.0, 10.0), 0),
        (LOOSE, (-30.0, 999.0), 2),
        ((), (-30.0, 999.0), 0),
    ],
)
def test_values_beyond_a_hard_bound_or_far_beyond_a_loose_one_warn(
    quantiles: tuple[tuple[float, float], ...], extremes: tuple[float, float], expected: int
) -> None:
    before, now = (
        table(number("x", [12_500] * 4, quantiles=quantiles)),
        table(number("x", EVEN, minimum=extremes[0], maximum=extremes[1])),
    )
    found = feed_signals(before, now, columns=["x"], contract=Contract(), minimum_rows=1)
    assert [one.health for one in found if one.method == "range"] == ["warning"] * expected


def test_what_the_contract_bounds_is_its_matter() -> None:
    before = number("x", [12_500] * 4, quantiles=HARD)
    now = number("x", EVEN, minimum=-5.0, maximum=9.0)
    assert told(before, now) == {"range": "warning"}
    assert told(before, now, contract=contract(min=-9, max=9)) == {}


def test_a_column_that_stands_still_warns_where_chance_would_not_do_that() -> None:
    assert told(REFERENCE, number("x", [0, 1_000, 0, 0])) == {"constant": "warning"}
    rare = levels("x", {"no": 49_900, "yes": 100})
    assert told(rare, levels("x", {"no": 30, "yes": 0}, distinct=1), minimum_rows=1) == {}
    assert told(number("x", [50_000]), number("x", [1_000])) == {}


@pytest.mark.parametrize(
    ("rows", "health"),
    [(1_000, "ok"), (1_200, "ok"), (1_400, "warning"), (2_000, "alarm"), (700, "warning"), (500, "alarm")],
)
def test_volume_is_held_against_other_windows(rows: int, health: str) -> None:
    usual = [980, 1_020, 1_000, 990, 1_010, 1_000]
    found = feed(table(REFERENCE), table(number("x", [rows // 4] * 4)), usual_rows=usual)
    assert found["rows", "volume"].health == health


def test_volume_that_always_varied_may_vary() -> None:
    found = feed(table(REFERENCE), table(number("x", [500] * 4)), usual_rows=[400, 2_100, 900, 1_500, 600, 1_000])
    assert found["rows", "volume"].health == "ok"


def test_volume_is_not_judged_from_two_windows() -> None:
    found = feed(table(REFERENCE), table(number("x", EVEN)), usual_rows=[1_000, 1_000])
    assert found["rows", "volume"].health == "insufficient data"


@pytest.mark.parametrize("now", [table(), table(number("x", [0] * 4))])
def test_of_an_empty_window_only_the_volume_is_judged(now: TableProfile) -> None:
    found = feed(table(REFERENCE), now, usual_rows=[1_000] * 5)
    assert {key: one.health for key, one in found.items()} == {
        ("rows", "volume"): "alarm",
        ("rows", "rejected_share"): "insufficient data",
    }


def test_more_rejected_rows_than_the_contract_bears_break_the_feed() -> None:
    before, now = table(REFERENCE), table(number("x", EVEN))
    assert feed(before, now, rejected=12)["rows", "rejected_share"].health == "ok"
    assert feed(before, now, rejected=60)["rows", "rejected_share"].health == "alarm"
    assert feed(before, table(number("x", [0] * 4)), rejected=60)["rows", "rejected_share"].health == "alarm"


def test_rejected_rows_arrived_and_count_in_the_volume() -> None:
    found = feed(table(REFERENCE), table(number("x", EVEN)), rejected=60, usual_rows=[1_000] * 5)
    assert found["rows", "volume"].rows == 1_060


@pytest.mark.parametrize(("on_it", "expected"), [(24, {}), (25, {"range": "warning"})])
def test_an_extreme_on_which_few_rows_lie_is_no_hard_bound_however_great_their_share(
    on_it: int, expected: dict[str, str]
) -> None:
    """Five of five hundred counts are 9, and none is less: that 7 comes later is no news."""
    quantiles = ((0.01, 9.0), (0.05, 9.0 if on_it >= 25 else 10.0), (0.5, 20.0), (0.95, 30.0), (0.99, 33.0))
    before = number("x", [0] * 9 + [on_it] + [0] * 10 + [500 - on_it], quantiles=quantiles)
    now = number("x", [0] * 7 + [1] + [0] * 12 + [499])
    assert {name: health for name, health in told(before, now).items() if name == "range"} == expected
