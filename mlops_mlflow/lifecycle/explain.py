"""What a run would do now, stage by stage, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops_mlflow.core.keys import Key, changes
from mlops_mlflow.engines.sql import changing
from mlops_mlflow.lifecycle.cache.current import key_of, lookup, may_reuse
from mlops_mlflow.lifecycle.cache.keys import DATA, UPSTREAM, search_key
from mlops_mlflow.lifecycle.cache.searches import trials
from mlops_mlflow.lifecycle.plan import missing
from mlops_mlflow.lifecycle.session import Execution, Session
from mlops_mlflow.tracking.results import GoneError, Result, nearest, of_run
from mlops_mlflow.tracking.writer import LONGEST_PARTS

MOST_REASONS = 6
NEVER = "it has not run before"


@dataclass(frozen=True)
class Forecast:
    """What would become of a stage.

    Attributes:
        stage: Which.
        status: ``hit``, an earlier result is reused; ``miss``, it runs; ``open``, reused if what it stands on comes out
            as it did before.
        run_id: The run that would be reused, or that is nearest to what is wanted; empty without one.
        ended: When that run ended, milliseconds since 1970.
        reasons: Why it would run, the parts of its key that changed from the nearest run first.
    """

    stage: str
    status: Literal["hit", "miss", "open"]
    run_id: str = ""
    ended: int = 0
    reasons: tuple[str, ...] = ()


def explain(session: Session, target: str) -> Iterator[Forecast]:
    """Each stage up to the target, in order; nothing is run or written.

    Args:
        session: From ``open_session`` with ``recorded=False``.
        target: A stage or ``main``.

    Raises:
        MlopsError: A source cannot be read, or the server does not answer.
    """
    statuses: dict[str, str] = {}
    for stage in missing(target, ()):
        forecast = _forecast(session, stage, statuses)
        statuses[stage] = forecast.status
        yield forecast


def first_time(target: str) -> Iterator[Forecast]:
    """The same where nothing has run yet."""
    yield from (Forecast(stage, "miss", reasons=(NEVER,)) for stage in missing(target, ()))


def _forecast(session: Session, stage: str, statuses: dict[str, str]) -> Forecast:
    key, below = key_of(session, stage), UPSTREAM.get(stage, "")
    if key is None:
        word = changing(session.folder.sql or "")
        why = f"{session.folder.sql_name} says `{word}`, which is never the same"
        return _assume(session, stage, None, Forecast(stage, "miss", reasons=(why,)))
    if not may_reuse(session.options, stage):
        why = "no earlier result is asked for" if not session.options.cache else "it, or what it stands on, is forced"
        return _assume(session, stage, key, Forecast(stage, "miss", reasons=(why,)))
    unsure = statuses.get(below) == "open" or (
        below == "extract" and statuses.get(below) == "miss" and not _same(session)
    )
    found = lookup(session, stage, key)
    if isinstance(found, Result):
        session.done[stage] = _execution(found, key.digest)
        session.library.adopt(found)
        condition = (f"if {below} gives the same as before",) if unsure else ()
        return Forecast(stage, "open" if unsure else "hit", found.run_id, found.ended, condition)
    if isinstance(found, GoneError):
        return _assume(session, stage, key, Forecast(stage, "miss", reasons=(found.what,)), found.facts)
    return _assume(session, stage, key, _miss(session, stage, key, statuses))


def _same(session: Session) -> bool:
    """Whether ``extract`` would only make again what is known: its key has not changed, its files are gone."""
    return bool(session.done["extract"].reused)


def _miss(session: Session, stage: str, key: Key, statuses: dict[str, str]) -> Forecast:
    """Which parts of the key changed from the nearest earlier run."""
    wanted = json.loads(key.to_json(LONGEST_PARTS))  # as the runs tell theirs
    found = [(changes(parts, wanted), run_id, ended) for run_id, ended, parts in nearest(session.tracker, stage)]
    more = tuple(_known_trials(session)) if stage == "train" else ()
    if not found:
        return Forecast(stage, "miss", reasons=(NEVER, *more))
    differs, run_id, ended = min(found, key=lambda one: len(one[0]))
    reasons = [str(one) for one in differs if not one.part.startswith("result of ") and one.part != DATA]
    if len(reasons) < len(differs):
        below = UPSTREAM[stage]
        again = statuses.get(below) in {"miss", "open"}
        reasons.append(f"{below} runs" if again else f"{below} has another result")
    if len(reasons) > MOST_REASONS:
        reasons = [*reasons[:MOST_REASONS], f"and {len(reasons) - MOST_REASONS} more"]
    cut = (
        "its search was cut by the time guard, so it goes on" if stage == "train" else "what it read changed meanwhile"
    )
    return Forecast(stage, "miss", run_id, ended, (*(reasons or [cut]), *more))


def _known_trials(session: Session) -> Iterator[str]:
    """How much of each candidate's search is known."""
    spec = session.folder.spec
    for name, candidate in spec.candidates.items():
        wanted = spec.tuning.trials if candidate.space else 1
        key = search_key(session.known, name, session.done["prepare"].identity).digest
        known = sum(number < wanted for number in trials(session, key))
        yield f"{name}: {known} of {wanted} {'trials' if wanted > 1 else 'trial'} known"


def _execution(result: Result, identity: str) -> Execution:
    return Execution(
        result.run_id, identity, result.facts, result.headline, result.seconds, reused=True, get=lambda: None
    )


def _assume(
    session: Session, stage: str, key: Key | None, forecast: Forecast, facts: Mapping[str, Any] | None = None
) -> Forecast:
    """Go on as if the stage had run: with what it gave before; or with rows as those of the nearest run.

    Args:
        session: Gets the result.
        stage: Which.
        key: Of it.
        forecast: What is given back.
        facts: What it gave before with the same key, where that is known.
    """
    known = facts is not None
    if stage == "extract" and facts is None:
        facts = _nearest_facts(session, forecast.run_id)
    identity = key.digest if key else ""
    session.done[stage] = Execution("", identity, facts or {}, "", 0.0, reused=known, get=lambda: None)
    return forecast


def _nearest_facts(session: Session, run_id: str) -> Mapping[str, Any]:
    last = run_id or next((found for found, _, _ in nearest(session.tracker, "extract")), "")
    try:
        return of_run(session.tracker, last, session.scratch / "kept").facts if last else {"digest": ""}
    except GoneError as gone:
        return gone.facts or {"digest": ""}
