"""What decides the result of each stage: the key by which it is found again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_mlflow.core.keys import Key, flat, told
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.lifecycle.cache.code import code_of, imports, libraries_of
from mlops_mlflow.lifecycle.cache.versions import versions

READS: dict[str, tuple[str, ...]] = {
    "extract": ("use_case", "sources", "contract", "target.column", "card.examples"),
    "explore": (
        "use_case",
        "target",
        "entity_key",
        "event_time",
        "features.exclude",
        "contract",
        "card.examples",
        "seed",
    ),
    "prepare": ("use_case", "target", "entity_key", "event_time", "split", "features", "seed"),
    "train": ("candidates", "tuning", "features.trusted_types", "card.examples"),
    "evaluate": ("evaluation", "value", "card.examples"),
    "validate": (
        "question",
        "owners",
        "card",
        "evaluation",
        "value",
        "success",
        "requirements",
        "monitoring.minimum_rows",
        "monitoring.slices",
        "monitoring.alarm",
    ),
}
"""Sections of the use case by stage. What decides a stage before it stands in that one's key, and so in its own."""
TRIAL_READS = ("tuning.metric", "tuning.folds", "tuning.algorithm", "tuning.rows")
UPSTREAM = {"explore": "extract", "prepare": "extract", "train": "prepare", "evaluate": "train", "validate": "evaluate"}
"""Whose result a stage stands on. ``design`` gives nothing that others take."""
DATA = "rows of the dataset"


@dataclass(frozen=True)
class Known:
    """What has to be known before the keys of a use case can be told.

    Attributes:
        spec: The use case.
        files: Text of each of its files, by name.
        modules: Text of the Python files that travel with a model.
        sql: Text of the integrating SQL.
        bounds: Which rows are read, in words.
        evidently: Whether ``explore`` adds Evidently's summary.
    """

    spec: UseCaseSpec
    files: Mapping[str, str]
    modules: Mapping[str, str]
    sql: str | None
    bounds: str
    evidently: bool


def stage_key(
    known: Known, stage: str, *, upstream: str = "", sources: Mapping[str, str] | None = None, champion: str = ""
) -> Key:
    """The key of a stage.

    Args:
        known: The use case.
        stage: Which.
        upstream: What it stands on: the digest of the dataset for the stages behind ``extract``, the key of the stage
            before it for the others.
        sources: Digest of each source, for ``extract``.
        champion: Which version is in Production, for ``validate``.
    """
    reads = READS.get(stage, tuple(type(known.spec).model_fields))
    parts = dict(_read(known.spec, (*reads, *(_priced(known.spec) if stage == "train" else ()))))
    if stage == "design":
        parts |= {f"file {name}": told(text) for name, text in known.files.items()}
    if stage == "extract":
        parts |= {f"source {name}": told(digest) for name, digest in (sources or {}).items()}
        parts |= {"extract.sql": told(known.sql or ""), "bounds": known.bounds}
    if stage == "explore":
        parts["evidently"] = told(known.evidently)
    if stage == "prepare":
        parts |= {f"file {name}": told(text) for name, text in known.modules.items()}
    if stage == "evaluate":
        parts["columns shown"] = told(sorted({by for by in _columns(known.spec) if by}))
    if stage == "validate":
        parts["champion"] = champion
    if stage in UPSTREAM:
        parts[DATA if UPSTREAM[stage] == "extract" else f"result of {UPSTREAM[stage]}"] = told(upstream)
    return Key(parts | _machinery(known, stage))


def search_key(known: Known, name: str, upstream: str) -> Key:
    """The key of a candidate's trials: what decides each of them, however many there are.

    Args:
        known: The use case.
        name: Of the candidate.
        upstream: Key of ``prepare``.
    """
    parts = dict(
        _read(known.spec, (*TRIAL_READS, *_priced(known.spec), f"candidates.{name}", "features.trusted_types"))
    )
    return Key(parts | {"result of prepare": told(upstream)} | _machinery(known, "train", name))


def _priced(spec: UseCaseSpec) -> tuple[str, ...]:
    """Prices decide a trial only where it is judged by them; another price list must not search anew."""
    return ("value",) if spec.tuning.metric == "value_per_row" else ()


def _read(spec: UseCaseSpec, paths: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    plain = spec.model_dump()
    for path in paths:
        value: Any = plain
        for name in path.split("."):
            value = value[name] if value is not None else None  # of a section that was left out
        for part, text in flat(path, value):
            # A database's URL may hold a password, though it should not; a key is shown.
            yield part, told(f"#{text}") if part.endswith(".sql") else text


def _columns(spec: UseCaseSpec) -> Iterator[str | None]:
    """Columns that criteria and requirements name: ``evaluate`` shows them beside single rows."""
    for bound in (*spec.success, *spec.requirements):
        yield getattr(bound, "by", None)


def _machinery(known: Known, stage: str, candidate: str = "") -> dict[str, str]:
    """Our code and the libraries."""
    code = code_of(stage, optional=known.evidently)
    modules = set(code.libraries)
    if stage in {"design", "train"}:
        candidates = known.spec.candidates
        chosen = [candidates[candidate]] if candidate else candidates.values()
        modules |= libraries_of(one.estimator for one in chosen)
    if stage == "prepare":
        own = {name.removesuffix(".py") for name in known.modules}
        modules |= {name for text in known.modules.values() for name in libraries_of(_imported(text))} - own
    found = {f"library {name}": version for name, version in versions(modules).items()}
    return {**found, "python": ".".join(map(str, sys.version_info[:2])), "code of the stage": told(f"#{code.digest}")}


def _imported(text: str) -> list[str]:
    try:
        return list(imports(text))
    except SyntaxError:
        return []  # the stage says what is wrong with it, and where
