"""One window of production, from rows of the log to figures and a card."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.core.errors import DataError, UseCaseError
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.monitoring.due import Look
from mlops_mlflow.core.monitoring.outputs import DECISION, SCORE, outputs_profile
from mlops_mlflow.core.monitoring.reference import reference_performance
from mlops_mlflow.core.monitoring.windows import Calendar, Window
from mlops_mlflow.core.records import Artifact, Metric, Param, Tag
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.engines.inference_log import LogWriter, Origin, select_window
from mlops_mlflow.engines.profile import profile
from mlops_mlflow.stages.monitor import Inputs, Output, Reference, card, overview, run, series, table
from mlops_mlflow.stages.monitor.run import metric_name

USE_CASE = """
version: 1
use_case: parcels
question: Which parcels will be late?
owners: {business: owner@example.com, technical: team@example.com}
card: {intended_use: Tests., examples: EXAMPLES}
entity_key: parcel
event_time: {column: sent, zone: UTC}
labels: {source: rows, delay: P2D}
sources: {rows: {path: rows.csv}}
target: {column: late, positive: 1}
value: {unit: EUR, true_positive: 10, false_positive: -2}
contract: {quarantine_at_most: 0.05}
candidates: {logistic: {estimator: sklearn.linear_model.LogisticRegression}}
success: [{metric: roc_auc, at_least: 0.6}]
monitoring:
  window: P1D
  minimum_rows: 100
  slices: [city]
  alarm: [{metric: roc_auc, falls_by: 0.1, below: reference}]
