"""``mlops status``, ``history`` and ``policy``: where versions are, were, and may go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mlops_mlflow.cli.desk import missing, model_of, open_desk, told
from mlops_mlflow.cli.origin import tell_origin
from mlops_mlflow.cli.request import TARGET
from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.record import UNVERIFIED
from mlops_mlflow.core.policy.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_mlflow.core.ledger.history import History
    from mlops_mlflow.core.ledger.record import Actor
    from mlops_mlflow.governance.desk.standing import Place, Standing, Step

SHOWN = 10


@click.command()
@click.argument("use_case", default=".")
@click.option("--all", "everything", is_flag=True, help=f"Every version, not only the newest {SHOWN}.")
def status(use_case: str, everything: bool) -> None:
    """Who is where, since when, what blocks the next step, and who can unblock it.

    \b
    mlops status churn
    """
    from mlops_mlflow.governance.desk.standing import standing

    found = standing(open_desk(), model_of(use_case))
    if not found.places:
        raise RegistryError(
            f"{found.name} has no registered version",
            expected="a version that `mlops run` registered",
            got="none",
            hint="run it first; only what passes `validate` is registered",
        )
    click.echo("\n".join(_status(found, everything=everything)))


def _status(found: Standing, *, everything: bool) -> Iterator[str]:
    yield f"{found.name}{'' if found.enforced else '   not enforced'}\n"
    shown = found.places if everything else found.places[:SHOWN]
    for place in shown:
        yield _place(place)
    if len(found.places) > len(shown):
        yield f"  ... and {len(found.places) - len(shown)} more: --all"
    for step in found.steps:
        yield ""
        yield from _step(found, step)
    for one in found.refused:
        how = f"was {one.ended} {one.ending}" if one.ended else f"lapsed on {moment(one.lapses)}, which rejects it"
        yield f"\n{one.name}, version {one.version} to {one.to}, {how}"
    for glass in found.reviews:
        due = f"review due by {moment(glass.review_due)}"
        yield f"\noverride R{glass.sequence} by {glass.actor.name}, {due}, by somebody else:"
        yield f"  mlops review {found.name} R{glass.sequence} --comment ..."


def _place(place: Place) -> str:
    version = place.version
    since = f"since {moment(place.since)}, by {place.by}" if place.since is not None else ""
    strange = "" if place.explained else "  the ledger does not explain this: `mlops adopt`, or put it back"
    alias = f" @{', @'.join(place.aliases)}" if place.aliases else ""
    return f"  {version.registry_stage:<11} version {version.number:<4}{alias:<13} {since}{strange}".rstrip()


def _step(found: Standing, step: Step) -> Iterator[str]:
    what = f"version {step.version} to {step.to}"
    if step.request is not None:
        asked = step.request
        yield f"{asked.name}: {what}, asked by {asked.actor.name} on {moment(asked.time)}"
        yield f"  lapses {moment(asked.lapses)}, which rejects it"
    else:
        before = next((one for one in found.refused if (one.version, one.to) == (step.version, step.to)), None)
        yield f"next: {what}, which {f'{before.name} asked for in vain' if before else 'nobody has asked for'}"
    yield missing(step.decision, todo=step.request is not None)
    if step.request is None or step.decision.allowed:
        yield f"  → {'make' if step.decision.allowed else 'ask for'} it: mlops request {found.name} --to {step.to}"


@click.command()
@click.argument("use_case", default=".")
@click.option("--at", help="A day or a time (UTC unless it says otherwise), such as 2026-09-01 or 2026-09-01T12:00.")
def history(use_case: str, at: str | None) -> None:
    """Which version was where and when, and who said so; with --at, at that time.

    A day means its end.

    \b
    mlops history churn
    mlops history churn --at 2026-09-01
    """
    model = model_of(use_case)
    found = open_desk().registry.shelf(model).history
    if not found.moves:
        raise RegistryError(
            f"the ledger knows of no transition of {model}",
            expected="a model that `mlops run` or `mlops adopt` brought under the policy",
            got="no record",
        )
    click.echo("\n".join(_moves(found) if at is None else _at(found, model, _moment(at))))


def _moves(found: History) -> Iterator[str]:
    for move in found.moves:
        past = " past the rules" if move.override else ""
        said = f"{move.action}{past} by {_who(move.actor)}, record {move.sequence}"
        yield f"{moment(move.time)}  version {move.version:<4} {move.begin:>10} -> {move.to:<10}  {said}"
    yield from _unverified(found)


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
                who = f"{move.action} by {_who(move.actor)}, record {move.sequence}"
                yield f"  {stage:<11} version {version:<4} since {moment(move.time)}: {who}"
                yield from _approved(found, move.sequence)
    if not there:
        yield "  nothing was in Production or Staging"
    yield from _unverified(found)


def _approved(found: History, sequence: int) -> Iterator[str]:
    """Who had approved the request that a transition answered."""
    asked = next((one for one in found.requests.values() if one.ended_by == sequence), None)
    for one in found.approvals if asked else ():
        if asked and one.request == asked.number:
            role = f" as {one.role}" if one.role else ""
            yield f"              approved by {one.actor.name}{role} on {moment(one.time)}: {one.subject}"


def _moment(text: str) -> int:
    """Milliseconds since 1970 of a day's end or of a time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a day or a time, such as 2026-09-01", param_hint="--at") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    whole_day = len(text) == len("2026-09-01")
    return int(found.timestamp() * 1000) + (86_400_000 - 1 if whole_day else 0)


@click.group()
def policy() -> None:
    """What the policy asks for, and what it says of a version.

    \b
    mlops policy explain churn 7 --to Production
    """


@policy.command()
@click.argument("use_case", default=".")
@click.argument("version", type=click.IntRange(min=1), required=False)
@click.option("--to", type=TARGET, default="Production", show_default=True, help="Registry stage.")
def explain(use_case: str, version: int | None, to: str) -> None:
    """Every rule for a transition, its evidence and its outcome. Nothing is recorded.

    Exit codes: 0 it is allowed, 1 it is not.

    \b
    mlops policy explain churn 7 --to Production
    """
    from mlops_mlflow.core.policy.rules import Rules
    from mlops_mlflow.governance.desk.desk import candidate

    model, desk = model_of(use_case), open_desk()
    number = str(version) if version else candidate(desk.registry.shelf(model), to)
    case, decision = desk.look(model, number, to)
    rules: Rules = case.rules
    click.echo(f"{case.transition}: {'allowed' if decision.allowed else 'refused'} by {rules.policy.name}\n")
    click.echo(told(decision.findings))
    click.echo(f"\nevidence   {case.evidence.digest}")
    for part, digest in sorted(case.evidence.parts.items()):
        click.echo(f"           {part:<9} {digest[:16]}  {case.evidence.trouble.get(part, '')}".rstrip())
    tell_origin(case.registration)
    if not decision.allowed:
        raise click.exceptions.Exit(1)
