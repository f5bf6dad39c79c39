"""Sections of the model card about figures on test rows: metrics, decisions, slices."""

from __future__ import annotations

import numpy as np

from mlops_mlflow.cards.blocks import Block, Cell, Columns, Fold, Heading, KeyValues, Picture, Quantity, Table
from mlops_mlflow.cards.charts import bars, heat, scatter
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, of_metric, sides, unit_of
from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, DEFAULT_METRIC
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.value import worth_matrix
from mlops_mlflow.stages.validate.run import Inputs, Output

_MOST_SLICES = 40
_MOST_BARS = 20
_MOST_CONFUSED = 15  # classes in one picture
_MOST_POINTS = 20_000
_OUTCOMES = (
    (1, 1, "yes, and it was so"),
    (0, 1, "yes, but it was not so"),
    (1, 0, "no, but it was so"),
    (0, 0, "no, rightly"),
)


def metrics(inputs: Inputs, output: Output) -> list[Block]:
    """Every metric of the model beside the baseline and the champion, and what each says."""
    spec, against = inputs.problem.spec, bool(output.champion_metrics)
    rows = []
    for name in inputs.problem.metrics:
        row: list[Cell] = [name, of_metric(name, output.metrics.get(name), spec), around(output.intervals.get(name))]
        row.append(of_metric(name, output.baseline_metrics.get(name), spec))
        row += [of_metric(name, output.champion_metrics.get(name), spec)] if against else []
        rows.append(tuple(row))
    champion = [f"champion {inputs.champion.version}"] if against and inputs.champion else []
    columns = ("metric", inputs.chosen, "95 % interval", inputs.baseline, *champion)
    says = tuple((name, CATALOGUE[name].description) for name in inputs.problem.metrics)
    return [
        Table(columns, tuple(rows), _compared(inputs, output), sides(columns, {"metric"})),
        Fold("What each metric says", (KeyValues(says),)),
    ]


def _compared(inputs: Inputs, output: Output) -> str:
    """On which rows, beside whom, at what cost."""
    said = f"On {counted(len(output.made), 'test row')}."
    if output.champion_metrics:
        said += " The champion's figures are of those that it was neither trained nor chosen on."
    elif inputs.champion is None:
        said += " Nothing was in Production, so there was no champion to compare with."
    else:
        said += f" The champion, version {inputs.champion.version}, could not be compared: see the verdict."
    size, fit = figure(inputs.model_size_mb, "MB"), figure(inputs.training_seconds, "s")
    return f"{said} The saved model takes {size}; its final fit took {fit}."


def around(found: Interval | None) -> str:
    """An interval in words; nothing where there is none."""
    return f"{figure(found.low)} to {figure(found.high)}" if found else ""


def decisions(inputs: Inputs, output: Output) -> list[Block]:
    """What it says beside what happened."""
    made, target = output.made, inputs.problem.spec.target.column
    if made.task == "regression":
        return _predictions(made, target) if inputs.problem.spec.card.examples else []
    names, size = [f"{target} = {name}" if len(made.classes) == 2 else name for name in made.classes], len(made.classes)
    cells = made.actual.astype(np.int64) * size + made.decided.astype(np.int64)
    counts = np.bincount(cells, minlength=size * size).reshape(size, size)
    shown = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[:_MOST_CONFUSED])
    kept, width = [names[place] for place in shown], 400 if size < 5 else 860
    drawn = heat(counts[np.ix_(shown, shown)].tolist(), kept, kept, title="Confusion matrix", width=width)
    cut = f" The {_MOST_CONFUSED} commonest of {size} classes." if size > _MOST_CONFUSED else ""
    confusion = Picture(drawn, f"Test rows, with shares of each actual outcome.{cut}")
    heading = Heading("What it decides", 3)
    return [heading, Columns((confusion, _worth(made, counts))) if size == 2 else confusion]


def _predictions(made: Predictions, target: str) -> list[Block]:
    """Each prediction as a dot, or many as a density."""
    some = np.random.default_rng(0).permutation(len(made))[:_MOST_POINTS]
    drawn = scatter(
        made.actual.astype(float)[some],
        made.decided.astype(float)[some],
        reference="diagonal",
        title="Predicted and actual",
        x_label=f"actual {target}",
        y_label=f"predicted {target}",
    )
    return [Heading("What it predicts", 3), Picture(drawn, "Test rows. On the dotted line, a prediction is right.")]


def _worth(made: Predictions, counts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Table:
    """Each kind of right and wrong decision: how many, and at what price."""
    rows: list[tuple[Cell, ...]] = []
    for truth, said, words in _OUTCOMES:
        count = int(counts[truth, said])
        price = float(worth_matrix(made.value, made.classes)[truth, said]) if made.value else 0.0
        worth = [Quantity(count * price, made.value.unit)] if made.value else []
        rows.append((words, count, Quantity(count / len(made), "%"), *worth))
    return Table(("decision", "rows", "share", *(["worth"] if made.value else [])), tuple(rows))


def slices(inputs: Inputs, output: Output) -> list[Block]:
    """Figures by the values of a column, as a picture and as a table."""
    if not output.slices:
        return []
    spec, watched = inputs.problem.spec, DEFAULT_METRIC[inputs.problem.outcomes.task]
    blocks: list[Block] = [Heading("By slice")]
    for column in dict.fromkeys(one.column for one in output.slices):
        inside = [one for one in output.slices if one.column == column and one.metric == watched]
        drawn = bars(
            [f"{column} = {one.value}" for one in inside],
            [one.figure for one in inside],
            low=[one.interval.low if one.interval else np.nan for one in inside],
            high=[one.interval.high if one.interval else np.nan for one in inside],
            reference=output.metrics.get(watched),
            reference_label="all rows",
            unit=unit_of(watched, spec) or None,
            limit=_MOST_BARS,
            title=f"{watched} by {column}",
        )
        blocks.append(Picture(drawn, f"{watched} with 95 % intervals, the largest slices first."))
    names = list(dict.fromkeys(one.metric for one in output.slices))
    found = {(one.column, one.value, one.metric): one for one in output.slices}
    rows = []
    for column, value in dict.fromkeys((one.column, one.value) for one in output.slices):
        row: list[Cell] = [f"{column} = {value}", found[column, value, names[0]].rows]
        for name in names:
            one = found[column, value, name]
            row += [of_metric(name, one.figure, spec), around(one.interval)]
        rows.append(tuple(row))
    columns = ("slice", "rows", *(head for name in names for head in (name, "95 % interval")))
    caption = f"Slices of at least {counted(spec.evaluation.minimum_rows, 'row')}."
    return [*blocks, Table(columns, tuple(rows), caption, sides(columns, {"slice"}), limit=_MOST_SLICES)]
