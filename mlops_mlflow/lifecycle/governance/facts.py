"""What the tracking server says of a version and of its champion, verified; or why it cannot be told."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.ledger.origin import Origin
from mlops_mlflow.core.plain import from_plain
from mlops_mlflow.core.records import Dataset
from mlops_mlflow.core.splits import SplitPlan
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.governance.evidence import runs_of
from mlops_mlflow.governance.shelf import Shelf, Version
from mlops_mlflow.governance.working_copy import COMMIT, DIRTY
from mlops_mlflow.lifecycle.compare.find import CANDIDATE
from mlops_mlflow.lifecycle.compare.result import Comparison, compare
from mlops_mlflow.stages.validate.run import SliceFigure
from mlops_mlflow.tracking.models import model_file
from mlops_mlflow.tracking.results import Result, fetch, of_run
from mlops_mlflow.tracking.tracker import Tracker

LIFECYCLE = "lifecycle"


@dataclass(frozen=True)
class Page:
    """Where MLflow's UI shows a run, behind the server's address."""

    run_id: str
    path: str


@dataclass(frozen=True)
class Facts:
    """What the runs of a version say; whatever is gone, or is not what was written, is left out.

    Attributes:
        version: Its number.
        candidate: Name of the candidate that it is.
        spec: The use case as it was then.
        verdict: Of ``validate``; empty where its run is gone.
        findings: One for each criterion and requirement.
        metrics: On test rows.
        intervals: Of some of these metrics.
        baseline: Metrics of the baseline, on the same rows.
        champion: Metrics of the champion of then, on rows that are new to both.
        slices: Figures by slice.
        block: What intervals resample.
        test: The test rows.
        rows: Of the dataset.
        data: Digest of the dataset.
        plan: How rows were divided.
        features: Kind of each feature, by name.
        dependencies: Pinned distributions that the model needs.
        origin: Commit that it came from, and who committed since the champion's; None where no repository was known.
        experiment: Id of the experiment that its runs are in.
        pages: Of the runs that it stands on, by stage, and of the lifecycle.
        gone: What cannot be told, and why, one sentence without a full stop each.
    """

    version: str
    candidate: str = ""
    spec: UseCaseSpec | None = None
    verdict: str = ""
    findings: tuple[Finding, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    champion: Mapping[str, float] = field(default_factory=dict)
    slices: tuple[SliceFigure, ...] = ()
    block: str = ""
    test: Dataset | None = None
    rows: int | None = None
    data: str = ""
    plan: SplitPlan | None = None
    features: Mapping[str, str] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    origin: Origin | None = None
    experiment: str = ""
    pages: Mapping[str, Page] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What it is called beside others."""
        return f"version {self.version}"

    @property
    def pending(self) -> tuple[Finding, ...]:
        """Approvals that the use case asks for."""
        return tuple(one for one in self.findings if one.outcome == "pending")


@dataclass(frozen=True)
class Known:
    """A version and what it would replace.

    Attributes:
        facts: Of the version.
        champion: Of the other version that is in Production; None where there is none.
        comparison: Both on the same rows; None where that cannot be had.
        untold: Why there is a champion and no comparison.
    """

    facts: Facts
    champion: Facts | None = None
    comparison: Comparison | None = None
    untold: str = ""


def known(tracker: Tracker, shelf: Shelf, version: str) -> Known:
    """Read what is known of a version, and compare it with the champion.

    Args:
        tracker: Where its runs are.
        shelf: The model.
        version: Its number; it has to be there.

    Raises:
        TrackingError: The server cannot be reached.
    """
    found = facts(tracker, shelf, version)
    others = [one for one in shelf.in_stage("Production") if one.number != version]
    if not others:
        return Known(found)
    champion = facts(tracker, shelf, others[0].number)
    spec = found.spec or champion.spec
    if spec is None or not found.pages or not champion.pages:
        silent = champion if found.pages else found
        return Known(found, champion, untold=f"the runs of {silent.label} are not known")
    at = replace(tracker, experiment_id=found.experiment)
    try:
        compared = compare(at, spec, [f"version:{version}", f"version:{champion.version}"])
    except MlopsError as error:
        return Known(found, champion, untold=error.what)
    return Known(found, champion, compared)


