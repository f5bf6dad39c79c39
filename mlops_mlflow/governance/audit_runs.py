"""Every decision as a run of an audit experiment, so that whoever looks at MLflow finds it, with its card."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.cards.markup import markdown
from mlops_mlflow.core.ledger.chain import Stored
from mlops_mlflow.core.ledger.record import Record
from mlops_mlflow.core.ledger.replay import extended
from mlops_mlflow.core.plain import to_plain
from mlops_mlflow.core.policy.decide import decide
from mlops_mlflow.core.policy.words import SIGNS
from mlops_mlflow.governance.desk.desk import Matter
from mlops_mlflow.governance.shelf import Registry
from mlops_mlflow.tracking.errors import translated, without_password
from mlops_mlflow.tracking.tracker import KIND, USE_CASE, ensure_experiment, given_tags, now_ms

AUDIT, DECISION = "mlops.audit", "decision"
SEQUENCE, HASH, PREVIOUS, PUBLISHED = "mlops.sequence", "mlops.hash", "mlops.previous", "mlops.published"
PUBLISHED_TO = "mlops.published_to."
"""Of the experiment, with ``ledger`` or ``advisory``: up to which record every one has its whole run."""
NOTE = "mlflow.note.content"
NOT_ENFORCED = "not enforced"
LONGEST_NAME, LONGEST_TAG, LONGEST_REASON = 250, 5_000, 600
AT_ONCE = 200
MOST_MADE_UP = 20
"""Runs in one call: whoever waits for it has something else to do."""
SETTLED = 60_000
"""Milliseconds: a younger record may be on its way to its run in another process."""
ABOUT = (
    "Every decision about registry stages: requests, approvals, transitions, rollbacks, refusals; one run for each "
    "record of the ledger. These runs are for reading; `mlops audit verify` checks the ledger itself. Where a run says "
    f"**{NOT_ENFORCED}**, only a plain MLflow server was in reach, and nobody was bound to the decision."
)
Findings = Sequence[Mapping[str, Any]]
"""Of rules, as JSON's types."""


def publisher(
    client: Any, *, tell: Callable[[str], None], card: Callable[[Matter], Card | None] = lambda _: None
) -> Callable[[Matter], None]:
    """What makes runs of the records of a change that was committed; a record that has its run gets no second one.

    The decision stands already, so whatever goes wrong here is told and raises nothing; ``make_up`` does it later.

    Args:
        client: MLflow's, of the tracking server.
        tell: Gets a warning, one sentence.
        card: What an approver read, or should have.
    """

    def publish(matter: Matter) -> None:
        names = ", ".join(str(one.sequence) for one in matter.records)
        with _telling(client, tell, f"record {names}"):
            if not matter.records:
                return
            experiment, files = ensure_audit_experiment(client), _card_files(card(matter))
            for place, record in enumerate(matter.records):
                _publish(client, experiment, record, _findings(matter, place), files)

    return publish


def make_up(client: Any, registry: Registry, *, tell: Callable[[str], None], now: int | None = None) -> tuple[int, ...]:
    """Make the runs that a killed process left out, the oldest first, and a limited number in one call.

    Args:
        client: MLflow's, of the tracking server.
        registry: With the ledger.
        tell: Gets a warning, one sentence.
        now: Milliseconds since 1970; this machine's clock when left out.

    Returns:
        Sequences of the records that got their runs.
    """
    made: list[int] = []
    with _telling(client, tell, "earlier records"):
        experiment = ensure_audit_experiment(client)
        mark = PUBLISHED_TO + ("ledger" if registry.enforced else "advisory")
        before = int(client.get_experiment(experiment).tags.get(mark, 0))
        until = (now_ms() if now is None else now) - SETTLED
        settled = list(islice(_until(registry.stored(before), until), MOST_MADE_UP))
        absent = set(missing(client, settled))
        for one in settled:
            record = _record(one) if one.sequence in absent else None
            if record is not None:
                _publish(client, experiment, record, record.entry.details.get("findings", []), {})
                made.append(record.sequence)
        if settled:
            client.set_experiment_tag(experiment, mark, str(settled[-1].sequence))
    return tuple(made)


