"""Check the use case as far as that goes without data, and write down what was asked for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.records import Artifact, Emit, Param, Tag
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.success import ApprovalRequirement, Bound, Criterion
from mlops_mlflow.learning.estimators import check_candidates

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Inputs:
    """A use case and the text of its files, by name."""

    spec: UseCaseSpec
    files: dict[str, str]


@dataclass(frozen=True)
class Promise:
    """One thing that the model is held to, and who answers for it."""

    what: str
    kind: str
    checked_by: str
    owner: str


@dataclass(frozen=True)
class Output:
    """Everything that the model is held to."""

    promises: tuple[Promise, ...]


def run(inputs: Inputs, emit: Emit) -> Output:
    """Check the candidates and record the use case.

    Raises:
        CandidateError: A candidate cannot be imported or has no such parameter.
    """
    spec = inputs.spec
    check_candidates(spec.candidates, spec.target.task, seed=spec.seed)
    for name, text in inputs.files.items():
        emit(Artifact(f"use_case/{name}", text))
    emit(Artifact("use_case/resolved.json", json.dumps(spec.model_dump(mode="json"), indent=2)))
    emit(Tag("mlops.risk", spec.card.risk))
    for name, value in {
        "seed": spec.seed,
        "split": spec.split.by,
        "candidates": len(spec.candidates),
        "trials_per_candidate": spec.tuning.trials,
    }.items():
        emit(Param(name, value))
    return Output(tuple(promises(spec)))


def promises(spec: UseCaseSpec) -> list[Promise]:
    """Success criteria and requirements, in the order of the file."""
    found = [Promise(describe(criterion), "criterion", "validate", spec.owners.business) for criterion in spec.success]
    for requirement in spec.requirements:
        if isinstance(requirement, ApprovalRequirement):
            what = f"{requirement.subject}, before {requirement.before}"
            found.append(Promise(what, requirement.kind, f"approval by {requirement.approval}", requirement.approval))
        else:
            found.append(Promise(describe(requirement), requirement.kind, "validate", spec.owners.technical))
    return found


def describe(bound: Bound) -> str:
    """A bound as a reader would say it."""
    word = "at least" if bound.at_least is not None else "at most"
    against = f" against the {bound.against}" if isinstance(bound, Criterion) and bound.against else ""
    by = getattr(bound, "by", None)
    compares = CATALOGUE[bound.metric].kind == "fairness"
    where = f" {'between' if compares else 'in each'} {by}" if by else ""
    return f"{bound.metric} {word} {bound.limit:g}{against}{where}"


def table(output: Output) -> pd.DataFrame:
    """One row per criterion and requirement: what, kind, how it is checked, who answers for it."""
    import pandas as pd

    return pd.DataFrame([asdict(promise) for promise in output.promises])
