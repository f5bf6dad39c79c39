"""Look at one window of production: does the feed hold, has it drifted, how good were the predictions?"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.errors import DataError, MlopsError
from mlops_mlflow.core.metrics.catalogue import DEFAULT_METRIC, quality_metrics
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.monitoring.drift import drift_signals
from mlops_mlflow.core.monitoring.feed import feed_signals
from mlops_mlflow.core.monitoring.health import Signal, blocks_retraining, outranked, overall
from mlops_mlflow.core.monitoring.outputs import DECISION, SCORE
from mlops_mlflow.core.monitoring.performance import Labelled, Performance, judge_performance
from mlops_mlflow.core.monitoring.reference import Slice
from mlops_mlflow.core.records import Artifact, Emit, Metric, Param, Tag
from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.core.usecase.operation import Monitoring
from mlops_mlflow.engines.logged import Outcomes, as_table, count, join_outcomes
from mlops_mlflow.engines.profile import profile
from mlops_mlflow.learning.problem import DAY, ROW, slice_rows
from mlops_mlflow.stages.monitor.drilldown import FILE, report
from mlops_mlflow.stages.monitor.job import Inputs, Labels, Output

LEVELS = {"ok": 0, "warning": 1, "alarm": 2}
"""Health as a number, so that it can be drawn over time; nothing where data did not suffice."""
WHOLE = re.compile(r"-?\d+\.0")
DRIFT = "drift/"
"""Before the name of a column: the metric that is its distance to the reference."""


def run(inputs: Inputs, emit: Emit) -> Output:
    """Judge the feed, then drift, then, once labels are complete, performance."""
    settings, reference = _settings(inputs), inputs.reference
    counts = count(inputs.rows)
    table_file = inputs.scratch / "window.parquet"
    as_table(inputs.rows, reference.takes, score=SCORE, decision=DECISION, out=table_file)
    seen = profile(table_file, target=None, event_time=None, reference=reference.profile)
    arrived = replace(seen, columns=tuple(one for one in seen.columns if one.name not in (SCORE, DECISION)))
    signals = [
        *feed_signals(
            reference.profile,
            arrived,
            columns=[*reference.takes],
            contract=inputs.spec.contract,
            minimum_rows=settings.minimum_rows,
            usual_rows=inputs.usual,
            rejected=counts.rejected,
        ),
        *drift_signals(
            reference.profile,
            seen,
            importances={name: reference.importances.get(name, 0.0) for name in reference.takes},
            outputs=reference.outputs,
            minimum_rows=settings.minimum_rows,
            previous=inputs.previous,
        ),
    ]
    if not inputs.spec.card.examples:
        signals = [_hidden(one) for one in signals]
    labels = None
    if inputs.labels is not None and counts.scored:
        found = _outcomes(inputs)
        rows, made = _predictions(inputs, found)
        performance = _judged(inputs, rows, made, counts.scored)
        signals = [*outranked([*signals, *performance.signals])]
        labels = Labels(
            len(rows),
            len(rows) / counts.scored,
            found.unknown,
            found.repeated,
            len(found.rows) - len(rows),
            performance.figures,
            performance.slices,
        )
    health = overall(signals)
    if health == "ok" and counts.scored < settings.minimum_rows:
        health = "insufficient data"
    close = inputs.report or health == "alarm"
    note = _drill_down(inputs, table_file, counts.scored, emit) if close and counts.scored else ""
    output = Output(
        health, tuple(signals), counts.scored, counts.rejected, seen, labels, blocks_retraining(signals), note
    )
    _log(inputs, output, emit)
    return output


def _hidden(one: Signal) -> Signal:
    """The same without values of rows, which only this method tells."""
    if one.method != "range":
        return one
    return replace(one, statistic=None, limit=None, reason="values are far beyond those of the reference")


def _drill_down(inputs: Inputs, window: Path, rows: int, emit: Emit) -> str:
    """Let Evidently draw the window: what is to be said of that. Where it fails unasked, the window stands without."""
    if not inputs.spec.card.examples:
        return "There is no drill-down report: it shows values of rows, which `card.examples: false` forbids."
    try:
        page, left_out = report(window, rows, inputs.reference.profile, seed=inputs.spec.seed)
    except MlopsError:
        if inputs.report:
            raise
        return "Evidently is not installed, so there is no drill-down report (the extra `evidently`)."
    except Exception as error:  # noqa: BLE001  # Evidently's own; whatever it is, the figures do not depend on it
        return f"Evidently could not draw the drill-down report: {type(error).__name__}: {error}"
    emit(Artifact(FILE, page))
    told = "; ".join(f"{name}: {why}" for name, why in left_out.items())
    return f"{FILE} is Evidently's drill-down of a sample{f', without {told}' if told else ''}."


def series(output: Output) -> dict[str, float]:
    """Figures of a window by name of metric, as they are drawn over time."""
    told = {"rows": float(output.scored), "rows_rejected": float(output.rejected)}
    if output.health in LEVELS:
        told |= {"health": float(LEVELS[output.health])}
    if output.labels is not None:
        told |= {"coverage": output.labels.coverage}
        told |= {name: one.figure for name, one in output.labels.figures.items() if one.figure is not None}
    drift = [one for one in output.of("drift") if one.statistic is not None]
    if drift:
        told["drifted_columns"] = float(sum(one.health in ("warning", "alarm") for one in drift))
    for one in (*drift, *output.of("score")):
        if one.statistic is not None:
            told[metric_name(DRIFT + one.subject)] = one.statistic
    return {name: value for name, value in told.items() if math.isfinite(value)}


def metric_name(text: str) -> str:
    """A name that MLflow takes for a metric: what it does not know becomes an underscore."""
    return "".join(one if one.isalnum() or one in "_-. /" else "_" for one in text)[:200]


def _settings(inputs: Inputs) -> Monitoring:
    """What the use case says about monitoring; whoever plans windows has checked that it does."""
    settings = inputs.spec.monitoring
    if settings is None:
        raise ValueError(f"{inputs.spec.use_case} has no section `monitoring`")
    return settings


def _outcomes(inputs: Inputs) -> Outcomes:
    if inputs.labels is None:
        raise ValueError("the window waits for its labels")
    window, group = inputs.window, [inputs.spec.split.group] if inputs.spec.split.group else []
    also = list(dict.fromkeys([*_slices(inputs), *group]))
    return join_outcomes(inputs.rows, inputs.labels, begin=window.begin, end=window.end, also=also)


def _slices(inputs: Inputs) -> tuple[str, ...]:
    return _settings(inputs).slices or inputs.spec.evaluation.slices


def _judged(inputs: Inputs, rows: pd.DataFrame, made: Predictions, scored: int) -> Performance:
    spec, settings = inputs.spec, _settings(inputs)
    metrics = [*quality_metrics(made.task), *(["value_per_row"] if spec.value else [])]
    asked = [one.metric for one in settings.alarm]
    slices = list(_sliced(inputs, rows))
    return judge_performance(
        settings.alarm,
        Labelled(made, _blocks(inputs, rows), slices, scored),
        inputs.reference.performance,
        metrics=list(dict.fromkeys([*metrics, *asked])),
        slice_metrics=list(dict.fromkeys([*asked, DEFAULT_METRIC[made.task]])),
        minimum_rows=settings.minimum_rows,
        seed=spec.seed,
    )


def _predictions(inputs: Inputs, found: Outcomes) -> tuple[pd.DataFrame, Predictions]:
    """Rows with an outcome that the model knows, and these outcomes beside what was logged.

    Raises:
        DataError: It knows none of them.
    """
    rows, classes = found.rows, found.classes
    numbers = {_word(name): number for number, name in enumerate(classes)}
    read = (lambda column: column.map(_word).map(numbers)) if classes else _numbers
    actual, decided = read(rows["actual"]), read(rows["prediction"])
    known = (actual.notna() & decided.notna()).to_numpy()
    if len(rows) and not known.any():
        raise DataError(
            f"no outcome in `{inputs.spec.target.column}` is one that the model knows",
            expected=f"one of {', '.join(classes)}" if classes else "numbers",
            got=", ".join(map(repr, rows["actual"].head(3).tolist())),
            hint="the SQL has to give outcomes as it gave them for training",
        )
    rows, actual, decided = rows[known], actual[known].to_numpy(), decided[known].to_numpy()
    if not classes:
        return rows, Predictions("regression", actual, decided, None, (), inputs.spec.value)
    task: Task = "binary" if len(classes) == 2 else "multiclass"
    scores = rows[[f"probability.{name}" for name in classes]].to_numpy(dtype=float)
    return rows, Predictions(task, actual.astype(int), decided.astype(int), scores, classes, inputs.spec.value)


def _numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_numeric(column, errors="coerce").astype(float)


def _word(label: object) -> str:
    """A label as text; whole numbers, which a missing one makes floats, without a point."""
    text = str(label)
    return text.removesuffix(".0") if WHOLE.fullmatch(text) else text


def _blocks(inputs: Inputs, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Block of each row, of the kind that the reference's are; days where rows do not tell theirs."""
    performance = inputs.reference.performance
    block = performance.block if performance else DAY
    if block == ROW:
        return np.arange(len(rows), dtype=np.int64)
    if block != DAY and block in rows:
        return np.asarray(pd.factorize(rows[block], use_na_sentinel=False)[0], dtype=np.int64)
    zone = inputs.spec.event_time.zone if inputs.spec.event_time else "UTC"
    local = pd.to_datetime(rows["event_time"], utc=True).dt.tz_convert(zone)
    return np.asarray(pd.factorize(local.dt.normalize())[0], dtype=np.int64)


def _sliced(inputs: Inputs, rows: pd.DataFrame) -> Iterator[Slice]:
    for column in _slices(inputs):
        if column in rows:
            for value, places in slice_rows(rows[column], _settings(inputs).minimum_rows):
                yield Slice(column, value, places)


def _log(inputs: Inputs, output: Output, emit: Emit) -> None:
    window = inputs.window
    emit(Param("window", window.label))
    emit(Param("begin", window.begin.isoformat()))
    emit(Param("end", window.end.isoformat()))
    emit(Param("version", inputs.reference.version))
    emit(Tag("mlops.health", output.health))
    emit(Tag("mlops.blocks_retraining", "yes" if output.blocks_retraining else "no"))
    for name, value in series(output).items():
        emit(Metric(name, value))
    emit(Artifact("profile.json", json.dumps(output.profile.to_dict())))
    emit(Artifact("signals.csv", table(output).to_csv(index=False)))


def table(output: Output) -> pd.DataFrame:
    """One row per signal."""
    return pd.DataFrame([asdict(one) for one in output.signals])
