"""What earlier runs found out about each candidate: finished trials and fitted models."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_mlflow.lifecycle.cache.current import may_reuse
from mlops_mlflow.lifecycle.cache.keys import search_key
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.models import load_folder
from mlops_mlflow.tracking.results import GoneError, fetch_model, find_fit
from mlops_mlflow.tracking.writer import SAVED

if TYPE_CHECKING:
    from mlops_mlflow.learning.search import Trial
    from mlops_mlflow.lifecycle.session import Session
    from mlops_mlflow.stages.train.run import Before, KeptModel


def before(session: Session) -> dict[str, Before]:
    """By name of the candidate."""
    from mlops_mlflow.stages.train.run import Before

    prepared, found = session.done["prepare"].identity, {}
    for name in session.folder.spec.candidates:
        key = search_key(session.known, name, prepared).digest
        found[name] = Before(key, trials(session, key), functools.partial(_fitted, session, name, key))
    return found


def trials(session: Session, key: str) -> Mapping[int, Trial]:
    """Finished trials of a search, by number."""
    if not may_reuse(session.options, "train"):
        return {}
    wanted = f"tags.`mlops.search` = '{key}' and attributes.status = 'FINISHED'"
    found: dict[int, Trial] = {}
    with translated("look for earlier trials", uri=session.tracker.shown_uri):
        token: str | None = None
        while True:
            page = session.tracker.client.search_runs(
                [session.tracker.experiment_id], wanted, max_results=1000, page_token=token
            )
            for run in page:
                trial = _trial(run.data.tags.get("mlops.trial", ""))
                if trial is not None:
                    found[trial.number] = trial
            token = page.token
            if not token:
                return found


def _trial(text: str) -> Any:
    from mlops_mlflow.learning.search import Trial

    try:
        plain = json.loads(text)
        return Trial(plain["number"], plain["params"], tuple(plain["figures"]), plain["seconds"], kept=True)
    except (ValueError, KeyError, TypeError):
        return None  # a trial that does not tell its outcome is tried again


def _fitted(session: Session, name: str, key: str, params: dict[str, Any]) -> KeptModel | None:
    from mlops_mlflow.stages.train.run import KeptModel, fit_key

    if not may_reuse(session.options, "train"):
        return None
    found = find_fit(session.tracker, fit_key(key, params), session.scratch / "kept")
    if found is None:
        return None
    model, seconds = found
    try:
        folder = fetch_model(session.tracker, name, model, session.scratch / SAVED, session.scratch / "kept-models")
    except GoneError:
        return None  # it is fitted again
    return KeptModel(model, load_folder(folder)[0], seconds)
