"""How the search of a candidate went: its course, the metric over each parameter, every trial."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlops_mlflow.cards.blocks import Block, Cell, Columns, Fold, Heading, Picture, Quantity, Table
from mlops_mlflow.cards.charts import line, scatter
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import of_metric, sides, unit_of
from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.usecase.candidates import Distribution
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.learning.search import Search, Trial


def search_blocks(spec: UseCaseSpec, metric: str, name: str, search: Search) -> Iterator[Block]:
    """Pictures and tables of one candidate's search; none of a single trial."""
    if len(search.trials) < 2:
        return
    yield Heading(f"Search of {name}")
    space = spec.candidates[name].space
    worked = [trial for trial in search.trials if np.isfinite(trial.mean)]
    pictures: list[Block] = [_course(spec, metric, search.trials)]
    tables: list[Block] = []
    for parameter, found in space.items():
        if found.choice is None:
            pictures.append(_over(metric, parameter, found, worked))
        else:
            tables.append(_by_choice(spec, metric, parameter, worked))
    yield Columns((*pictures, *tables))
    yield Fold(f"Every trial of {name}", (_trials(spec, metric, search),))


def _course(spec: UseCaseSpec, metric: str, trials: tuple[Trial, ...]) -> Picture:
    """Each trial as a dot, the best so far as a line."""
    extreme = np.fmax if CATALOGUE[metric].higher_is_better else np.fmin
    means = np.array([trial.mean for trial in trials])
    numbers = np.arange(1, len(trials) + 1)
    dots = np.full(2 * len(means), np.nan)
    dots[::2] = means  # a gap behind each point keeps the points apart
    unit = unit_of(metric, spec)
    drawn = line(
        {"best": (numbers, extreme.accumulate(means)), "trial": (np.repeat(numbers, 2), dots)},
        title=f"{metric} over the trials",
        x_label="trial",
        y_label=f"{metric} ({unit})" if unit else metric,
        width=400,
        height=230,
    )
    return Picture(drawn, "Each trial, and the best so far.")


def _over(metric: str, name: str, found: Distribution, trials: list[Trial]) -> Picture:
    bounded = "uniform" in found.kind or found.kind == "randint"
    drawn = scatter(
        [place(found, trial.params[name]) for trial in trials],
        [trial.mean for trial in trials],
        x_span=[place(found, end) for end in found.arguments[:2]] if bounded else (),
        x_log="log" in found.kind,
        title=f"{metric} over {name}",
        x_label=f"{name} (log)" if "log" in found.kind else name,
        y_label=metric,
        width=400,
        height=230,
    )
    return Picture(drawn, f"Each dot is a trial, over {'the whole range of' if bounded else 'its value of'} `{name}`.")


def _by_choice(spec: UseCaseSpec, metric: str, name: str, trials: list[Trial]) -> Table:
    extreme = max if CATALOGUE[metric].higher_is_better else min
    values: dict[str, list[float]] = {}
    for trial in trials:
        values.setdefault(str(trial.params[name]), []).append(trial.mean)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (value, len(means), of_metric(metric, float(np.mean(means)), spec), of_metric(metric, extreme(means), spec))
        for value, means in sorted(values.items())
    )
    return Table((name, "trials", f"mean {metric}", "best"), rows)


def _trials(spec: UseCaseSpec, metric: str, search: Search) -> Table:
    names = list(dict.fromkeys(name for trial in search.trials for name in trial.params))
    kept = any(trial.kept for trial in search.trials)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            str(trial.number + 1),
            of_metric(metric, trial.mean, spec),
            *(written(trial.params.get(name)) for name in names),
            Quantity(trial.seconds, "s"),
            *(["an earlier run" if trial.kept else "this run"] if kept else []),
        )
        for trial in search.trials
    )
    columns = ("trial", metric, *names, "took", *(["made by"] if kept else []))
    return Table(columns, rows, align=sides(columns, {"trial", "made by"}), limit=100)


def place(found: Distribution, value: float) -> float:
    """Where a value lies on the scale that it is drawn on."""
    return float(np.log10(value)) if "log" in found.kind else float(value)


def written(value: object) -> str:
    """A parameter's value, short."""
    return figure(value) if isinstance(value, float) else str(value)
