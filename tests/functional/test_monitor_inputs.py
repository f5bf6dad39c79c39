"""Windows that drift tools stumble over end as finished runs with a health for each column, drawn ones too.

The cases are those on which Evidently 0.7.23 raises, loses a column without a word, or raises a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from watched import FIRST, Watched, to_score

TAKES = ("age", "channel", "due", "opened", "plan", "words")
Change = Callable[[pd.DataFrame], pd.DataFrame]


def many(table: pd.DataFrame) -> pd.DataFrame:
    """5,000 rows, each with a plan of its own."""
    more = pd.concat([table] * 30, ignore_index=True)[:5000]
    return more.assign(plan=[f"plan {number}" for number in range(5000)])


CASES: dict[str, tuple[Change, dict[tuple[str, str], str]]] = {
    "as usual": (lambda table: table, {("drift", "age"): "ok", ("feed", "plan"): "ok"}),
    "all null": (
        lambda table: table.assign(age=pd.Series(np.nan, index=table.index, dtype=float)),
        {("drift", "age"): "insufficient data", ("feed", "age"): "alarm"},
    ),
    "all null of no type": (
        lambda table: table.assign(plan=pd.Series([None] * len(table), dtype=object)),
        {("drift", "plan"): "insufficient data", ("feed", "plan"): "alarm"},
    ),
    "60 % null": (
        lambda table: table.assign(age=table["age"].astype(float).mask(table.index % 5 < 3)),
        {("drift", "age"): "ok", ("feed", "age"): "alarm"},
    ),
    "missing column": (
        lambda table: table.drop(columns="age"),
        {("drift", "age"): "insufficient data", ("feed", "age"): "alarm"},
    ),
    "extra column": (lambda table: table.assign(mood="fine"), {("feed", "mood"): "warning"}),
    "5,000 levels": (many, {("drift", "plan"): "warning", ("feed", "plan"): "alarm"}),
    "constant column": (lambda table: table.assign(age=30), {("feed", "age"): "warning", ("drift", "age"): "warning"}),
    "nullable integers": (
        lambda table: table.assign(age=table["age"].astype("Int64").mask(table.index == 3)),
        {("drift", "age"): "ok", ("feed", "age"): "ok"},
    ),
    "unsigned integers": (
        lambda table: table.assign(age=table["age"].astype("uint8")),
        {("drift", "age"): "ok", ("feed", "age"): "ok"},
    ),
    "numbers as texts": (
        lambda table: table.assign(age=table["age"].map(lambda age: f"{age} years")),
        {("feed", "age"): "alarm", ("drift", "age"): "insufficient data"},
    ),
    "one class only": (lambda table: table, {("score", "(decision)"): "warning", ("score", "(score)"): "warning"}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_column_has_a_health_and_the_report_is_drawn(fresh: Watched, tmp_path: Path, case: str) -> None:
    watched = fresh.copied(tmp_path / "copy")
    change, expected = CASES[case]
    rows = change(to_score(FIRST, FIRST + pd.Timedelta(weeks=1)))
    watched.log_rows(rows, np.full(len(rows), 0.9) if case == "one class only" else None)
    (one,) = watched.monitor("2024-02-29", report=True).looked
    assert one.rows == len(rows)
    assert watched.parent.info.status == "FINISHED"
    found = watched.health("2024-W08")
    assert {name for kind, name in found if kind == "drift"} == set(TAKES)
    assert {key: found.get(key) for key in expected} == {
        key: health if found.get(key) != "alarm" or health != "warning" else "alarm" for key, health in expected.items()
    }
    report = Path(watched.file("2024-W08", "evidently.html")).read_text()
    assert len(report) > 1_000_000
    assert "channel" in report


def test_a_report_that_nobody_asked_for_and_that_fails_leaves_the_window_whole(
    scored: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import evidently

    def broken(*given: object, **named: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(evidently, "Report", broken)
    watched = scored.copied(tmp_path / "copy")
    found = watched.monitor("2024-03-21").looked
    assert found[-1].health == "alarm"
    card = Path(watched.file(found[-1].window.label, "card.html")).read_text()
    assert "Evidently could not draw the drill-down report: ZeroDivisionError" in card
