"""What is said of one row: the answer, where its values lie, what to know, what each decision is worth."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.cards.blocks import Remark, Table
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, listed, sides
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.profiles import ColumnProfile
from mlops_mlflow.core.value import worth_matrix
from mlops_mlflow.lifecycle.row.follow import RowStory, explained_class

LONGEST = 40
_RUN = 8  # characters of a run's id that tell it from others
_PARTS = {
    "train": "The model was trained on this row: what it says of it tells little about new rows.",
    "validation": "The candidate and its threshold were chosen on validation rows; the model was not trained on them.",
    "test": "The model has not seen this row: what it says of it is what it would say of a new one.",
}


@dataclass(frozen=True)
class Feature:
    """A value that the model saw, and where it lies.

    Attributes:
        name: Of the column.
        value: As text.
        standing: Where it lies among the train rows.
        strange: Whether the model has seen none like it.
    """

    name: str
    value: str
    standing: str
    strange: bool = False


def headline(story: RowStory) -> str:
    """The answer, in two sentences."""
    made, spec = story.made, story.spec
    if made.scores is None:
        said = f"predicted {figure(float(made.decided[0]))}; what happened: {figure(float(made.actual[0]))}"
    else:
        # Of a no it would be read as the probability of no.
        of = "" if int(made.decided[0]) == explained_class(made) else f" of {outcome(made, explained_class(made))}"
        about = f"probability{of} {brief(story.why.prediction)}"
        about += f", threshold {brief(story.threshold)}" if story.threshold is not None else ""
        said = f"predicted {outcome(made, made.decided[0])} ({about}); what happened: {outcome(made, made.actual[0])}"
    worth = f"; worth {signed(measure('value_per_row', made), spec.value.unit)}" if spec.value else ""
    return f"{spec.target.column}: {said}{worth}. {_mostly(story)}"


def _mostly(story: RowStory) -> str:
    """Which column did most of the way from the average prediction to this one."""
    why = story.why
    gap = why.prediction - why.average
    towards = [place for place in why.order if why.values[place] * gap > 0]
    if not towards:
        return "No column moved it from the average."
    first = float(why.values[towards[0]])
    share = "Most of it" if abs(first) >= abs(gap) / 2 else "The largest part"
    return f"{share} came from {why.columns[towards[0]]} ({signed(float(f'{first:.2g}'))})."


def brief(share: float) -> str:
    """A probability to two digits; one that is nearly certain is not."""
    short = float(f"{share:.2g}")
    return figure(share if short == 1 else short)


def outcome(made: Predictions, number: Any) -> str:
    """A class by its name; 0 and 1 as no and yes."""
    name = made.classes[int(number)]
    if made.task == "binary" and set(made.classes) in ({"0", "1"}, {"False", "True"}):
        return "yes" if int(number) == 1 else "no"
    return name


def signed(value: float, unit: str | None = None) -> str:
    """A figure that shows its sign either way."""
    return f"+{figure(value, unit)}" if value > 0 else figure(value, unit)


def features(story: RowStory) -> list[Feature]:
    """Columns that the model took, in its order."""
    event_time = story.spec.event_time.column if story.spec.event_time else None
    found = []
    for name in story.row:
        value, profile = story.row[name].iloc[0], story.reference.column(str(name))
        where, strange = standing(profile, value) if profile else ("", False)
        # Every later row lies outside; of the event time the model sees the hour and the weekday.
        found.append(Feature(str(name), shown(value), where, strange and name != event_time))
    return found


def derived(story: RowStory) -> list[Feature]:
    """Columns that ``derive`` made of those, beside the background rows: the profile does not hold them."""
    return [
        Feature(str(name), shown(value := story.derived[name].iloc[0]), among(story.among[name], value))
        for name in story.derived
    ]


def shown(value: Any) -> str:
    """A value as it stands in the data, cut where it is long."""
    if missing(value):
        return "(missing)"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(":00").removesuffix(" 00:00")
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def missing(value: Any) -> bool:
    """Whether there is no value; lists and the like are values."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def standing(profile: ColumnProfile, value: Any) -> tuple[str, bool]:
    """Where a value lies among the train rows, and whether none of them is like it."""
    if missing(value):
        share = profile.missing / profile.rows if profile.rows else 0.0
        return (f"missing in {_share(share)}", False) if share else ("never missing", True)
    if profile.kind in ("categorical", "boolean"):
        return _category(profile, value)
    if profile.kind == "text":
        return f"longer than {_below(profile, float(len(str(value))))}", False
    return _measured(profile, value.timestamp() if isinstance(value, pd.Timestamp) else float(value))


def _measured(profile: ColumnProfile, number: float) -> tuple[str, bool]:
    """Of a number, or of a time in seconds since 1970."""
    words = ("before", "after") if profile.kind == "datetime" else ("below", "above")
    least, most = dict(profile.quantiles).get(0.0), dict(profile.quantiles).get(1.0)
    if least is not None and number < least:
        return f"{words[0]} all: from {_end(profile.minimum)} on", True
    if most is not None and number > most:
        return f"{words[1]} all: up to {_end(profile.maximum)}", True
    edges, counts = (profile.histogram.edges, profile.histogram.counts) if profile.histogram else ((), ())
    if number == least and edges and edges[0] == least:
        return f"the least, as in {_share(counts[0] / sum(counts))}", False
    return f"{words[1]} {_below(profile, number)}", False


