"""Bounds of every kind of metric, alone, by slice and against another model; which rows a champion may be judged on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import problem

from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.splits import assign, plan_split
from mlops_mlflow.core.usecase.success import Criterion, MetricRequirement
from mlops_mlflow.engines.digest import row_positions
from mlops_mlflow.learning.problem import Problem
from mlops_mlflow.stages.validate.criteria import Measured
from mlops_mlflow.stages.validate.requirements import judge_bound
from mlops_mlflow.stages.validate.run import _unseen

ROWS = 400


def measured(**changes: Any) -> Measured:
    """A model that is right in every second group and wrong in the others."""
    draw = np.random.default_rng(0)
    actual, group = draw.integers(0, 2, ROWS), np.repeat(["a", "b"], ROWS // 2)
    decided = np.where(group == "a", actual, 1 - actual)
    scores = np.column_stack([1 - decided, decided]).astype(float)
    made = Predictions("binary", actual, decided, scores, ("0", "1"))
    given: dict[str, Any] = {
        "chosen": made,
        "baseline": made,
        "champion": None,
        "champion_silent": "",
        "about": pd.DataFrame({"group": group}),
        "blocks": np.arange(ROWS),
        "seed": 0,
        "technical": {"model_size_mb": 1.0, "training_seconds": 1.0},
    }
    return Measured(**{**given, **changes})


def judged(bound: Any, of: Measured | None = None) -> Any:
    ticks = iter(np.arange(10_000) * 0.001)
    return judge_bound(bound, of or measured(), lambda _: None, pd.DataFrame({"x": range(9)}), lambda: next(ticks))  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("kind", [Criterion, MetricRequirement])
def test_criteria_and_requirements_judge_every_kind_of_metric(kind: Any) -> None:
    assert judged(kind(metric="latency_p95_ms", at_most=2)).outcome == "passed"
    assert judged(kind(metric="model_size_mb", at_most=0.5)).outcome == "failed"
    assert judged(kind(metric="accuracy", at_least=0.4)).outcome == "passed"
    uneven = judged(kind(metric="equalized_odds_difference", at_most=0.5, by="group"))
    assert (uneven.outcome, uneven.figure) == ("failed", 1.0)


@pytest.mark.parametrize("kind", [Criterion, MetricRequirement])
def test_a_bound_by_slice_is_judged_in_the_weakest(kind: Any) -> None:
    found = judged(kind(metric="accuracy", at_least=0.4, by="group"))
    assert (found.outcome, found.figure, found.rows) == ("failed", 0.0, ROWS // 2)
    assert "is b" in found.reason


def test_a_group_without_an_outcome_leaves_its_rates_unknown() -> None:
    of = measured()
    blank = replace(of.chosen, actual=np.where(of.about["group"] == "a", 0, of.chosen.actual))
    found = judged(
        MetricRequirement(metric="equalized_odds_difference", at_most=0.5, by="group"), replace(of, chosen=blank)
    )
    assert found.outcome == "unknown"
    assert "group is a" in found.reason


def test_lower_is_better_against_the_baseline_keeps_its_sign() -> None:
    of = measured()
    worse = replace(of.chosen, decided=np.zeros(ROWS, dtype=int), scores=np.full((ROWS, 2), 0.5))
    found = judged(Criterion(metric="brier_score", at_most=0.0, against="baseline"), replace(of, baseline=worse))
    assert (found.figure, found.outcome) == (pytest.approx(0.25), "failed"), "half of its rows are wholly wrong"


def table(rows: int = 600) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    return pd.DataFrame({"x": draw.random(rows), "late": draw.integers(0, 2, rows)})


def case(folder: Path, frame: pd.DataFrame) -> Problem:
    folder.mkdir()
    return problem(folder, frame, target={"column": "late"})


def planned(of: Problem, columns: list[str] | None) -> tuple[Any, Any]:
    places = row_positions(of.path, columns, seed=0)
    plan = plan_split(of.spec.split, places, seed=0, columns=columns)
    return plan, assign(plan, places)


def test_rows_of_a_champion_are_known_again_where_the_dataset_has_won_a_column(tmp_path: Path) -> None:
    old, new = case(tmp_path / "old", table()), case(tmp_path / "new", table().assign(y=1.5))
    plan, parts = planned(old, ["late", "x"])
    rows = new.rows("test")
    fresh = _unseen(new, plan, rows)
    assert fresh is not None
    assert len(fresh)
    assert (parts[rows.numbers[fresh]] == 2).all()


@pytest.mark.parametrize("columns", [["gone", "x"], None])
def test_rows_of_a_champion_that_hashed_other_columns_cannot_be_told(tmp_path: Path, columns: Any) -> None:
    new = case(tmp_path / "new", table())
    plan = replace(planned(new, ["late", "x"])[0], columns=columns and tuple(columns))
    assert _unseen(new, plan, new.rows("test")) is None
