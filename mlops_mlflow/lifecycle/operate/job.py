"""A job as a run: begun, kept alive, ended truthfully."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import StorageError
from mlops_mlflow.core.records import Metric, Param
from mlops_mlflow.lifecycle.display import Display
from mlops_mlflow.lifecycle.failure import understood
from mlops_mlflow.lifecycle.launcher import RUN_ID, adopt_or_create
from mlops_mlflow.lifecycle.leave import draw, give_up, overheard, record_failure
from mlops_mlflow.tracking.interrupt import interruptible
from mlops_mlflow.tracking.process import end_dead_runs, sign_of_life, signs
from mlops_mlflow.tracking.results import StoredModel, short
from mlops_mlflow.tracking.tracker import KIND, STAGE, USE_CASE, Tracker
from mlops_mlflow.tracking.writer import Library, Writer


@dataclass
class Job:
    """One run of a stage that stands for itself.

    Attributes:
        tracker: Where it is.
        stage: Which stage.
        run_id: Its run.
        writer: Takes its records.
        scratch: Folder for files on their way; deleted when the job ends.
        library: Models that its records may name.
        headline: What its card says first.
    """

    tracker: Tracker
    stage: str
    run_id: str
    writer: Writer
    scratch: Path
    library: Library
    headline: str = ""

    def uses(self, name: str, source: str) -> None:
        """Let records name a model of MLflow's.

        Args:
            name: As records call it.
            source: Its address in MLflow, ``models:/m-...``.
        """
        self.library.stored[name] = StoredModel(source.rpartition("/")[2], source)

    def draw(self, make: Callable[[], Any]) -> None:
        """Draw and log the card; one that cannot be drawn never fails the job."""
        card = draw(self.writer, make)
        self.headline = card.headline if card else ""


@contextlib.contextmanager
def job(
    tracker: Tracker,
    use_case: str,
    stage: str,
    name: str,
    *,
    display: Display,
    tags: Mapping[str, str],
    parent: str = "",
    shown: str = "",
) -> Iterator[Job]:
    """A run for what happens inside: finished, failed or killed, as that ends.

    Args:
        tracker: The use case's experiment.
        use_case: Its name.
        stage: Which stage.
        name: Of the run.
        display: What the person sees.
        tags: Of the run, beside the usual ones.
        parent: Run that it is part of; empty for one that stands alone, and may be the one that ``mlflow run`` began.
        shown: What the person reads that is at work; the stage when left out.

    Raises:
        MlopsError: Whatever stopped it; the run is marked as failed and carries a card that says why.
        StorageError: There is no temporary folder to work in.
    """
    if not parent:
        for dead in end_dead_runs(tracker):
            display.say(f"the run {short(dead)} was killed; it is marked so")
    try:
        scratch = Path(tempfile.mkdtemp(prefix="mlops-"))
    except OSError as error:
        raise StorageError("there is no temporary folder to work in", got=str(error), hint="set TMPDIR") from error
    own = {USE_CASE: use_case, KIND: "stage", STAGE: stage}
    all_tags, shown = {**own, **signs(), **tags}, shown or stage
    launched = os.environ.get(RUN_ID)
    run_id = (
        tracker.create_run(name, all_tags, parent) if parent else adopt_or_create(tracker, name, all_tags, os.environ)
    )
    library = Library()
    writer = Writer(
        tracker,
        run_id,
        tags=own,
        library=library,
        scratch=scratch,
        show=lambda progress: display.progress(shown, progress),
    )
    display.begin(shown)
    began = time.perf_counter()
    working = Job(tracker, stage, run_id, writer, scratch, library)
    try:
        with interruptible(), sign_of_life(tracker, run_id), overheard(writer):
            if run_id != launched:  # otherwise `mlflow run` logged the parameter of this name already
                writer(Param("use_case", use_case))
            yield working
            writer(Metric("seconds", time.perf_counter() - began))
            writer.close("FINISHED")
            tracker.end_run(run_id, "FINISHED")
    except KeyboardInterrupt:
        give_up(tracker, writer, run_id, "KILLED")
        display.end(shown, "KILLED", time.perf_counter() - began, "interrupted")
        raise
    except (Exception, SystemExit) as caught:  # noqa: BLE001  # raised again, in words that a person can act on
        found = understood(caught, run_id)
        record_failure(writer, stage, found)
        give_up(tracker, writer, run_id, "FAILED")
        display.end(shown, "FAILED", time.perf_counter() - began, str(found).splitlines()[0])
        raise found from found.__cause__
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    display.end(shown, "FINISHED", time.perf_counter() - began, working.headline)
