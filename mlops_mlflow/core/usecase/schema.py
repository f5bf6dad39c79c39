"""The JSON Schema of ``usecase.yaml``: what editors complete and check it with.

It is generated from the models and shipped as ``mlops_mlflow/usecase.schema.json``. To write that file again:
``python -m mlops_mlflow.core.usecase.schema > mlops_mlflow/usecase.schema.json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.usecase.base import Section
from mlops_mlflow.core.usecase.document import UseCaseSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MEASURED = tuple(info.name for info in CATALOGUE.values() if info.kind in ("quality", "value"))
_METRICS = {
    ("Criterion", "metric"): tuple(CATALOGUE),
    ("MetricRequirement", "metric"): tuple(CATALOGUE),
    ("Alarm", "metric"): tuple(info.name for info in CATALOGUE.values() if info.kind != "fairness"),
    ("Bound", "metric"): tuple(info.name for info in CATALOGUE.values() if info.kind != "fairness"),
    ("Tuning", "metric"): _MEASURED,
    ("Evaluation", "choose_by"): _MEASURED,
}


def json_schema() -> dict[str, Any]:
    """The schema of ``usecase.yaml``; every file that the models accept is valid under it.

    Returns:
        As ``schema_of``, with the names of metrics as enumerations.
    """
    schema = schema_of(UseCaseSpec, "Use case")
    for (section, key), names in _METRICS.items():
        _enumerate(schema["$defs"][section]["properties"][key], names)
    return schema


def schema_of(model: type[Section], title: str) -> dict[str, Any]:
    """The schema, draft 2020-12, of the files of a model.

    Returns:
        Plain JSON values: sections under ``$defs``, descriptions from the models.
    """
    return {"$schema": DIALECT, "title": title, **_plain(model.model_json_schema())}


def _enumerate(field: dict[str, Any], names: Iterable[str]) -> None:
    for option in field.get("anyOf", [field]):
        if option.get("type") == "string":
            option["enum"] = list(names)


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Without what pydantic adds: titles made of names, and defaults that say nothing to a reader."""
    plain: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "title" or (key == "default" and value in (None, [], {})):
            continue
        if key in ("properties", "$defs"):
            plain[key] = {name: _plain(inner) for name, inner in value.items()}
        elif key == "description":
            plain[key] = " ".join(value.replace("``", "`").split())
        elif key != "default" or not isinstance(value, dict):
            plain[key] = _inner(value)
    if "patternProperties" in plain:
        plain["additionalProperties"] = False  # the pattern is what a name has to match
    return plain


def _inner(value: Any) -> Any:
    if isinstance(value, dict):
        return _plain(value)
    return [_inner(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
