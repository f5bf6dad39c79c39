"""Division of rows into train, validation and test.

A split is planned once and written down as a plan whose application is a pure function of a row's own content. So it
survives reordering, and the plan of an older version tells which of today's rows that version was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.usecase.data import Split

PARTS = ("train", "validation", "test")
Parts = NDArray[np.int8]


@dataclass(frozen=True)
class SplitPlan:
    """How rows are divided.

    Attributes:
        by: As in the use case.
        seed: Of the content hash that gives each row its position.
        columns: What the position is a hash of; empty when the split is by time, None for all columns.
        cuts: For each stratum the positions at which validation and test begin. By time there is one stratum, and the
            positions are nanoseconds since 1970 in UTC; otherwise they lie in [0, 1).
    """

    by: Literal["time", "random", "stratified", "grouped"]
    seed: int
    columns: tuple[str, ...] | None
    cuts: dict[str, tuple[float, float]]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> SplitPlan:
        """From what ``to_dict`` gave."""
        columns = plain["columns"]
        cuts = {name: (pair[0], pair[1]) for name, pair in plain["cuts"].items()}
        return cls(plain["by"], plain["seed"], None if columns is None else tuple(columns), cuts)


EVERY = "*"


def plan_split(
    split: Split,
    positions: NDArray[np.generic],
    strata: NDArray[np.object_] | None = None,
    *,
    seed: int,
    columns: Sequence[str] | None,
) -> SplitPlan:
    """Find the cuts of a split.

    Args:
        split: The shares and the way.
        positions: Where each row stands: nanoseconds for a split by time, otherwise a content hash in [0, 1).
        strata: The class of each row, for a stratified split.
        seed: Of the content hash.
        columns: What the content hash is of.

    Returns:
        The plan. Rows below the first cut train, those below the second validate, the others test.

    Raises:
        DataError: There are fewer than three rows, or so few of one class of a stratified split.
    """
    if split.by == "time":
        cuts = {EVERY: _cuts(positions, split, "the dataset")}
    elif split.by == "stratified":
        words = _words(strata)
        cuts = {name: _cuts(positions[words == name], split, f"the class {name}") for name in sorted(set(words))}
    else:
        cuts = {EVERY: (split.train, split.train + split.validation)}
    kept = None if columns is None else tuple(columns)
    return SplitPlan(split.by, seed, kept, cuts)


def _words(strata: NDArray[np.object_] | None) -> NDArray[np.str_]:
    if strata is None:
        raise ValueError("a stratified split needs the class of each row")
    # A plan outlives a column's type: 1 and 1.0 are one class.
    words = (int(one) if isinstance(one, float) and one.is_integer() else one for one in strata)
    return np.array([str(word) for word in words], dtype=str)


def _cuts(positions: NDArray[np.generic], split: Split, what: str) -> tuple[float, float]:
    """Where validation and test begin, with at least one place in each part."""
    count = len(positions)
    if count < len(PARTS):
        raise DataError(
            f"{what} has too few rows to be divided by {split.by}",
            expected="at least 3 rows, one for each of train, validation and test",
            got=f"{count} rows",
            hint="extract more rows; a stratified split is for classes, not for numbers",
        )
    first = min(max(round(split.train * count), 1), count - 2)
    second = min(max(round((split.train + split.validation) * count), first + 1), count - 1)
    ordered = np.sort(positions)
    return ordered[first].item(), ordered[second].item()


def assign(plan: SplitPlan, positions: NDArray[np.generic], strata: NDArray[np.object_] | None = None) -> Parts:
    """Which part each row belongs to: 0 train, 1 validation, 2 test.

    A row of a stratum that the plan does not know belongs to test: nothing was fitted on it.
    """
    parts = np.full(len(positions), 2, dtype=np.int8)
    words = _words(strata) if plan.by == "stratified" else np.full(len(positions), EVERY)
    for name, (validation, test) in plan.cuts.items():
        rows = words == name
        parts[rows] = (positions[rows] >= validation).astype(np.int8) + (positions[rows] >= test).astype(np.int8)
    return parts


def check_parts(parts: Parts, classes: NDArray[np.object_] | None, split: Split) -> None:
    """Refuse a split that leaves a part without rows, or without one of the classes.

    Raises:
        DataError: Names the part, what it lacks, and what may help.
    """
    wanted = None if classes is None else set(classes)
    for number, part in enumerate(PARTS):
        rows = parts == number
        if not rows.any():
            raise DataError(
                f"the split leaves no row for {part}",
                expected=f"{getattr(split, part):.0%} of {len(parts)} rows in {part} (split by {split.by})",
                got="0 rows",
                hint="extract more rows, or change the shares; equal times, equal rows and one group stay together",
            )
        stratify = "" if split.by == "stratified" else "use `split: {by: stratified}`, "
        if wanted is not None and classes is not None and (missing := wanted - set(classes[rows])):
            raise DataError(
                f"the split leaves {part} without the class {', '.join(sorted(map(repr, missing)))}",
                expected=f"each of {len(wanted)} classes in every part",
                got=f"{rows.sum()} rows of {len(set(classes[rows]))} classes in {part}",
                hint=f"{stratify}extract more rows, or change the shares",
            )
