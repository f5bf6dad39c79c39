"""The card of evaluate: who was chosen and by how much, and what the chosen one does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.cards.blocks import Badge, Block, Card, Cell, Findings, Heading, Picture, Remark, Table
from mlops_mlflow.cards.charts import bars
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, gap, gravest_first, listed, of_metric, title, told, yaml_line
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, better
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.learning.importance import NOISE
from mlops_mlflow.stages.evaluate.curves import positive_scores
from mlops_mlflow.stages.evaluate.details import details
from mlops_mlflow.stages.evaluate.run import Inputs, Output, Slice

_MOST_METRICS = 5
_MOST_SLICES = 40
_MOST_IMPORTANCES = 20
_MOST_EXCLUDED = 8
_MISCALIBRATED = 0.05
_LONGEST = 40  # characters of a value of a single row


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    spec = inputs.problem.spec
    chosen, baseline = output.of(output.chosen), output.of(output.baseline)
    metric = output.choose_by
    figures = chosen.metrics[metric], baseline.metrics[metric]
    won = better(metric, *figures)
    word = "better" if won else "no better" if figures[0] == figures[1] else "worse"
    apart = f"{gap(metric, figures[0] - figures[1], spec)} {word}" if figures[0] != figures[1] else word
    remarks = gravest_first(_remarks(inputs, output))
    blocks: list[Block] = [Heading("What to know"), Findings(remarks)] if remarks else []
    blocks += [Heading("The candidates"), _picture(spec, output), _comparison(spec, output)]
    blocks += details(output, spec.target.column, examples=spec.card.examples)
    blocks += [Heading("What it leans on"), _importances(output)] if output.importances else []
    blocks += _slices(spec, output)
    blocks += _worst(output.worst)
    facts: list[tuple[str, Cell]] = [(metric, of_metric(metric, figures[0], spec))]
    if output.watched != metric:
        facts.append((output.watched, of_metric(output.watched, chosen.metrics[output.watched], spec)))
    if chosen.threshold is not None:
        facts.append(("threshold", chosen.threshold))
    facts += [("validation rows", len(chosen.made)), ("candidates", sum(not one.is_baseline for one in output.judged))]
    return Card(
        title("evaluate", spec),
        f"on {counted(len(chosen.made), 'validation row')} that no candidate was fitted on",
        "ok" if won else "warning",
        f"{output.chosen} is chosen: {metric} {told(metric, figures[0], spec)}, {apart} than {output.baseline}",
        tuple(blocks),
        tuple(facts),
        word="chosen" if won else "no better than the baseline",
    )


def _comparison(spec: UseCaseSpec, output: Output) -> Table:
    metrics = _columns(output)
    rows = tuple(
        (
            one.name,
            _standing(output, one.name),
            *(of_metric(name, one.metrics.get(name), spec) for name in metrics),
            *([one.threshold] if output.of(output.chosen).threshold is not None else []),
        )
        for one in output.judged
    )
    threshold = ["threshold"] if output.of(output.chosen).threshold is not None else []
    info = CATALOGUE[output.choose_by]
    direction = "highest" if info.higher_is_better else "lowest"
    return Table(
        ("candidate", "", *metrics, *threshold),
        rows,
        f"Chosen by the {direction} {output.choose_by}: {info.description}.",
    )


def _columns(output: Output) -> list[str]:
    """The metric of the choice first, then those that say most."""
    others = [name for name in output.of(output.chosen).metrics if name not in {output.choose_by, output.watched}]
    return list(dict.fromkeys([output.choose_by, output.watched, *others]))[:_MOST_METRICS]


def _standing(output: Output, name: str) -> Cell:
    if name == output.chosen:
        return Badge("ok", "chosen")
    return "baseline" if output.of(name).is_baseline else ""


def _picture(spec: UseCaseSpec, output: Output) -> Picture:
    drawn = bars(
        [one.name for one in output.judged],
        [one.metrics[output.choose_by] for one in output.judged],
        reference=output.of(output.baseline).metrics[output.choose_by],
        reference_label="best baseline",
        unit=spec.value.unit if output.choose_by == "value_per_row" and spec.value else None,
        title=f"{output.choose_by} of each candidate",
    )
    return Picture(drawn, f"{output.choose_by} on validation rows.")


def _remarks(inputs: Inputs, output: Output) -> Iterator[Remark]:
    spec, metric = inputs.problem.spec, output.choose_by
    chosen, baseline = output.of(output.chosen), output.of(output.baseline)
    if not better(metric, chosen.metrics[metric], baseline.metrics[metric]):
        yield Remark(
            "warning",
            f"No candidate is better than **{output.baseline}**, which knows next to nothing.",
            "Validate will fail it: look for better features or more rows before you go on.",
        )
    yield from _about_decisions(output)
    error = chosen.metrics.get("calibration_error")
    if error is not None and error > max(_MISCALIBRATED, 2 * _error_by_chance(chosen.made)):
        yield Remark(
            "warning",
            f"Its probabilities are off by {figure(error, '%')} on average.",
            "They order rows, but do not read them as chances; see the calibration below.",
        )
    if useless := _no_better_than_noise(output):
        yield Remark(
            "info",
            f"{counted(len(useless), 'column matters', 'columns matter')} no more than a column of random numbers: "
            f"{listed(useless, 8)}.",
            f"Try {_without(inputs, useless)}: if nothing is lost, there is less to feed and less to break.",
        )
    if weakest := _weakest(output):
        yield Remark(
            "info",
            f"It is weakest where `{weakest.column}` is {weakest.value}: {output.watched} "
            f"{told(output.watched, weakest.metrics[output.watched], spec)}, against "
            f"{told(output.watched, chosen.metrics[output.watched], spec)} on all rows.",
        )


def _error_by_chance(made: Predictions) -> float:
    """Calibration error that true probabilities would show: the mean gap of a normal deviate, in ten groups."""
    spread = np.sqrt(positive_scores(made) * (1 - positive_scores(made))).mean()
    return float(np.sqrt(2 / np.pi) * spread / np.sqrt(len(made) / 10))


def _about_decisions(output: Output) -> Iterator[Remark]:
    chosen = output.of(output.chosen)
    if chosen.made.task != "binary" or chosen.threshold is None:
        return
    share = float((chosen.made.decided.astype(np.int64) == 1).mean())
    if share in {0.0, 1.0}:
        said = "yes" if share else "no"
        yield Remark(
            "warning",
            f"The best decision is to say {said} to every row.",
            "At these prices a model changes nothing: check `value`, or find features that tell more.",
        )
    else:
        rate = float((chosen.made.actual.astype(np.int64) == 1).mean())
        yield Remark(
            "info",
            f"From a probability of **{figure(chosen.threshold)}** it says yes: to {figure(share, '%')} of the rows; "
            f"{figure(rate, '%')} were positive.",
        )


def _no_better_than_noise(output: Output) -> list[str]:
    """Columns whose importance is within what the column of noise reaches."""
    noise = next((one for one in output.importances if one.column == NOISE), None)
    reach = max(0.0, noise.mean + noise.spread) if noise else 0.0
    return [one.column for one in output.importances if one.column != NOISE and one.mean <= reach]


def _without(inputs: Inputs, useless: list[str]) -> str:
    """How a use case leaves columns out; one that `derive` makes is left out there, and many are better picked."""
    problem = inputs.problem
    if len(useless) > _MOST_EXCLUDED or not set(useless) <= set(problem.columns):
        return "without some of them (`features.exclude`)"
    return f"`features: {{{yaml_line('exclude', [*problem.spec.features.exclude, *useless])}}}`"


def _weakest(output: Output) -> Slice | None:
    sign = 1 if CATALOGUE[output.watched].higher_is_better else -1
    judged = [one for one in output.slices if np.isfinite(one.metrics.get(output.watched, np.nan))]
    return min(judged, key=lambda one: sign * one.metrics[output.watched], default=None)


def _importances(output: Output) -> Picture:
    shown = output.importances
    noise = next((one for one in shown if one.column == NOISE), None)
    drawn = bars(
        [one.column for one in shown],
        [one.mean for one in shown],
        low=[one.mean - one.spread for one in shown],
        high=[one.mean + one.spread for one in shown],
        reference=max(0.0, noise.mean + noise.spread) if noise else None,
        reference_label="noise" if noise else "",
        limit=_MOST_IMPORTANCES,
        title="Permutation importance",
        width=700,
    )
    return Picture(
        drawn,
        f"How much worse {output.watched} gets when a column is shuffled, with the spread over shuffles. `{NOISE}` is "
        f"a column of random numbers: what does not reach beyond it does not matter.",
    )


def _slices(spec: UseCaseSpec, output: Output) -> list[Block]:
    if not output.slices:
        return []
    metrics = list(dict.fromkeys([output.watched, output.choose_by]))
    blocks: list[Block] = [Heading("By slice")]
    whole = output.of(output.chosen).metrics[output.watched]
    for column in dict.fromkeys(one.column for one in output.slices):
        inside = [one for one in output.slices if one.column == column]
        drawn = bars(
            [f"{column} = {one.value}" for one in inside],
            [one.metrics[output.watched] for one in inside],
            reference=whole,
            reference_label="all rows",
            title=f"{output.watched} by {column}",
        )
        blocks.append(Picture(drawn, f"{output.watched}, the largest slices first."))
    rows = tuple(
        (f"{one.column} = {one.value}", one.rows, *(of_metric(name, one.metrics[name], spec) for name in metrics))
        for one in output.slices
    )
    caption = f"Slices of at least {counted(spec.evaluation.minimum_rows, 'row')}."
    return [*blocks, Table(("slice", "rows", *metrics), rows, caption, limit=_MOST_SLICES)]


def _worst(worst: pd.DataFrame | None) -> list[Block]:
    """Single rows; there are none where the use case switches examples off."""
    if worst is None or worst.empty:
        return []
    rows = tuple(tuple(_plain(value) for value in row) for row in worst.itertuples(index=False, name=None))
    table = Table(tuple(map(str, worst.columns)), rows, "The rows that were predicted worst: look for what they share.")
    return [Heading("Worst rows"), table]


def _plain(value: Any) -> Cell:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float | np.floating):
        return float(value)
    return "" if value is None or value is pd.NaT else str(value)[:_LONGEST]
