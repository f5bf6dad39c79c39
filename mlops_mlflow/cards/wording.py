"""How cards say things that several stages speak of: counts of things, figures of metrics, titles."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from mlops_mlflow.cards.blocks import Cell, Link, Quantity, Remark, Status
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.core.usecase.document import UseCaseSpec

_WEIGHTS = (Status.FAILED, Status.UNKNOWN, Status.WARNING, Status.INFO, Status.OK)
_PLAIN = re.compile(r"(?!(?i:y|n|yes|no|on|off|true|false|null)\b)[A-Za-z_]\w*")  # without YAML's own words
_UNITS = {"latency_p95_ms": "ms", "training_seconds": "s", "model_size_mb": "MB", "mape": "%"}


def title(stage: str, spec: UseCaseSpec) -> str:
    """Which stage of which use case a card is about."""
    return f"{stage.capitalize()} · {spec.use_case}"


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 row", "25,000 rows"."""
    return f"{figure(count)} {one if count == 1 else many or f'{one}s'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence: "a, b and c", "a, b and 7 more"."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def gravest_first(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Remarks by how much they matter; those of the same weight in the order that they were made in."""
    return tuple(sorted(remarks, key=lambda one: _WEIGHTS.index(Status(one.status))))


def yaml_line(key: str, names: Iterable[str]) -> str:
    """A list as it is written into a use case's file: "forbidden: [a, b]"; odd names are quoted."""
    told = [name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False) for name in dict.fromkeys(names)]
    return f"{key}: [{', '.join(told)}]"


def unit_of(metric: str, spec: UseCaseSpec) -> str:
    """Unit of a metric; value has the one that the use case prices outcomes in."""
    if metric == "value_per_row" and spec.value:
        return spec.value.unit
    return _UNITS.get(metric, "")


def of_metric(metric: str, value: float | None, spec: UseCaseSpec) -> Cell:
    """A metric's figure as a cell: a plain number, which a table writes as its column's others, or one with a unit."""
    unit = unit_of(metric, spec)
    return Quantity(value, unit) if unit else value


def told(metric: str, value: float | None, spec: UseCaseSpec) -> str:
    """A metric's figure with its unit, in a sentence."""
    return figure(value, unit_of(metric, spec))


def gap(metric: str, difference: float, spec: UseCaseSpec) -> str:
    """How far two figures of a metric are apart, in a sentence: without a sign, to two digits."""
    return figure(float(f"{abs(difference):.2g}"), unit_of(metric, spec))


def sides(columns: Sequence[str], words: Collection[str]) -> tuple[Literal["left", "right"], ...]:
    """Alignment of a table's columns: those of ``words`` on the left, the others, figures, on the right."""
    return tuple("left" if name in words else "right" for name in columns)


def run_link(run_id: str, page: str, address: str | None) -> Cell:
    """A run by its id; where the tracking server has an address, with a link to its page there."""
    text = f"run {run_id}"
    return Link(text, f"{address}{page}") if address else text


def purpose(spec: UseCaseSpec) -> tuple[tuple[str, Cell], ...]:
    """What a model is for, and who answers for it, as its cards begin."""
    return (
        ("Question", spec.question),
        ("Intended use", spec.card.intended_use),
        ("Not for", spec.card.not_for or "nothing is ruled out by the use case"),
        ("Risk", spec.card.risk),
        ("Known limits", " ".join(spec.card.limits) or "none are stated"),
        ("Answers for the business", spec.owners.business),
        ("Answers for the technology", spec.owners.technical),
    )
