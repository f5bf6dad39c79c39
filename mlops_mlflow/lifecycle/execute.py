"""Stages as runs: inputs in, records written, card drawn, status truthful."""

from __future__ import annotations

import functools
import importlib
import time
from typing import Any

from mlops_mlflow.core.errors import DataError, SecretError
from mlops_mlflow.core.keys import Key
from mlops_mlflow.core.records import Metric, Param
from mlops_mlflow.core.usecase.columns import check_columns
from mlops_mlflow.lifecycle.cache.current import key_of, lookup, may_reuse
from mlops_mlflow.lifecycle.cache.recall import recall
from mlops_mlflow.lifecycle.failure import understood
from mlops_mlflow.lifecycle.leave import draw, give_up, overheard, record_failure
from mlops_mlflow.lifecycle.plan import STAGES, missing
from mlops_mlflow.lifecycle.session import Execution, Session
from mlops_mlflow.lifecycle.wiring import TAKES, WIRING
from mlops_mlflow.tracking.results import GoneError, Result
from mlops_mlflow.tracking.tracker import KIND, RUN_OF, STAGE
from mlops_mlflow.tracking.writer import Writer


def run_stages(session: Session, target: str) -> Execution:
    """Run a stage, the missing ones before it first; or take over what earlier runs found.

    Args:
        session: The lifecycle.
        target: A stage, which is looked at even where it is done, or ``main``.

    Returns:
        The last of them.

    Raises:
        MlopsError: Whatever stopped it; its run is marked as failed.
    """
    session.rerun = lambda stage: execute(session, stage)
    stages = missing(target, session.done)
    for stage in stages:
        session.done[stage] = _reused(session, stage) or execute(session, stage)
    session.tag({f"{RUN_OF}{stage}": done.run_id for stage, done in session.done.items()})
    return session.done[stages[-1] if stages else STAGES[-1]]


def _reused(session: Session, stage: str) -> Execution | None:
    """What an earlier run with the same key gave; None where the stage has to run."""
    session.display.look(stage)
    key = _key(session, stage)
    found = lookup(session, stage, key) if key is not None and may_reuse(session.options, stage) else None
    if isinstance(found, GoneError):
        session.display.say(f"{stage} runs again: {found.what}")
    if key is None or not isinstance(found, Result):
        return None
    if stage == "extract":
        check_columns(session.folder.spec, found.facts["columns"])
    session.library.adopt(found)
    session.display.reuse(stage, found.run_id, found.ended, found.headline)
    get = functools.partial(recall, session, stage, found)
    return Execution(found.run_id, key.digest, found.facts, found.headline, found.seconds, True, get)


def _key(session: Session, stage: str) -> Key | None:
    """The key of a stage; None where there is none, or where a source cannot be read: the stage says so on its run."""
    try:
        return key_of(session, stage)
    except (DataError, SecretError):
        return None


def execute(session: Session, stage: str) -> Execution:
    """Run a stage in a run of its own.

    Args:
        session: The lifecycle.
        stage: Which.

    Raises:
        MlopsError: Whatever stopped it; the run is marked as failed and carries a card that says why.
    """
    for need in TAKES.get(stage, ()):
        session.output(need)  # before this stage has a run: what is gone is made again first
    key = _key(session, stage)  # after that: what was made again may have come out otherwise
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
        inputs = WIRING[stage](session)
        with overheard(writer):
            output = module.run(inputs, writer)
        # The card of `validate` is the model card: it travels with the model.
        model = session.output("evaluate").model if stage == "validate" else None
        card = draw(writer, lambda: module.card(inputs, output), model)
        facts, headline = module.to_dict(output), card.headline if card else ""
        final = key is not None and _is_final(session, stage, output)
        writer(Metric("seconds", time.perf_counter() - began))
        writer.conclude(facts, headline=headline, seconds=time.perf_counter() - began, key=key, final=final)
        session.tracker.end_run(run_id, "FINISHED")
    except KeyboardInterrupt:
        give_up(session.tracker, writer, run_id, "KILLED")
        session.display.end(stage, "KILLED", time.perf_counter() - began, "interrupted")
        raise
    except (Exception, SystemExit) as caught:  # noqa: BLE001  # raised again, in words that a person can act on
        package = session.output("prepare").problem.package if "prepare" in TAKES.get(stage, ()) else None
        error = understood(caught, run_id, package)
        record_failure(writer, stage, error)
        give_up(session.tracker, writer, run_id, "FAILED")
        session.display.end(stage, "FAILED", time.perf_counter() - began, str(error).splitlines()[0])
        raise error from error.__cause__
    seconds = time.perf_counter() - began
    session.display.end(stage, "FINISHED", seconds, headline)
    identity = key.digest if key is not None and final else f"run {run_id}"
    return Execution(run_id, identity, facts, headline, seconds, False, lambda: output)


def _is_final(session: Session, stage: str, output: Any) -> bool:
    """Whether another run would give the same; not a search that was cut, nor rows that changed as they were read."""
    if stage == "extract":
        return bool(session.sources.digests == {one.name: one.digest for one in output.sources})
    return not getattr(output, "truncated", ())
