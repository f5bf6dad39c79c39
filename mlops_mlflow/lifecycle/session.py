"""One lifecycle of one use case in this process: where its runs go, what it was asked for, the results so far."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import MlopsError, StorageError, UseCaseError
from mlops_mlflow.core.records import Tag
from mlops_mlflow.lifecycle.display import Display, Silent
from mlops_mlflow.lifecycle.failure import evidence_of, understood
from mlops_mlflow.lifecycle.folder import UseCaseFolder
from mlops_mlflow.lifecycle.launcher import adopt_or_create
from mlops_mlflow.lifecycle.notes import experiment_note
from mlops_mlflow.tracking.tracker import KIND, USE_CASE, Status, Tracker, open_tracker
from mlops_mlflow.tracking.writer import Library


@dataclass(frozen=True)
class Options:
    """What a call may ask for beside the use case.

    Attributes:
        since: Instead of the use case's ``data.since``.
        until: Instead of the use case's ``data.until``.
        evidently: Whether ``explore`` adds Evidently's data summary.
    """

    since: datetime | None = None
    until: datetime | None = None
    evidently: bool = False


@dataclass(frozen=True)
class Execution:
    """A stage that has run.

    Attributes:
        run_id: Its run.
        output: What it gave.
        card: What its card says; None where it could not be drawn.
        seconds: How long it took.
    """

    run_id: str
    output: Any
    card: Any
    seconds: float


@dataclass
class Session:
    """A lifecycle in this process.

    Attributes:
        folder: The use case.
        tracker: Where runs go.
        run_id: The lifecycle's own run, parent of the stages' runs.
        scratch: Folder for files on their way; deleted by ``close``.
        environment: Where secrets come from.
        options: What the call asked for.
        display: What the person sees.
        library: Models and datasets logged so far.
        done: Result of each stage that has run.
        ended: Whether its run is marked as ended; a notebook may go on with it.
        closed: Whether its files are gone.
    """

    folder: UseCaseFolder
    tracker: Tracker
    run_id: str
    scratch: Path
    environment: Mapping[str, str]
    options: Options
    display: Display
    library: Library = field(default_factory=Library)
    done: dict[str, Execution] = field(default_factory=dict)
    ended: bool = False
    closed: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """Of every run of this lifecycle."""
        return {USE_CASE: self.folder.spec.use_case}

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Keep the lifecycle's run in step: running inside, ended truthfully after."""
        if self.closed:
            raise UseCaseError("this use case was closed, and its files are gone", hint="make a new UseCase object")
        if self.ended:
            self.tracker.reopen_run(self.run_id)
        status: Status = "FAILED"
        try:
            yield
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        except (Exception, SystemExit) as caught:  # noqa: BLE001  # raised again, in words for a person
            error = understood(caught, self.run_id)
            self._record(error)
            raise error from error.__cause__
        finally:
            # A server that has gone away must not hide the error that is on its way.
            with contextlib.nullcontext() if status == "FINISHED" else contextlib.suppress(MlopsError):
                if status != "FINISHED":
                    self.tracker.end_children(self.run_id, status)
                self.tracker.end_run(self.run_id, status)
            self.ended = True

    def _record(self, error: MlopsError) -> None:
        """Say on the lifecycle's run what stopped it, as far as the server still answers."""
        with contextlib.suppress(MlopsError):
            writer = self.writer(self.run_id)
            for record in evidence_of(error):
                writer(record)
            writer.close("FAILED")

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags on the lifecycle's run."""
        writer = self.writer(self.run_id)
        for name, value in tags.items():
            writer(Tag(name, value))
        writer.close("FINISHED")

    def writer(self, run_id: str) -> Any:
        """A writer of records for one of this lifecycle's runs."""
        from mlops_mlflow.tracking.writer import Writer

        return Writer(
            self.tracker, run_id, tags=self.tags, library=self.library, scratch=self.scratch, show=lambda _: None
        )

    def close(self) -> None:
        """Delete the files on their way; nothing more can be run."""
        self.closed = True
        shutil.rmtree(self.scratch, ignore_errors=True)


def open_session(
    folder: UseCaseFolder,
    *,
    target: str,
    tracking_uri: str | None = None,
    environment: Mapping[str, str] | None = None,
    options: Options | None = None,
    display: Display | None = None,
) -> Session:
    """Begin a lifecycle.

    Raises:
        TrackingError: The tracking server cannot be reached or refuses.
        StorageError: There is no temporary folder to work in.
    """
    spec = folder.spec
    tracker = open_tracker(spec.use_case, tracking_uri)
    tracker.describe_experiment(experiment_note(spec, tracker))
    tags = {USE_CASE: spec.use_case, KIND: "lifecycle", "mlops.target": target}
    scratch = _scratch()
    # Last, so that nothing that fails before it leaves a run behind that seems to work for ever.
    run_id = adopt_or_create(tracker, f"{spec.use_case}: {target}", tags, os.environ)
    return Session(
        folder,
        tracker,
        run_id,
        scratch,
        os.environ if environment is None else environment,
        options or Options(),
        display or Silent(),
    )


def _scratch() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="mlops-"))
    except OSError as error:
        raise StorageError(
            "there is no temporary folder to work in",
            got=error.strerror or str(error),
            hint="free some space, or set TMPDIR to a folder that may be written to",
        ) from error
