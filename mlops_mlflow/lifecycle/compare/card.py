"""The page of a comparison: the answer, figures side by side, slices, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mlops_mlflow.cards.blocks import (
    Badge,
    Block,
    Card,
    Cell,
    Code,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Picture,
    Quantity,
    Remark,
    StatusName,
    Table,
)
from mlops_mlflow.cards.charts import bars
from mlops_mlflow.cards.wording import counted, of_metric, run_link, sides, title, told, unit_of
from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.lifecycle.compare.answer import advice, answer, around, difference, telling
from mlops_mlflow.lifecycle.compare.changes import Changed
from mlops_mlflow.lifecycle.compare.figures import Compared, ComparedSlice, Figure, Outcome, judged
from mlops_mlflow.lifecycle.compare.result import Comparison
from mlops_mlflow.tracking.tracker import run_page

BADGES: dict[Outcome, Badge] = {
    "better": Badge("ok", "better"),
    "worse": Badge("failed", "worse"),
    "unclear": Badge("info", "unclear"),
    "equal": Badge("info", "equal"),
    "unknown": Badge("unknown", "not known"),
}
_STATUS: dict[Outcome, StatusName] = {
    "better": "ok",
    "worse": "warning",
    "unclear": "info",
    "equal": "info",
    "unknown": "unknown",
}
_SO = "the first is"
_MOST_METRICS, _MOST_SLICES, _MOST_DRAWN, _OPEN_UP_TO = 6, 30, 12, 12


def card(one: Comparison, address: str | None) -> Card:
    """The page.

    Args:
        one: What it shows.
        address: Of the tracking server, where it has pages to link to.
    """
    outcome: Outcome = one.main.outcome(one.rival - 1) if one.main and one.paired else "unknown"
    verdict = Remark("ok" if outcome == "better" else "info", f"What to do: {advice(one)}.")
    blocks: list[Block] = [Findings((verdict, *(Remark("info", note) for note in one.notes)))]
    blocks += _figures(one)
    blocks += _slices(one)
    blocks += _changes(one)
    blocks += [Heading("Where to look"), _runs(one, address)]
    names = " against ".join(side.label for side in one.sides[:2])
    more = f" and {len(one.sides) - 2} more" if len(one.sides) > 2 else ""
    word = {"better": "better", "worse": "worse", "unclear": "no clear difference", "equal": "equal"}
    return Card(
        title("compare", one.spec),
        f"{names}{more}",
        _STATUS[outcome],
        answer(one),
        tuple(blocks),
        tuple(_facts(one)),
        word=word.get(outcome, "not comparable"),
    )


def _facts(one: Comparison) -> Iterator[tuple[str, Cell]]:
    main = one.main
    if main is None:
        return
    for place in dict.fromkeys([0, one.rival]):
        yield one.sides[place].label, of_metric(main.metric, main.figures[place].value, one.spec)
    if one.paired and one.rows[0] is not None:
        yield f"{one.part} rows", one.rows[0]
        if main.metric == "value_per_row":
            unit, total = unit_of(main.metric, one.spec), main.apart[one.rival - 1].value * one.rows[0]
            yield "difference on all of them", Quantity(total, unit)


def _figures(one: Comparison) -> list[Block]:
    if not one.metrics:
        return []
    blocks: list[Block] = [Heading("Figures")]
    shown, rest = one.metrics[:_MOST_METRICS], one.metrics[_MOST_METRICS:]
    if one.main is not None and not _alike(one, one.main):
        blocks.append(_picture(one, one.main))
    table = _pair if one.paired and len(one.sides) == 2 else _side_by_side
    blocks.append(table(one, shown, _caption(one)))
    if one.paired and len(one.sides) > 2 and one.main is not None:
        blocks.append(_against_the_first(one, one.main))
    if total := _totals(one):
        blocks.append(total)
    if rest:
        blocks.append(Fold(counted(len(rest), "more metric"), (table(one, rest, ""),)))
    return blocks


def _alike(one: Comparison, main: Compared) -> bool:
    """Whether there is no difference at all that a picture could show."""
    inside = [each.compared for each in one.slices if each.compared.metric == main.metric]
    return one.paired and all(apart.value == 0 for each in (main, *inside) for apart in each.apart)


def _caption(one: Comparison) -> str:
    if not one.paired:
        return f"Figures as the runs hold them; {one.told}."
    if not one.block:
        return f"Figures {one.told}."
    blocks = "single rows" if one.block == "row" else f"whole {one.block}s, as rows of one {one.block} are alike"
    return f"Figures {one.told}; intervals of 95 % from drawing {blocks}, the same for all."


def _picture(one: Comparison, main: Compared) -> Picture:
    return _apart_picture(one, main) if one.paired else _each_picture(one, main)


def _apart_picture(one: Comparison, main: Compared) -> Picture:
    """The difference with its interval: of two sides also in each slice, of more that from each other."""
    first, unit = one.sides[0].label, unit_of(main.metric, one.spec)
    if len(one.sides) == 2:
        inside = [each for each in one.slices if each.compared.metric == main.metric]
        found = [("all rows", main.apart[0])]
        found += [(f"{each.column} = {each.value}", each.compared.apart[0]) for each in inside]
        than = one.sides[1].label
    else:
        found = [(f"than {side.label}", apart) for side, apart in zip(one.sides[1:], main.apart, strict=True)]
        than = "each other"
    drawn = bars(
        [label for label, _ in found],
        [apart.value for _, apart in found],
        low=[apart.interval.low if apart.interval else np.nan for _, apart in found],
        high=[apart.interval.high if apart.interval else np.nan for _, apart in found],
        reference=0.0,
        reference_label="no difference",
        unit=unit or None,
        limit=_MOST_DRAWN,
        title=f"Difference in {main.metric}",
    )
    info = CATALOGUE[main.metric]
    side = "right" if info.higher_is_better else "left"
    sure = " Where a line reaches over it, the difference may be chance." if one.block else ""
    caption = f"{main.metric} of {first} less that of {than}: to the {side} of the line {first} is better.{sure}"
    return Picture(drawn, f"{caption} It is {info.description}.")


def _each_picture(one: Comparison, main: Compared) -> Picture:
    """Figures that stand beside each other and are no pair."""
    drawn = bars(
        [side.label for side in one.sides],
        [value.value for value in main.figures],
        unit=unit_of(main.metric, one.spec) or None,
        title=f"{main.metric} of each",
    )
    info = CATALOGUE[main.metric]
    direction = "more" if info.higher_is_better else "less"
    return Picture(drawn, f"{main.metric}, {direction} is better: {info.description}.")


def _pair(one: Comparison, metrics: Sequence[Compared], caption: str) -> Table:
    """Two sides: each metric with intervals, the difference, and what it says."""
    first, other = (side.label for side in one.sides)
    columns = ("metric", _SO, "difference", first, other)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            each.metric,
            BADGES[each.outcome()],
            difference(each.metric, each.apart[0], one.spec),
            *(around(each.metric, value, one.spec) for value in each.figures),
        )
        for each in metrics
    )
    return Table(columns, rows, caption, sides(columns, {"metric", _SO}))


def _side_by_side(one: Comparison, metrics: Sequence[Compared], caption: str) -> Table:
    columns = ("metric", *(side.label for side in one.sides))
    rows = tuple((each.metric, *(around(each.metric, value, one.spec) for value in each.figures)) for each in metrics)
    return Table(columns, rows, caption, sides(columns, {"metric"}))


def _against_the_first(one: Comparison, main: Compared) -> Table:
    columns = ("against", _SO, "difference")
    rows = tuple(
        (side.label, BADGES[judged(main.metric, apart)], difference(main.metric, apart, one.spec))
        for side, apart in zip(one.sides[1:], main.apart, strict=True)
    )
    caption = f"How far {one.sides[0].label} is from each other by {main.metric}, on the same draws."
    return Table(columns, rows, caption, sides(columns, {"against", _SO}))


def _totals(one: Comparison) -> Table | None:
    """What all rows together are worth."""
    value = next((each for each in one.metrics if each.metric == "value_per_row"), None)
    if value is None or not any(one.rows):
        return None
    unit = unit_of("value_per_row", one.spec)
    rows = tuple(
        (side.label, count, Quantity(each.value, unit), Quantity(None if count is None else each.value * count, unit))
        for side, count, each in zip(one.sides, one.rows, value.figures, strict=True)
    )
    return Table(("", f"{one.part} rows", "value per row", "value in total"), rows, "What the decisions are worth.")


def _slices(one: Comparison) -> list[Block]:
    if not one.slices:
        return []
    main = [each for each in one.slices if each.compared.metric == one.metric]
    rest = [each for each in one.slices if each.compared.metric != one.metric]
    blocks: list[Block] = [Heading("By slice"), _slice_table(one, main, _slice_caption(one, main))]
    if rest:
        blocks.append(Fold(f"The same by {rest[0].compared.metric}", (_slice_table(one, rest, ""),)))
    return blocks


def _slice_caption(one: Comparison, slices: Sequence[ComparedSlice]) -> str:
    worse = [f"{each.column} = {each.value}" for each in slices if each.compared.outcome(one.rival - 1) == "worse"]
    first = one.sides[0].label
    told_worse = f" {first} is surely worse where {', '.join(worse[:3])}." if worse else ""
    least = counted(one.spec.evaluation.minimum_rows, "row")
    return f"{one.metric} in slices of at least {least}.{told_worse} Of many slices some differ by chance."


def _slice_table(one: Comparison, slices: Sequence[ComparedSlice], caption: str) -> Table:
    labels = [side.label for side in one.sides]
    if len(one.sides) > 2:
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (f"{each.column} = {each.value}", each.rows, *(_told(each, value, one) for value in each.compared.figures))
            for each in slices
        )
        return Table(("slice", "rows", *labels), rows, caption, limit=_MOST_SLICES)
    columns = ("slice", _SO, "difference", *labels, "rows")
    pairs: tuple[tuple[Cell, ...], ...] = tuple(
        (
            f"{each.column} = {each.value}",
            BADGES[each.compared.outcome()],
            difference(each.compared.metric, each.compared.apart[0], one.spec),
            *(_told(each, value, one) for value in each.compared.figures),
            each.rows,
        )
        for each in slices
    )
    return Table(columns, pairs, caption, sides(columns, {"slice", _SO}), limit=_MOST_SLICES)


def _told(each: ComparedSlice, value: Figure, one: Comparison) -> str:
    return told(each.compared.metric, value.value, one.spec)


def _changes(one: Comparison) -> list[Block]:
    found = one.changes
    labels = [side.label for side in one.sides]
    same = len(found.parameters) <= 1 and not (found.features or found.settings or found.code or found.texts)
    blocks: list[Block] = [Heading("What differs")]
    if parameters := telling(found.parameters):
        blocks.append(_changed("parameter", parameters, labels, "Parameters that are not the same."))
    if found.features:
        blocks.append(_changed("feature", found.features, labels, "Features that not all of them use alike."))
    if settings := telling(found.settings):
        table = _changed("setting", settings, labels, "Settings of the use case, and data, that are not the same.")
        many = f"{len(settings)} settings of the use case, and data"
        blocks += [table] if len(settings) <= _OPEN_UP_TO else [Fold(many, (table,))]
    for name, text in found.texts.items():
        blocks.append(Fold(f"`{name}`: how {labels[0]} differs from {labels[1]}", (Code(text, "diff"),)))
    if found.code:
        table = _changed("", found.code, labels, "Code, libraries and rows that the stages read.")
        blocks.append(Fold("Code and libraries", (table,)))
    remarks = [
        Remark("info", f"The settings of {label} are not known: its runs are older, or gone.")
        for label in found.unknown
    ]
    if same and not remarks:
        remarks.append(Remark("info", "Nothing else differs: the same settings, data, features and code."))
    return [*blocks, Findings(tuple(remarks))] if remarks else blocks


def _changed(what: str, found: Sequence[Changed], labels: Sequence[str], caption: str) -> Table:
    columns = (what, *labels)
    rows: tuple[tuple[Cell, ...], ...] = tuple((f"`{one.what}`", *one.values) for one in found)
    return Table(columns, rows, caption, sides(columns, columns))


def _runs(one: Comparison, address: str | None) -> KeyValues:
    runs = [(side.label, side.run.info) for side in one.sides]
    return KeyValues(
        tuple((label, run_link(run.run_id, run_page(run.experiment_id, run.run_id), address)) for label, run in runs)
    )
