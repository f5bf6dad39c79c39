"""The one loop that writes what a stage says, in batches, always with an explicit run id."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_mlflow.core.keys import Key
from mlops_mlflow.core.records import (
    OWN_RUN,
    Artifact,
    ChildEnd,
    ChildRun,
    Dataset,
    Metric,
    Model,
    ModelAgain,
    ModelFile,
    ModelUse,
    Note,
    Param,
    Progress,
    Record,
    Tag,
)
from mlops_mlflow.engines.atomic import link
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.models import save_model
from mlops_mlflow.tracking.outbox import Outbox, files_in
from mlops_mlflow.tracking.results import (
    KEY,
    PARTS,
    RESULT,
    RESULT_FILE,
    Result,
    StoredFile,
    StoredModel,
    result_of,
)
from mlops_mlflow.tracking.tracker import Status, Tracker, now_ms

MOST_PARAMS, MOST_METRICS, MOST_TAGS, LONGEST_PARAM, LONGEST_TAG = 100, 1000, 100, 6000, 8000
LONGEST_PARTS = 7_000
NOTE = "mlflow.note.content"
LIVE_SECONDS = 2.0
SAVED = "models"
"""Where in ``scratch`` models are kept that this process has logged."""


@dataclass
class _Batch:
    """What waits to be written to one run."""

    params: dict[str, str] = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[Any] = field(default_factory=list)
    models_in: list[Any] = field(default_factory=list)
    models_out: list[Any] = field(default_factory=list)


@dataclass
class Library:
    """What a lifecycle has logged or taken over so far, by the names that records use: models, digests of datasets."""

    stored: dict[str, StoredModel] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, str]:
        """Id of each model."""
        return {name: model.model_id for name, model in self.stored.items()}

    def adopt(self, result: Result) -> None:
        """Know what an earlier run logged as if this lifecycle had."""
        self.stored |= result.models
        self.datasets |= result.datasets


class Writer:
    """Writes the records of one stage to its run and its child runs.

    Args:
        tracker: Where to.
        run_id: The stage's own run.
        tags: Of every child run.
        library: Shared by the stages of one lifecycle.
        scratch: Folder for files on their way.
        show: Gets every ``Progress``.
    """

    def __init__(
        self,
        tracker: Tracker,
        run_id: str,
        *,
        tags: dict[str, str],
        library: Library,
        scratch: Path,
        show: Callable[[Progress], None],
    ) -> None:
        self._tracker, self._library, self._show, self._tags = tracker, library, show, tags
        self._runs = {OWN_RUN: run_id}
        self._open: set[str] = set()
        self._batches: dict[str, _Batch] = defaultdict(_Batch)
        self._own_models: set[str] = set()
        self._flushed = 0.0
        self._outbox = Outbox(tracker, scratch / "artifacts")
        self._saved = scratch / SAVED

    def __call__(self, record: Record) -> None:  # noqa: PLR0912  # one branch per kind of record
        """Take one record; what can wait is written with others of its run."""
        match record:
            case Param(name, value, run):
                self._batches[run].params[name] = _text(value)
            case Metric():
                self._batches[record.run].metrics.append(self._metric(record))
            case Tag(name, value, run):
                self._batches[run].tags[name] = value[:LONGEST_TAG]
            case Note(markdown, run):
                self._batches[run].tags[NOTE] = markdown[:LONGEST_TAG]
            case Artifact():
                self._outbox.put(self._runs[record.run], record)
            case Dataset():
                self._library.datasets[record.name] = record.digest[:36]
                self._batches[record.run].datasets.append(_dataset_input(record))
            case Model():
                self._log_model(record)
            case ModelAgain(name, ref):
                self._take_over(name, ref)
            case ModelUse():
                self._use(record)
            case ModelFile():
                self._log_model_file(record)
            case ChildRun(key, name, tags):
                self._runs[key] = self._tracker.create_run(name, {**self._tags, **tags}, self._runs[OWN_RUN])
                self._open.add(key)
            case ChildEnd(key, status):
                self._end(key, status)
            case Progress():
                self._show(record)

    def close(self, status: Status) -> None:
        """Write everything that still waits, and end child runs that are still open with this status."""
        for key in sorted(self._open):
            self._end(key, status)
        for run in list(self._batches):
            self._flush(run)
        self._outbox.send()

    def conclude(
        self, facts: Mapping[str, Any], *, headline: str, seconds: float, key: Key | None, final: bool
    ) -> None:
        """Write everything, and the result with it, by which a later call finds that nothing has to run again.

        Args:
            facts: What the stage gave, as plain values.
            headline: Of its card.
            seconds: How long it took.
            key: What decided the result; None where no key tells that.
            final: Whether the result may be found again by its key.
        """
        self._outbox.send()
        plain = result_of(
            self._outbox.sent[self._runs[OWN_RUN]], self._library.stored, self._own_models, self._library.datasets
        )
        text = json.dumps({**plain, "facts": facts, "headline": headline, "seconds": seconds})
        self(Artifact(RESULT_FILE, text))
        self._batches[OWN_RUN].tags[RESULT] = hashlib.sha256(text.encode()).hexdigest()
        if key is not None:
            self._batches[OWN_RUN].tags[PARTS] = key.to_json(LONGEST_PARTS)
        if key is not None and final:
            self._batches[OWN_RUN].tags[KEY] = key.digest
        self.close("FINISHED")

    def _end(self, key: str, status: Status) -> None:
        self._flush(key)
        # What the stage says of its children is seen while it still works, though not after each of a hundred.
        if time.monotonic() - self._flushed > LIVE_SECONDS:
            self._flush(OWN_RUN)
            self._flushed = time.monotonic()
        self._tracker.end_run(self._runs[key], status)
        self._open.discard(key)

    def _metric(self, record: Metric) -> Any:
        from mlflow.entities import Metric as MlflowMetric

        dataset = record.dataset if record.dataset in self._library.datasets else None
        return MlflowMetric(
            record.name,
            float(record.value),
            now_ms(),
            record.step,
            model_id=self._library.models.get(record.model or ""),
            dataset_name=dataset,
            dataset_digest=self._library.datasets.get(dataset or ""),
            run_id=self._runs[record.run],
        )

    def _flush(self, run: str) -> None:
        from mlflow.entities import Param as MlflowParam
        from mlflow.entities import RunTag

        batch = self._batches.pop(run, None)
        if batch is None:
            return
        run_id, client = self._runs[run], self._tracker.client
        params = [MlflowParam(*pair) for pair in batch.params.items()]
        tags = [RunTag(*pair) for pair in batch.tags.items()]
        with translated("log to a run", uri=self._tracker.shown_uri):
            if batch.datasets or batch.models_in:
                client.log_inputs(run_id, models=batch.models_in or None, datasets=batch.datasets or None)
            if batch.models_out:
                client.log_outputs(run_id, batch.models_out)
            while params or tags or batch.metrics:
                client.log_batch(
                    run_id, metrics=batch.metrics[:MOST_METRICS], params=params[:MOST_PARAMS], tags=tags[:MOST_TAGS]
                )
                params, tags = params[MOST_PARAMS:], tags[MOST_TAGS:]
                batch.metrics = batch.metrics[MOST_METRICS:]

    def _log_model(self, record: Model) -> None:
        from mlflow.entities import LoggedModelOutput

        client, run_id = self._tracker.client, self._runs[record.run]
        with translated(f"log the model {record.name}", uri=self._tracker.shown_uri):
            logged = client.create_logged_model(
                self._tracker.experiment_id,
                name=record.name,
                source_run_id=run_id,
                params={name: _text(value) for name, value in record.params.items()},
                tags={**self._tags, **record.tags},
            )
            try:
                folder = self._saved / logged.model_id
                save_model(record, folder, run_id=run_id, model_id=logged.model_id)
                client.log_model_artifacts(logged.model_id, str(folder))
                client.finalize_logged_model(logged.model_id, "READY")
            except BaseException:
                with contextlib.suppress(Exception):  # the error on its way matters more
                    client.finalize_logged_model(logged.model_id, "FAILED")
                raise
        files = {path.relative_to(folder).as_posix(): StoredFile.of(path) for path in files_in(folder)}
        self._library.stored[record.name] = StoredModel(logged.model_id, logged.artifact_location, files)
        self._own_models.add(record.name)
        self._batches[record.run].models_out.append(LoggedModelOutput(logged.model_id, step=0))

    def _take_over(self, name: str, stored: StoredModel) -> None:
        from mlflow.entities import LoggedModelOutput

        self._library.stored[name] = stored
        self._own_models.add(name)
        self._batches[OWN_RUN].models_out.append(LoggedModelOutput(stored.model_id, step=0))

    def _use(self, record: ModelUse) -> None:
        from mlflow.entities import LoggedModelInput, LoggedModelOutput

        batch, model_id = self._batches[record.run], self._library.models[record.model]
        if record.role == "input":
            batch.models_in.append(LoggedModelInput(model_id))
        else:
            batch.models_out.append(LoggedModelOutput(model_id, step=0))

    def _log_model_file(self, record: ModelFile) -> None:
        model = self._library.stored[record.model]
        content = record.content.encode() if isinstance(record.content, str) else record.content
        # Beside the model's other files, if it was saved here: whoever loads it finds it whole without a download.
        file = self._saved / model.model_id / record.path
        with translated(f"store {record.path} with the model", uri=self._tracker.shown_uri):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            with tempfile.TemporaryDirectory(dir=self._saved) as folder:
                link(file, Path(folder) / file.name, record.path)
                self._tracker.client.log_model_artifacts(model.model_id, folder)
            model.files[record.path] = StoredFile.of(file)


def _text(value: Any) -> str:
    return str(value)[:LONGEST_PARAM]


def _dataset_input(record: Dataset) -> Any:
    from mlflow.entities import Dataset as MlflowDataset
    from mlflow.entities import DatasetInput, InputTag

    columns = [{"name": name, "type": kind, "required": False} for name, kind in record.columns.items()]
    source = json.dumps({"uri": record.source})
    dataset = MlflowDataset(
        record.name,
        record.digest[:36],
        source_type="local",
        source=source,
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({"num_rows": record.rows}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", record.context)])
