"""What score is given, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlops_mlflow.core.usecase.data import ColumnType
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.batch import Batch
from mlops_mlflow.engines.contract import Reason
from mlops_mlflow.engines.sinks import Sink
from mlops_mlflow.learning.predict import Predictor
from mlops_mlflow.learning.target import Outcomes

MODEL = "scored_by"
"""Name by which records refer to the model."""


@dataclass(frozen=True)
class ScoredBy:
    """The version that predicts.

    Attributes:
        name: Of the registered model.
        version: Its number.
        stage: Registry stage that it is in.
        takes: Name and type of each column that it takes, in their order.
        predict: Its predictions of a table of these.
        outcomes: What it knows of the target.
    """

    name: str
    version: str
    stage: str
    takes: Mapping[str, ColumnType]
    predict: Predictor
    outcomes: Outcomes


@dataclass(frozen=True)
class Inputs:
    """What is scored, with what, and where it goes.

    Attributes:
        spec: The use case.
        batch: The rows.
        model: The version.
        sink: Where scored rows go.
        log: Folder of the inference log.
        quarantine: Parquet file for rows that are set aside.
        request: Id of this job: the same rows and the same version give the same.
        now: Time of every prediction, UTC.
        environment: Where secrets of the sink come from.
    """

    spec: UseCaseSpec
    batch: Batch
    model: ScoredBy
    sink: Sink
    log: Path
    quarantine: Path
    request: str
    now: datetime
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Output:
    """What became of a batch.

    Attributes:
        rows: How many there were.
        scored: How many were scored.
        reasons: Rules that rows broke which were set aside, most often broken first.
        decided: Rows by decision, most first; none for a regression.
        mean: Mean prediction, or mean probability of the positive outcome; None where nothing was scored or there are
            several classes.
        first: Event time of the earliest scored row; None where there is none.
        last: Of the latest.
    """

    rows: int
    scored: int
    reasons: tuple[Reason, ...]
    decided: tuple[tuple[str, int], ...]
    mean: float | None
    first: datetime | None
    last: datetime | None

    @property
    def aside(self) -> int:
        """Rows that were set aside."""
        return self.rows - self.scored
