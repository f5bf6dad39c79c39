"""What the chosen candidate does, by kind of target: blocks of pictures and tables for the card."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.cards.blocks import Block, Cell, Columns, Heading, Picture, Quantity, Table
from mlops_mlflow.cards.charts import Svg, heat, histogram, scatter
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.value import worth_matrix
from mlops_mlflow.stages.evaluate import curves
from mlops_mlflow.stages.evaluate.run import Judged, Output

Floats = NDArray[np.float64]

_COMPARED = 4  # models in one picture
_MOST_CLASSES = 5  # curves in one picture
_MOST_CONFUSED = 15  # classes in one picture
_MOST_POINTS = 20_000  # beyond 2,000 they are drawn as density
_WIDTH = 400  # of a picture beside another
_OUTCOMES = (
    (1, 1, "yes, and it was so"),
    (0, 1, "yes, but it was not so"),
    (1, 0, "no, but it was so"),
    (0, 0, "no, rightly"),
)


def details(output: Output, target: str, *, examples: bool) -> list[Block]:
    """Blocks about the chosen candidate's predictions of ``target``; single rows only where ``examples`` allows."""
    chosen = output.of(output.chosen)
    if chosen.made.task == "binary":
        return _binary(output, chosen, target)
    return (
        _multiclass(chosen.made) if chosen.made.task == "multiclass" else _regression(output, chosen, examples=examples)
    )


def _binary(output: Output, chosen: Judged, target: str) -> list[Block]:
    made, baseline = chosen.made, output.of(output.baseline)
    ranked = [
        one for one in output.judged if one is not chosen and len(one.made.orders[1][1]) > 1
    ]  # more than one score
    shown = {one.name: one.made for one in [chosen, *ranked][:_COMPARED]}
    blocks: list[Block] = []
    if made.value is not None and chosen.threshold is not None:
        names = chosen.name, baseline.name
        blocks += [Heading("What a threshold is worth")]
        blocks += [curves.value_over_threshold(made, baseline.made, names, chosen.threshold)]
    at = f" at the threshold {figure(chosen.threshold)}" if chosen.threshold is not None else ""
    confusion = Picture(_confusion(made, [f"{target} = {name}" for name in made.classes]), f"Validation rows{at}.")
    blocks += [Heading("Its decisions"), Columns((confusion, _decisions(made)))]
    blocks += [Heading("How well it tells outcomes apart")]
    blocks += [Columns((curves.roc(shown), curves.precision_recall(shown)))]
    blocks += [Columns((curves.gains(made), curves.separation(made, target)))]
    scores = curves.positive_scores(made)
    blocks += [Heading("Whether its probabilities hold")]
    blocks += [Columns((curves.calibration(scores, made.actual.astype(np.int64) == 1), _groups(made)))]
    return blocks


def _confusion(made: Predictions, names: list[str]) -> Svg:
    """Decisions over outcomes; of many classes, those that happen most."""
    size = len(made.classes)
    cells = made.actual.astype(np.int64) * size + made.decided.astype(np.int64)
    counts = np.bincount(cells, minlength=size * size).reshape(size, size)
    shown = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[:_MOST_CONFUSED])
    kept = [names[place] for place in shown]
    width = 400 if size < 5 else 860
    return heat(counts[np.ix_(shown, shown)].tolist(), kept, kept, title="Confusion matrix", width=width)


def _decisions(made: Predictions) -> Table:
    """What became of the rows, and what that was worth."""
    actual, decided = made.actual.astype(np.int64), made.decided.astype(np.int64)
    value = made.value
    rows = []
    for truth, said, words in _OUTCOMES:
        count = int(((actual == truth) & (decided == said)).sum())
        figures: list[Cell] = [words, count, Quantity(count / len(made), "%")]
        if value is not None:
            figures.append(Quantity(count * float(worth_matrix(value, made.classes)[truth, said]), value.unit))
        rows.append(tuple(figures))
    return Table(("decision", "rows", "share", *(["worth"] if value else [])), tuple(rows))


def _groups(made: Predictions) -> Table:
    """Probability and rate of equal groups, the most probable first."""
    scores, happened = curves.positive_scores(made), made.actual.astype(np.int64) == 1
    rows = tuple(
        (
            f"{figure(float(scores[group].min()), '%')} to {figure(float(scores[group].max()), '%')}",
            len(group),
            Quantity(float(scores[group].mean()), "%"),
            Quantity(float(happened[group].mean()), "%"),
        )
        for group in reversed(curves.equal_groups(scores))
    )
    return Table(("probabilities", "rows", "said on average", "happened"), rows)