def _category(profile: ColumnProfile, value: Any) -> tuple[str, bool]:
    text = str(value).lower() if isinstance(value, bool | np.bool_) else str(value)
    counts = dict(profile.categories)
    if text in counts:
        return f"same in {_share(counts[text] / profile.rows)}", False
    if not profile.other:
        return "never seen", True
    most = min(counts.values(), default=0) / profile.rows
    return f"rare or never seen, at most {_share(most)}", False


def _below(profile: ColumnProfile, number: float) -> str:
    """Share of train rows with less; between two edges in proportion."""
    histogram, ends = profile.histogram, dict(profile.quantiles)
    if histogram is None or not sum(histogram.counts):
        return figure(None)
    edges = [ends.get(0.0, number), *histogram.edges, ends.get(1.0, number)]
    place = min(bisect_left(histogram.edges, number), len(histogram.counts) - 1)
    low, high = edges[place], edges[place + 1]
    inside = 0.0 if number >= high or high <= low else max(0.0, (number - low) / (high - low))
    below = sum(histogram.counts[:place]) + inside * histogram.counts[place]
    return _share(below / sum(histogram.counts))


def _end(end: float | str | None) -> str:
    return end[:10] if isinstance(end, str) else figure(end)


def _share(share: float) -> str:
    """In percent, as exact as a quantile of a profile is."""
    return figure(round(share, 2) if share >= 0.01 else float(f"{share:.1g}"), "%")


def among(column: pd.Series[Any], value: Any) -> str:
    """Where a value lies among those of the background rows."""
    if missing(value):
        return f"missing in about {_share(float(column.isna().mean()))}"
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if (numeric and column.nunique() > 2) or isinstance(value, pd.Timestamp):
        return f"above about {_share(float((column < value).mean()))}"
    return f"same in about {_share(float((column == value).mean()))}"


def remarks(story: RowStory) -> Iterator[Remark]:
    """What a reader has to know before they believe the rest."""
    place, key = story.place, story.spec.entity_key
    yield Remark(
        "warning" if story.part == "train" else "info", f"It is one of the **{story.part}** rows.", _PARTS[story.part]
    )
    if place.alike > 1:
        yield Remark(
            "warning",
            f"{figure(place.alike)} rows have this {key}; this is number {place.nth} of them.",
            f"Another one: `--number` from 1 to {place.alike}.",
        )
    if place.aside:
        yield Remark(
            "warning", f"{counted(len(place.aside), 'more row')} with this {key} set aside: {listed(place.aside, 3)}."
        )
    if strange := [f"{one.name} ({one.value}: {one.standing})" for one in features(story) if one.strange]:
        yield Remark(
            "warning",
            f"The model has seen no value like {listed(strange, 4)}.",
            "What it says there is a guess: nothing it learned from was alike.",
        )


def model_of(story: RowStory) -> str:
    """Which model this is about."""
    model = story.model
    version = f"version {model.version}" if model.version else "not registered"
    began = datetime.fromtimestamp(model.began / 1000, UTC)
    return f"{model.candidate}, {version}, of the lifecycle {model.lifecycle[:_RUN]} ({began:%Y-%m-%d %H:%M} UTC)"


def origin(story: RowStory) -> str:
    """What the row was made of."""
    made_by = f", joined by {story.spec.extract}" if story.spec.extract else ""
    return f"{', '.join(f'{name} ({uri})' if uri else name for name, uri in story.sources)}{made_by}"


def place_of(story: RowStory) -> str:
    """Where in the dataset the row is."""
    return f"row {figure(story.place.number)} of {figure(story.place.total)}, counted from 0; part: {story.part}"


def decisions(story: RowStory) -> Table | None:
    """What each decision is worth, for what happened and for what the probabilities say; None without prices."""
    made, value = story.made, story.spec.value
    if value is None or made.scores is None:
        return None
    worth = worth_matrix(value, made.classes)
    expected = made.scores[0] @ worth
    rows = tuple(
        (
            f"{outcome(made, number)}{' (decided)' if number == int(made.decided[0]) else ''}",
            *(figure(float(worth[actual, number])) for actual in range(len(made.classes))),
            figure(float(expected[number])),
        )
        for number in range(len(made.classes))
    )
    heads = ("decision", *(f"if {outcome(made, number)}" for number in range(len(made.classes))), "expected")
    caption = f"Worth of each decision in {value.unit}, by what happens, and as expected by these probabilities."
    return Table(heads, rows, caption, sides(heads, {"decision"}))


def distance(story: RowStory) -> str:
    """How far the prediction is from where the decision turns, one sentence."""
    made = story.made
    if made.scores is None:
        error = float(made.decided[0]) - float(made.actual[0])
        return "It is exact." if not error else f"It is {figure(abs(error))} too {'high' if error > 0 else 'low'}."
    if story.threshold is None:
        ranked = np.sort(made.scores[0])[::-1]
        return f"The most probable outcome is predicted, {figure(float(ranked[0] - ranked[1]))} ahead of the next."
    if story.threshold > 1:
        return "No probability reaches the threshold: at these prices it is best to say no to every row."
    gap = story.why.prediction - story.threshold
    side = "above" if gap >= 0 else "below"
    return f"The probability is {figure(abs(gap))} {side} the threshold; it says yes from {figure(story.threshold)} on."