def missing(client: Any, records: Iterable[Stored]) -> tuple[int, ...]:
    """Sequences of the records that have no run, or none that is whole, in one request for 200 runs.

    Args:
        client: MLflow's, of the tracking server.
        records: Of the ledger; those that are no records any more count as missing nothing.
    """
    readable = [(one, found) for one in records if (found := _record(one)) is not None]
    if not readable:
        return ()
    oldest = min(found.time for _, found in readable)
    whole = f"tags.`{PUBLISHED}` = 'yes' and attributes.status != 'RUNNING' and attributes.start_time >= {oldest}"
    known = {run.data.tags.get(HASH) for run in search(client, audit_experiment(client), whole)}
    return tuple(one.sequence for one, _ in readable if one.hash not in known)


def audit_experiment(client: Any) -> str | None:
    """Id of the experiment, if it is there."""
    found = client.get_experiment_by_name(AUDIT)
    return None if found is None else str(found.experiment_id)


def ensure_audit_experiment(client: Any) -> str:
    """Id of the experiment, created if need be."""
    found = client.get_experiment_by_name(AUDIT)
    if found is not None and found.lifecycle_stage == "active":
        return str(found.experiment_id)
    experiment = ensure_experiment(client, AUDIT)
    client.set_experiment_tag(experiment, NOTE, ABOUT)
    return experiment


def search(
    client: Any,
    experiment: str | None,
    where: str,
    *,
    order: str = "attributes.start_time ASC",
    at_once: int | None = None,
) -> Iterator[Any]:
    """Audit runs, also those that somebody has deleted in MLflow's UI.

    Args:
        client: MLflow's.
        experiment: Its id; None where there is none, and no runs.
        where: MLflow's filter.
        order: MLflow's order.
        at_once: How many come with one request.
    """
    from mlflow.entities import ViewType

    token = None
    while experiment is not None:
        page = client.search_runs([experiment], where, ViewType.ALL, at_once or AT_ONCE, [order], token)
        yield from page
        if not (token := page.token):
            return


def begin_run(client: Any, experiment: str, record: Record, more: Mapping[str, str], findings: Findings = ()) -> str:
    """Create the run of a record, in one request; its id."""
    tags = {**given_tags(), **_tags(record), NOTE: _note(record, findings), **more}
    return str(client.create_run(experiment, record.time, tags, _cut(headline(record), LONGEST_NAME)).info.run_id)


def end_run(client: Any, run_id: str, time: int) -> None:
    """End the run of a record at the record's own time."""
    # Otherwise MLflow asks for the run once more, to print a link to it.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    client.set_terminated(run_id, "FINISHED", time)


def name_digest(model: str) -> str:
    """Stands for a model's name where quotes in it would be in the way."""
    return hashlib.sha256(model.encode()).hexdigest()[:32]


def headline(record: Record) -> str:
    """A record in words: ``flight_delays 7: request Staging -> Production by anna``."""
    entry = record.entry
    words = f"refused {entry.details.get('attempt', 'attempt')}" if entry.action == "refusal" else entry.action
    role = f" as {', '.join(entry.roles)}" if entry.roles else ""
    # A registration is no move: where it says Staging, that is where the version would go next.
    arrow = f" {entry.begin} -> {entry.to}" if entry.to and entry.action != "registration" else ""
    about = f"{entry.model} {entry.version}".rstrip()
    return f"{about}: {words}{role}{arrow} by {entry.actor.name}"


def _tags(record: Record) -> dict[str, str]:
    """What people look for in MLflow; whatever is empty is left out."""
    from mlflow.utils.mlflow_tags import MLFLOW_USER

    entry = record.entry
    found = {
        MLFLOW_USER: entry.actor.name,
        KIND: DECISION,
        USE_CASE: entry.model,
        "mlops.version": entry.version,
        "mlops.action": entry.action,
        "mlops.from": entry.begin,
        "mlops.to": entry.to,
        "mlops.actor": entry.actor.name,
        "mlops.known_by": entry.actor.known_by,
        "mlops.roles": ", ".join(entry.roles),
        "mlops.reason": entry.reason,
        "mlops.outcome": "refused" if entry.action == "refusal" else "allowed",
        "mlops.enforcement": "enforced" if entry.enforced else NOT_ENFORCED,
        SEQUENCE: str(record.sequence),
        HASH: record.hash,
        PREVIOUS: record.previous,
    }
    return {name: _cut(value, LONGEST_TAG) for name, value in found.items() if value}


