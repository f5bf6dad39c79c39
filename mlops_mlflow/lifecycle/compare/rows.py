"""The rows on which several models can be compared: judged by all of them, and known to none when it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.cards.wording import counted, listed
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.lifecycle.compare.evidence import Evidence
from mlops_mlflow.lifecycle.compare.find import STAGE_OF, Part
from mlops_mlflow.stages.validate.run import FEWEST_COMMON

Ints = NDArray[np.int64]
_SAME_ROWS = "have both judged on the same rows: run the lifecycle again with the same data and the same split"


@dataclass(frozen=True)
class Ground:
    """Predictions of the same rows.

    Attributes:
        part: ``test`` or ``validation``.
        made: Of each side, row by row of the same rows, at the same prices.
        numbers: Place of each row in the first side's dataset.
        told: Which rows these are.
        notes: What a reader should know of them.
    """

    part: Part
    made: tuple[Predictions, ...]
    numbers: Ints
    told: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Apart:
    """Why there are no such rows.

    Attributes:
        part: Rows that the figures shown are of.
        reason: One sentence without a full stop.
        hint: What would help.
    """

    part: Part
    reason: str
    hint: str = ""


def common_ground(sides: Sequence[Evidence]) -> Ground | Apart:
    """Find the rows that all sides were judged on, test rows first."""
    parts: list[Part] = [part for part in STAGE_OF if all(one.side.judged_on(part) for one in sides)]
    if not parts:
        own: Part = "test" if sides[0].side.judged_on("test") else "validation"
        where = listed(
            [f"{one.side.label} on {' and '.join(p for p in STAGE_OF if one.side.judged_on(p))}" for one in sides]
        )
        return Apart(
            own, f"they were judged on rows of different parts: {where}", "name two candidates, or two lifecycles"
        )
    found = [_on(part, sides) for part in parts]
    ground = next((one for one in found if isinstance(one, Ground)), None)
    if ground is None:
        return found[0]
    better = [
        f"These are {ground.part} rows: of {one.part} rows, {one.reason}." for one in found if isinstance(one, Apart)
    ]
    return replace(ground, notes=(*better, *ground.notes)) if found[0] is not ground else ground


def _on(part: Part, sides: Sequence[Evidence]) -> Ground | Apart:
    if part == "test" and len(sides) == 2 and (ground := _by_champion(sides[0], sides[1])):
        return ground
    silent = [f"{one.side.label}: {reason}" for one in sides if (reason := one.silent(part))]
    if silent:
        return Apart(part, f"the predictions are not there ({'; '.join(silent)})", "run the lifecycle again")
    kept = [one.own(part) for one in sides]
    absent = [one.side.label for one, own in zip(sides, kept, strict=True) if own is None]
    if absent:
        return Apart(part, f"no predictions of {listed(absent)} were kept with the run")
    made = [own.made for own in kept if own is not None]
    if len({(one.task, one.classes) for one in made}) > 1:
        return Apart(part, "they do not predict the same: the target, or its classes, differ")
    rows = [own.rows for own in kept if own is not None]
    identities = _identities(sides, rows)
    if identities is None:
        return Apart(part, "they were made of different data, and which rows are the same cannot be told")
    return _matched(part, sides, made, rows, identities)


def _by_champion(left: Evidence, right: Evidence) -> Ground | None:
    """What validate compared: one side's test rows, on which the other, then in Production, was asked too."""
    for one, other, turned in ((left, right, False), (right, left, True)):
        own, champions = one.own("test"), one.of_champion(other.side.version)
        if own is None or champions is None:
            continue
        places = np.searchsorted(own.rows, champions.rows)
        made = [own.made.take(places), champions.made]
        count, fewer = len(places), len(places) < len(own.rows)
        told = f"on the same {counted(count, 'test row')}"
        left_out = counted(len(own.rows) - count, "test row")
        notes = (f"{left_out} of {one.side.label} are left out: {other.side.label} knew them.",)
        made = made[::-1] if turned else made
        return Ground("test", _at_same_prices(made), champions.rows, told, notes if fewer else ())
    return None


