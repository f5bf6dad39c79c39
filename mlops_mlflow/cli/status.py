"""``mlops status``: where versions are, and what has to happen next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from mlops_mlflow.cli.desk import known_model, missing, open_desk
from mlops_mlflow.core.policy.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_mlflow.governance.desk.desk import Desk
    from mlops_mlflow.governance.desk.standing import Place, Standing, Step

SHOWN = 10


@click.command()
@click.argument("use_case", required=False)
@click.option("--all", "everything", is_flag=True, help=f"Every version, not only the newest {SHOWN}.")
def status(use_case: str | None, everything: bool) -> None:
    """Who is where, since when, what blocks the next step, and who can unblock it.

    Without a use case: an overview of all models that the ledger knows.

    \b
    mlops status
    mlops status churn
    """
    from mlops_mlflow.governance.desk.standing import standing

    if use_case is None:
        click.echo("\n".join(_overview(open_desk())))
        return
    desk = open_desk()
    found = standing(desk, known_model(desk, use_case))
    click.echo("\n".join(_status(found, everything=everything)))


def _overview(desk: Desk) -> Iterator[str]:
    names = desk.registry.governed()
    if not names:
        yield "the ledger knows of no model yet: `mlops run` registers one, `mlops adopt` takes one over"
        return
    now, width = desk.clock(), max(map(len, names))
    for name in names:
        shelf = desk.registry.shelf(name)
        places = [
            f"{stage} {', '.join(one.number for one in there)}"
            for stage in ("Production", "Staging")
            if (there := shelf.in_stage(stage))
        ]
        waiting = [one.name for one in shelf.history.open_requests(now)]
        asks = f"  {', '.join(waiting)} {'waits' if len(waiting) == 1 else 'wait'}" if waiting else ""
        yield f"{name:<{width}}  {'; '.join(places) or 'nothing in Staging or Production'}{asks}"


def _status(found: Standing, *, everything: bool) -> Iterator[str]:
    watches = ", which only watches (dry run)" if found.dry_run else ""
    yield f"{found.name}{'' if found.enforced else '   not enforced'}   policy: {found.policy}{watches}"
    if found.before:
        yield f"the policy was `{found.before}` when something was last recorded"
    yield ""
    shown = found.places if everything else found.places[:SHOWN]
    width = max((len(_aliases(place)) for place in shown), default=0)
    for place in shown:
        yield _place(place, width)
    if len(found.places) > len(shown):
        yield f"  ... and {len(found.places) - len(shown)} more: --all"
    yield from _strange(found)
    for step in found.steps:
        yield ""
        yield from _step(found, step)
    for one in found.refused:
        how = f"was {one.ended} {one.ending}" if one.ended else f"lapsed on {moment(one.lapses)}, which rejects it"
        yield f"\n{one.name}, version {one.version} to {one.to}, {how}"
    for given, void in found.envelopes:
        counts = f", which counts for nothing now: {void}" if void else ""
        yield f"\nchange envelope approved by {given.actor.name} as {given.role} on {moment(given.time)}{counts}"
    for glass in found.reviews:
        due = f"review due by {moment(glass.review_due)}"
        yield f"\noverride R{glass.sequence} by {glass.actor.name}, {due}, by somebody else:"
        yield f"  mlops review {shlex.quote(found.name)} R{glass.sequence} --comment ..."


def _aliases(place: Place) -> str:
    return f"@{', @'.join(place.aliases)}" if place.aliases else ""


def _place(place: Place, width: int) -> str:
    version = place.version
    since = f"since {moment(place.since)}, by {place.by}" if place.since is not None else ""
    told = since if place.explained else "the ledger does not explain this"
    return f"  {version.registry_stage:<11} version {version.number:<4} {_aliases(place):<{width}}  {told}".rstrip()


def _strange(found: Standing) -> Iterator[str]:
    """What was changed past the ledger, and how to put that right."""
    strange = [place for place in found.places if not place.explained]
    if not strange:
        return
    yield ""
    for place in strange:
        says = f"says {place.recorded}" if place.recorded else "knows nothing of it"
        number, there = place.version.number, place.version.registry_stage
        yield f"version {number} is in {there}, and the ledger {says}"
        if place.recorded:
            call = (
                f"mlflow.MlflowClient().transition_model_version_stage({found.name!r}, {number!r}, {place.recorded!r})"
            )
            yield f"  put it back: python -c {shlex.quote(f'import mlflow; {call}')}"
    serving = [place for place in found.places if place.version.registry_stage == "Production"]
    if len(serving) > 1:
        yield f"  {len(serving)} versions are in Production; all but one have to leave before they can be taken over"
    else:
        yield f"  or take over what is there: mlops adopt {shlex.quote(found.name)} --reason ..."


def _step(found: Standing, step: Step) -> Iterator[str]:
    from mlops_mlflow.governance.desk.requests import is_hopeless

    what, asked = f"version {step.version} to {step.to}", step.request
    there = next(place for place in found.places if place.version.number == step.version).version.registry_stage
    if asked is not None:
        yield f"{asked.name}: {what}, asked by {asked.actor.name} on {moment(asked.time)}"
        yield f"  lapses {moment(asked.lapses)}, which rejects it"
        if asked.begin != there:
            yield f"  it was asked for from {asked.begin}, and the version is in {there}: put that right first"
            return
    else:
        before = next((one for one in found.refused if (one.version, one.to) == (step.version, step.to)), None)
        yield f"next: {what}, which {f'{before.name} asked for in vain' if before else 'nobody has asked for'}"
    vain = is_hopeless(step.decision) or step.decision.nobody_can
    yield missing(step.decision, todo=asked is not None or vain)
    if step.decision.allowed or (asked is None and not vain):
        name = shlex.quote(found.name)
        yield f"  → {'make' if step.decision.allowed else 'ask for'} it: mlops request {name} --to {step.to}"
