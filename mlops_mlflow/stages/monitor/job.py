"""What monitor is given about one window, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_mlflow.core.monitoring.health import Health, Signal
from mlops_mlflow.core.monitoring.reference import Estimate, ReferencePerformance, SliceFigures
from mlops_mlflow.core.monitoring.windows import Window
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.core.usecase.data import ColumnType
from mlops_mlflow.core.usecase.document import UseCaseSpec


@dataclass(frozen=True)
class Reference:
    """What a version carries that its windows are held against.

    Attributes:
        model: Name of the registered model.
        version: Its number.
        takes: Columns that it takes, with their types.
        profile: Of the rows that it was trained on, and of its outputs on the test rows.
        outputs: Columns of the profile that are outputs.
        importances: How much it leans on each column.
        performance: On the test rows; None where it carries none.
    """

    model: str
    version: str
    takes: Mapping[str, ColumnType]
    profile: TableProfile
    outputs: tuple[str, ...]
    importances: Mapping[str, float]
    performance: ReferencePerformance | None


@dataclass(frozen=True)
class Inputs:
    """A window to be looked at.

    Attributes:
        spec: The use case.
        window: Which.
        rows: Its rows in the inference log, Parquet.
        reference: Of the version.
        previous: Profile of the window before; None where there is none.
        usual: Rows of earlier windows.
        closed: Whether its labels are complete; true where none are waited for.
        labels: Parquet file with keys and outcomes; None while the window waits for them, or where there are none.
        skipped: What of the log could not be read, a sentence each.
        duplicates: Rows that had been logged twice.
        scratch: Folder for files on their way.
        report: Whether Evidently draws it though it does not alarm.
    """

    spec: UseCaseSpec
    window: Window
    rows: Path
    reference: Reference
    previous: TableProfile | None
    usual: tuple[int, ...]
    closed: bool
    labels: Path | None
    skipped: tuple[str, ...]
    duplicates: int
    scratch: Path
    report: bool


@dataclass(frozen=True)
class Labels:
    """What became known of a window's outcomes.

    Attributes:
        rows: Scored rows with an outcome.
        coverage: Their share.
        unknown: Outcomes of the window's time whose key is of no scored row.
        repeated: Keys with several outcomes, of which the last counts.
        strange: Rows with an outcome that the model does not know; they are left out.
        figures: Metrics of all rows.
        slices: Of slices with enough rows.
    """

    rows: int
    coverage: float
    unknown: int
    repeated: int
    strange: int
    figures: Mapping[str, Estimate]
    slices: tuple[SliceFigures, ...]


@dataclass(frozen=True)
class Output:
    """What a window looks like.

    Attributes:
        health: The worst of its signals.
        signals: Every finding: feed, then drift by weight, then performance.
        scored: Rows with a prediction.
        rejected: Rows that broke the data contract.
        profile: Of the scored rows, over the reference's edges.
        labels: None while the window waits for them.
        blocks_retraining: Whether the feed is broken.
        drill_down: What is to be said of Evidently's report; empty where none was wanted.
    """

    health: Health
    signals: tuple[Signal, ...]
    scored: int
    rejected: int
    profile: TableProfile
    labels: Labels | None
    blocks_retraining: bool
    drill_down: str = ""

    def of(self, *kinds: str) -> tuple[Signal, ...]:
        """Signals of some kinds, the gravest first."""
        order = ("alarm", "warning", "insufficient data", "ok")
        found = [one for one in self.signals if one.kind in kinds]
        return tuple(sorted(found, key=lambda one: order.index(one.health)))