def _matched(
    part: Part, sides: Sequence[Evidence], made: list[Predictions], rows: list[Ints], identities: list[NDArray[Any]]
) -> Ground | Apart:
    """Bring the rows that all have into one order."""
    shared = reduce(np.intersect1d, identities)
    most = max(map(len, rows))
    if len(shared) < min(FEWEST_COMMON, most):
        sizes = listed([f"{len(own):,}" for own in rows], len(rows))
        reason = f"they were judged on different {part} rows: of {sizes} only {len(shared):,} are common"
        return Apart(part, f"{reason}, and {FEWEST_COMMON} are needed", _SAME_ROWS)
    # In the order of the first side's rows: blocks are then numbered, and drawn, as validate did.
    first = np.flatnonzero(np.isin(identities[0], shared))
    wanted = identities[0][first]
    places = [_places(identity, wanted) for identity in identities]
    aligned = [one.take(place) for one, place in zip(made, places, strict=True)]
    odd = max(int((one.actual != aligned[0].actual).sum()) for one in aligned)
    if odd:
        return Apart(
            part, f"the outcome of {counted(odd, 'common row')} is not the same: the target was made otherwise"
        )
    told = f"on the same {counted(len(shared), f'{part} row')}"
    notes = []
    if len(shared) < most:
        sizes = listed([f"{len(own):,} of {one.side.label}" for one, own in zip(sides, rows, strict=True)])
        notes.append(f"The rows are those that every side was judged on: {len(shared):,} in common, of {sizes}.")
    return Ground(part, _at_same_prices(aligned), rows[0][first], told, tuple(notes))


def _places(identity: NDArray[Any], wanted: NDArray[Any]) -> Ints:
    order = np.argsort(identity, kind="stable")
    return np.asarray(order[np.searchsorted(identity, wanted, sorter=order)], dtype=np.int64)


def _at_same_prices(made: Sequence[Predictions]) -> tuple[Predictions, ...]:
    """Prices of the first side that has any; a row is worth the same whoever decided it."""
    prices = next((one.value for one in made if one.value is not None), None)
    return tuple(replace(one, value=prices) for one in made)


def _identities(sides: Sequence[Evidence], rows: Sequence[Ints]) -> list[NDArray[Any]] | None:
    """What tells each row from others in every side's data: its place, its key, or its content."""
    digests = {one.data[0] for one in sides}
    if len(digests) == 1 and "" not in digests:
        return list(rows)
    paths = [one.dataset for one in sides]
    files = [path for path in paths if path is not None]
    if len(files) < len(sides):
        return None
    names = set.intersection(*(_columns(path) for path in files))
    key = sides[0].spec.entity_key if sides[0].spec else None
    if key in names and (found := _keys(files, rows, key)):
        return found
    return _contents(files, rows, sorted(names))


def _columns(path: Path) -> set[str]:
    import pyarrow.parquet as pq

    return set(pq.read_schema(path).names)


def _keys(files: Sequence[Path], rows: Sequence[Ints], key: str) -> list[NDArray[Any]] | None:
    """Keys as text; None where one stands for several rows."""
    from mlops_mlflow.engines.tables import read_rows

    found = [
        read_rows(path, [key], own)[key].astype(str).to_numpy(dtype=object)
        for path, own in zip(files, rows, strict=True)
    ]
    return found if all(len(set(one)) == len(one) for one in found) else None


def _contents(files: Sequence[Path], rows: Sequence[Ints], names: Sequence[str]) -> list[NDArray[Any]] | None:
    """A number for the content of the columns that all have; equal rows of one side are none of them."""
    from mlops_mlflow.engines.digest import row_positions

    if not names:
        return None
    found: list[NDArray[Any]] = []
    for path, own in zip(files, rows, strict=True):
        content = row_positions(path, names, seed=0)[own]
        _, place, count = np.unique(content, return_inverse=True, return_counts=True)
        # A content that stands twice gets numbers that no other side has, so it is never matched.
        found.append(np.where(count[place] == 1, content, -1.0 - np.arange(len(content)) - len(found) * 1e12))
    return found