def _multiclass(made: Predictions) -> list[Block]:
    names, scores = list(made.classes), made.scores
    blocks: list[Block] = [
        Heading("Its decisions"),
        Picture(_confusion(made, names), f"Validation rows; shares are of each class{_confused(len(names))}."),
    ]
    blocks += [_per_class(made)]
    if scores is not None:
        actual = made.actual.astype(np.int64)
        commonest = np.argsort(-np.bincount(actual, minlength=len(names)), kind="stable")[:_MOST_CLASSES]
        drawn = {
            names[number]: curves.roc_points(_against_others(made, number)) for number in sorted(commonest.tolist())
        }
        x_label, y_label = "share of other classes wrongly taken for it", "share of it found"
        picture = curves.unit_square(drawn, "ROC curve of each class", x_label, y_label)
        sure = scores.max(axis=1)
        held = curves.calibration(sure, scores.argmax(axis=1) == actual)
        blocks += [Heading("How well it tells classes apart, and whether its probabilities hold")]
        blocks += [Columns((Picture(picture, "Each class against all others."), held))]
    return blocks


def _confused(classes: int) -> str:
    return f"; the {_MOST_CONFUSED} commonest of {classes} classes" if classes > _MOST_CONFUSED else ""


def _against_others(made: Predictions, number: int) -> Predictions:
    """One class as a binary target."""
    score = cast("Floats", made.scores)[:, number]
    actual = (made.actual.astype(np.int64) == number).astype(np.int64)
    return Predictions("binary", actual, made.decided, np.column_stack([1 - score, score]))


def _per_class(made: Predictions) -> Table:
    actual, decided = made.actual.astype(np.int64), made.decided.astype(np.int64)
    rows = []
    for number, name in enumerate(made.classes):
        right = int(((actual == number) & (decided == number)).sum())
        held, said = int((actual == number).sum()), int((decided == number).sum())
        f1 = 2 * right / (held + said) if held + said else None
        shares = [Quantity(right / held if held else None, "%"), Quantity(right / said if said else None, "%")]
        rows.append((name, held, said, *shares, f1))
    return Table(("class", "rows", "decided for it", "found (recall)", "right (precision)", "F1"), tuple(rows))


def _regression(output: Output, chosen: Judged, *, examples: bool) -> list[Block]:
    made, baseline = chosen.made, output.of(output.baseline).made
    actual, said = made.actual.astype(float), made.decided.astype(float)
    error, other = said - actual, baseline.decided.astype(float) - baseline.actual.astype(float)
    spread = Picture(
        _error_histogram(error, other, (chosen.name, output.baseline)), "The outline is the best baseline."
    )
    table = _errors(made, baseline, chosen.name, output.baseline)
    blocks: list[Block] = [Heading("How far off it is"), Columns((spread, table))]
    if examples:  # each dot is a row
        some = np.random.default_rng(0).permutation(len(made))[:_MOST_POINTS]
        blocks.append(Columns(_scatters(actual[some], said[some])))
    return blocks


def _scatters(actual: Floats, said: Floats) -> tuple[Picture, Picture]:
    against = scatter(
        actual,
        said,
        reference="diagonal",
        title="Predicted and actual",
        x_label="actual",
        y_label="predicted",
        width=_WIDTH,
    )
    left = scatter(
        said,
        said - actual,
        reference="zero",
        title="Errors over predictions",
        x_label="predicted",
        y_label="predicted − actual",
        width=_WIDTH,
    )
    return (
        Picture(against, "On the dotted line, a prediction is right."),
        Picture(left, "Without a pattern, nothing was left to learn."),
    )


def _error_histogram(error: Floats, other: Floats, names: tuple[str, str]) -> Svg:
    """Errors of the chosen and of the baseline; the outermost bins hold whatever lies beyond."""
    low, high = np.quantile(np.r_[error, other], [0.005, 0.995])
    edges = np.linspace(low, high, 31) if high > low else np.array([low - 1, low + 1])
    mine, theirs = (np.histogram(np.clip(one, edges[0], edges[-1]), edges)[0].tolist() for one in (error, other))
    return histogram(
        edges.tolist(),
        mine,
        theirs,
        names=names,
        title="Errors",
        x_label="predicted − actual",
        width=_WIDTH,
        height=300,
    )


def _errors(made: Predictions, baseline: Predictions, name: str, other: str) -> Table:
    sizes = [np.abs(one.decided.astype(float) - one.actual.astype(float)) for one in (made, baseline)]
    rows: list[tuple[Cell, ...]] = [
        (f"{share:.0%} of the rows are off by at most", *(float(np.quantile(size, share)) for size in sizes))
        for share in (0.5, 0.8, 0.95)
    ]
    above = [float((one.decided.astype(float) > one.actual.astype(float)).mean()) for one in (made, baseline)]
    rows.append(("predicted too high", *(Quantity(share, "%") for share in above)))
    if made.value is not None:
        worth = [Quantity(float(one.worth.mean()), made.value.unit) for one in (made, baseline)]
        rows.append(("worth per row", *worth))
    return Table(("", name, other), tuple(rows), align=("left", "right", "right"))
