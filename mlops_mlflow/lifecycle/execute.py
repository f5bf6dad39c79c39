"""Stages as runs: inputs in, records written, card drawn, status truthful."""

from __future__ import annotations

import contextlib
import importlib
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.core.records import Artifact, Metric, ModelFile, Note, Param, Tag
from mlops_mlflow.lifecycle.failure import evidence_of, failure_page, understood
from mlops_mlflow.lifecycle.plan import STAGES, missing
from mlops_mlflow.lifecycle.session import Execution, Session
from mlops_mlflow.lifecycle.wiring import WIRING
from mlops_mlflow.tracking.tracker import KIND, STAGE
from mlops_mlflow.tracking.writer import Writer


def run_stages(session: Session, target: str) -> Any:
    """Run a stage, the missing ones before it first; its output.

    Args:
        session: The lifecycle.
        target: A stage, which runs even where it has run before, or ``main``.

    Raises:
        MlopsError: Whatever stopped it; its run is marked as failed.
    """
    stages = missing(target, session.done)
    if len(stages) > 1 and target in stages:
        them = "it" if len(stages) == 2 else "them"
        session.display.say(f"{target} needs {', '.join(stages[:-1])}: running {them} first")
    for stage in stages:
        session.done[stage] = execute(session, stage, WIRING[stage])
    return session.done[stages[-1] if stages else STAGES[-1]].output


def execute(session: Session, stage: str, wire: Callable[[Session], Any]) -> Execution:
    """Run a stage in a run of its own.

    Args:
        session: The lifecycle.
        stage: Which.
        wire: Makes the stage's inputs of what the lifecycle has so far.

    Raises:
        MlopsError: Whatever stopped it; the run is marked as failed and carries a card that says why.
    """
    module = importlib.import_module(f"mlops_mlflow.stages.{stage}")
    session.display.begin(stage)
    began = time.perf_counter()
    run_id = session.tracker.create_run(stage, {**session.tags, KIND: "stage", STAGE: stage}, session.run_id)
    writer = Writer(
        session.tracker,
        run_id,
        tags={**session.tags, STAGE: stage},
        library=session.library,
        scratch=session.scratch,
        show=lambda progress: session.display.progress(stage, progress),
    )
    writer(Param("use_case", session.folder.spec.use_case))
    try:
        inputs = wire(session)
        with _overheard(writer):
            output = module.run(inputs, writer)
        # The card of `validate` is the model card: it travels with the model.
        model = session.done["evaluate"].output.model if stage == "validate" else None
        card = _draw(writer, lambda: module.card(inputs, output), model)
        writer(Metric("seconds", time.perf_counter() - began))
        writer.close("FINISHED")
        session.tracker.end_run(run_id, "FINISHED")
    except KeyboardInterrupt:
        _give_up(session, writer, run_id, "KILLED")
        session.display.end(stage, "KILLED", time.perf_counter() - began, "interrupted")
        raise
    except (Exception, SystemExit) as caught:  # noqa: BLE001  # raised again, in words that a person can act on
        prepared = session.done.get("prepare")
        error = understood(caught, run_id, prepared.output.problem.package if prepared else None)
        _record(writer, stage, error)
        _give_up(session, writer, run_id, "FAILED")
        session.display.end(stage, "FAILED", time.perf_counter() - began, str(error).splitlines()[0])
        raise error from error.__cause__
    seconds = time.perf_counter() - began
    session.display.end(stage, "FINISHED", seconds, card.headline if card else "")
    return Execution(run_id, output, card, seconds)


@contextlib.contextmanager
def _overheard(writer: Writer) -> Iterator[None]:
    """Keep what libraries warn of with the run, where it can be read later, and off the terminal."""
    with warnings.catch_warnings(record=True) as heard:
        try:
            yield
        finally:
            told = dict.fromkeys(f"{one.category.__name__}: {one.message}" for one in heard)
            if told:
                writer(Artifact("warnings.txt", "\n".join(told)))


def _draw(writer: Writer, make: Callable[[], Any], model: str | None = None) -> Any:
    """Draw and log a card, with a model too where one is named; one that cannot be drawn never fails the stage."""
    from mlops_mlflow.cards.page import to_html, to_json, to_markdown

    try:
        card = make()
        html, plain, note = to_html(card), to_json(card), to_markdown(card)
    except Exception:  # noqa: BLE001  # the result stands without its picture
        writer(Tag("mlops.card_error", traceback.format_exc(limit=-3)[-4000:]))
        return None
    writer(Artifact("card.html", html))
    writer(Artifact("card.json", plain))
    if model is not None:
        writer(ModelFile(model, "model_card.html", html))
        writer(ModelFile(model, "model_card.json", plain))
    writer(Note(f"{note}\n\nThe whole page is `card.html` under Artifacts."))
    return card


def _record(writer: Writer, stage: str, error: MlopsError) -> None:
    """Say on the run why it failed. Where that fails, too, as on a full disk, the first error is the one to tell."""
    with contextlib.suppress(MlopsError):
        _draw(writer, lambda: failure_page(stage, error))
    with contextlib.suppress(MlopsError):
        for record in evidence_of(error):
            writer(record)


def _give_up(session: Session, writer: Writer, run_id: str, status: Any) -> None:
    """Leave the truth behind as far as the server still answers; the error on its way matters more."""
    with contextlib.suppress(MlopsError):
        writer.close(status)
    with contextlib.suppress(MlopsError):
        session.tracker.end_children(run_id, status)
    with contextlib.suppress(MlopsError):
        session.tracker.end_run(run_id, status)
