"""What is odd about a dataset, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mlops_mlflow.core.profiles import ColumnProfile, TableProfile
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.learning.target import Outcomes

LEAKS_ALONE = 0.9
LEAKS_BESIDE = 0.5
MUCH_MISSING, SOME_MISSING = 0.5, 0.05
RARE_CLASS = 0.05
WIDE_SHARE = 0.5
FAR = 10
MOST_NAMED = 8

Level = Literal["failed", "warning", "info"]
ORDER: dict[Level, int] = {"failed": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Observation:
    """One sentence about the dataset, how grave it is, and what to do.

    Attributes:
        level: How grave it is.
        sentence: What was seen.
        advice: What to do.
        forbid: Columns that the use case may have to forbid.
    """

    level: Level
    sentence: str
    advice: str = ""
    forbid: tuple[str, ...] = ()


def observe(
    spec: UseCaseSpec, seen: TableProfile, outcomes: Outcomes, told: dict[str, float]
) -> tuple[Observation, ...]:
    """All observations, the gravest first."""
    found = [*_leaks(told), *_rows(spec, seen), *_target(seen, outcomes), *_times(seen)]
    columns = [one for one in seen.columns if one.name not in {spec.target.column, spec.entity_key}]
    found += _gaps(spec, columns)
    for column in columns:
        found += _column(column, excluded=column.name in spec.features.exclude)
        found += _extremes(column, examples=spec.card.examples)
    return tuple(sorted(found, key=lambda one: ORDER[one.level]))


def _leaks(told: dict[str, float]) -> Iterator[Observation]:
    ranked = sorted(told.items(), key=lambda pair: -pair[1])
    leaking: dict[Level, dict[str, float]] = {}
    for place, (name, strength) in enumerate(ranked):
        others = [other for _, other in ranked[place + 1 :]]
        alone = strength >= LEAKS_ALONE
        if alone or (strength >= LEAKS_BESIDE and others and strength >= 3 * others[0]):
            leaking.setdefault("failed" if alone else "warning", {})[name] = strength
    for level, found in leaking.items():
        named = [f"**{name}** ({strength:.2f})" for name, strength in found.items()]
        name, strength = next(iter(found.items()))
        one = f"**{name}** alone tells the target too well (strength {strength:.2f} of 1): it may leak the outcome."
        many = f"{len(found)} columns tell the target too well, each alone (strength of 1), and may leak the outcome: "
        yield Observation(
            level,
            one if len(found) == 1 else f"{many}{_named(named)}.",
            "When is it known? What is known only after the decision goes out of the SQL, and into the use case under "
            "`forbidden`.",
            tuple(found),
        )


def _named(names: Sequence[str]) -> str:
    """A list that stays short."""
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _rows(spec: UseCaseSpec, seen: TableProfile) -> Iterator[Observation]:
    if seen.duplicate_rows:
        yield Observation(
            "warning",
            f"{seen.duplicate_rows:,} rows are exact copies of others.",
            "Copies that land in different parts make figures look better than they are: use `distinct` in the SQL.",
        )
    if seen.duplicate_keys:
        yield Observation(
            "failed",
            f"{seen.duplicate_keys:,} rows repeat an earlier value of the key `{spec.entity_key}`.",
            "Predictions are joined with labels by it: make it unique in the SQL.",
        )


def _target(seen: TableProfile, outcomes: Outcomes) -> Iterator[Observation]:
    if seen.target is None or outcomes.task == "regression":
        return
    balance = dict(zip(seen.target.classes, seen.target.balance, strict=False))
    rare = {name: share for name, share in balance.items() if share < RARE_CLASS}
    if rare:
        told = ", ".join(f"{name} ({share:.1%})" for name, share in rare.items())
        yield Observation(
            "warning",
            f"Rare outcomes: {told}.",
            "Accuracy says little here: judge by average_precision, roc_auc or value.",
        )


def _times(seen: TableProfile) -> Iterator[Observation]:
    if seen.time is None:
        return
    gaps = seen.time.gaps("day")
    if gaps:
        told = ", ".join(gaps[:5]) + (" ..." if len(gaps) > 5 else "")
        yield Observation("warning", f"{len(gaps)} days have no rows: {told}.", "Look at the source for these days.")
    if seen.time.missing:
        yield Observation("failed", f"{seen.time.missing:,} rows have no `{seen.time.column}`.")


def _gaps(spec: UseCaseSpec, columns: Sequence[ColumnProfile]) -> Iterator[Observation]:
    """Columns with missing values: those where most are, and those where some are."""
    shares = {one.name: one.missing / one.rows for one in columns if one.rows and one.missing}
    found: dict[Level, list[str]] = {}
    for name, share in sorted(shares.items(), key=lambda pair: -pair[1]):
        if share >= SOME_MISSING:
            much = share >= MUCH_MISSING and name not in spec.features.exclude
            found.setdefault("warning" if much else "info", []).append(name)
    for level, names in found.items():
        told = [f"**{name}** ({shares[name]:.1%})" for name in names]
        yield Observation(
            level,
            f"**{names[0]}** is missing in {shares[names[0]]:.1%} of the rows."
            if len(names) == 1
            else f"{len(names)} columns are missing in some rows: {_named(told)}.",
            "Missing is a value of its own to the model; say `nullable: true` in the contract if it is expected.",
        )


def _column(column: ColumnProfile, *, excluded: bool) -> Iterator[Observation]:
    if column.distinct <= 1:
        yield Observation("warning", f"**{column.name}** has one value only.", "It tells nothing: leave it out.")
    elif column.kind == "categorical" and not excluded and column.distinct > WIDE_SHARE * column.rows:
        yield Observation(
            "warning",
            f"**{column.name}** has a value of its own in most rows ({column.distinct:,} distinct): an identifier?",
            "A model would learn rows by heart: name it as `entity_key` or under `features.exclude`.",
        )


def _extremes(column: ColumnProfile, *, examples: bool) -> Iterator[Observation]:
    """A number so far out that no tail of the rest explains it: a broken reading, or a code for something else."""
    middle = dict(column.quantiles)
    if column.kind != "numeric" or not {0.05, 0.95} <= middle.keys():
        return
    spread = middle[0.95] - middle[0.05]
    ends = [end for end in (column.minimum, column.maximum) if isinstance(end, int | float)]
    for end in ends:
        if spread > 0 and max(end - middle[0.95], middle[0.05] - end) > FAR * spread:
            usual = f"nine in ten rows lie from {middle[0.05]:,.6g} to {middle[0.95]:,.6g}"
            told = f"reaches {end:,.6g}, though {usual}" if examples else "has values far beyond the rest"
            yield Observation(
                "warning",
                f"**{column.name}** {told}.",
                "A broken reading, or a code such as 9999? Say what is possible in the contract (`min`, `max`).",
            )
