"""Criteria, requirements, metrics and slices of a version, beside those of the champion where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from mlops_mlflow.cards.blocks import Badge, Block, Cell, Fold, Picture, StatusName, Table
from mlops_mlflow.cards.charts import interval
from mlops_mlflow.cards.numbers import NOTHING, figure
from mlops_mlflow.cards.wording import counted, gap, listed, sides, unit_of
from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.lifecycle.compare.answer import around, difference
from mlops_mlflow.lifecycle.compare.card import BADGES
from mlops_mlflow.lifecycle.compare.figures import Compared, ComparedSlice, Figure, Outcome
from mlops_mlflow.lifecycle.governance.facts import Facts, Known
from mlops_mlflow.stages.validate.run import SliceFigure

STATUS: dict[str, StatusName] = {"passed": "ok", "failed": "failed", "unknown": "unknown", "pending": "info"}
OWN = "*"
"""Behind a figure of the champion that is not of the same rows."""
_EACH, _WEAKEST = " in each ", " is "
_MOST_SLICES = 8
_GRAVEST: tuple[Outcome, ...] = ("worse", "unclear", "unknown", "equal", "better")


def checked(facts: Facts) -> tuple[Finding, ...]:
    """What a program judged; approvals are people's."""
    return tuple(one for one in facts.findings if one.outcome != "pending")


def kept(facts: Facts) -> str:
    """In words: "boosting keeps 6 of 6 bounds"."""
    judged = checked(facts)
    count = sum(one.outcome == "passed" for one in judged)
    return f"{facts.candidate or facts.label} keeps {count} of {counted(len(judged), 'bound')}"


def missed(facts: Facts, spec: UseCaseSpec) -> str:
    """What is not kept, and by how much; empty where all is."""
    return listed([_missed(one, spec) for one in checked(facts) if one.outcome != "passed"], 3)


def _missed(one: Finding, spec: UseCaseSpec) -> str:
    if one.outcome == "failed" and one.figure is not None and one.limit is not None and one.figure != one.limit:
        return f"{one.subject} by {gap(_metric(one), one.figure - one.limit, spec)}"
    return f"{one.subject}{' (not judged)' if one.outcome == 'unknown' else ''}"


def table(known: Known, spec: UseCaseSpec) -> Table:
    """One row for each criterion and requirement: bound, figure, the champion's, difference, outcome."""
    findings = checked(known.facts)
    if known.champion is None:
        heads = ("what", "outcome", "bound", "figure (95 % interval)", "")
        alone = tuple((*_named(one, spec), _own(one, spec), _gauge(one, spec)) for one in findings)
        return Table(heads, alone, _caption(known), ("left", "left", "right", "right", "left"))
    columns = ("what", "outcome", "bound", known.facts.label, "champion", "difference")
    rows = tuple((*_named(one, spec), *_against(one, known, spec)) for one in findings)
    return Table(columns, rows, _caption(known, rows), sides(columns, {"what", "outcome", "difference"}))


def _caption(known: Known, rows: Sequence[Sequence[Cell]] = ()) -> str:
    facts, told = known.facts, "The figure decides, the interval of 95 % informs."
    if facts.test is not None:
        told = f"On {counted(facts.test.rows, 'test row')} that nobody had seen. {told}"
    if known.champion is not None:
        told += f" The champion is {known.champion.label}."
    if known.comparison is not None and not known.comparison.paired:
        told += f" No differences can be told, as {known.comparison.told}."
    if any(isinstance(cell, str) and cell.endswith(OWN) for row in rows for cell in row):
        told += f" {OWN} as the champion was judged itself, on its own rows."
    return told


def _named(one: Finding, spec: UseCaseSpec) -> tuple[Cell, Cell, Cell]:
    status = "warning" if one.outcome == "passed" and one.close else STATUS[one.outcome]
    word = "passed, close" if status == "warning" else one.outcome
    kind = "" if one.kind == "criterion" else f" ({one.kind})"
    weakest = _weakest(one)
    where = f", weakest: {weakest}" if weakest else ""
    return f"{one.subject}{where}{kind}", Badge(status, word), _bound(one, spec)


