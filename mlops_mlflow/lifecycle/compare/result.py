"""The comparison as a value: found, read, measured."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlops_mlflow.core.metrics.catalogue import CATALOGUE, DEFAULT_METRIC, quality_metrics
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.learning.problem import about_columns, blocks
from mlops_mlflow.lifecycle.compare.changes import Changes, changes
from mlops_mlflow.lifecycle.compare.evidence import Evidence
from mlops_mlflow.lifecycle.compare.figures import Compared, ComparedSlice, as_logged, compared, in_slices
from mlops_mlflow.lifecycle.compare.find import Finder, Part, Side
from mlops_mlflow.lifecycle.compare.rows import Apart, Ground, common_ground
from mlops_mlflow.tracking.tracker import Tracker


@dataclass(frozen=True)
class Comparison:
    """Models side by side; differences are those of the first from each other.

    Attributes:
        spec: The use case as it was for the first side, with the prices that all are counted at.
        sides: The models. Of two, in the order they were named; of more, the best first.
        metric: What the answer is told by: that of the choice.
        part: Which rows the figures are of.
        rows: How many each side's figures are of; None where that is not known.
        paired: Whether all figures are of the same rows.
        exact: Whether they were measured from predictions, row by row.
        told: Which rows these are, or why there are no differences.
        hint: What would help where there are no differences.
        block: What intervals resample; empty where there are none.
        metrics: Figures and differences, the metric of the choice first.
        slices: The same by slice, for the metric of the choice and the usual one of the task.
        changes: What differs between the models.
        notes: What a reader should know before believing it.
    """

    spec: UseCaseSpec
    sides: tuple[Side, ...]
    metric: str
    part: Part
    rows: tuple[int | None, ...]
    paired: bool
    exact: bool
    told: str
    hint: str
    block: str
    metrics: tuple[Compared, ...]
    slices: tuple[ComparedSlice, ...]
    changes: Changes
    notes: tuple[str, ...]

    @property
    def main(self) -> Compared | None:
        """The metric of the choice; None where no side has a figure of it."""
        return next((one for one in self.metrics if one.metric == self.metric), None)

    @property
    def rival(self) -> int:
        """Place of the side that the answer holds the first against: the best of the others."""
        main = self.main
        if main is None:
            return 1
        sign = 1 if CATALOGUE[self.metric].higher_is_better else -1
        worth = [sign * one.value for one in main.figures[1:]]
        return 1 + int(np.nanargmax(worth)) if np.isfinite(worth).any() else 1


@dataclass(frozen=True)
class _Figures:
    """What is measured; by field as in ``Comparison``."""

    metrics: tuple[Compared, ...]
    slices: tuple[ComparedSlice, ...]
    block: str
    notes: tuple[str, ...]


def compare(tracker: Tracker, spec: UseCaseSpec, words: Sequence[str]) -> Comparison:
    """Compare models of a use case; nothing is written to the tracking server.

    Args:
        tracker: Where its runs are.
        spec: The use case as it stands today, where runs do not tell how it was.
        words: Runs and versions, as ``mlops compare`` takes them; none for the newest against the champion.

    Raises:
        TrackingError: A word names nothing that can be compared, or there is nothing to compare with.
    """
    found = Finder(tracker, spec.use_case).sides(words)
    scratch = Path(tempfile.mkdtemp(prefix="mlops-"))
    try:
        sides = [Evidence(side, tracker, scratch / str(place)) for place, side in enumerate(found)]
        return _compared(sides, spec)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _compared(sides: Sequence[Evidence], today: UseCaseSpec) -> Comparison:
    ground = common_ground(sides)
    spec = sides[0].spec or today
    metric = sides[0].choose_by or ("value_per_row" if spec.value else spec.tuning.metric or "")
    if isinstance(ground, Ground) and len(sides) > 2:
        order = _best_first(metric, ground)
        sides = [sides[place] for place in order]
        ground = common_ground(sides)
    if isinstance(ground, Ground):
        task = ground.made[0].task
        metric = metric or DEFAULT_METRIC[task]
        spec = spec.model_copy(update={"value": ground.made[0].value})
        figures = _measured(ground, sides, spec, metric)
        rows: list[int | None] = [len(ground.numbers)] * len(sides)
        paired, told, hint = True, ground.told, ""
    else:
        figures, rows, paired = _logged(sides, ground, metric)
        told, hint = ground.reason, ground.hint
    return Comparison(
        spec,
        tuple(one.side for one in sides),
        metric or (figures.metrics[0].metric if figures.metrics else ""),
        ground.part,
        tuple(rows),
        paired,
        isinstance(ground, Ground),
        told,
        hint,
        figures.block,
        figures.metrics,
        figures.slices,
        changes(sides),
        (*figures.notes, *_notes(sides, ground, paired=paired)),
    )


def _best_first(metric: str, ground: Ground) -> list[int]:
    from mlops_mlflow.core.metrics.measure import measure

    metric = metric or DEFAULT_METRIC[ground.made[0].task]
    sign = -1 if CATALOGUE[metric].higher_is_better else 1
    values = [sign * measure(metric, one) for one in ground.made]
    return sorted(range(len(values)), key=lambda place: (np.isnan(values[place]), values[place]))


def _measured(ground: Ground, sides: Sequence[Evidence], spec: UseCaseSpec, metric: str) -> _Figures:
    """Figures from predictions, with intervals where the data tells the blocks."""
    task, made = ground.made[0].task, list(ground.made)
    priced = ["value_per_row"] if made[0].value is not None else []
    names = list(dict.fromkeys([metric, DEFAULT_METRIC[task], *priced, *quality_metrics(task)]))
    path = sides[0].dataset
    if path is None:
        none = np.zeros(len(ground.numbers), dtype=np.int64)  # a single block gives no interval
        note = "There are no intervals and no slices: the dataset is gone from the run of extract."
        return _Figures(tuple(compared(names, made, none, seed=spec.seed)), (), "", (note,))

    from mlops_mlflow.engines.tables import read_rows

    columns = _columns(path)
    # A table without columns would have no rows either; one that is in every dataset is read along.
    wanted = list(dict.fromkeys([*about_columns(spec, columns), next(iter(columns))]))
    about = read_rows(path, wanted, ground.numbers)
    numbers, block = blocks(spec, about)
    figures = compared(names, made, numbers, seed=spec.seed)
    slices = [
        one
        for column in spec.evaluation.slices
        if column in about
        for one in in_slices(names[:2], made, about[column], spec.evaluation.minimum_rows, numbers, seed=spec.seed)
    ]
    few = figures[0].figures[0].interval is None
    note = f"There are no intervals: the rows are of too few {'groups' if block == spec.split.group else block + 's'}."
    return _Figures(tuple(figures), tuple(slices), "" if few else block, (note,) if few else ())


def _columns(path: Path) -> dict[str, str]:
    import pyarrow.parquet as pq

    return dict.fromkeys(pq.read_schema(path).names, "")


def _logged(sides: Sequence[Evidence], ground: Apart, metric: str) -> tuple[_Figures, list[int | None], bool]:
    """Figures as the runs hold them, where predictions cannot be paired."""
    logged = [
        one.figures(ground.part) if one.side.judged_on(ground.part) else one.figures(_other(ground.part))
        for one in sides
    ]
    rows = [one.rows(ground.part) for one in sides]
    digests = {digest for _, digest in rows}
    same = len(digests) == 1 and "" not in digests and all(one.side.judged_on(ground.part) for one in sides)
    names = [name for kind in ("value", "quality") for name, info in CATALOGUE.items() if info.kind == kind]
    found = as_logged(dict.fromkeys([*([metric] if metric else []), *names]), logged, same_rows=same)
    return _Figures(tuple(found), (), "", ()), [count for count, _ in rows], same


def _other(part: Part) -> Part:
    return "validation" if part == "test" else "test"


def _notes(sides: Sequence[Evidence], ground: Ground | Apart, *, paired: bool) -> list[str]:
    if isinstance(ground, Apart):
        return [f"How sure the differences are cannot be told: {ground.reason}."] if paired else []
    notes = list(ground.notes)
    prices = [one.spec.value for one in sides if one.spec]
    if any(price != prices[0] for price in prices):
        notes.append(f"Prices changed between them: all are counted at those of {sides[0].side.label}.")
    if ground.part == "validation":
        notes.append(
            "Candidates are chosen, and their thresholds set, on these rows: what was chosen looks a little too good."
        )
    return notes
