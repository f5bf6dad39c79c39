"""The model card of a registered version: where it is and who let it there, what it stands on, what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlops_mlflow.cards.blocks import (
    Badge,
    Block,
    Card,
    Cell,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Picture,
    Remark,
    StatusName,
    Table,
)
from mlops_mlflow.cards.charts import Span, timeline
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, listed, of_metric, purpose
from mlops_mlflow.core.ledger.history import Approval, GlassBreak, Move
from mlops_mlflow.core.policy.decide import Case
from mlops_mlflow.core.policy.evidence import PARTS, told
from mlops_mlflow.core.policy.words import moment
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.governance.pages import people
from mlops_mlflow.governance.shelf import Shelf, Version
from mlops_mlflow.lifecycle.governance import criteria
from mlops_mlflow.lifecycle.governance.changes import window
from mlops_mlflow.lifecycle.governance.facts import Facts, Known
from mlops_mlflow.lifecycle.governance.request_card import evidence_blocks, links, not_enforced

_COLOURS: dict[str, StatusName] = {"Production": "ok", "Staging": "info", "Archived": "unknown", "None": "unknown"}
SECONDS = 1000


@dataclass(frozen=True)
class Stay:
    """A version was in a registry stage.

    Attributes:
        stage: Which.
        since: Milliseconds since 1970.
        until: The same; None where it is there still.
        move: What brought it there; None for its registration.
    """

    stage: str
    since: int
    until: int | None
    move: Move | None


def stays(shelf: Shelf, version: Version) -> tuple[Stay, ...]:
    """Where a version has been, as the ledger tells it, in order."""
    moves = [move for move in shelf.history.moves if move.version == version.number and move.begin != move.to]
    if not moves:
        return (Stay(version.registry_stage, version.created, None, None),)
    began = [(moves[0].begin, version.created, None)] if version.created and version.created < moves[0].time else []
    found = [*began, *((move.to, move.time, move) for move in moves)]
    ends = [since for _, since, _ in found[1:]]
    return tuple(
        Stay(stage, since, until, move) for (stage, since, move), until in zip(found, [*ends, None], strict=True)
    )


def model_card(shelf: Shelf, case: Case, facts: Facts, *, enforced: bool = True, address: str | None = None) -> Card:
    """The page of a version.

    Args:
        shelf: The model.
        case: About the version, with the evidence as it is now.
        facts: What its runs say.
        enforced: Whether the registry is bound to the policy.
        address: Of the tracking server, where it has pages to link to.
    """
    version, spec = shelf.versions[case.transition.version], facts.spec
    blocks: list[Block] = [Findings(tuple(_first(shelf, case, facts, enforced=enforced)))]
    blocks += [Heading("Who approved"), *_approved(case)]
    blocks += _judged(facts)
    blocks += [Heading("What it is for"), _purpose(spec, facts)] if spec else []
    blocks += [Heading("What it was made from"), _origin(facts), *_lists(facts)]
    blocks += [Heading("Where it has been"), *_stays(shelf, version, case.now)]
    blocks += [Heading("Evidence"), *evidence_blocks(case.evidence)]
    blocks += [Heading("Where to look"), KeyValues(tuple(links(Known(facts), address)))] if facts.pages else []
    last = stays(shelf, version)[-1]
    status, word = _status(version, facts)
    return Card(
        f"Model card · {shelf.name}",
        f"version {version.number} · in {version.registry_stage} since {moment(last.since)}",
        status,
        _headline(shelf, case, facts),
        tuple(blocks),
        tuple(_key_figures(case, facts, enforced=enforced)),
        word=word,
    )


def _status(version: Version, facts: Facts) -> tuple[StatusName, str]:
    word = version.registry_stage if version.registry_stage != "None" else "registered"
    if facts.verdict == "failed":
        return "failed", word
    return ("ok" if version.registry_stage == "Production" else "info"), word


def _headline(shelf: Shelf, case: Case, facts: Facts) -> str:
    version = shelf.versions[case.transition.version]
    where = "registered" if version.registry_stage == "None" else f"in {version.registry_stage}"
    if facts.verdict:
        bounds = criteria.kept(facts)
    else:
        registration = case.registration
        adopted = "it was adopted as it was; " if registration is not None and registration.adopted else ""
        bounds = f"{adopted}what it was judged by is not known"
    last = _last_move(shelf, version)
    given = {(one.actor.name, one.role): one for one in shelf.history.stood_on(last)} if last else {}
    if last is not None and last.override:
        by = f"; it went there past the rules, by {last.actor.name}"
    elif version.registry_stage in ("Staging", "Production") and given:
        by = f"; approved by {listed([_as(one) for one in given.values()], 4)}"
    else:
        by = ""
    return f"Version {version.number} is {where}: {bounds}{by}"


def _as(one: Approval) -> str:
    return f"{one.actor.name}{f' as {one.role}' if one.role else ''}"


def _last_move(shelf: Shelf, version: Version) -> Move | None:
    last = shelf.history.last_move(version.number)
    return last if last is not None and last.to == version.registry_stage else None


def _key_figures(case: Case, facts: Facts, *, enforced: bool) -> Iterator[tuple[str, Cell]]:
    if not enforced:
        yield "policy", Badge("warning", "not enforced")
    if facts.verdict:
        yield "verdict", Badge(criteria.STATUS[facts.verdict], facts.verdict)
    for name in list(facts.intervals)[:2] or list(facts.metrics)[:1]:
        if facts.spec is not None:
            yield name, of_metric(name, facts.metrics.get(name), facts.spec)
    yield "approvals", sum(not people.ended(case, one) for one in people.given_to(case))
    if facts.spec is not None:
        yield "risk", facts.spec.card.risk


def _first(shelf: Shelf, case: Case, facts: Facts, *, enforced: bool) -> Iterator[Remark]:
    """What a reader has to know or do."""
    version, history = shelf.versions[case.transition.version], shelf.history
    if not enforced:
        yield not_enforced()
    if history.stage_of(version.number) != version.registry_stage:
        says = f"it says {history.stage_of(version.number)}" if case.registration else "it knows nothing of the version"
        why = f"**The ledger does not explain** that it is in {version.registry_stage}: {says}."
        yield Remark("failed", why, f"`mlops adopt {people.word(shelf.name)}` takes it over as it is; or put it back.")
    for one in history.open_requests(case.now):
        if one.version == version.number:
            asks = f"**{one.name}** asks for {one.to}: by {one.actor.name}, lapses {moment(one.lapses)}."
            yield Remark(
                "warning", asks, f"`mlops card {shelf.name} --request {one.name}` shows what an approver reads."
            )
    for glass in (one for one in history.glass_breaks if one.version == version.number):
        yield _override(glass, case.now)
    for trouble in dict.fromkeys([*case.evidence.trouble.values(), *facts.gone]):
        yield Remark("warning", f"Not everything can be read: {trouble}.")
    if case.registration is not None and case.registration.adopted and not facts.verdict:
        yield Remark("info", "It was adopted as it was: no lifecycle registered it, so nothing says how it was judged.")
    elif case.registration is not None and (changed := _changed(case)):
        yield Remark("warning", f"Since it was registered changed: {told(changed)}.")
    if facts.spec is not None and (missed := criteria.missed(facts, facts.spec)):
        yield Remark("failed", f"It does not keep: {missed}.")
    others = [one for one in shelf.in_stage("Production") if one.number != version.number]
    if version.registry_stage == "Production":
        yield Remark("ok", f"It serves: `models:/{shelf.name}@champion` loads it.")
    elif others:
        yield Remark("info", f"Version {others[0].number} is in Production.")


def _override(glass: GlassBreak, now: int) -> Remark:
    said = f"**Override R{glass.sequence}** to {glass.to} by {glass.actor.name} on {moment(glass.time)}: {glass.reason}"
    if glass.reviewed and glass.reviewer is not None:
        return Remark("info", f"{said}.", f"Reviewed by {glass.reviewer.name} (record {glass.reviewed}).")
    if not glass.used:
        return Remark("info", f"{said}.", "It was not used.")
    due = "was due" if glass.is_overdue(now) else "is due"
    return Remark("warning", f"{said}.", f"A review by somebody else {due} on {moment(glass.review_due)}.")


def _changed(case: Case) -> tuple[str, ...]:
    """What is not as it was registered; another champion and other rules concern whoever is asked next."""
    kept = [part for part in PARTS if part not in ("champion", "policy")]
    return case.evidence.changed(case.registration.parts, kept) if case.registration else ()


def _approved(case: Case) -> list[Block]:
    found = people.given_to(case)
    if not found:
        return [Findings((Remark("info", "Nobody has approved anything of this version."),))]
    # Once a version has taken the champion's place, the champion is another.
    return [people.given_table(found, case, but=("champion",))]


def _judged(facts: Facts) -> list[Block]:
    if facts.spec is None or not facts.findings:
        return []
    blocks: list[Block] = [Heading("Success criteria and requirements"), criteria.table(Known(facts), facts.spec)]
    if worst := criteria.worst_slices(Known(facts), facts.spec):
        blocks += [Heading("Worst slices"), *worst]
    return [*blocks, *criteria.metrics(facts, facts.spec)]


def _purpose(spec: UseCaseSpec, facts: Facts) -> KeyValues:
    return KeyValues(
        (
            *purpose(spec),
            ("Asked of people", listed([f"{one.subject} ({one.role})" for one in facts.pending], 8) or "nothing"),
        )
    )


def _origin(facts: Facts) -> KeyValues:
    spec = facts.spec
    known = spec is not None and facts.candidate in spec.candidates
    estimator = f"`{spec.candidates[facts.candidate].estimator}`" if spec and known else "not known"
    items: list[tuple[str, Cell]] = [
        ("Model", f"{facts.candidate or 'not known'}: {estimator}"),
        ("Data", window(facts) or "not known"),
        ("Rows", "not known" if facts.rows is None else f"{figure(facts.rows)}, digest `{people.short(facts.data)}`"),
        ("Features", counted(len(facts.features), "feature") if facts.features else "not known"),
    ]
    return KeyValues((*items, *_committed(facts)))


def _committed(facts: Facts) -> Iterator[tuple[str, Cell]]:
    """Commit that it was registered from, and who had a hand in it."""
    if facts.origin is None:
        return
    yield "Commit", facts.origin.label
    since = facts.origin.since
    if since is not None:
        unknown = "nobody" if since.people is not None else "not known"
        yield f"Committed since version {since.version}", since.names or unknown


def _lists(facts: Facts) -> list[Block]:
    """What only some readers need."""
    blocks: list[Block] = []
    if facts.features:
        rows = tuple(facts.features.items())
        blocks.append(Fold(counted(len(rows), "feature"), (Table(("feature", "kind"), rows),)))
    if facts.dependencies:
        own = Table(("distribution",), tuple((f"`{one}`",) for one in facts.dependencies))
        blocks.append(Fold(counted(len(facts.dependencies), "dependency", "dependencies"), (own,)))
    return blocks


def _stays(shelf: Shelf, version: Version, now: int) -> list[Block]:
    found = stays(shelf, version)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (_stage(one.stage), moment(one.since), moment(one.until) if one.until else "today", *_how(one, shelf))
        for one in found
    )
    table = Table(("registry stage", "from", "to", "how", "by"), rows)
    if len(found) < 2:
        return [table]
    spans = [
        Span(
            _stage(one.stage), one.since / SECONDS, (one.until or now) / SECONDS, _COLOURS[one.stage], _stage(one.stage)
        )
        for one in found
    ]
    return [Picture(timeline(spans, title="Registry stages")), table]


def _stage(stage: str) -> str:
    return stage if stage != "None" else "registered"


def _how(one: Stay, shelf: Shelf) -> tuple[Cell, Cell]:
    move = one.move
    if move is None:
        return "registration", ""
    asked = next((each for each in shelf.history.requests.values() if each.ended_by == move.sequence), None)
    past = ", past the rules" if move.override else ", while the policy only watched" if move.watched else ""
    answered = f", {asked.name}" if asked and asked.ended == "done" else ""
    return f"{move.action}{past}{answered} (record {move.sequence})", move.actor.name