def _bound(one: Finding, spec: UseCaseSpec) -> str:
    if one.limit is None:
        return NOTHING
    return f"{'≥' if one.at_least else '≤'} {figure(one.limit, unit_of(_metric(one), spec))}"


def _own(one: Finding, spec: UseCaseSpec) -> str:
    if one.figure is None:
        return "nothing to compare with" if one.outcome == "passed" else NOTHING
    return around(_metric(one), Figure(one.figure, one.interval), spec)


def _gauge(one: Finding, spec: UseCaseSpec) -> Cell:
    if one.figure is None:
        return ""
    low, high = (one.interval.low, one.interval.high) if one.interval else (None, None)
    direction: Literal["at_least", "at_most"] = "at_least" if one.at_least else "at_most"
    drawn = interval(one.figure, low, high, one.limit, direction, unit=unit_of(_metric(one), spec) or None, width=120)
    return Picture(drawn)


def _against(one: Finding, known: Known, spec: UseCaseSpec) -> tuple[str, str, str]:
    """The figure, the champion's, and how far they are apart."""
    metric, facts = _metric(one), known.facts
    if " against the champion" in one.subject:
        compared = _compared(known, metric)
        if one.figure is None and compared is None:
            return figure(facts.metrics.get(metric), unit_of(metric, spec)), NOTHING, NOTHING
        if one.figure is not None:
            own = figure(facts.metrics.get(metric), unit_of(metric, spec))
            return own, _then(known, metric, spec), difference(metric, Figure(one.figure, one.interval), spec)
        return _pair(metric, compared, spec)
    if one.subject == metric or one.subject.startswith(f"{metric}{_EACH}"):
        compared = _compared(known, metric) if one.subject == metric else _compared_slice(one, known)
        if compared is not None:
            own, other, apart = _pair(metric, compared, spec)
            return _figure(one, spec) or own, other, apart
        if one.subject == metric and metric in facts.champion:
            return _figure(one, spec), _then(known, metric, spec), NOTHING
    return _figure(one, spec), _judged_itself(one, known, spec), NOTHING


def _pair(metric: str, compared: Compared | None, spec: UseCaseSpec) -> tuple[str, str, str]:
    if compared is None:
        return NOTHING, NOTHING, NOTHING
    own, other = (figure(each.value, unit_of(metric, spec)) for each in compared.figures[:2])
    if not compared.apart:  # the rows are not the same
        return own, f"{other}{OWN}", NOTHING
    return own, other, difference(metric, compared.apart[0], spec)


def _figure(one: Finding, spec: UseCaseSpec) -> str:
    return figure(one.figure, unit_of(_metric(one), spec))


def _then(known: Known, metric: str, spec: UseCaseSpec) -> str:
    """The champion's figure as validate measured it, on rows new to both."""
    return figure(known.facts.champion.get(metric), unit_of(metric, spec))


def _judged_itself(one: Finding, known: Known, spec: UseCaseSpec) -> str:
    findings = known.champion.findings if known.champion else ()
    own = next((each for each in findings if each.subject == one.subject), None)
    return f"{_figure(own, spec)}{OWN}" if own is not None and own.figure is not None else NOTHING


def _compared(known: Known, metric: str) -> Compared | None:
    return (
        next((each for each in known.comparison.metrics if each.metric == metric), None) if known.comparison else None
    )


def _compared_slice(one: Finding, known: Known) -> Compared | None:
    """The same slice of both: the one that decided."""
    metric, column, value = _metric(one), one.subject.partition(_EACH)[2], _weakest(one)
    for each in known.comparison.slices if known.comparison else ():
        if (each.column, each.value, each.compared.metric) == (column, value, metric):
            return each.compared
    return None


