"""Look at the dataset: profile, what is odd, what would leak, and a proposal for the data contract."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.core.records import Artifact, Emit, Metric, Progress
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.associations import associations
from mlops_mlflow.engines.profile import profile
from mlops_mlflow.engines.tables import read_rows
from mlops_mlflow.learning.target import Outcomes, recognise
from mlops_mlflow.stages.explore.observations import Observation, observe
from mlops_mlflow.stages.explore.proposal import propose

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Inputs:
    """A dataset to look at.

    Attributes:
        spec: The use case.
        path: Parquet file of the dataset.
        columns: Name and type of each column.
        evidently: Whether to add Evidently's data summary of a sample.
    """

    spec: UseCaseSpec
    path: Path
    columns: dict[str, str]
    evidently: bool = False


@dataclass(frozen=True)
class Output:
    """What was seen.

    Attributes:
        profile: Of every column.
        outcomes: Kind of target.
        associations: How well each column alone tells the target, from 0 to 1.
        observations: Plain sentences, the gravest first.
        proposal: A ``contract`` section for the use case, YAML.
    """

    profile: TableProfile
    outcomes: Outcomes
    associations: dict[str, float]
    observations: tuple[Observation, ...]
    proposal: str


def run(inputs: Inputs, emit: Emit) -> Output:
    """Profile, associate, observe, propose.

    Raises:
        DataError: The target cannot be what it is declared to be.
    """
    spec, target = inputs.spec, inputs.spec.target.column
    total = 3 + inputs.evidently
    emit(Progress(0, total, "profiling"))
    event_time = spec.event_time.column if spec.event_time else None
    keys = [spec.entity_key] if spec.entity_key else []
    seen = profile(inputs.path, target=target, event_time=event_time, keys=keys)
    outcomes = recognise(read_rows(inputs.path, [target], None)[target], spec.target)
    emit(Progress(1, total, "associations with the target"))
    others = [name for name in inputs.columns if name not in {target, spec.entity_key, *spec.features.exclude}]
    told = associations(inputs.path, target, outcomes.task, others, seed=spec.seed)
    observations = observe(spec, seen, outcomes, told)
    emit(Progress(2, total, "proposing a contract"))
    output = Output(seen, outcomes, told, observations, propose(spec, seen))
    emit(Artifact("profile.json", json.dumps(seen.to_dict())))
    emit(Artifact("proposed_contract.yaml", output.proposal))
    emit(Metric("columns", len(seen.columns)))
    emit(Metric("rows", seen.rows))
    emit(Metric("findings", sum(one.level != "info" for one in observations)))
    if inputs.evidently:
        from mlops_mlflow.stages.explore.evidently_summary import summary

        emit(Progress(3, total, "Evidently's data summary"))
        emit(Artifact("evidently.html", summary(inputs.path, seen.rows, seed=spec.seed)))
    return output


def table(output: Output) -> pd.DataFrame:
    """One row per column: kind, missing, distinct, moments, association with the target."""
    import pandas as pd

    rows = [
        {
            "column": one.name,
            "type": one.type,
            "kind": one.kind,
            "missing": one.missing / one.rows if one.rows else 0.0,
            "distinct": one.distinct,
            "mean": one.mean,
            "std": one.std,
            "minimum": one.minimum,
            "maximum": one.maximum,
            "association": output.associations.get(one.name),
        }
        for one in output.profile.columns
    ]
    return pd.DataFrame(rows).set_index("column")
