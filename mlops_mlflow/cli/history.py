"""``mlops history``: where versions were, and who said so."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mlops_mlflow.cli.desk import known_model, open_desk
from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.record import UNVERIFIED
from mlops_mlflow.core.policy.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_mlflow.core.ledger.history import GlassBreak, History, Move
    from mlops_mlflow.core.ledger.record import Actor, Record
    from mlops_mlflow.governance.shelf import Registry


@click.command()
@click.argument("use_case", default=".")
@click.option("--at", help="A day or a time (UTC unless it says otherwise), such as 2026-09-01 or 2026-09-01T12:00.")
@click.option(
    "--all", "everything", is_flag=True, help="Every record: requests, approvals, rejections, refusals, reviews, too."
)
def history(use_case: str, at: str | None, everything: bool) -> None:
    """Which version was where and when, and who said so; with --at, at that time.

    A day means its end; today means now.

    \b
    mlops history churn
    mlops history churn --at 2026-09-01
    mlops history churn --all
    """
    if at is not None and everything:
        raise click.UsageError("--at is about one time and --all about all: name one of them")
    desk = open_desk()
    model, registry = known_model(desk, use_case), desk.registry
    found = registry.shelf(model).history
    if everything:
        lines = list(_records(registry, model))
    else:
        lines = list(_moves(found) if at is None else _at(found, model, _moment(at))) if found.moves else []
    if not lines:
        raise RegistryError(
            f"the ledger knows of no {'record' if everything else 'transition'} of {model}",
            expected="a model that `mlops run` or `mlops adopt` brought under the policy",
            got="no record",
        )
    click.echo("\n".join(lines))


def _records(registry: Registry, model: str) -> Iterator[str]:
    from mlops_mlflow.governance.shelf import read_record

    for stored in registry.stored():
        record = read_record(stored.sequence, stored.text)
        if record.entry.model == model:
            yield _record(record)


def _record(record: Record) -> str:
    entry = record.entry
    way = f"{entry.begin} -> {entry.to}" if entry.to else ""
    role = f" as {', '.join(entry.roles)}" if entry.roles else ""
    about = entry.details.get("subject") or (f"R{number}" if (number := entry.details.get("request")) else "")
    reason = f": {entry.reason}" if entry.reason.strip() else ""
    said = f"{entry.action}{f' of {about}' if about else ''} by {_who(entry.actor)}{role}{reason}"
    return f"{record.sequence:>5}  {moment(record.time)}  version {entry.version:<4} {way:<24} {said}"


def _moves(found: History) -> Iterator[str]:
    for move in found.moves:
        said = f"{move.action}{_past(move)} by {_who(move.actor)}, record {move.sequence}"
        yield f"{moment(move.time)}  version {move.version:<4} {move.begin:>10} -> {move.to:<10}  {said}"
    yield from _unverified(found)


def _past(move: Move) -> str:
    if move.override:
        return f" past the rules (override R{move.override})"
    return " while the policy only watched" if move.watched else ""


def _who(actor: Actor) -> str:
    return f"{actor.name} ({actor.known_by})" if actor.verified else actor.name


def _unverified(found: History) -> Iterator[str]:
    """Once for all, not behind every name."""
    if not all(move.actor.verified for move in found.moves):
        yield f"\nnames without a word on how they are known: {UNVERIFIED}"


def _at(found: History, model: str, at: int) -> Iterator[str]:
    yield f"{model} on {moment(at)}"
    there = False
    for stage in ("Production", "Staging"):
        for version in found.versions_in(stage, at):
            there, move = True, found.last_move(version, at)
            if move is not None:
                yield from _stood(found, stage, version, move, at)
    if not there:
        yield "  nothing was in Production or Staging"
    yield from _unverified(found)


def _stood(found: History, stage: str, version: str, move: Move, at: int) -> Iterator[str]:
    """Since when, by whom, under which policy, and what it stood on."""
    reason = f": {move.reason}" if move.reason.strip() else ""
    who = f"{move.action}{_past(move)} by {_who(move.actor)}, record {move.sequence}{reason}"
    yield f"  {stage:<11} version {version:<4} since {moment(move.time)}: {who}"
    if move.policy:
        yield f"              under the policy `{move.policy}`"
    for one in found.stood_on(move):
        role = f" as {one.role}" if one.role else ""
        asked = f" (in R{one.request})" if one.request else ""
        yield f"              approved by {one.actor.name}{role} on {moment(one.time)}: {one.subject}{asked}"
    for glass in found.glass_breaks:
        if glass.sequence == move.override:
            yield f"              {_glass(glass, at)}"


def _glass(glass: GlassBreak, at: int) -> str:
    told = f"override R{glass.sequence} by {glass.actor.name} on {moment(glass.time)}: {glass.reason}"
    if glass.reviewed and glass.reviewer is not None:
        return f"{told}; reviewed by {glass.reviewer.name} (record {glass.reviewed})"
    due = "was due" if glass.is_overdue(at) else "is due"
    return f"{told}; a review by somebody else {due} by {moment(glass.review_due)}"


def _moment(text: str) -> int:
    """Milliseconds since 1970 of a day's end, if that is past, or of a time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a day or a time, such as 2026-09-01", param_hint="--at") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    whole_day = len(text) == len("2026-09-01")
    end = int(found.timestamp() * 1000) + (86_400_000 - 1 if whole_day else 0)
    return min(end, int(time.time() * 1000)) if whole_day else end
