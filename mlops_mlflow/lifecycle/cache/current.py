"""The keys of a lifecycle as it stands now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_mlflow.core.keys import Key
from mlops_mlflow.core.monitoring.reference import FILE as REFERENCE
from mlops_mlflow.engines.sql import changing
from mlops_mlflow.lifecycle.cache.keys import UPSTREAM, stage_key
from mlops_mlflow.tracking.results import GoneError, Result, check_model, find

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.session import Options, Session


def may_reuse(options: Options, stage: str) -> bool:
    """Whether an earlier result may stand for this stage: not where it, or one that it follows from, is forced."""
    return options.cache and not options.force.intersection(_chain(stage))


def _chain(stage: str | None) -> Iterator[str]:
    """A stage and those that it stands on."""
    while stage is not None:
        yield stage
        stage = UPSTREAM.get(stage)


def key_of(session: Session, stage: str) -> Key | None:
    """The key of a stage whose upstream stages are done; None where no key tells what it will give."""
    if stage == "extract" and changing(session.folder.sql or ""):
        return None
    needed = UPSTREAM.get(stage)
    below = session.done[needed] if needed else None
    return stage_key(
        session.known,
        stage,
        upstream="" if below is None else str(below.facts["digest"]) if needed == "extract" else below.identity,
        sources=session.sources.digests if stage == "extract" else None,
        champion=_champion(session) if stage == "validate" else "",
    )


def lookup(session: Session, stage: str, key: Key) -> Result | GoneError | None:
    """The result of an earlier run with this key; or why it cannot be trusted any more; None where there was none."""
    found = find(session.tracker, key.digest, session.scratch / "kept")
    if isinstance(found, Result) and stage == "evaluate":
        try:
            for name, model in found.models.items():
                check_model(session.tracker, name, model)  # it may have to be registered
        except GoneError as gone:
            return gone
    if isinstance(found, Result) and stage == "validate":
        try:
            _carried(session, found)
        except GoneError as gone:
            return gone
    return found


def _carried(session: Session, found: Result) -> None:
    """Whether the model that is chosen now carries what this result gave it.

    Where its model was deleted, ``evaluate`` has made it again, with the same key and without what ``validate`` adds.
    """
    name = session.done["evaluate"].facts.get("model", "")
    model = session.library.stored.get(name)
    if model is None:  # foretold only
        raise GoneError("the model that it judged is made again")
    check_model(session.tracker, name, replace(model, files={REFERENCE: found.files[REFERENCE]}))


def _champion(session: Session) -> str:
    # With its model: MLflow gives numbers again once a registered model was deleted.
    return "none" if session.champion is None else f"version {session.champion.number}, {session.champion.source}"
