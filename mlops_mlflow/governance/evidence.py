"""What is known of a version now, read from the tracking server and verified: digests by part, and facts for rules."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mlops_mlflow.core.keys import digest
from mlops_mlflow.core.policy.evidence import Evidence
from mlops_mlflow.core.policy.rules import Rules
from mlops_mlflow.governance.shelf import Shelf, Version
from mlops_mlflow.tracking.results import GoneError, Result, StoredFile, fetch, fetch_model, of_run
from mlops_mlflow.tracking.tracker import Tracker, runs_by_stage

EvidenceReader = Callable[[Shelf, str, Rules], Evidence]
"""Of a version of a model, as it is now."""
NO_CHAMPION = "none"
VALIDATE_RUN, DESIGN_RUN = "mlops.validate_run", "mlops.design_run"
"""Tags of a version that name the runs that last said something about it."""
OF_ONE_RUN = {"run_id", "model_id", "model_uuid", "utc_time_created", "artifact_path", "model_size_bytes"}
"""Keys of MLflow's ``MLmodel`` that differ between two equal models."""


def evidence_reader(tracker: Tracker) -> EvidenceReader:
    """Read evidence from this server."""

    def read(shelf: Shelf, version: str, rules: Rules) -> Evidence:
        with tempfile.TemporaryDirectory(prefix="mlops-evidence-") as folder:
            reading = _Reading(tracker, shelf.versions[version], Path(folder))
            reading.read_all()
        parts = {**reading.parts, "policy": rules.digest, "champion": champion_digest(shelf, version)}
        return Evidence(parts, reading.facts, reading.trouble)

    return read


def champion_digest(shelf: Shelf, version: str) -> str:
    """What a version has to be compared with: the model in Production, whatever its number; itself does not count."""
    return digest_of_champions([one.source for one in shelf.in_stage("Production") if one.number != version])


def digest_of_champions(sources: Sequence[str]) -> str:
    """The part ``champion`` of the evidence, from where the model in Production has its files."""
    return digest(sorted(sources)) if sources else NO_CHAMPION


def runs_of(version: Version, tags: Mapping[str, str]) -> dict[str, str]:
    """Run of each stage that a version stands on: of its lifecycle, by that run's tags, or of what judged it again."""
    newest = {"validate": version.tags.get(VALIDATE_RUN), "design": version.tags.get(DESIGN_RUN)}
    return runs_by_stage(tags) | {stage: run for stage, run in newest.items() if run}


@dataclass
class _Reading:
    tracker: Tracker
    version: Version
    folder: Path
    parts: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)

    def read_all(self) -> None:
        runs = self._runs()
        with self._about("metrics", "slices", "data", "card"):
            self._judged(self._result(runs, "validate"))
        with self._about("model"):
            if "evaluate" in runs:
                self._model(self._result(runs, "evaluate"), runs)
            else:
                self._plain_model()
        with self._about("use_case"):
            self._use_case(self._result(runs, "design"))
        with self._about("data"):
            self._features(self._result(runs, "prepare"))

    @contextmanager
    def _about(self, *parts: str) -> Iterator[None]:
        """Whatever is gone, or is not what was written, is trouble with these parts and not the end."""
        try:
            yield
        except GoneError as gone:
            for part in parts:
                self.parts.pop(part, None)
                self.trouble[part] = gone.what

    def _runs(self) -> Mapping[str, str]:
        """Run of each stage that the version's lifecycle stands on."""
        from mlflow.exceptions import MlflowException

        try:
            tags = self.tracker.client.get_run(self.version.run_id).data.tags if self.version.run_id else {}
        except MlflowException:
            tags = {}
        return runs_of(self.version, tags)

    def _result(self, runs: Mapping[str, str], stage: str) -> Result:
        if stage not in runs:
            raise GoneError(f"no run of {stage} is known for version {self.version.number}")
        return of_run(self.tracker, runs[stage], self.folder)

    def _judged(self, result: Result) -> None:
        facts = result.facts
        self.parts["metrics"] = digest([facts["metrics"], facts["findings"], facts["intervals"]])
        self.parts["slices"] = digest(facts["slices"])
        self.parts["data"] = digest(dict(result.datasets))
        if "card.json" in result.files:
            self.parts["card"] = result.files["card.json"].sha256
        else:
            self.trouble["card"] = "the run of validate has no card: it could not be drawn"
        self.facts |= {"metrics": facts["metrics"], "verdict": facts["verdict"], "judged": result.ended}

    def _model(self, result: Result, runs: Mapping[str, str]) -> None:
        name = result.facts["model"]  # logged by train, or by evaluate where that set a threshold
        model = result.models.get(name) or self._result(runs, "train").models[name]
        self.facts |= {"candidate": result.facts["chosen"], "model_id": model.model_id}
        local = fetch_model(self.tracker, name, model, self.folder, self.folder)
        self.parts["model"] = _model_digest(local, model.files)

    def _plain_model(self) -> None:
        """Of a version that no lifecycle brought: all files that are there."""
        import mlflow.artifacts

        folder = self.folder / "plain"
        folder.mkdir()
        try:
            found = mlflow.artifacts.download_artifacts(
                self.version.source, dst_path=str(folder), tracking_uri=self.tracker.uri
            )
        except Exception as error:  # every kind of storage has errors of its own
            why = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise GoneError(f"the files of version {self.version.number} cannot be read ({why})") from error
        local = Path(found)
        files = sorted(str(file.relative_to(local)) for file in local.rglob("*") if file.is_file())
        if not files:
            raise GoneError(f"version {self.version.number} has no files")
        self.parts["model"] = _model_digest(local, files)

    def _use_case(self, result: Result) -> None:
        own = {path: file.sha256 for path, file in result.files.items() if path.startswith("use_case/")}
        self.parts["use_case"] = digest(own)
        resolved = fetch(self.tracker, result, "use_case/resolved.json", self.folder)
        spec = json.loads(resolved.read_text(encoding="utf-8"))
        if (candidate := self.facts.get("candidate")) in spec["candidates"]:
            self.facts["estimator"] = spec["candidates"][candidate].get("estimator")

    def _features(self, result: Result) -> None:
        self.facts["features"] = sorted(result.facts["features"]["kinds"].items())


def _model_digest(folder: Path, files: Iterable[str]) -> str:
    """Of a model's files; what differs between two equal models is left out of MLflow's description of it."""
    digests = {path: StoredFile.of(folder / path).sha256 for path in files if path != "MLmodel"}
    described = folder / "MLmodel"
    if described.is_file():
        plain = yaml.safe_load(described.read_text(encoding="utf-8"))
        kept = {key: value for key, value in plain.items() if key not in OF_ONE_RUN}
        digests["MLmodel"] = digest(json.loads(json.dumps(kept, default=str)))
    return digest(digests)
