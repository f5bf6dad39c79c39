"""What differs between models: parameters, features, settings of the use case, data, code."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlops_mlflow.core.keys import flat
from mlops_mlflow.lifecycle.compare.evidence import Evidence
from mlops_mlflow.tracking.errors import without_password

ABSENT = "–"
_LONGEST_NUMBER = 8


@dataclass(frozen=True)
class Changed:
    """One thing that is not the same everywhere: its name, and what it is for each side."""

    what: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """Everything that differs.

    Attributes:
        parameters: The estimator, always, and parameters that are not the same.
        features: Columns that not all use, or not as the same kind.
        settings: Settings of the use case, by their path; data; files beside it.
        texts: Differences of SQL and Python files, line by line, by name; of two sides only.
        code: What else decided results, as stages tell: code and libraries.
        unknown: Sides of which the settings are not known.
    """

    parameters: tuple[Changed, ...]
    features: tuple[Changed, ...]
    settings: tuple[Changed, ...]
    texts: Mapping[str, str]
    code: tuple[Changed, ...]
    unknown: tuple[str, ...]


def changes(sides: Sequence[Evidence]) -> Changes:
    """Find what differs."""
    known = all(one.settings for one in sides)
    settings = _differing([_settings(one) for one in sides]) if known else []
    data = _differing([_data(one) for one in sides]) if all(one.data[0] for one in sides) else []
    return Changes(
        tuple(_parameters(sides)),
        tuple(_differing([_features(one) for one in sides])) if all(one.features for one in sides) else (),
        (*data, *settings),
        _texts(sides) if known and len(sides) == 2 else {},
        tuple(_code(sides)),
        tuple(one.side.label for one in sides if not one.settings),
    )


def _differing(sides: Sequence[Mapping[str, str]]) -> list[Changed]:
    names = dict.fromkeys(name for side in sides for name in side)
    found = [Changed(name, tuple(side.get(name, ABSENT) for side in sides)) for name in names]
    return [one for one in found if len(set(one.values)) > 1]


def _parameters(sides: Sequence[Evidence]) -> list[Changed]:
    estimators = [_estimator(one) for one in sides]
    first = [Changed("estimator", tuple(estimators))] if any(one != ABSENT for one in estimators) else []
    thresholds = [ABSENT if one.threshold is None else f"{one.threshold:.4g}" for one in sides]
    last = [Changed("threshold", tuple(thresholds))] if len(set(thresholds)) > 1 else []
    parameters = [{name: _short(value) for name, value in one.parameters.items()} for one in sides]
    return [*first, *_differing(parameters), *last]


def _short(value: str) -> str:
    """A number without the digits that nobody reads."""
    try:
        return value if len(value) <= _LONGEST_NUMBER else f"{float(value):.{_LONGEST_NUMBER - 2}g}"
    except ValueError:
        return value


def _estimator(one: Evidence) -> str:
    candidates = one.settings.get("candidates", {})
    return str(candidates.get(one.side.name, {}).get("estimator", ABSENT)).rpartition(".")[2]


def _features(one: Evidence) -> dict[str, str]:
    return {str(name): str(kind) for name, kind in one.features.get("kinds", {}).items()}


def _data(one: Evidence) -> dict[str, str]:
    digest, rows = one.data
    return {"dataset": f"{rows:,} rows ({digest[:8]})" if rows is not None else digest[:8]}


def _settings(one: Evidence) -> dict[str, str]:
    return {name: _told(value) for section, inner in one.settings.items() for name, value in flat(section, inner)}


def _texts(sides: Sequence[Evidence]) -> dict[str, str]:
    """The other side first: read downwards, it becomes the first."""
    after, before = sides[0].sources, sides[1].sources
    found = {}
    for name in sorted({*before, *after}):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        lines = difflib.unified_diff(old, new, sides[1].side.label, sides[0].side.label, lineterm="")
        if text := "\n".join(lines):
            found[name] = text
    return found


def _code(sides: Sequence[Evidence]) -> list[Changed]:
    """Python, libraries, this project's code and the bounds of the data, as the keys of the stages tell them."""
    parts = [_machinery(one) for one in sides]
    return _differing(parts) if all(parts) else []


def _machinery(one: Evidence) -> dict[str, str]:
    found = {}
    for stage, parts in one.key_parts.items():
        for name, value in parts.items():
            if name == "python" or name.startswith("library "):
                found[name] = value
            elif name == "code of the stage":
                found[f"code of {stage}"] = _told(value)
            elif name == "bounds":
                found["rows that are read"] = value
    return found


def _told(value: str) -> str:
    """A value as a reader can use it: of a long one there is only a digest, and nobody reads the whole of that."""
    return f"long, {value[1:5]}" if value.startswith("#") else without_password(value)