"""
WINDOW = Calendar(timedelta(days=1), "UTC").labelled("2024-03-01")
ROWS = 600


def rows(count: int = ROWS, *, seed: int = 1, weight: float = 0.0) -> pd.DataFrame:
    """Parcels; lateness follows what the model says of them."""
    random = np.random.default_rng(seed)
    score = random.beta(2, 3, count)
    return pd.DataFrame(
        {
            "parcel": [f"P{number}" for number in range(count)],
            "weight": random.normal(weight, 1, count),
            "city": random.choice(["Bonn", "Köln"], count),
            "score": score,
            "late": (random.random(count) < score).astype(int),
        }
    )


class Scene:
    """A version with its reference, and a window of what it scored."""

    def __init__(self, folder: Path, *, examples: bool = True) -> None:
        self.folder = folder
        self.spec = parse_use_case(USE_CASE.replace("EXAMPLES", str(examples).lower()), file="usecase.yaml")
        before, train = rows(5000, seed=0), folder / "train.parquet"
        before[["weight", "city"]].to_parquet(train)
        said = self.said(before)
        known = profile(train, target=None, event_time=None)
        known = replace(known, columns=(*known.columns, *outputs_profile(said).columns))
        performance = reference_performance(
            said,
            np.arange(5000) % 25,
            "day",
            metrics=["roc_auc", "value_per_row"],
            slices=[],
            slice_metrics=["roc_auc"],
            seed=1,
        )
        takes: dict[str, Any] = {"weight": "number", "city": "string"}
        weights = {"weight": 1.0, "city": 0.5}
        self.reference = Reference("parcels", "3", takes, known, (SCORE, DECISION), weights, performance)
        self.records: list[Any] = []

    def said(self, table: pd.DataFrame) -> Predictions:
        """What the model says of rows."""
        score = table["score"].to_numpy()
        scores, late = np.column_stack([1 - score, score]), table["late"].to_numpy()
        return Predictions("binary", late, (score > 0.5).astype(int), scores, ("0", "1"), self.spec.value)

    def inputs(self, scored: pd.DataFrame | None, *, labels: pd.DataFrame | None = None, **more: Any) -> Inputs:
        """A window with these rows; those without a score are rejected."""
        log = self.folder / "log"
        if scored is not None and len(scored):
            kinds = {"weight": pa.float64(), "city": pa.string()}
            score = scored["score"].to_numpy()
            with LogWriter(
                log, "job", Origin("parcels", "3", "batch", WINDOW.end), inputs=kinds, classes=("0", "1")
            ) as to:
                to.write(
                    np.arange(len(scored)),
                    scored[["weight", "city"]],
                    keys=scored["parcel"],
                    event_times=np.full(len(scored), np.datetime64("2024-03-01T12:00", "us"))
                    + np.arange(len(scored)).astype("timedelta64[s]"),
                    predictions=np.where(score > 0.5, "1", "0"),
                    probabilities=np.column_stack([1 - score, score]),
                    reasons=["weight: too great" if np.isnan(one) else None for one in score],
                )
        found = select_window(
            log, model="parcels", version="3", begin=WINDOW.begin, end=WINDOW.end, out=self.folder / "rows.parquet"
        )
        outcomes = None
        if labels is not None:
            outcomes = self.folder / "labels.parquet"
            pq.write_table(pa.table({"key": labels["parcel"].tolist(), "actual": labels["late"].tolist()}), outcomes)
        known: dict[str, Any] = {
            "previous": None,
            "usual": (),
            "closed": labels is not None,
            "skipped": (),
            "duplicates": 0,
            "report": False,
        }
        return Inputs(
            self.spec, WINDOW, found.path, self.reference, labels=outcomes, scratch=self.folder, **(known | more)
        )

    def look(self, scored: pd.DataFrame | None = None, **more: Any) -> tuple[Inputs, Output]:
        """Look at the window, and keep its records."""
        inputs = self.inputs(scored, **more)
        return inputs, run(inputs, self.records.append)

    def of(self, kind: type) -> list[Any]:
        """Records of a kind."""
        return [one for one in self.records if isinstance(one, kind)]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def signal(output: Output, kind: str, subject: str, method: str = "") -> Any:
    (found,) = (
        one for one in output.signals if (one.kind, one.subject) == (kind, subject) and method in ("", one.method)
    )
    return found


def test_a_quiet_window_tells_rows_distances_and_health(scene: Scene) -> None:
    inputs, output = scene.look(rows())
    assert (output.health, output.scored, output.rejected, output.labels) == ("ok", ROWS, 0, None)
    metrics = {one.name: one.value for one in scene.of(Metric)}
    assert metrics == series(output)
    assert {"rows", "rows_rejected", "health", "drifted_columns", "drift/weight", "drift/city"} <= metrics.keys()
    assert metrics["drift/_score_"] == signal(output, "score", SCORE).statistic
    assert {one.name: one.value for one in scene.of(Param)} == {
        "window": "2024-03-01",
        "begin": "2024-03-01T00:00:00+00:00",
        "end": "2024-03-02T00:00:00+00:00",
        "version": "3",
    }
    assert {one.name: one.value for one in scene.of(Tag)} == {"mlops.health": "ok", "mlops.blocks_retraining": "no"}
    files = {one.path: one.content for one in scene.of(Artifact)}
    assert files.keys() == {"profile.json", "signals.csv"}
    assert len(pd.read_csv(io.StringIO(files["signals.csv"]))) == len(output.signals) == len(table(output))
    assert card(inputs, output).headline == "600 rows, nothing out of the ordinary; labels are not complete yet"


def test_a_quiet_window_imports_no_evidently(tmp_path: Path) -> None:
    """In a process of its own, for other tests may have imported it."""
    import subprocess

    script = (
        "import sys; sys.path[:0] = sys.argv[2:]; from pathlib import Path; import test_monitor_window as own; "
        "_, output = own.Scene(Path(sys.argv[1])).look(own.rows()); "
        "print(output.health, [name for name in sys.modules if name.startswith('evidently')])"
    )
    here = Path(__file__).parent
    ended = subprocess.run(
        [sys.executable, "-c", script, tmp_path, here, here.parents[1], here.parents[2]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split("\n")[-2] == "ok []"


def test_with_labels_performance_is_judged_and_value_told(scene: Scene, page: Callable[[Card], str]) -> None:
    good = rows()
    inputs, output = scene.look(good, labels=good)
    assert output.labels is not None
    assert (output.labels.rows, output.labels.coverage) == (ROWS, 1.0)
    assert signal(output, "performance", "roc_auc").health == "ok"
    assert series(output)["coverage"] == 1.0
    assert {"roc_auc", "value_per_row"} <= series(output).keys()
    assert [(one.column, one.value) for one in output.labels.slices] == [("city", "Bonn"), ("city", "Köln")]
    html = page(card(inputs, output))
    assert "Predictions were worth" in html
    assert "EUR" in html


def test_a_real_loss_alarms_comes_first_and_outranks_drift(scene: Scene, page: Callable[[Card], str]) -> None:
    bad = rows(weight=3.0)
    inputs, output = scene.look(bad, labels=bad.assign(late=1 - bad["late"]))
    assert output.health == "alarm"
    assert signal(output, "performance", "roc_auc").health == "alarm"
    assert signal(output, "drift", "weight").health == "warning"
    drawn = card(inputs, output)
    assert drawn.headline.startswith("**roc_auc**: ")
    assert drawn.word == "alarm"
    assert "The loss is real" in page(drawn)
    assert not output.blocks_retraining


def test_drift_before_labels_alarms_and_says_that_labels_decide(scene: Scene, page: Callable[[Card], str]) -> None:
    inputs, output = scene.look(rows(weight=3.0))
    assert (output.health, signal(output, "drift", "weight").health) == ("alarm", "alarm")
    drawn = card(inputs, output)
    assert drawn.headline.startswith("**drift of weight**")
    html = page(drawn)
    assert "labels decide" in html
    assert "Labels are complete on 2024-03-04 00:00 UTC" in html
    assert "evidently.html is Evidently" in html


def test_a_broken_feed_blocks_retraining(scene: Scene, page: Callable[[Card], str]) -> None:
    inputs, output = scene.look(rows().assign(weight=np.nan))
    assert signal(output, "feed", "weight", "missing_share").health == "alarm"
    assert output.blocks_retraining
    assert "mlops.blocks_retraining" in {one.name for one in scene.of(Tag) if one.value == "yes"}
    html = page(card(inputs, output))
    assert "The feed is broken" in html
    assert "weight" in html


def test_rejected_rows_count_and_too_many_are_an_alarm(scene: Scene) -> None:
    some = rows()
    some.loc[:99, "score"] = np.nan
    _, output = scene.look(some)
    assert (output.scored, output.rejected) == (ROWS - 100, 100)
    assert signal(output, "feed", "rows", "rejected_share").health == "alarm"
    assert series(output)["rows_rejected"] == 100


def test_a_small_window_has_insufficient_data_and_no_number_for_health(scene: Scene) -> None:
    _, output = scene.look(rows(50))
    assert (output.health, output.blocks_retraining) == ("insufficient data", False)
    assert "health" not in series(output)


@pytest.mark.parametrize("usual", [(), (600, 610, 590, 605)])
def test_an_empty_window_alarms_where_rows_are_usual(
    scene: Scene, usual: tuple[int, ...], page: Callable[[Card], str]
) -> None:
    inputs, output = scene.look(usual=usual)
    assert output.health == ("alarm" if usual else "insufficient data")
    assert (output.scored, series(output)["rows"]) == (0, 0.0)
    drawn = card(inputs, output)
    assert drawn.headline == "No row was scored in this window"
    page(drawn)


def test_an_empty_window_that_is_closed_does_not_deny_that_there_are_labels(
    scene: Scene, page: Callable[[Card], str]
) -> None:
    inputs, output = scene.look(labels=rows(3))
    html = page(card(inputs, output))
    assert "there is nothing to judge" in html
    assert "has no `labels`" not in html
    assert "has no <code>labels" not in html


def test_the_window_before_is_compared_with(scene: Scene) -> None:
    _, first = scene.look(rows())
    _, second = scene.look(rows(weight=1.0, seed=2), previous=first.profile)
    assert signal(second, "change", "weight").health == "warning"
    assert not [one for one in first.signals if one.kind == "change"]


def test_what_could_not_be_read_is_told(scene: Scene, page: Callable[[Card], str]) -> None:
    html = page(card(*scene.look(rows(), skipped=("a.parquet: torn",), duplicates=7)))
    assert "a.parquet: torn" in html
    assert "logged twice" in html


@pytest.mark.parametrize("late", ["maybe", 7, None])
def test_outcomes_that_the_model_does_not_know_are_left_out(scene: Scene, late: Any) -> None:
    some = rows().astype({"late": object})
    some.loc[:99, "late"] = late
    labels = some.assign(late=[None if one is None else str(one) for one in some["late"]])
    _, output = scene.look(rows(), labels=labels)
    assert output.labels is not None
    assert output.labels.rows == ROWS - 100
    assert output.labels.strange == (0 if late is None else 100)


def test_outcomes_none_of_which_is_known_are_an_error(scene: Scene) -> None:
    with pytest.raises(DataError, match="no outcome in `late` is one that the model knows") as caught:
        scene.look(rows(), labels=rows().assign(late="maybe"))
    assert "one of 0, 1" in str(caught.value)


@pytest.mark.parametrize("kind", [float, bool, str])
def test_outcomes_of_a_type_that_means_the_same_are_known(scene: Scene, kind: type) -> None:
    good = rows()
    labels = good.assign(late=good["late"].astype(int if kind is bool else kind))
    _, output = scene.look(good, labels=labels)
    assert output.labels is not None
    assert (output.labels.rows, output.labels.strange) == (ROWS, 0)


def test_without_evidently_the_window_stands_unless_the_report_was_asked_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "evidently", None)
    bad = rows(weight=3.0)
    _, output = scene.look(bad)
    assert (output.health, output.drill_down.startswith("Evidently is not installed")) == ("alarm", True)
    with pytest.raises(UseCaseError, match="Evidently is not installed"):
        scene.look(bad, report=True)


def test_where_values_may_not_be_shown_there_is_no_report_and_no_value(
    tmp_path: Path, page: Callable[[Card], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(*given: Any, **named: Any) -> Any:
        raise AssertionError("it shows values of rows")

    monkeypatch.setattr(sys.modules["mlops_mlflow.stages.monitor.run"], "report", drawn)
    scene = Scene(tmp_path, examples=False)
    odd = rows().assign(city="Bonn")
    odd.loc[0, "weight"] = 987_654.25
    inputs, output = scene.look(odd, report=True)
    told = signal(output, "feed", "weight", "range")
    assert (told.health, told.statistic) == ("warning", None)
    html = page(card(inputs, output))
    assert "987" not in html + table(output).to_csv()
    assert "Köln" not in html
    assert "no drill-down report" in html


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("drift/a b", "drift/a b"),
        ("drift/(score)", "drift/_score_"),
        ("drift/x[1], 5 %", "drift/x_1__ 5 _"),
        ("\u00e9" * 300, "\u00e9" * 200),
    ],
)
def test_names_of_metrics_are_such_as_mlflow_takes(name: str, expected: str) -> None:
    from mlflow.utils.validation import _validate_metric_name

    assert metric_name(name) == expected
    _validate_metric_name(expected)


# The overview


def looks(count: int, health: Any = "ok") -> tuple[dict[int, Look], dict[int, dict[str, float]]]:
    days = [WINDOW.begin + timedelta(days=number) for number in range(count + 1)]
    found = {
        number: Look(
            Window(number, f"{days[number]:%Y-%m-%d}", days[number], days[number + 1]),
            f"run {number}",
            number < count - 1,
            100,
            health,
            "**roc_auc**: as it was",
        )
        for number in range(count)
    }
    figures = {
        number: {"rows": 100.0, "roc_auc": 0.8, "value_per_row": 1.0, "coverage": 0.9, "drift/weight": 0.05}
        for number in range(count)
    }
    return found, figures


def test_the_overview_lists_windows_the_newest_first_and_draws_their_course(
    scene: Scene, page: Callable[[Card], str]
) -> None:
    drawn = overview(scene.spec, scene.reference, *looks(5), "ok")
    html = page(drawn)
    assert html.index("2024-03-05") < html.rindex("2024-03-01")
    assert dict(drawn.facts) == {"windows": 5, "alarms": 0, "wait for labels": 1}
    assert "2024-03-05" in drawn.headline
    for name in ("roc_auc", "value_per_row", "weight"):
        assert name in html


@pytest.mark.parametrize("count", [0, 1, 2, 400])
def test_the_overview_is_drawn_of_none_one_and_very_many_windows(
    scene: Scene, page: Callable[[Card], str], count: int
) -> None:
    html = page(overview(scene.spec, scene.reference, *looks(count, "alarm"), "alarm"))
    assert ("No window is over yet" in html) == (count == 0)


def test_the_overview_stands_without_any_figure_or_performance(scene: Scene, page: Callable[[Card], str]) -> None:
    found, figures = looks(3, "insufficient data")
    bare = replace(scene.reference, performance=None, importances={}, outputs=())
    page(overview(scene.spec, bare, found, {number: {} for number in figures}, "insufficient data"))


def test_times_of_the_card_are_of_the_window(scene: Scene, page: Callable[[Card], str]) -> None:
    assert WINDOW.begin == datetime(2024, 3, 1, tzinfo=UTC)
    assert "2024-03-02 00:00 UTC, which belongs to the next" in page(card(*scene.look(rows())))