def facts(tracker: Tracker, shelf: Shelf, version: str) -> Facts:
    """Read what the runs of a version say of it, and what was registered with it.

    Args:
        tracker: Where they are.
        shelf: The model.
        version: Its number; it has to be there.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-card-") as folder:
        reading = _Reading(tracker, shelf.versions[version], Path(folder))
        reading.read_all()
        found, gone = reading.found, tuple(dict.fromkeys(reading.gone))
    registration = shelf.history.registrations.get(version)
    if registration is not None and registration.origin is not None:
        found["origin"] = registration.origin
    return Facts(version, **found, gone=gone)


@dataclass
class _Reading:
    tracker: Tracker
    version: Version
    folder: Path
    found: dict[str, Any] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)

    def read_all(self) -> None:
        runs = self._runs()
        if not runs:
            self.gone.append(f"version {self.version.number} names no run of a lifecycle, so nothing is known of it")
            return
        for stage, read in (
            ("design", self._design),
            ("extract", self._extract),
            ("prepare", self._prepare),
            ("validate", self._validate),
        ):
            with self._about():
                if stage in runs:
                    read(of_run(self.tracker, runs[stage], self.folder))
                else:
                    self.gone.append(f"no run of {stage} is known for version {self.version.number}")
        text = model_file(self.version.uri, "requirements.txt", self.folder / "model")
        self.found["dependencies"] = tuple(sorted(filter(None, map(str.strip, (text or "").splitlines()))))
        if text is None:
            self.gone.append(f"the model of version {self.version.number} says nothing of its dependencies")

    @contextmanager
    def _about(self) -> Iterator[None]:
        try:
            yield
        except MlopsError as error:
            self.gone.append(error.what)

    def _runs(self) -> dict[str, str]:
        """Run of each stage that the version stands on."""
        lifecycle, of_lifecycle = self._lifecycle(), {}
        at, tags = self.tracker, {}
        if lifecycle is not None:
            at, tags = replace(at, experiment_id=lifecycle.info.experiment_id), lifecycle.data.tags
            chosen = lifecycle.data.params.get("chosen", "")
            self.found["candidate"] = self.version.tags.get(CANDIDATE, chosen)
            self.found["origin"] = Origin(tags[COMMIT], tags.get(DIRTY) == "true") if COMMIT in tags else None
            of_lifecycle = {LIFECYCLE: self.version.run_id}
        runs = runs_of(self.version, tags)
        self.found["experiment"] = at.experiment_id
        self.found["pages"] = {name: Page(own, at.page(own)) for name, own in {**of_lifecycle, **runs}.items()}
        return runs

    def _lifecycle(self) -> Any:
        """The run that registered it; None where it is gone."""
        from mlflow.exceptions import MlflowException

        if not self.version.run_id:
            return None
        try:
            return self.tracker.client.get_run(self.version.run_id)
        except MlflowException:
            self.gone.append(f"the lifecycle of version {self.version.number} ({self.version.run_id[:8]}) is gone")
            return None

    def _design(self, result: Result) -> None:
        resolved = fetch(self.tracker, result, "use_case/resolved.json", self.folder)
        try:
            self.found["spec"] = UseCaseSpec.model_validate(json.loads(resolved.read_text(encoding="utf-8")))
        except ValueError:
            self.gone.append(f"the use case of version {self.version.number} is of a kind that is not read any more")

    def _extract(self, result: Result) -> None:
        self.found |= {"rows": result.facts["rows"], "data": result.facts["digest"]}

    def _prepare(self, result: Result) -> None:
        self.found["features"] = {str(name): str(kind) for name, kind in result.facts["features"]["kinds"].items()}
        self.found["plan"] = SplitPlan.from_dict(dict(result.facts["plan"]))

    def _validate(self, result: Result) -> None:
        plain = result.facts
        self.found |= {
            "verdict": plain["verdict"],
            "findings": from_plain(tuple[Finding, ...], plain["findings"]),
            "metrics": plain["metrics"],
            "intervals": from_plain(dict[str, Interval], plain["intervals"]),
            "baseline": plain["baseline_metrics"],
            "champion": plain["champion_metrics"],
            "slices": from_plain(tuple[SliceFigure, ...], plain["slices"]),
            "block": plain["block"],
            "test": from_plain(Dataset, plain["dataset"]),
        }
