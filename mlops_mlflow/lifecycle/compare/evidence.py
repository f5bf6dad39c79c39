"""What the runs of a side left behind: figures, parameters, predictions, settings, data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.learning.kept import FILE, Kept, from_parquet
from mlops_mlflow.lifecycle.compare.find import CANDIDATE, SHORT, STAGE_OF, Part, Side
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import KIND, Tracker

_NOT_PARAMETERS = frozenset({"candidate", "chosen", "use_case", "choose_by"})


@dataclass(frozen=True)
class Said:
    """What was predicted of the rows of a part; or why that is not known.

    Attributes:
        kept: Every model of the file, in its order; empty where there is no file.
        silent: Why there is none, as the end of a sentence; empty otherwise.
    """

    kept: tuple[Kept, ...]
    silent: str = ""


@dataclass(frozen=True)
class Evidence:
    """Everything that is known of a side; read when it is asked for.

    Attributes:
        side: Whose.
        tracker: Where its runs are.
        scratch: Folder for downloads, its own.
    """

    side: Side
    tracker: Tracker
    scratch: Path

    def figures(self, part: Part) -> Mapping[str, float]:
        """Metrics as they were logged."""
        if part == "validation":
            run = self._candidate or (self._stage("evaluate") if self.side.is_choice else None)
        else:
            run = self._stage("validate")
        metrics: dict[str, float] = dict((run or self.side.run).data.metrics)
        return metrics

    def rows(self, part: Part) -> tuple[int | None, str]:
        """How many rows a part has, and the digest that tells whether others are the same; "" where it is not known."""
        inputs = [one.dataset for one in (self._stage(STAGE_OF[part]) or self.side.run).inputs.dataset_inputs]
        found = next((one for one in inputs if one.name.endswith(f".{part}")), None)
        return (None, "") if found is None else (json.loads(found.profile or "{}").get("num_rows"), found.digest)

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """Of the estimator, as text."""
        run = self._candidate or self.side.run
        return {name: value for name, value in run.data.params.items() if name not in _NOT_PARAMETERS}

    @cached_property
    def threshold(self) -> float | None:
        """From which it decides; None where there is none, or it is not known."""
        run = self._candidate or self._stage("evaluate")
        return run.data.metrics.get("threshold") if run else None

    @cached_property
    def choose_by(self) -> str | None:
        """Metric by which the lifecycle chose."""
        run = self._stage("evaluate")
        return run.data.params.get("choose_by") if run else None

    @cached_property
    def data(self) -> tuple[str, int | None]:
        """Digest of the dataset, and its rows."""
        run = self._stage("extract")
        inputs = [one.dataset for one in run.inputs.dataset_inputs] if run else []
        found = next((one for one in inputs if one.name.endswith(".dataset")), None)
        return ("", None) if found is None else (found.digest, json.loads(found.profile or "{}").get("num_rows"))

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The use case as it was, every default written out; empty where it is not known."""
        return self._json("design", "use_case/resolved.json")

    @cached_property
    def spec(self) -> UseCaseSpec | None:
        """The same, checked; None where this version cannot read it."""
        try:
            return UseCaseSpec.model_validate(self.settings) if self.settings else None
        except ValueError:
            return None

    @cached_property
    def features(self) -> dict[str, Any]:
        """Columns and kinds of features; empty where they are not known."""
        return self._json("prepare", "features.json")

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """Text of the SQL and the Python files beside the use case's own, by name."""
        folder = self._file("design", "use_case")
        found = sorted(folder.iterdir()) if folder else []
        return {file.name: file.read_text(encoding="utf-8") for file in found if file.suffix in {".py", ".sql"}}

    @cached_property
    def dataset(self) -> Path | None:
        """The file of the dataset; None where it is gone."""
        return self._file("extract", "dataset.parquet")

    @cached_property
    def key_parts(self) -> Mapping[str, Mapping[str, str]]:
        """What decided the result of each stage, where its run tells."""
        runs = {stage: self._stage(stage) for stage in self.side.stages}
        told = {stage: run.data.tags.get("mlops.key_parts") for stage, run in runs.items() if run}
        return {stage: json.loads(text) for stage, text in told.items() if text}

    def said(self, part: Part) -> Said:
        """The predictions kept with the run of a part."""
        stage = STAGE_OF[part]
        if stage not in self.side.stages:
            return Said((), "it ran before predictions were kept")
        short = self.side.stages[stage][:SHORT]
        file = self._file(stage, FILE)
        if file is None:
            if not self._listed(stage):
                return Said((), f"the files of {stage} {short} are gone")
            return Said((), f"{stage} {short} kept no predictions: it ran before they were kept, or they were deleted")
        try:
            return Said(from_parquet(file))
        except DataError as error:
            return Said((), f"{error.what} ({stage} {short})")

    def own(self, part: Part) -> Kept | None:
        """Its own predictions of a part."""
        kept = self._said[part].kept if self.side.judged_on(part) else ()
        if part == "test":
            return next((one for one in kept if one.role == "chosen"), None)
        return next((one for one in kept if one.name == self.side.name), None)

    def of_champion(self, version: str | None) -> Kept | None:
        """What a version that was in Production then said of this side's test rows, as far as they are new to it."""
        kept = self._said["test"].kept if version and self.side.judged_on("test") else ()
        return next((one for one in kept if one.role == "champion" and one.name == version), None)

    def silent(self, part: Part) -> str:
        """Why there are no predictions of a part."""
        if not self.side.judged_on(part):
            return f"it was not judged on {part} rows"
        return self._said[part].silent

    @cached_property
    def _said(self) -> dict[Part, Said]:
        return {part: self.said(part) for part in STAGE_OF if self.side.judged_on(part)}

    @cached_property
    def _candidate(self) -> Any:
        """The candidate's own run below evaluate."""
        if self.side.run.data.tags.get(KIND) == "candidate":
            return self.side.run
        evaluate = self.side.stages.get("evaluate")
        if evaluate is None:
            return None
        below = f"tags.`mlflow.parentRunId` = '{evaluate}' and tags.`{CANDIDATE}` = '{self.side.name}'"
        with translated("look for a candidate's run", uri=self.tracker.shown_uri):
            found = self.tracker.client.search_runs([self.tracker.experiment_id], below)
        return found[0] if found else None

    def _stage(self, stage: str) -> Any:
        """The run of a stage; None where there is none, or it was purged."""
        return self._stages.get(stage)

    @cached_property
    def _stages(self) -> dict[str, Any]:
        from mlflow.exceptions import MlflowException

        found = {}
        for stage, run_id in self.side.stages.items():
            with translated(f"read {stage} ({run_id})", uri=self.tracker.shown_uri):
                try:
                    found[stage] = self.tracker.client.get_run(run_id)
                except MlflowException as error:
                    if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                        raise
        return found

    def _json(self, stage: str, path: str) -> dict[str, Any]:
        file = self._file(stage, path)
        if file is None:
            return {}
        try:
            plain: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            return {}
        return plain

    def _listed(self, stage: str, folder: str | None = None) -> set[str]:
        if stage not in self._stages:
            return set()
        with translated(f"list the files of {stage}", uri=self.tracker.shown_uri):
            return {one.path for one in self.tracker.client.list_artifacts(self.side.stages[stage], folder)}

    def _file(self, stage: str, path: str) -> Path | None:
        """A file or folder of a stage's run, downloaded; None where it is not there."""
        folder = path.rpartition("/")[0] or None
        if path not in self._listed(stage, folder):
            return None
        target = self.scratch / stage
        target.mkdir(parents=True, exist_ok=True)
        with translated(f"read {path} of {stage}", uri=self.tracker.shown_uri):
            return Path(self.tracker.client.download_artifacts(self.side.stages[stage], path, str(target)))
