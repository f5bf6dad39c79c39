"""What prepare gave as plain values, and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_mlflow.core.plain import from_plain, to_plain
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.core.splits import SplitPlan
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.tables import read_rows
from mlops_mlflow.learning.features import FeaturePlan
from mlops_mlflow.learning.package import CodePackage
from mlops_mlflow.learning.problem import Problem
from mlops_mlflow.learning.target import Outcomes
from mlops_mlflow.stages.prepare.run import Output


@dataclass(frozen=True)
class Setting:
    """What a learning problem stands on beside what ``prepare`` decided.

    Attributes:
        spec: The use case.
        path: Parquet file of the dataset.
        columns: Name and type of each of its columns.
        digest: Of its content.
        package: Code that travels with a model.
    """

    spec: UseCaseSpec
    path: Path
    columns: dict[str, str]
    digest: str
    package: CodePackage


def to_dict(output: Output) -> dict[str, Any]:
    """As plain values, for JSON; without parts and profile, which have files of their own."""
    problem = output.problem
    return {
        "digest": problem.digest,
        "outcomes": to_plain(problem.outcomes),
        "plan": problem.plan.to_dict(),
        "features": to_plain(problem.features),
    }


def from_dict(plain: dict[str, Any], setting: Setting, parts: Path, reference: dict[str, Any]) -> Output:
    """From what ``to_dict`` gave, ``parts.parquet``, and the content of ``reference_profile.json``.

    Raises:
        ValueError: The rows are others than those that were divided.
    """
    if plain["digest"] != setting.digest:
        raise ValueError("the dataset is another")
    problem = Problem(
        setting.spec,
        setting.path,
        setting.columns,
        setting.digest,
        from_plain(Outcomes, plain["outcomes"]),
        read_rows(parts, ["part"], None)["part"].to_numpy().astype("int8"),
        SplitPlan.from_dict(plain["plan"]),
        from_plain(FeaturePlan, plain["features"]),
        setting.package,
    )
    return Output(problem, TableProfile.from_dict(reference))