def _metric(one: Finding) -> str:
    return one.subject.split(" ")[0]


def _weakest(one: Finding) -> str:
    """The slice that decided, where a criterion holds in each."""
    told = next((part.strip() for part in one.reason.split("; ") if part.startswith("the weakest of")), "")
    return told.partition(_WEAKEST)[2]


def worst_slices(known: Known, spec: UseCaseSpec) -> list[Block]:
    """Where it is surely worse than the champion, or weakest."""
    comparison = known.comparison
    if comparison is not None and comparison.slices:
        main = [one for one in comparison.slices if one.compared.metric == comparison.metric]
        return [_against_champion(known, main, spec)]
    watched = _watched(known.facts.slices)
    return [_alone(watched, known.facts, spec)] if watched else []


def _against_champion(known: Known, slices: Sequence[ComparedSlice], spec: UseCaseSpec) -> Table:
    metric = slices[0].compared.metric
    sign = 1 if CATALOGUE[metric].higher_is_better else -1
    ranked = sorted(
        slices, key=lambda one: (_GRAVEST.index(one.compared.outcome()), sign * one.compared.apart[0].value)
    )
    surely = sum(one.compared.outcome() == "worse" for one in slices)
    champion = known.champion.label if known.champion else ""
    columns = ("slice", f"than {champion}", "difference", known.facts.label, champion, "rows")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            f"{one.column} = {one.value}",
            BADGES[one.compared.outcome()],
            difference(metric, one.compared.apart[0], spec),
            *(figure(each.value, unit_of(metric, spec)) for each in one.compared.figures),
            one.rows,
        )
        for one in ranked
    )
    told = f"surely worse in {surely} of {len(slices)}" if surely else f"surely worse in none of {len(slices)}"
    caption = f"{metric} by slice, the worst against the champion first: {told}."
    return Table(columns, rows, caption, sides(columns, {"slice", columns[1]}), limit=_MOST_SLICES)


def _watched(slices: Sequence[SliceFigure]) -> list[SliceFigure]:
    """Figures of the metric of the choice, which is named first, from the weakest on."""
    first = slices[0].metric if slices else ""
    sign = 1 if first and CATALOGUE[first].higher_is_better else -1
    return sorted((one for one in slices if one.metric == first), key=lambda one: sign * one.figure)


def _alone(slices: Sequence[SliceFigure], facts: Facts, spec: UseCaseSpec) -> Table:
    metric = slices[0].metric
    columns = ("slice", f"{metric} (95 % interval)", "rows")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (f"{one.column} = {one.value}", around(metric, Figure(one.figure, one.interval), spec), one.rows)
        for one in slices
    )
    whole = figure(facts.metrics.get(metric), unit_of(metric, spec))
    caption = f"{metric} by slice, the weakest first; of all rows it is {whole}."
    return Table(columns, rows, caption, sides(columns, {"slice"}), limit=_MOST_SLICES)


def metrics(facts: Facts, spec: UseCaseSpec) -> list[Block]:
    """Every metric beside the baseline and the champion of then."""
    if not facts.metrics:
        return []
    heads = ["metric", facts.label, "baseline", *(["champion then"] if facts.champion else [])]
    rows = tuple(tuple(_metric_row(name, facts, spec)) for name in facts.metrics if name in CATALOGUE)
    return [Fold(f"All {len(rows)} metrics on test rows", (Table(tuple(heads), rows, "", sides(heads, {"metric"})),))]


def _metric_row(name: str, facts: Facts, spec: UseCaseSpec) -> Iterator[Cell]:
    own: Interval | None = facts.intervals.get(name)
    yield name
    yield around(name, Figure(facts.metrics[name], own), spec)
    yield figure(facts.baseline.get(name), unit_of(name, spec))
    if facts.champion:
        yield figure(facts.champion.get(name), unit_of(name, spec))
