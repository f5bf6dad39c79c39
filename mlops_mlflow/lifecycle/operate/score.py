"""Score a batch with a registered version."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.core.errors import SourceError, UseCaseError
from mlops_mlflow.core.usecase.data import ColumnType, Source
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.batch import Batch, open_batch
from mlops_mlflow.engines.sinks import FileSink, Sink, is_database, sink_of
from mlops_mlflow.governance.opening import open_registry
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.lifecycle.display import Display
from mlops_mlflow.lifecycle.folder import UseCaseFolder
from mlops_mlflow.lifecycle.operate.job import job
from mlops_mlflow.lifecycle.operate.version import LoadedVersion, load, resolve
from mlops_mlflow.tracking.tracker import open_tracker

if TYPE_CHECKING:
    from mlops_mlflow.stages.score import ScoredBy

LOG, LOG_FOLDER = "MLOPS_INFERENCE_LOG", "inference_log"
"""The environment variable that names the folder of inference logs, and the one in this folder without it."""


@dataclass(frozen=True)
class Asked:
    """What shall be scored.

    Attributes:
        input: A file, a pattern of files, or a database's URL.
        input_table: Table of that database.
        output: A file, or a database's URL.
        output_table: Table of that database.
        version: A registry stage, an alias or a number.
        at: Time that the log is told; now when left out.
    """

    input: str
    output: str
    version: str = "Production"
    input_table: str = ""
    output_table: str = ""
    at: datetime | None = None

    @property
    def source(self) -> Source:
        """Where rows come from.

        Raises:
            UseCaseError: It is a database, and no table of it is named.
            SourceError: There is no such file.
        """
        if not is_database(self.input):
            if not Path(self.input).is_file() and not glob.glob(self.input):
                raise SourceError(
                    f"there is no file {self.input}",
                    expected="a file with the rows to score, or a pattern that matches some",
                    hint=f"paths begin at {Path.cwd()}",
                )
            return Source(path=str(Path(self.input).absolute()))
        if not self.input_table:
            raise UseCaseError(
                "the input is a database, and no table of it is named",
                expected="the name of a table",
                hint="add --input-table NAME",
            )
        return Source(sql=self.input, table=self.input_table)


@dataclass(frozen=True)
class Scored:
    """What became of a batch.

    Attributes:
        run_id: The run.
        version: That scored it.
        rows: How many there were.
        scored: How many were scored.
        output: Where scored rows went, without a password.
        request: Id of the job, in the output and in the log.
        log: Folder of the inference log.
        headline: What the card says first.
    """

    run_id: str
    version: Version
    rows: int
    scored: int
    output: str
    request: str
    log: Path
    headline: str


def log_folder(use_case: str, environment: Mapping[str, str]) -> Path:
    """Folder of a use case's inference log."""
    return Path(environment.get(LOG) or LOG_FOLDER) / use_case


def score(folder: UseCaseFolder, asked: Asked, *, display: Display) -> Scored:
    """Score a batch: the output and the inference log get all of it, or nothing.

    Args:
        folder: The use case.
        asked: What shall be scored, with which version, and where it goes.
        display: What the person sees.

    Raises:
        MlopsError: Whatever stopped it.
    """
    from mlops_mlflow.stages.score import MODEL, REQUEST, Inputs, card, run

    spec, environment = folder.spec, os.environ
    tracker = open_tracker(spec.use_case, create=False)
    version = resolve(open_registry(tracker.uri), spec.use_case, asked.version)
    source, kept = asked.source, log_folder(spec.use_case, environment)
    sink = sink_of(asked.output, asked.output_table, replaces=REQUEST)
    _check_other(asked, sink)
    name = f"score {Path(asked.input).name if source.path else asked.input_table} with version {version.number}"
    tags = {"mlops.version": version.number}
    with job(tracker, spec.use_case, "score", name, display=display, tags=tags) as working:
        loaded = load(tracker, version, working.scratch)
        working.uses(MODEL, version.source)
        batch = open_batch(
            source,
            takes=loaded.takes | _times(spec),
            also=[spec.entity_key] if spec.entity_key else [],
            folder=Path.cwd(),
            environment=environment,
            scratch=working.scratch,
            zoned=loaded.zoned,
            zone=spec.event_time.zone if spec.event_time else "UTC",
        )
        request = _request(batch, version)
        inputs = Inputs(
            spec,
            batch,
            _scored_by(loaded, spec),
            sink,
            kept,
            working.scratch / "quarantine.parquet",
            request,
            asked.at or datetime.now(UTC),
            environment,
        )
        output = run(inputs, working.writer)
        working.draw(lambda: card(inputs, output))
    return Scored(working.run_id, version, output.rows, output.scored, str(sink), request, kept, working.headline)


def _check_other(asked: Asked, sink: Sink) -> None:
    """Refuse to write over the rows that are read: scored, they are no batch any more."""
    if isinstance(sink, FileSink) and not is_database(asked.input):
        inputs = [Path(asked.input), *map(Path, glob.glob(asked.input))]
        if sink.path.resolve() in {path.resolve() for path in inputs}:
            raise UseCaseError(
                f"the output {sink} is the input, too",
                expected="another file: the batch stays as it came",
                hint="name another --output"
                if sink.path.resolve() == inputs[0].resolve()
                else "name another --output, or an --input pattern that does not match it",
            )


def _times(spec: UseCaseSpec) -> dict[str, ColumnType]:
    return {} if spec.event_time is None else {spec.event_time.column: "datetime"}


def _request(batch: Batch, version: Version) -> str:
    """The same rows and the same version are the same job: one that was cut off is replaced when it runs again."""
    told = json.dumps([batch.digest, version.name, version.number, version.source])
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _scored_by(loaded: LoadedVersion, spec: UseCaseSpec) -> ScoredBy:
    from mlops_mlflow.learning.predict import predictor
    from mlops_mlflow.learning.target import known_outcomes
    from mlops_mlflow.stages.score import ScoredBy

    version, outcomes = loaded.version, known_outcomes(loaded.estimator, spec.target)
    predict = predictor(loaded.estimator, outcomes)
    return ScoredBy(version.name, version.number, version.registry_stage, loaded.takes, predict, outcomes)