def _note(record: Record, findings: Findings) -> str:
    """What the run's page shows: the decision, by whom and why in the first line."""
    entry = record.entry
    why = f": {markdown(entry.reason, LONGEST_REASON)}" if entry.reason else ""
    lines = [f"**{markdown(headline(record))}** ({markdown(entry.actor.known_by)}){why}", ""]
    if not entry.enforced:
        lines += [
            f"**{NOT_ENFORCED.capitalize()}**: only a plain MLflow server was in reach; nobody is bound to it.",
            "",
        ]
    for one in findings:
        lines.append(f"- {SIGNS[one['outcome']]} {markdown(one['rule'])}: {markdown(one['reason'], LONGEST_REASON)}")
    lines += ["", f"Record {record.sequence} of the ledger, `{record.hash[:12]}`."]
    return _cut("\n".join(lines), LONGEST_TAG)


def _findings(matter: Matter, place: int) -> Findings:
    """Rules and outcomes of a record: as it says, or as they were once it was written."""
    own = matter.records[place].entry.details.get("findings")
    if own is not None:
        return list(own)
    case = matter.case
    history = extended(case.history, matter.records[: place + 1])
    return list(to_plain(decide(replace(case, history=history)).findings))


def _publish(client: Any, experiment: str, record: Record, findings: Findings, files: Mapping[str, str]) -> None:
    """Make the run of a record, or what an interrupted call left out of it."""
    run = next(search(client, experiment, f"tags.`{HASH}` = '{record.hash}'", at_once=1), None)
    if run is not None and (_is_whole(run) or run.info.lifecycle_stage != "active"):
        return
    run_id = run.info.run_id if run is not None else begin_run(client, experiment, record, {}, findings)
    with tempfile.TemporaryDirectory(prefix="mlops-audit-") as folder:
        told = {"record": record.to_plain(), "findings": findings}
        for name, content in {"findings.json": json.dumps(told, ensure_ascii=False, indent=1), **files}.items():
            (Path(folder) / name).write_text(content, encoding="utf-8")
        client.log_artifacts(run_id, folder)
    _log(client, run_id, record, findings)
    if run is None or run.info.status == "RUNNING":
        end_run(client, run_id, record.time)


def _is_whole(run: Any) -> bool:
    return PUBLISHED in run.data.tags and run.info.status != "RUNNING"


def _log(client: Any, run_id: str, record: Record, findings: Findings) -> None:
    """What can be compared in MLflow's table, in one request; it also says that the run is whole."""
    from mlflow.entities import Metric, Param, RunTag

    entry = record.entry
    outcomes = [one["outcome"] for one in findings]
    counts = {f"rules_{outcome}": outcomes.count(outcome) for outcome in {"met", "missing", *outcomes}}
    params = {"version": entry.version, "action": entry.action, "from": entry.begin, "to": entry.to}
    client.log_batch(
        run_id,
        [Metric(name, count, record.time, 0) for name, count in counts.items()] if findings else [],
        [Param(name, value) for name, value in params.items() if value],
        [RunTag(NOTE, _note(record, findings)), RunTag(PUBLISHED, "yes")],
    )


def _card_files(card: Card | None) -> dict[str, str]:
    if card is None:
        return {}
    from mlops_mlflow.cards.notes import to_markdown
    from mlops_mlflow.cards.page import to_html

    return {"card.html": to_html(card), "card.md": to_markdown(card)}


def _until(records: Iterable[Stored], time: int) -> Iterator[Stored]:
    """Records up to the first that is younger."""
    for one in records:
        record = _record(one)
        if record is not None and record.time > time:
            return
        yield one


def _record(stored: Stored) -> Record | None:
    """None for what somebody has changed until it was no record: whoever verifies the ledger says so."""
    try:
        return Record.from_plain(json.loads(stored.text))
    except (ValueError, TypeError):
        return None


@contextlib.contextmanager
def _telling(client: Any, tell: Callable[[str], None], what: str) -> Iterator[None]:
    place = without_password(client.tracking_uri)
    try:
        with translated(f"show {what} in MLflow's experiment {AUDIT}", uri=place):
            yield
    except Exception as error:  # noqa: BLE001  # whatever it is, the decision stands and its caller goes on
        why = "; ".join(line.strip() for line in str(error).splitlines()) or type(error).__name__
        tell(f"{why} (what was decided stands, and is in the ledger)")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
