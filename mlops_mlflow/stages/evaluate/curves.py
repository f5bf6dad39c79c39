"""Pictures of a binary decision: what it is worth, whom it finds, whether its probabilities hold."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.cards.blocks import Picture
from mlops_mlflow.cards.charts import Band, Svg, curve, histogram, line
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.core.value import worth_matrix

Floats = NDArray[np.float64]

_POINTS = 150  # of a curve; a screen shows no more
_GROUPS, _FEWEST_ROWS = 10, 20
_WIDTH, _HEIGHT = 400, 300  # of a picture beside another


def positive_scores(made: Predictions) -> Floats:
    """Probability of the positive class, shape (rows,)."""
    return cast("Floats", made.scores)[:, 1]


def counts_over_threshold(made: Predictions) -> tuple[Floats, Floats, Floats]:
    """Distinct scores falling, and the true and false positives when each is the threshold; thinned."""
    order, ends = made.orders[1]
    hits = np.cumsum(made.actual[order].astype(np.int64) == 1)[ends]
    kept = np.unique(np.linspace(0, len(ends) - 1, min(_POINTS, len(ends))).astype(int))
    true = hits[kept].astype(float)
    return positive_scores(made)[order][ends][kept], true, ends[kept] + 1.0 - true


def value_over_threshold(
    made: Predictions, other: Predictions | None, names: tuple[str, str], threshold: float
) -> Picture:
    """Mean value per row at each threshold, of the chosen model and of the baseline.

    Args:
        made: Of the chosen model; its prices are used.
        other: Of the baseline.
        names: Of the two.
        threshold: The chosen one.
    """
    value = cast("Value", made.value)
    drawn = {names[0]: worth_over_threshold(made)}
    if other is not None and other.scores is not None:
        thresholds, worths = worth_over_threshold(other)
        if len(thresholds) > 2:  # a baseline of one score is all yes or all no, which the ends show
            drawn[names[1]] = thresholds, worths
    bands = [Band(threshold, threshold, f"{figure(threshold)} chosen", "x", "ok")] if threshold <= 1 else []
    picture = line(
        drawn,
        bands=bands,
        title="Value over the threshold",
        x_label="threshold: yes from this probability on",
        y_label=f"{value.unit} per row",
        width=860,
        height=260,
    )
    nobody = " The best is to say no to every row." if threshold > 1 else ""
    return Picture(picture, f"Low thresholds say yes to everybody, high ones to nobody.{nobody}")


def worth_over_threshold(made: Predictions) -> tuple[Floats, Floats]:
    """Rising thresholds, and what a row is worth on average when they decide; the last one says no to every row."""
    worth = worth_matrix(cast("Value", made.value), made.classes)
    positives = float((made.actual.astype(np.int64) == 1).sum())
    scores, true, false = counts_over_threshold(made)
    missed, left = positives - true, len(made) - positives - false
    total = true * worth[1, 1] + false * worth[0, 1] + missed * worth[1, 0] + left * worth[0, 0]
    nobody = (positives * worth[1, 0] + (len(made) - positives) * worth[0, 0]) / len(made)
    above = min(float(scores[0]) + 0.02, 1.0)
    return np.concatenate([[above], scores])[::-1], np.concatenate([[nobody], total / len(made)])[::-1]


def roc(all_made: dict[str, Predictions]) -> Picture:
    """True positives over false positives, of several models."""
    drawn = {name: roc_points(made) for name, made in all_made.items()}
    picture = unit_square(drawn, "ROC curve", "share of negatives wrongly warned of", "share of positives found")
    return Picture(picture, "ROC: the further above the dotted line, the better.")


def roc_points(made: Predictions) -> tuple[Floats, Floats]:
    """False and true positive rates, both from 0 to 1."""
    _, true, false = counts_over_threshold(made)
    return np.r_[0, false / false[-1]], np.r_[0, true / true[-1]]


def precision_recall(all_made: dict[str, Predictions]) -> Picture:
    """Precision over recall, of several models."""
    drawn = {}
    for name, made in all_made.items():
        _, true, false = counts_over_threshold(made)
        drawn[name] = true / true[-1], true / (true + false)
    rate = float((next(iter(all_made.values())).actual.astype(np.int64) == 1).mean())
    x_label, y_label = "recall: share of positives found", "precision: share of yes that is right"
    picture = unit_square(drawn, "Precision and recall", x_label, y_label, diagonal=False)
    return Picture(picture, f"Saying yes to everybody is right in {figure(rate, '%')}.")


def gains(made: Predictions) -> Picture:
    """Share of positives among the rows with the highest scores, and how many times the average that is."""
    _, true, false = counts_over_threshold(made)
    seen, found = np.r_[0, (true + false) / len(made)], np.r_[0, true / true[-1]]
    x_label, y_label = "share of rows, the most probable first", "share of positives among them"
    tenth = float(np.interp(0.1, seen, found))
    lift = figure(round(tenth * 10, 2))
    told = f"The most probable tenth of the rows holds {figure(tenth, '%')} of the positives: a lift of {lift}."
    return Picture(unit_square({"found": (seen, found)}, "Gains", x_label, y_label), told)


def unit_square(
    drawn: dict[str, tuple[Floats, Floats]], title: str, x_label: str, y_label: str, *, diagonal: bool = True
) -> Svg:
    """Curves of shares over shares, as wide as half a page."""
    return curve(drawn, diagonal=diagonal, title=title, x_label=x_label, y_label=y_label, width=_WIDTH, height=_HEIGHT)


def equal_groups(probabilities: Floats) -> list[NDArray[np.int64]]:
    """Places of the rows in up to ten groups of equally many, the least probable first."""
    order = np.argsort(probabilities, kind="stable")
    count = min(max(len(order) // _FEWEST_ROWS, 2), _GROUPS)
    return [group for group in np.array_split(order, count) if len(group)]


def calibration(probabilities: Floats, happened: NDArray[np.bool_]) -> Picture:
    """Observed rate over probability in up to ten equal groups, with the interval that chance alone would give."""
    groups = equal_groups(probabilities)
    said = np.array([probabilities[group].mean() for group in groups])
    rates = np.array([happened[group].mean() for group in groups])
    reach = 1.96 * np.sqrt(rates * (1 - rates) / np.array([len(group) for group in groups]))
    picture = curve(
        {"observed": (said, rates)},
        intervals={"observed": (np.clip(rates - reach, 0, 1), np.clip(rates + reach, 0, 1))},
        title="Calibration",
        x_label="probability that was given",
        y_label="share where it happened",
        width=_WIDTH,
        height=_HEIGHT,
    )
    return Picture(
        picture, f"{len(groups)} groups of equally many rows. On the dotted line, a probability means what it says."
    )


def separation(made: Predictions, target: str) -> Picture:
    """Histogram of the probability, for each outcome."""
    scores, positive = positive_scores(made), made.actual.astype(np.int64) == 1
    edges = np.linspace(0, 1, 31)
    negatives, positives = (np.histogram(scores[rows], edges)[0] for rows in (~positive, positive))
    picture = histogram(
        edges.tolist(),
        negatives.tolist(),
        positives.tolist(),
        names=(f"{target} = {made.classes[0]}", f"{target} = {made.classes[1]}"),
        title="Probabilities by outcome",
        x_label=f"probability of {target} = {made.classes[1]}",
        width=_WIDTH,
        height=_HEIGHT,
    )
    return Picture(picture, "The less the two overlap, the easier the decision.")
