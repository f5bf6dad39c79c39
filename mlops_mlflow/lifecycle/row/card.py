"""The card of one row: its way through the stages, the answer first."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_mlflow.cards.blocks import (
    Block,
    Card,
    Cell,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Picture,
    Table,
    Text,
)
from mlops_mlflow.cards.charts import bars
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, sides, title
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.lifecycle.row.follow import RowStory, explained_class
from mlops_mlflow.lifecycle.row.wording import (
    Feature,
    decisions,
    derived,
    distance,
    features,
    headline,
    model_of,
    origin,
    outcome,
    place_of,
    remarks,
    signed,
)

_MOST_BARS = 20
_LEAST = 1e-3  # of the longest bar; what is shorter is not to be seen


def row_card(story: RowStory) -> Card:
    """The page of one row."""
    made, spec = story.made, story.spec
    right = made.task == "regression" or made.decided[0] == made.actual[0]
    facts: list[tuple[str, Cell]] = [
        ("what happened", _told(made, made.actual[0])),
        ("predicted", _told(made, made.decided[0])),
    ]
    if made.scores is not None:
        facts.append((f"probability of {outcome(made, explained_class(made))}", story.why.prediction))
    if story.threshold is not None:
        facts.append(("threshold", story.threshold))
    if spec.value:
        facts.append(("worth", signed(measure("value_per_row", made), spec.value.unit)))
    named = f"{spec.entity_key} {story.key}" if spec.entity_key else f"row {story.key}"
    return Card(
        title("row", spec),
        f"{named}; {model_of(story)}",
        "ok" if right else "warning",
        headline(story),
        (*_extract(story), *_features(story), *_model(story), *_value(story)),
        tuple(facts),
        word="explained" if made.task == "regression" else "right" if right else "wrong",
    )


def _told(made: Predictions, number: Any) -> Cell:
    return float(number) if made.task == "regression" else outcome(made, number)


def _extract(story: RowStory) -> list[Block]:
    keys: list[tuple[str, Cell]] = [("made of", origin(story)), ("place in the dataset", place_of(story))]
    return [Heading("Extract: where it comes from"), KeyValues(tuple(keys)), Findings(tuple(remarks(story)))]


def _features(story: RowStory) -> list[Block]:
    blocks: list[Block] = [Heading("Features: what the model saw"), _standing(features(story), "train")]
    if made := derived(story):
        blocks.append(_standing(made, "background", f"`derive` of {story.spec.features.module} makes these of them."))
    return blocks


def _standing(shown: list[Feature], rows: str, caption: str = "") -> Table:
    heads = ("column", "value", f"among the {rows} rows")
    return Table(heads, tuple((one.name, one.value, one.standing) for one in shown), caption, sides(heads, heads[::2]))


def _model(story: RowStory) -> list[Block]:
    why = story.why
    values = {one.name: one.value for one in features(story)}
    order = [place for place in why.order if abs(why.values[place]) > _LEAST * np.abs(why.values).max()]
    moved = bars(
        [f"{why.columns[place]} = {values[why.columns[place]]}" for place in order],
        [float(why.values[place]) for place in order],
        low=[float(why.values[place] - 1.96 * why.errors[place]) for place in order],
        high=[float(why.values[place] + 1.96 * why.errors[place]) for place in order],
        title="Contribution of each column",
        limit=_MOST_BARS,
        width=860,
    )
    what = "prediction" if story.made.task == "regression" else f"probability of {_explained(story)}"
    idle = len(why.columns) - len(order)
    alone = f" {counted(idle, 'column')} moved next to nothing." if idle else ""
    caption = (
        f"What moves the {what} from the average of {counted(why.background, 'train row')}, "
        f"{figure(why.average)}, to {figure(why.prediction)}: the bars add up to the difference.{alone} "
        "Whiskers are 95% intervals of the sampling."
    )
    rows = tuple((why.columns[place], float(why.values[place]), float(why.errors[place])) for place in why.order)
    figures = Table(("column", "contribution", "standard error"), rows, f"Together {signed(float(why.values.sum()))}.")
    method = (
        "Shapley values by sampling permutations, each with its reverse (Štrumbelj and Kononenko, 2014). Columns that "
        "`derive` makes move with those that they are made of. They say what the model does, not what causes what."
    )
    shown_as = Picture(moved, caption)
    return [
        Heading("Model: why it says so"),
        shown_as,
        Fold("Figures and method", (figures, KeyValues((("method", method),)))),
    ]


def _explained(story: RowStory) -> str:
    made, number = story.made, explained_class(story.made)
    return story.spec.target.column if outcome(made, number) == "yes" else outcome(made, number)


def _value(story: RowStory) -> list[Block]:
    blocks: list[Block] = [Heading("Threshold: what that decides, and what it is worth"), Text(distance(story))]
    table = decisions(story)
    return [*blocks, table] if table else blocks
