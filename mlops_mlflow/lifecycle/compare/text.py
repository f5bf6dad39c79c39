"""A comparison on the terminal: the answer first, then what it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import unit_of
from mlops_mlflow.lifecycle.compare.answer import advice, answer, around, difference, telling
from mlops_mlflow.lifecycle.compare.figures import Compared, Outcome
from mlops_mlflow.lifecycle.compare.result import Comparison

_MOST_METRICS, _MOST_SLICES, _MOST_SETTINGS, _WIDEST = 4, 8, 10, 44
_WORDS: dict[Outcome, str] = {"unknown": "not known"}


def text(one: Comparison) -> str:
    """Everything that fits on a screen; the card has the rest."""
    lines = ["", answer(one), f"do         {advice(one)}"]
    lines += [f"note       {note}" for note in one.notes]
    labels = [side.label for side in one.sides]
    if one.metrics:
        apart = ["difference", ""] if one.paired and len(labels) == 2 else []
        lines += ["", *_table(["", *labels, *apart], list(_figures(one)))]
    if one.main and one.paired and len(labels) > 2:
        lines += ["", *_table([f"{one.metric}: {labels[0]} less", "difference", ""], list(_others(one, one.main)))]
    if one.slices and len(labels) == 2:
        lines += ["", *_table([f"{one.metric} by slice", *labels, "difference", ""], list(_slices(one)))]
    for title, found in (
        ("parameters", telling(one.changes.parameters)),
        ("features", one.changes.features),
        ("settings", telling(one.changes.settings)),
    ):
        if found:
            rows = [[changed.what, *changed.values] for changed in found[:_MOST_SETTINGS]]
            lines += ["", *_table([title, *labels], rows)]
            lines += [f"  … and {len(found) - _MOST_SETTINGS} more on the card"] if len(found) > _MOST_SETTINGS else []
    lines += [f"note       the settings of {label} are not known" for label in one.changes.unknown]
    lines += [f"\n{name} differs: see the card" for name in one.changes.texts]
    lines += ["", *(f"run        {side.run_id}  {side.label}" for side in one.sides)]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")  # so that a search in the output finds "0.2 EUR"


def _figures(one: Comparison) -> Iterator[list[str]]:
    for each in one.metrics[:_MOST_METRICS]:
        figures = [around(each.metric, value, one.spec) for value in each.figures]
        yield [each.metric, *figures, *_apart(each, one)]
        if each.metric == "value_per_row" and any(one.rows):
            unit = unit_of(each.metric, one.spec)
            pairs = zip(each.figures, one.rows, strict=True)
            totals = [figure(None if count is None else value.value * count, unit) for value, count in pairs]
            apart = each.apart[0].value * (one.rows[0] or 0) if len(each.apart) == 1 else None
            yield ["  of all rows", *totals, *([figure(apart, unit), ""] if apart is not None else [])]


def _others(one: Comparison, main: Compared) -> Iterator[list[str]]:
    for place, side in enumerate(one.sides[1:]):
        outcome = main.outcome(place)
        yield [side.label, difference(main.metric, main.apart[place], one.spec), _WORDS.get(outcome, outcome)]


def _slices(one: Comparison) -> Iterator[list[str]]:
    for each in [each for each in one.slices if each.compared.metric == one.metric][:_MOST_SLICES]:
        figures = [figure(value.value, unit_of(one.metric, one.spec)) for value in each.compared.figures]
        yield [f"{each.column} = {each.value} ({each.rows:,})", *figures, *_apart(each.compared, one)]


def _apart(each: Compared, one: Comparison) -> list[str]:
    if len(each.apart) != 1:
        return []
    outcome = each.outcome()
    return [difference(each.metric, each.apart[0], one.spec), _WORDS.get(outcome, outcome)]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under their heads, as wide as they need to be."""
    lines = [[_cut(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    ]


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "…"
