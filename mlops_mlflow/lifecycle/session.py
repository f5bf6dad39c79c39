"""One lifecycle of one use case in this process: where its runs go, what it was asked for, the results so far."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import MlopsError, StorageError, UseCaseError
from mlops_mlflow.core.policy.fit import check_fit
from mlops_mlflow.core.records import Tag
from mlops_mlflow.engines.sql import Bounds
from mlops_mlflow.governance.opening import desk_for
from mlops_mlflow.governance.policy_file import load_policy
from mlops_mlflow.governance.registration import champion
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.governance.working_copy import WorkingCopy, working_copy
from mlops_mlflow.lifecycle.cache.keys import Known
from mlops_mlflow.lifecycle.cache.sources import Sources
from mlops_mlflow.lifecycle.display import Display, Silent
from mlops_mlflow.lifecycle.failure import evidence_of, understood
from mlops_mlflow.lifecycle.folder import FILE, UseCaseFolder
from mlops_mlflow.lifecycle.launcher import adopt_or_create
from mlops_mlflow.lifecycle.notes import experiment_note
from mlops_mlflow.lifecycle.plan import MAIN
from mlops_mlflow.tracking.interrupt import interruptible
from mlops_mlflow.tracking.process import end_dead_runs, sign_of_life, signs
from mlops_mlflow.tracking.results import GoneError, short
from mlops_mlflow.tracking.tracker import KIND, USE_CASE, Status, Tracker, open_tracker
from mlops_mlflow.tracking.writer import Library


@dataclass(frozen=True)
class Options:
    """What a call may ask for beside the use case.

    Attributes:
        since: Instead of the use case's ``data.since``.
        until: Instead of the use case's ``data.until``.
        evidently: Whether ``explore`` adds Evidently's data summary.
        force: Stages that run again though nothing has changed, with all that follow from them.
        cache: Whether results of earlier runs are used at all.
    """

    since: datetime | None = None
    until: datetime | None = None
    evidently: bool = False
    force: frozenset[str] = frozenset()
    cache: bool = True


@dataclass
class Execution:
    """A stage that has run: now, or earlier with the same key.

    Attributes:
        run_id: Its run.
        identity: What later stages stand on: the digest of its key, or its run where no key tells its result.
        facts: What it gave, as plain values.
        headline: What its card says first.
        seconds: How long it took.
        reused: Whether it ran earlier.
        get: Makes what it gave; asked once.
    """

    run_id: str
    identity: str
    facts: Mapping[str, Any]
    headline: str
    seconds: float
    reused: bool
    get: Callable[[], Any]

    @cached_property
    def output(self) -> Any:
        """What it gave.

        Raises:
            GoneError: It ran earlier, and what it gave is not there any more.
        """
        return self.get()


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
        working_copy: The use case's folder as git knew it when the lifecycle began; None where it did not.
        library: Models and datasets logged so far.
        done: Result of each stage that has run.
        rerun: Runs a stage again; set by whoever runs stages.
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
    working_copy: WorkingCopy | None = None
    library: Library = field(default_factory=Library)
    done: dict[str, Execution] = field(default_factory=dict)
    rerun: Callable[[str], Execution] | None = None
    ended: bool = False
    closed: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """Of every run of this lifecycle."""
        return {USE_CASE: self.folder.spec.use_case}

    @cached_property
    def bounds(self) -> Bounds:
        """Which rows are read."""
        data = self.folder.spec.data
        return Bounds(self.options.since or data.since, self.options.until or data.until)

    @cached_property
    def sources(self) -> Sources:
        """What the sources hold now."""
        return Sources(self.folder.spec, self.folder.path, self.environment, self.bounds, self.scratch)

    @cached_property
    def known(self) -> Known:
        """What keys are made of."""
        folder = self.folder
        return Known(
            folder.spec, folder.files(), folder.modules(), folder.sql, str(self.bounds), self.options.evidently
        )

    @cached_property
    def champion(self) -> Version | None:
        """The version in Production, as it was when it was first asked for: the one that ``validate`` compares with."""
        return champion(self.tracker, self.folder.spec.use_case)

    def output(self, stage: str) -> Any:
        """What a stage gave that has run; it is run again where that is gone.

        Raises:
            MlopsError: Running it again failed.
        """
        try:
            return self.done[stage].output
        except GoneError as gone:
            if self.rerun is None:
                raise
            self.display.say(f"{stage} runs again: {gone.what}")
            self.done[stage] = self.rerun(stage)
            return self.done[stage].output

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Keep the lifecycle's run in step: running inside, ended truthfully after."""
        if self.closed:
            raise UseCaseError("this use case was closed, and its files are gone", hint="make a new UseCase object")
        if self.ended:
            self.tracker.reopen_run(self.run_id)
        status: Status = "FAILED"
        try:
            with interruptible(), sign_of_life(self.tracker, self.run_id):
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
    recorded: bool = True,
) -> Session:
    """Begin a lifecycle.

    Args:
        folder: The use case.
        target: What is asked for: a stage or ``main``.
        tracking_uri: An MLflow server or database; MLflow's own setting when left out.
        environment: Where secrets come from; the process's own when left out.
        options: What the call asks for.
        display: What the person sees; nothing when left out.
        recorded: Whether it gets a run; without one, nothing is written to the server.

    Raises:
        InvalidUseCase: It asks for less than the organisation's policy, or for what can never be given.
        PolicyError: The policy file cannot be used.
        RegistryError: What passes could not be registered: the registry is out of reach, or the policy is not named.
        TrackingError: The tracking server cannot be reached or refuses.
        NothingRunError: Nothing is recorded, and nothing is there.
        StorageError: There is no temporary folder to work in.
    """
    spec, environment = folder.spec, os.environ if environment is None else environment
    check_fit(load_policy(environment), spec, text=folder.text, file=str(folder.path / FILE))
    tracker = open_tracker(spec.use_case, tracking_uri, create=recorded)
    if recorded and target == MAIN:
        # Whoever may not register is told before anything is trained. A plain server binds nobody, and is not asked.
        desk = desk_for(tracker, environment)
        if desk.registry.enforced:
            desk.check_policy(desk.registry.shelf(spec.use_case))
    display = display or Silent()
    scratch = _scratch()
    # Last, so that nothing that fails before it leaves a run behind that seems to work for ever.
    copy = working_copy(folder.path, FILE) if recorded else None
    run_id = _begun(tracker, folder, target, display, copy) if recorded else ""
    return Session(
        folder,
        tracker,
        run_id,
        scratch,
        environment,
        options or Options(),
        display,
        copy,
    )


def _begun(tracker: Tracker, folder: UseCaseFolder, target: str, display: Display, copy: WorkingCopy | None) -> str:
    """The lifecycle's run, after those were ended that a killed process left behind."""
    spec = folder.spec
    tracker.describe_experiment(experiment_note(spec, tracker))
    for dead in end_dead_runs(tracker):
        display.say(f"the lifecycle {short(dead)} was killed; it is marked so, and what it finished is used again")
    tags = {USE_CASE: spec.use_case, KIND: "lifecycle", "mlops.target": target, **signs()}
    tags |= copy.tags if copy is not None else {}
    return adopt_or_create(tracker, f"{spec.use_case}: {target}", tags, os.environ)


def _scratch() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="mlops-"))
    except OSError as error:
        raise StorageError(
            "there is no temporary folder to work in",
            got=error.strerror or str(error),
            hint="free some space, or set TMPDIR to a folder that may be written to",
        ) from error
