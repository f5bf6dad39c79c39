"""The one loop that writes what a stage says, in batches, always with an explicit run id."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_mlflow.core.records import (
    OWN_RUN,
    Artifact,
    ChildEnd,
    ChildRun,
    Dataset,
    Metric,
    Model,
    ModelFile,
    ModelUse,
    Note,
    Param,
    Progress,
    Record,
    Tag,
)
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.models import save_model
from mlops_mlflow.tracking.tracker import Status, Tracker, now_ms

MOST_PARAMS, MOST_METRICS, MOST_TAGS, LONGEST_PARAM, LONGEST_TAG = 100, 1000, 100, 6000, 8000
NOTE = "mlflow.note.content"


@dataclass
class _Batch:
    """What waits to be written to one run."""

    params: dict[str, str] = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[Any] = field(default_factory=list)


@dataclass
class Library:
    """What a lifecycle has logged so far, by the names that records use: ids of models, digests of datasets."""

    models: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)


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
        self._files = scratch / "artifacts"
        self._saved = scratch / "models"

    def __call__(self, record: Record) -> None:
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
                self._stage_file(record)
            case Dataset():
                self._library.datasets[record.name] = record.digest[:36]
                self._batches[record.run].datasets.append(_dataset_input(record))
            case Model():
                self._log_model(record)
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
        self._upload()

    def _end(self, key: str, status: Status) -> None:
        self._flush(key)
        self._flush(OWN_RUN)  # what the stage says of its children is seen while it still works
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
            if batch.datasets:
                client.log_inputs(run_id, datasets=batch.datasets)
            while params or tags or batch.metrics:
                client.log_batch(
                    run_id, metrics=batch.metrics[:MOST_METRICS], params=params[:MOST_PARAMS], tags=tags[:MOST_TAGS]
                )
                params, tags = params[MOST_PARAMS:], tags[MOST_TAGS:]
                batch.metrics = batch.metrics[MOST_METRICS:]

    def _stage_file(self, record: Artifact) -> None:
        target = self._files / self._runs[record.run] / record.path
        with translated(f"write the artifact {record.path}", uri=self._tracker.shown_uri):
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(record.content, Path):
                _link(record.content, target)
            elif isinstance(record.content, bytes):
                target.write_bytes(record.content)
            else:
                target.write_text(record.content, encoding="utf-8")

    def _upload(self) -> None:
        for run_id in self._runs.values():
            folder = self._files / run_id
            if folder.exists():
                self._upload_folder(run_id, folder)
                shutil.rmtree(folder)

    def _upload_folder(self, run_id: str, folder: Path) -> None:
        # The card first: it is there even where another file finds no room.
        files = [path for path in folder.rglob("*") if path.is_file()]
        for file in sorted(files, key=lambda path: (path.stem != "card", path)):
            name = file.relative_to(folder)
            with translated(f"store the artifact {name}", uri=self._tracker.shown_uri):
                parent = None if name.parent == Path() else name.parent.as_posix()
                self._tracker.client.log_artifact(run_id, str(file), parent)

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
            client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        self._library.models[record.name] = logged.model_id

    def _use(self, record: ModelUse) -> None:
        from mlflow.entities import LoggedModelInput, LoggedModelOutput

        client, run_id, model_id = self._tracker.client, self._runs[record.run], self._library.models[record.model]
        with translated(f"link a run with the model {record.model}", uri=self._tracker.shown_uri):
            if record.role == "input":
                client.log_inputs(run_id, models=[LoggedModelInput(model_id)])
            else:
                client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])

    def _log_model_file(self, record: ModelFile) -> None:
        folder = self._files / "model-files" / record.path
        content = record.content.encode() if isinstance(record.content, str) else record.content
        with translated(f"store {record.path} with the model", uri=self._tracker.shown_uri):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / Path(record.path).name).write_bytes(content)
            self._tracker.client.log_model_artifacts(self._library.models[record.model], str(folder))
        shutil.rmtree(folder)


def _text(value: Any) -> str:
    return str(value)[:LONGEST_PARAM]


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


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
