"""Divide the rows, plan the features, and profile what will be trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.core.records import Artifact, Emit, Metric, Param, Progress
from mlops_mlflow.core.splits import PARTS, Parts, SplitPlan, assign, check_parts, plan_split
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.value import check_prices
from mlops_mlflow.engines.digest import row_positions
from mlops_mlflow.engines.profile import profile
from mlops_mlflow.engines.tables import read_rows, write_parquet
from mlops_mlflow.learning.features import plan_features
from mlops_mlflow.learning.package import build_package
from mlops_mlflow.learning.problem import Problem, event_nanoseconds
from mlops_mlflow.learning.target import recognise

SAMPLE = 20_000


@dataclass(frozen=True)
class Inputs:
    """A dataset to be divided.

    Attributes:
        spec: The use case.
        path: Parquet file of the dataset.
        columns: Name and type of each column.
        digest: Of its content.
        modules: Text of the use case's Python files, by name.
        scratch: Folder for the code package and the train rows.
    """

    spec: UseCaseSpec
    path: Path
    columns: dict[str, str]
    digest: str
    modules: dict[str, str]
    scratch: Path


@dataclass(frozen=True)
class Output:
    """The learning problem, and the profile of its train rows that monitoring will compare with."""

    problem: Problem
    reference: TableProfile


def run(inputs: Inputs, emit: Emit) -> Output:
    """Plan what later stages fit and judge; nothing is fitted on validation or test rows.

    Raises:
        DataError: The target or the split is not possible.
        UseCaseError: Prices or the positive outcome do not suit the target.
        CandidateError: The feature hook cannot be used.
    """
    spec = inputs.spec
    emit(Progress(0, 3, "dividing the rows"))
    named = [spec.target.column, *([spec.event_time.column] if spec.event_time else [])]
    frame = read_rows(inputs.path, named, None)
    outcomes = recognise(frame[spec.target.column], spec.target)
    if spec.value is not None:
        check_prices(spec.value, outcomes.task, outcomes.classes)
    plan, parts = divide(spec, frame, inputs.path, inputs.columns)
    labels = None if outcomes.task == "regression" else frame[spec.target.column].to_numpy(dtype=object)
    check_parts(parts, labels, spec.split)
    emit(Progress(1, 3, "planning the features"))
    package = build_package(spec.use_case, inputs.modules, spec.features.module, inputs.scratch)
    wanted = model_columns(spec, inputs.columns)
    train = np.flatnonzero(parts == 0)
    some = np.sort(np.random.default_rng(spec.seed).permutation(train)[:SAMPLE])
    event_time = spec.event_time.column if spec.event_time else None
    features = plan_features(read_rows(inputs.path, wanted, some), spec.features.kinds, package, event_time=event_time)
    problem = Problem(spec, inputs.path, inputs.columns, inputs.digest, outcomes, parts, plan, features, package)
    emit(Progress(2, 3, "profiling the train rows"))
    rows = inputs.scratch / "train.parquet"
    write_parquet(read_rows(inputs.path, [*wanted, *(name for name in named if name not in wanted)], train), rows)
    reference = profile(rows, target=spec.target.column, event_time=event_time)
    numbered = inputs.scratch / "parts.parquet"
    write_parquet(pd.DataFrame({"part": parts.astype("uint8")}), numbered)
    emit(Artifact("parts.parquet", numbered))
    _log(problem, reference, frame[spec.target.column], emit)
    return Output(problem, reference)


def model_columns(spec: UseCaseSpec, columns: dict[str, str]) -> list[str]:
    """Columns that a model may take: all but the target, the key, the group and what is excluded."""
    apart = {spec.target.column, spec.entity_key, spec.split.group, *spec.features.exclude}
    found = [name for name in columns if name not in apart]
    if not found:
        raise DataError(
            "no column is left for a model",
            expected="at least one beside the target, the key, the group and `features.exclude`",
            got=", ".join(columns),
            hint="select more columns in the extract's SQL",
        )
    return found


def divide(spec: UseCaseSpec, frame: pd.DataFrame, path: Path, columns: dict[str, str]) -> tuple[SplitPlan, Parts]:
    """Plan the split and assign every row."""
    split = spec.split
    if split.by == "time" and spec.event_time:
        times = frame[spec.event_time.column]
        if times.isna().any():
            raise DataError(
                f"event time `{spec.event_time.column}` is missing in {int(times.isna().sum())} rows",
                expected="a time in every row: the split is by time",
                hint="leave these rows out in the extract's SQL",
            )
        positions: np.ndarray[Any, Any] = event_nanoseconds(spec, columns, times)
        plan = plan_split(split, positions, seed=spec.seed, columns=())
        return plan, assign(plan, positions)
    key = split.group or spec.entity_key
    # By name also where all columns count: a later dataset may have others.
    hashed = [key] if key else sorted(columns)
    positions = row_positions(path, hashed, seed=spec.seed)
    strata = frame[spec.target.column].to_numpy(dtype=object) if split.by == "stratified" else None
    plan = plan_split(split, positions, strata, seed=spec.seed, columns=hashed)
    return plan, assign(plan, positions, strata)


def _log(problem: Problem, reference: TableProfile, target: pd.Series[Any], emit: Emit) -> None:
    spec = problem.spec
    emit(Param("task", problem.outcomes.task))
    emit(Param("split", spec.split.by))
    emit(Param("features", len(problem.features.kinds)))
    for number, part in enumerate(PARTS):
        rows = problem.parts == number
        emit(problem.input(part))
        emit(Metric(f"rows_{part}", int(rows.sum())))
        if problem.outcomes.task == "binary":
            emit(Metric(f"positive_rate_{part}", float((target[rows] == problem.outcomes.positive).mean())))
        elif problem.outcomes.task == "regression":
            emit(Metric(f"target_mean_{part}", float(target[rows].mean())))
    emit(Artifact("split.json", json.dumps(problem.plan.to_dict(), indent=2)))
    kinds = {"columns": list(problem.features.columns), "kinds": dict(problem.features.kinds)}
    emit(Artifact("features.json", json.dumps(kinds, indent=2)))
    emit(Artifact("reference_profile.json", json.dumps(reference.to_dict())))


def table(output: Output) -> pd.DataFrame:
    """One row per part: rows, share, and the rate of each class or the mean of the target."""
    problem = output.problem
    rows = {}
    for number, part in enumerate(PARTS):
        inside = problem.rows(part).actual
        figures = {"rows": len(inside), "share": float((problem.parts == number).mean())}
        if problem.outcomes.task == "regression":
            figures |= {"mean": float(inside.mean()), "std": float(inside.std())}
        else:
            figures |= {f"rate of {label}": float((inside == label).mean()) for label in problem.outcomes.labels}
        rows[part] = figures
    return pd.DataFrame.from_dict(rows, orient="index")
